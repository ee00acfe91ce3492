// The two loops that the beacon's time goes into, as WebAssembly made for a field when it is first walked in: roots
// forward, squarings back (BCN-1). Bigints take 4.5 times as long, and what a validator's machine loses against an
// attacker's the delay must make up for (BCN-3).
//
// An element is `count` limbs of `width` bits in i64 locals; 2^(count x width) = 2^over mod p. A product of 29-bit limbs
// has 58 bits, so that a column of 18 of them fits in 64. Between squarings limbs are reduced weakly: below
// 2^width + 2^10.
import { assert } from "@causeway/primitives";
import type { Field } from "./field.ts";

/** From `value`, which is what `index` steps led to, over `steps` steps forward or back; asserts {@link indexMax}. */
type Loop = (value: bigint, index: number, steps: number) => bigint;
export type Loops = { readonly advance: Loop; readonly retreat: Loop };

/** Largest index of a walk: 19 hours at 30,000 steps a second. */
const indexMax = 2 ** 31 - 1;

/** As much of it as is used here: the types of Node have none. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

const made = new Map<number, Loops>();

/** The loops of `field`, made once. */
export function loopsOf(field: Field): Loops {
  const before = made.get(field.bits);
  if (before !== undefined) return before;
  const loops = make(field);
  made.set(field.bits, loops);
  return loops;
}

type Shape = {
  readonly bits: number;
  readonly count: number;
  readonly width: number;
  readonly over: number;
  /** p's limbs. */
  readonly limbs: readonly bigint[];
};

function shapeOf({ bits }: Field): Shape {
  const count = Math.ceil(bits / 29);
  const width = Math.ceil(bits / count);
  const top = bits - width * (count - 1);
  const limbs = Array.from({ length: count }, (_, k) => ones(k < count - 1 ? width : top));
  return { bits, count, width, over: count * width - bits, limbs };
}

function ones(bits: number): bigint {
  return (1n << BigInt(bits)) - 1n;
}

function make(field: Field): Loops {
  const shape = shapeOf(field);
  const { count, width } = shape;
  const module = new WebAssembly.Module(moduleOf(advanceCode(shape), retreatCode(shape), count));
  const { memory, advance, retreat } = new WebAssembly.Instance(module).exports as Exports;
  const words = new BigUint64Array(memory.buffer, 0, count);
  const shift = BigInt(width);
  const run = (loop: Exports["advance"], value: bigint, index: number, steps: number): bigint => {
    if (steps === 0) return value;
    for (let k = 0, rest = value; k < count; k++, rest >>= shift)
      words[k] = BigInt.asUintN(width, rest);
    loop(BigInt(index), steps);
    return words.reduceRight((sum, limb) => (sum << shift) | limb, 0n);
  };
  const checked = (far: number): void =>
    assert(far <= indexMax, `no walk has more than ${indexMax} steps`);
  return {
    advance: (value, index, steps) => {
      checked(index + steps);
      return run(advance, value, index, steps);
    },
    retreat: (value, index, steps) => {
      checked(index);
      return run(retreat, value, index, steps);
    },
  };
}

type Exports = {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly advance: (index: bigint, steps: number) => void;
  readonly retreat: (index: bigint, steps: number) => void;
};

type Code = readonly number[];

// Parameters 0 (index, i64) and 1 (steps, i32); then the element, two others, its doubled limbs, and the columns of a
// product; a carry and a counter (i32) last.
const index = 0;
const steps = 1;
const a = (k: number): number => 2 + k;
const z = ({ count }: Shape, k: number): number => 2 + count + k;
const r = ({ count }: Shape, k: number): number => 2 + 2 * count + k;
const doubled = ({ count }: Shape, k: number): number => 2 + 3 * count + k;
const column = ({ count }: Shape, k: number): number => 2 + 4 * count + k;
const carry = ({ count }: Shape): number => 2 + 6 * count;
const counter = ({ count }: Shape): number => 3 + 6 * count;

const op = {
  add: 0x7c,
  sub: 0x7d,
  mul: 0x7e,
  and: 0x83,
  or: 0x84,
  xor: 0x85,
  shl: 0x86,
  shr: 0x88,
  eq: 0x51,
  ne: 0x52,
  end: 0x0b,
  select: 0x1b,
  extend: 0xad,
} as const;
const get = (local: number): Code => [0x20, ...unsigned(local)];
const set = (local: number): Code => [0x21, ...unsigned(local)];
const constant = (value: bigint): Code => [0x42, ...signed(value)];
const plain = (value: number): Code => [0x41, ...signed(BigInt(value))];
/** Runs `body` until `local`, an i32 above 0, is counted down to 0. */
const repeat = (local: number, body: Code): Code => [
  ...[0x03, 0x40, ...body, ...get(local), ...plain(1), 0x6b, 0x22, ...unsigned(local)],
  ...[0x0d, 0, op.end],
];

