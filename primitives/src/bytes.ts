// Bytes inside, hex only at the edges. Bytes32 and the like are brands made by checking constructors.
import { hexToBytes } from "@noble/hashes/utils.js";
import { assert } from "./assert.ts";
import type { Brand } from "./brand.ts";
import type { Rejected } from "./failure.ts";
import { rejected } from "./failure.ts";

export type Bytes = Uint8Array;
export type Bytes32 = Brand<Uint8Array, "Bytes32">;

/** `bytes` as 32 bytes; asserts the length (for our own values; outside bytes go through a codec). */
export function bytes32(bytes: Uint8Array): Bytes32 {
  assert(bytes.length === 32, `expected 32 bytes, got ${bytes.length}`);
  return bytes as Bytes32;
}

export const zero32: Bytes32 = bytes32(new Uint8Array(32));

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Lexicographic order: negative, zero or positive. A prefix comes first. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const size = Math.min(a.length, b.length);
  for (let i = 0; i < size; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Lower-case hex without a prefix. By a Buffer's own method, on the bytes as they are: a copy costs more. */
export function toHex(bytes: Uint8Array): string {
  return hexSlice.call(bytes, 0, bytes.length);
}

const { hexSlice } = Buffer.prototype as unknown as {
  readonly hexSlice: (this: Uint8Array, start: number, end: number) => string;
};

/** Bytes of our own hex literal, with or without 0x; asserts. */
export function fromHex(text: string): Uint8Array {
  return hexToBytes(text.startsWith("0x") ? text.slice(2) : text);
}

/** Bytes of hex from outside, with or without 0x; at most `sizeMax` bytes, exactly `size` where given. */
export function parseHex(
  text: unknown,
  limits: { readonly size?: number; readonly sizeMax?: number },
): Uint8Array | Rejected<"bad-hex"> {
  if (typeof text !== "string") return rejected("bad-hex", "expected a hex string");
  const digits = text.startsWith("0x") ? text.slice(2) : text;
  const sizeMax = limits.size ?? limits.sizeMax ?? 0;
  if (digits.length > sizeMax * 2) return rejected("bad-hex", `hex longer than ${sizeMax} bytes`);
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits))
    return rejected("bad-hex", "not a hex string of whole bytes");
  if (limits.size !== undefined && digits.length !== limits.size * 2)
    return rejected("bad-hex", `expected ${limits.size} bytes of hex, got ${digits.length / 2}`);
  return hexToBytes(digits);
}

/** Bytes in the opposite order: Bitcoin shows ids reversed. */
export function reversed(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes).reverse();
}

/** Where a bigint is written by 8 bytes: a view on each result costs more than all the rest. */
const words = new DataView(new ArrayBuffer(128));
const wordBytes = new Uint8Array(words.buffer);

/** Big-endian bytes of a non-negative integer; asserts that it fits in `size` bytes, at most 128. */
export function bigEndian(value: bigint | number, size: number): Uint8Array {
  if (typeof value === "number" && Number.isSafeInteger(value)) return bigEndianOf(value, size);
  let rest = BigInt(value);
  assert(rest >= 0n, "negative integer");
  const start = words.byteLength - size;
  let at = words.byteLength;
  while (at > start) {
    at -= 8;
    words.setBigUint64(at, rest);
    rest >>= 64n;
  }
  const fits = rest === 0n && isZero(wordBytes.subarray(at, start));
  assert(fits, `integer does not fit in ${size} bytes`);
  return wordBytes.slice(start);
}

function bigEndianOf(value: number, size: number): Uint8Array {
  assert(value >= 0, "negative integer");
  const out = new Uint8Array(size);
  let rest = value;
  for (let i = size - 1; i >= 0 && rest > 0; i--) {
    out[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  assert(rest === 0, `integer does not fit in ${size} bytes`);
  return out;
}

export function fromBigEndian(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** A string key for Maps; equal iff the bytes are. */
export function keyOf(bytes: Uint8Array): string {
  return toHex(bytes);
}
