// The lanes of LtHash (commitment.ts) in WebAssembly made here, when it is first used: BLAKE3 of one entry and the
// addition of its output to the sum, four blocks of output at a time in vectors of four words. A general BLAKE3 takes
// four times as long, and that was a fifth of a transfer.
//
// Memory: the entry, at most one BLAKE3 chunk, from 0; the sum from `sumAt`, as vectors: block 4c + i of the output has
// its word j in lane i of vector 16c + j.
import { assert } from "@causeway/primitives";

/** Bytes of the sum: 1,024 lanes of 16 bits. */
export const sumSize = 2_048;
/** One chunk of BLAKE3, bytes. */
export const entrySizeMax = 1_024;
const sumAt = entrySizeMax;

/** As much of it as is used here: the types of Node have none. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};
type Exports = {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly add: (size: number) => void;
  readonly subtract: (size: number) => void;
};

/** A sum in the making. */
export type LtHash = {
  /** The entry is the parts as one, at most {@link entrySizeMax} bytes. */
  readonly add: (parts: readonly Uint8Array[]) => void;
  readonly remove: (parts: readonly Uint8Array[]) => void;
  readonly bytes: () => Uint8Array;
};

/** Goes on from a sum of {@link sumSize} bytes. */
export function ltHash(from: Uint8Array): LtHash {
  assert(from.length === sumSize, `a sum of ${from.length} bytes`);
  const mine = from.slice();
  const turn = (parts: readonly Uint8Array[]): number => {
    if (loaded !== mine) load(mine);
    return write(parts);
  };
  return {
    add: (parts) => wasm.add(turn(parts)),
    remove: (parts) => wasm.subtract(turn(parts)),
    bytes: () => {
      if (loaded === mine) unload();
      return mine.slice();
    },
  };
}

/** Word j of block b of the output, by place in memory. */
const words = Uint32Array.from({ length: sumSize / 4 }, (_, at) => {
  const [group, word, lane] = [at >> 6, (at >> 2) & 15, at & 3];
  return (4 * group + lane) * 16 + word;
});

/** Whose sum is in memory now. */
let loaded: Uint8Array | undefined;

function load(sum: Uint8Array): void {
  if (loaded !== undefined) unload();
  const plain = new Uint32Array(sum.slice().buffer);
  for (const [at, word] of words.entries()) vectors[at] = plain[word] as number;
  loaded = sum;
}

function unload(): void {
  const plain = new Uint32Array(sumSize / 4);
  for (const [at, word] of words.entries()) plain[word] = vectors[at] as number;
  loaded?.set(new Uint8Array(plain.buffer));
  loaded = undefined;
}

/** Puts the entry into memory, with zeros to the end of its last block. */
function write(parts: readonly Uint8Array[]): number {
  let size = 0;
  for (const part of parts) {
    assert(size + part.length <= entrySizeMax, `an entry of more than ${entrySizeMax} bytes`);
    entry.set(part, size);
    size += part.length;
  }
  entry.fill(0, size, (size + 63) & ~63 || 64);
  return size;
}

type Code = readonly number[];

// Locals: the parameter (size), then i32, then vectors.
const size = 0;
const step = 1;
const block = 2;
const last = 3;
const sum = 4;
const chain = (k: number): number => 5 + k;
const v = (k: number): number => 13 + k;
const counter = 29;
const length = 30;
const flags = 31;

const get = (local: number): Code => [0x20, local];
const set = (local: number): Code => [0x21, local];
const int = (value: number): Code => [0x41, ...signed(value)];
const vector = (code: number): Code => [0xfd, ...unsigned(code)];
const xor = vector(0x51);
const plus = vector(0xae);
const splat = vector(0x11);
const lanes = (a: number, b: number, c: number, d: number): Code => [
  ...vector(0x0c),
  ...new Uint8Array(Uint32Array.of(a, b, c, d).buffer),
];
const same = (word: number): Code => lanes(word, word, word, word);

const initial = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];
const permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const chunkStart = 1;
const chunkEnd = 2;
const root = 8;

/** The local, its words rotated to the right: by whole bytes a shuffle. */
function rotated(local: number, bits: number): Code {
  const bytes = Array.from({ length: 16 }, (_, i) => (i & 12) | ((i + bits / 8) & 3));
  if (bits % 8 === 0) return [...get(local), ...get(local), ...vector(0x0d), ...bytes];
  const right = [...get(local), ...int(bits), ...vector(0xad)];
  return [...right, ...get(local), ...int(32 - bits), ...vector(0xab), ...vector(0x50)];
}

/** BLAKE3's G on four of the state's vectors with two words of the message. */
function mix([a, b, c, d]: readonly [number, number, number, number], x: number, y: number): Code {
  const word = (of: number): Code => [...get(block), ...vector(0x09), 2, ...unsigned(4 * of)];
  const sumOf = (of: number): Code => [...get(a), ...get(b), ...plus, ...word(of), ...plus];
  const half = (of: number, first: number, second: number): Code => [
    ...[...sumOf(of), ...set(a), ...get(d), ...get(a), ...xor, ...set(d)],
    ...[...rotated(d, first), ...set(d), ...get(c), ...get(d), ...plus, ...set(c)],
    ...[...get(b), ...get(c), ...xor, ...set(b), ...rotated(b, second), ...set(b)],
  ];
  return [...half(x, 16, 12), ...half(y, 8, 7)];
}