function each(shape: Shape, code: (k: number) => Code): Code {
  return Array.from({ length: shape.count }, (_, k) => code(k)).flat();
}

/** a = a^2, weakly reduced. */
function squareCode(shape: Shape): Code {
  const { count, width, over } = shape;
  const c = (k: number): number => column(shape, k);
  const code: number[] = [];
  code.push(
    ...each(shape, (k) => [...get(a(k)), ...constant(1n), op.shl, ...set(doubled(shape, k))]),
  );
  for (let k = 0; k <= 2 * count - 2; k++) {
    for (let i = Math.max(0, k - count + 1), first = true; 2 * i <= k; i++, first = false) {
      const factor = 2 * i === k ? a(i) : doubled(shape, i);
      code.push(...get(factor), ...get(a(k - i)), op.mul, ...(first ? [] : [op.add]));
    }
    code.push(...set(c(k)));
  }
  // The upper half is carried before it is folded onto the lower: it would not fit otherwise.
  code.push(...constant(0n), ...set(carry(shape)));
  for (let k = count; k <= 2 * count - 2; k++)
    code.push(...get(c(k)), ...get(carry(shape)), op.add, ...split(shape, c(k), c(k), width));
  code.push(...get(carry(shape)), ...set(c(2 * count - 1)), ...constant(0n), ...set(carry(shape)));
  for (let k = 0; k < count; k++)
    code.push(
      ...[...get(c(k)), ...get(c(k + count)), ...constant(BigInt(over)), op.shl, op.add],
      ...[...get(carry(shape)), op.add, ...split(shape, c(k), a(k), width)],
    );
  code.push(...get(a(0)), ...get(carry(shape)), ...constant(BigInt(over)), op.shl, op.add);
  code.push(...split(shape, a(0), a(0), width), ...get(a(1)), ...get(carry(shape)), op.add);
  return [...code, ...set(a(1))];
}

/** Of the value on the stack, which passes through the local `through`: its low bits to `low`, the rest to the carry. */
function split(shape: Shape, through: number, low: number, bits: number): Code {
  return [
    ...[...set(through), ...get(through), ...constant(BigInt(bits)), op.shr, ...set(carry(shape))],
    ...[...get(through), ...constant(ones(bits)), op.and, ...set(low)],
  ];
}

/** a = the same element below p. Twice around: what is above 2^bits is added at the bottom, where it counts 1. */
function canonicalCode(shape: Shape): Code {
  const { bits, count, width, limbs } = shape;
  const top = bits - width * (count - 1);
  const around: Code = [
    ...[...constant(0n), ...set(carry(shape))],
    ...each(shape, (k) => [
      ...[...get(a(k)), ...get(carry(shape)), op.add],
      ...split(shape, a(k), a(k), k < count - 1 ? width : top),
    ]),
    ...[...get(a(0)), ...get(carry(shape)), op.add, ...set(a(0))],
  ];
  const differs = difference(shape, (k) => constant(limbs[k] ?? 0n));
  return [
    ...[...around, ...around],
    // p itself is 0. Its lowest limb alone tells nearly always that it is another.
    ...[...get(a(0)), ...constant(limbs[0] ?? 0n), op.eq, 0x04, 0x40],
    ...[...differs, ...constant(0n), op.eq, 0x04, 0x40],
    ...[...each(shape, (k) => [...constant(0n), ...set(a(k))]), op.end, op.end],
  ];
}

/** On the stack: 0 iff a's limbs are `other`'s. */
function difference(shape: Shape, other: (k: number) => Code): Code {
  const one = (k: number): Code => [...get(a(k)), ...other(k), op.xor, ...(k > 0 ? [op.or] : [])];
  return each(shape, one);
}

/** a = multiple x p - a where the carry, which is an i64, is not 0. No limb of a is above that of the multiple. */
function negateCode(shape: Shape, multiple: bigint): Code {
  const { limbs } = shape;
  const negated = (k: number): Code => [
    ...[...constant(multiple * (limbs[k] ?? 0n)), ...get(a(k)), op.sub],
  ];
  const chosen = [...get(carry(shape)), ...constant(0n), op.ne, op.select];
  return each(shape, (k) => [...negated(k), ...get(a(k)), ...chosen, ...set(a(k))]);
}

