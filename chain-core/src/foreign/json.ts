// Reading what a foreign node answered: anything unexpected is the node's failure, not ours.

import type { Bytes32 } from "@causeway/primitives";
import { bytes32, Failure, isRejected, parseHex } from "@causeway/primitives";

/** Field of an object; undefined where there is none. */
export function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

export function bad(what: string): Failure {
  return new Failure("bad-response", `the node answered no ${what}`);
}

export function hexBytes(value: unknown, what: string, sizeMax: number): Uint8Array {
  const bytes = parseHex(value, { sizeMax });
  if (isRejected(bytes)) throw bad(what);
  return bytes;
}

export function hash32(value: unknown, what: string): Bytes32 {
  const bytes = parseHex(value, { size: 32 });
  if (isRejected(bytes)) throw bad(what);
  return bytes32(bytes);
}

export function integer(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw bad(what);
  return value;
}

/** Ethereum's quantity: 0x and hex digits, at most 256 bits. */
export function quantity(value: unknown, what: string): bigint {
  if (typeof value !== "string" || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) throw bad(what);
  return BigInt(value);
}

/** A quantity below 2^53. */
export function smallQuantity(value: unknown, what: string): number {
  const number = quantity(value, what);
  if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw bad(what);
  return Number(number);
}