function rounds(): Code {
  const code: number[] = [];
  let order = permutation.map((_, i) => i);
  for (let round = 0; round < 7; round++) {
    for (let i = 0; i < 8; i++) {
      // Columns, then diagonals.
      const shift = i < 4 ? 0 : 1;
      const at = (row: number): number => v(4 * row + ((i + shift * row) & 3));
      code.push(...mix([at(0), at(1), at(2), at(3)], order[2 * i] ?? 0, order[2 * i + 1] ?? 0));
    }
    order = permutation.map((from) => order[from] ?? 0);
  }
  return code;
}

/** Compresses the block under way into `v`. */
function compress(): Code {
  const start = [
    ...Array.from({ length: 8 }, (_, k) => [...get(chain(k)), ...set(v(k))]),
    ...Array.from({ length: 4 }, (_, k) => [...same(initial[k] ?? 0), ...set(v(8 + k))]),
    [...get(counter), ...set(v(12)), ...same(0), ...set(v(13))],
    [...get(length), ...set(v(14)), ...get(flags), ...set(v(15))],
  ];
  return [...start.flat(), ...rounds()];
}

/** Adds the output to the vectors at `sum`, or subtracts it, in lanes of 16 bits. */
function accumulate(operation: Code): Code {
  const of = (k: number): Code => [...get(sum), ...vector(0x00), 4, ...unsigned(sumAt + 16 * k)];
  const words = Array.from({ length: 16 }, (_, k) => {
    const out = [...get(v(k)), ...get(k < 8 ? v(k + 8) : chain(k - 8)), ...xor];
    const store = [...vector(0x0b), 4, ...unsigned(sumAt + 16 * k)];
    return [...get(sum), ...of(k), ...out, ...operation, ...store];
  });
  return words.flat();
}

/** All blocks but the last into the chaining value, then the last one eight times, for four blocks of output each. */
function entryCode(operation: Code): Code {
  const add = (local: number, value: Code): Code => [...get(local), ...value, 0x6a, ...set(local)];
  const chained = Array.from({ length: 8 }, (_, k) => [
    ...[...get(v(k)), ...get(v(k + 8)), ...xor, ...set(chain(k))],
  ]);
  const final = [
    ...[...get(size), ...get(block), 0x6b, ...splat, ...set(length)],
    ...[...get(flags), ...same(chunkEnd | root), ...vector(0x50), ...set(flags)],
  ];
  return [
    ...initial.flatMap((word, k) => [...same(word), ...set(chain(k))]),
    ...[...same(64), ...set(length), ...same(chunkStart), ...set(flags)],
    // Where the last block begins; an empty entry has one block too (-64 ends the loop at once).
    ...[...get(size), ...int(1), 0x6b, ...int(-64), 0x71, ...set(last)],
    ...[0x02, 0x40, 0x03, 0x40],
    ...[...get(block), ...get(last), 0x4e, 0x0d, 1],
    ...[...compress(), ...chained.flat(), ...same(0), ...set(flags), ...add(block, int(64))],
    ...[0x0c, 0, 0x0b, 0x0b],
    ...final,
    ...[...lanes(0, 1, 2, 3), ...set(counter)],
    ...[0x03, 0x40],
    ...[...compress(), ...accumulate(operation)],
    ...[...get(counter), ...same(4), ...plus, ...set(counter), ...add(sum, int(256))],
    ...[...add(step, int(1)), ...get(step), ...int(8), 0x48, 0x0d, 0, 0x0b],
    0x0b,
  ];
}

/** A module of a page of memory and of two functions (size). */
function moduleBytes(): Uint8Array {
  const name = (text: string): Code => sized([...text].map((letter) => letter.charCodeAt(0)));
  // Four more locals of i32, 27 vectors.
  const body = (code: number): Code => sized([2, 4, 0x7f, 27, 0x7b, ...entryCode(vector(code))]);
  const exported = [...name("memory"), 2, 0, ...name("add"), 0, 0, ...name("subtract"), 0, 1];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, ...sized([1, 0x60, 1, 0x7f, 0])],
    ...[3, ...sized([2, 0, 0])],
    ...[5, ...sized([1, 0, 1])],
    ...[7, ...sized([3, ...exported])],
    ...[10, ...sized([2, ...body(0x8e), ...body(0x91)])],
  ]);
}

function sized(code: Code): Code {
  return [...unsigned(code.length), ...code];
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 128 ? [value] : [128 | (value & 127), ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  return value >= -64 && value < 64 ? [value & 127] : [128 | (value & 127), ...signed(value >> 7)];
}

const wasm = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes())).exports as Exports;
const entry = new Uint8Array(wasm.memory.buffer, 0, entrySizeMax);
const vectors = new Uint32Array(wasm.memory.buffer, sumAt, sumSize / 4);
