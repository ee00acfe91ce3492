// Canonical bytes (FMT-2): SSZ containers without Union; what comes from outside is bounded before it
// is parsed and accepted only if encoding it again gives the same bytes.
import type { CompositeType } from "@chainsafe/ssz";
import {
  BooleanType,
  ByteListType,
  ByteVectorType,
  ContainerType,
  ListBasicType,
  ListCompositeType,
  UintBigintType,
  UintNumberType,
} from "@chainsafe/ssz";
import { amountMax } from "./amount.ts";
import { assert } from "./assert.ts";
import { equal } from "./bytes.ts";
import type { Rejected } from "./failure.ts";
import { rejected } from "./failure.ts";

// The field types that our containers are made of. Numbers up to 2^53 - 1 for u64.
export const u8: UintNumberType = new UintNumberType(1);
export const u16: UintNumberType = new UintNumberType(2);
export const u32: UintNumberType = new UintNumberType(4);
export const u64: UintNumberType = new UintNumberType(8);
export const u128: UintBigintType = new UintBigintType(16);
export const u256: UintBigintType = new UintBigintType(32);
export const bool: BooleanType = new BooleanType();
export const b20: ByteVectorType = new ByteVectorType(20);
export const b32: ByteVectorType = new ByteVectorType(32);
export const b33: ByteVectorType = new ByteVectorType(33);
export const b48: ByteVectorType = new ByteVectorType(48);
export const b64: ByteVectorType = new ByteVectorType(64);
export const b65: ByteVectorType = new ByteVectorType(65);
export const b66: ByteVectorType = new ByteVectorType(66);
export const b96: ByteVectorType = new ByteVectorType(96);

export { ByteListType, ContainerType, ListBasicType, ListCompositeType };

export type BadBytes = Rejected<"bad-bytes">;

/** A pair of functions over one SSZ type with an upper bound on size. */
export type Codec<T> = {
  /** Largest encoding accepted, bytes. */
  readonly sizeMax: number;
  /** Canonical bytes; asserts that every amount is in range (the library's encoder wraps, FMT-3). */
  readonly encode: (value: T) => Uint8Array;
  /** Untrusted bytes to a value, or why not. Never throws. */
  readonly parse: (bytes: Uint8Array) => T | BadBytes;
  /** Our own stored bytes; asserts. */
  readonly decode: (bytes: Uint8Array) => T;
  /** The SSZ type, for who makes values of it (tests). */
  readonly type: unknown;
};

/** The codec of an SSZ type; `name` appears in errors, `sizeMax` bounds what is parsed at all. */
export function codec<T>(name: string, type: unknown, sizeMax: number): Codec<T> {
  const ssz = type as CompositeType<T, unknown, unknown>;
  const encode = (value: T): Uint8Array => {
    const problem = outOfRange(value);
    assert(problem === undefined, `${name}: ${problem}`);
    const bytes = ssz.serialize(value);
    assert(bytes.length <= sizeMax, `${name} of ${bytes.length} bytes exceeds ${sizeMax}`);
    return bytes;
  };
  const parse = (bytes: Uint8Array): T | BadBytes => {
    if (bytes.length > sizeMax)
      return rejected("bad-bytes", `${name}: ${bytes.length} bytes exceed ${sizeMax}`);
    let value: T;
    try {
      value = ssz.deserialize(bytes);
      // What is accepted can always be encoded again: encode asserts, and hostile bytes must not reach that.
      const problem = outOfRange(value);
      if (problem !== undefined) return rejected("bad-bytes", `${name}: ${problem}`);
      if (equal(ssz.serialize(value), bytes)) return value;
    } catch (cause) {
      return rejected("bad-bytes", `${name}: ${(cause as Error).message}`);
    }
    return rejected("bad-bytes", `${name}: not in canonical form`);
  };
  const decode = (bytes: Uint8Array): T => ssz.deserialize(bytes);
  return { sizeMax, encode, parse, decode, type };
}

/** What in `value` our types cannot hold: an amount above u128, a u64 above 2^53 - 1. */
function outOfRange(value: unknown): string | undefined {
  if (typeof value === "bigint")
    return value >= 0n && value <= amountMax ? undefined : `${value} is no u128`;
  if (typeof value === "number")
    return Number.isSafeInteger(value) && value >= 0
      ? undefined
      : `${value} is no unsigned integer`;
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return undefined;
  for (const item of Array.isArray(value) ? value : Object.values(value)) {
    const problem = outOfRange(item);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
