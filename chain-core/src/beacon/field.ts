// Arithmetic modulo a Mersenne prime p = 2^bits - 1 (BCN-1), in bigints: reduction is a fold, and p = 3 mod 4, so a
// square root is one power. The beacon's field has 521 bits; tests walk in smaller ones, by the same code.
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

/** x^2 mod p, about 0.2 us in the beacon's field. */
export function square({ bits, p }: Field, x: bigint): bigint {
  const product = x * x;
  const folded = BigInt.asUintN(bits, product) + (product >> BigInt(bits));
  return folded >= p ? folded - p : folded;
}

/**
 * BCN-1: the even square root of z if z is a residue, else the odd root of p - z. It is a bijection of the field, with
 * {@link unroot} as its inverse. `bits - 2` squarings one after the other, since (p + 1) / 4 = 2^(bits - 2): about
 * 105 us in the beacon's field.
 */
export function root(field: Field, z: bigint): bigint {
  const { bits, p } = field;
  const shift = BigInt(bits);
  // What `square` does, written out: the loop is all that the beacon's time goes into.
  let r = z;
  for (let i = bits - 2; i > 0; i--) {
    const product = r * r;
    r = BigInt.asUintN(bits, product) + (product >> shift);
    if (r >= p) r -= p;
  }
  // r^2 is z or -z, and -1 is no square, so exactly one of the two is (0 is both, and its root is even).
  const odd = square(field, r) === z ? 0n : 1n;
  return (r & 1n) === odd ? r : p - r;
}

/** What `y` is the {@link root} of: one squaring, 1 / 400 of the time. */
export function unroot(field: Field, y: bigint): bigint {
  const z = square(field, y);
  return (y & 1n) === 0n ? z : field.p - z;
}

/** (x + step) mod p; `step` is below 2^53. */
export function plus({ p }: Field, x: bigint, step: number): bigint {
  return (x + BigInt(step)) % p;
}

/** (x - step) mod p. */
export function minus({ p }: Field, x: bigint, step: number): bigint {
  const difference = (x - BigInt(step)) % p;
  return difference < 0n ? difference + p : difference;
}

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