/** Counts the index up, and a = root(a + index). */
function advanceCode(shape: Shape): Code {
  const square = squareCode(shape);
  const canonical = canonicalCode(shape);
  return [
    ...[...get(index), ...constant(1n), op.add, ...set(index)],
    ...[...get(a(0)), ...get(index), op.add, ...set(a(0)), ...canonical],
    ...copy(shape, a, (k) => z(shape, k)),
    ...[...plain(shape.bits - 2), ...set(counter(shape)), ...repeat(counter(shape), square)],
    ...[...canonical, ...copy(shape, a, (k) => r(shape, k))],
    // r^2 is z or -z. The root is even in the first case and odd in the second.
    ...[...square, ...canonical, ...difference(shape, (k) => get(z(shape, k)))],
    ...[...constant(0n), op.ne, op.extend, ...set(carry(shape))],
    ...copy(shape, (k) => r(shape, k), a),
    ...[...get(carry(shape)), ...get(a(0)), ...constant(1n), op.and, op.xor, ...set(carry(shape))],
    ...negateCode(shape, 1n),
  ];
}

/** a = unroot(a) - index, and counts the index down. */
function retreatCode(shape: Shape): Code {
  const { width, limbs, over } = shape;
  // The square's limbs are reduced weakly, and the top one of p is shorter.
  const multiple = 1n << BigInt(over + 1);
  const digit = (k: number): Code => [
    ...[...get(index), ...constant(BigInt(k * width)), op.shr],
    ...[...constant(ones(width)), op.and],
  ];
  /** Adds p before it subtracts, so that no limb is negative. */
  const subtracted = (k: number): Code => [
    ...[...get(a(k)), ...constant(limbs[k] ?? 0n), op.add],
    ...(k < 2 ? [...digit(k), op.sub] : []),
    ...set(a(k)),
  ];
  return [
    ...[...get(a(0)), ...constant(1n), op.and, ...set(z(shape, 0))],
    ...[...squareCode(shape), ...get(z(shape, 0)), ...set(carry(shape))],
    ...negateCode(shape, multiple),
    ...[...each(shape, subtracted), ...canonicalCode(shape)],
    ...[...get(index), ...constant(1n), op.sub, ...set(index)],
  ];
}

function copy(shape: Shape, from: (k: number) => number, to: (k: number) => number): Code {
  return each(shape, (k) => [...get(from(k)), ...set(to(k))]);
}

/** A module of a page of memory, in which the element is, and of two functions (index, steps) over it. */
function moduleOf(advance: Code, retreat: Code, count: number): Uint8Array<ArrayBuffer> {
  const body = (code: Code): Code => {
    const load = (k: number): Code => [...plain(0), 0x29, 3, ...unsigned(8 * k), ...set(a(k))];
    const store = (k: number): Code => [...plain(0), ...get(a(k)), 0x37, 3, ...unsigned(8 * k)];
    const limbs = Array.from({ length: count }, (_, k) => k);
    const whole = [...limbs.flatMap(load), ...repeat(steps, code), ...limbs.flatMap(store), op.end];
    // Locals: all of i64, and the counter.
    return sized([2, ...unsigned(6 * count + 1), 0x7e, 1, 0x7f, ...whole]);
  };
  const name = (text: string): Code => sized([...text].map((letter) => letter.charCodeAt(0)));
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, ...sized([1, 0x60, 2, 0x7e, 0x7f, 0])],
    ...[3, ...sized([2, 0, 0])],
    ...[5, ...sized([1, 0, 1])],
    ...[
      7,
      ...sized([3, ...name("memory"), 2, 0, ...name("advance"), 0, 0, ...name("retreat"), 0, 1]),
    ],
    ...[10, ...sized([2, ...body(advance), ...body(retreat)])],
  ]);
}

function sized(code: Code): Code {
  return [...unsigned(code.length), ...code];
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 128 ? [value] : [128 | (value & 127), ...unsigned(value >>> 7)];
}

function signed(value: bigint): Code {
  const low = Number(value & 127n);
  const rest = value >> 7n;
  const isLast = rest === (low < 64 ? 0n : -1n);
  return isLast ? [low] : [128 | low, ...signed(rest)];
}
