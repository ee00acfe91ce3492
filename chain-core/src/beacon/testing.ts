// BCN-1 by its definition, in bigints: what the loops are compared with, in tests only.
import type { Field } from "./field.ts";

export function power(x: bigint, exponent: bigint, p: bigint): bigint {
  let result = 1n;
  for (let base = x, rest = exponent; rest > 0n; rest >>= 1n, base = (base * base) % p)
    if (rest & 1n) result = (result * base) % p;
  return result;
}

/** The even square root of z if z is a residue, else the odd root of p - z. */
export function rootOf({ p }: Field, z: bigint): bigint {
  const isResidue = z === 0n || power(z, (p - 1n) / 2n, p) === 1n;
  const y = power(isResidue ? z : p - z, (p + 1n) / 4n, p);
  return (y & 1n) === (isResidue ? 0n : 1n) ? y : p - y;
}
