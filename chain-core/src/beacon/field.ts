// The integers modulo a Mersenne prime p = 2^bits - 1 (BCN-1): reduction is a fold, and p = 3 mod 4, so a square root is
// one power. The beacon's field has 521 bits; tests walk in smaller ones, by the same code.
import { assert, fromHex, toHex } from "@causeway/primitives";

/** An element is a bigint in [0, p); functions here rely on it. */
export type Field = {
  /** The prime is 2^bits - 1. */
  readonly bits: number;
  readonly p: bigint;
  /** Bytes of an encoded element: 66 for the beacon's field. */
  readonly size: number;
};

/** Exponents of the Mersenne primes that are in use: 521 by the beacon, the others by tests. */
const exponents: readonly number[] = [31, 61, 89, 127, 521];

export function mersenneField(bits: number): Field {
  assert(exponents.includes(bits), `2^${bits} - 1 is not among the primes in use`);
  return { bits, p: (1n << BigInt(bits)) - 1n, size: Math.ceil(bits / 8) };
}

/** BCN-1: p = 2^521 - 1. */
export const beaconField: Field = mersenneField(521);

/** Big-endian, `field.size` bytes. */
export function encodeElement({ bits, size, p }: Field, x: bigint): Uint8Array {
  assert(x >= 0n && x < p, `no element of the field of ${bits} bits`);
  return fromHex(x.toString(16).padStart(2 * size, "0"));
}

/** The element of bytes from outside; undefined unless they are its one encoding (right size, below p). */
export function decodeElement({ size, p }: Field, bytes: Uint8Array): bigint | undefined {
  if (bytes.length !== size) return undefined;
  const x = BigInt(`0x${toHex(bytes)}`);
  return x < p ? x : undefined;
}
