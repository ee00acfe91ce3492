import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  beaconField,
  decodeElement,
  encodeElement,
  mersenneField,
  minus,
  plus,
  root,
  square,
  unroot,
} from "./field.ts";

const fields = [31, 61, 89, 127, 521].map(mersenneField);
const anyField = fc.constantFrom(...fields);
const anyElement = anyField.chain((field) =>
  fc.tuple(fc.constant(field), fc.bigInt({ min: 0n, max: field.p - 1n })),
);
/** By its definition, bit by bit. */
function power(x: bigint, exponent: bigint, p: bigint): bigint {
  let result = 1n;
  for (let base = x, rest = exponent; rest > 0n; rest >>= 1n, base = (base * base) % p)
    if (rest & 1n) result = (result * base) % p;
  return result;
}

describe("the field (BCN-1)", () => {
  test("squares like the definition, at the edges too", () => {
    for (const field of fields)
      for (const x of [0n, 1n, 2n, field.p - 1n, field.p - 2n, field.p >> 1n])
        expect(square(field, x)).toBe((x * x) % field.p);
    fc.assert(
      fc.property(anyElement, ([field, x]) => square(field, x) === (x * x) % field.p),
      { numRuns: 2_000 },
    );
  });

  test("root is the even root of a residue, else the odd root of its negative", () => {
    fc.assert(
      fc.property(anyElement, ([field, z]) => {
        const { p } = field;
        const residue = z === 0n || power(z, (p - 1n) / 2n, p) === 1n;
        const y = root(field, z);
        expect(y >= 0n && y < p).toBe(true);
        expect((y * y) % p).toBe(residue ? z : p - z);
        expect(y & 1n).toBe(residue ? 0n : 1n);
      }),
      { numRuns: 300 },
    );
  });

  test("root and unroot are inverse", () => {
    for (const field of fields)
      for (const x of [0n, 1n, 2n, field.p - 1n, field.p - 2n]) {
        expect(unroot(field, root(field, x))).toBe(x);
        expect(root(field, unroot(field, x))).toBe(x);
      }
    fc.assert(
      fc.property(anyElement, ([field, x]) => {
        expect(unroot(field, root(field, x))).toBe(x);
        expect(root(field, unroot(field, x))).toBe(x);
      }),
      { numRuns: 300 },
    );
  });

  test("addition of a step wraps both ways", () => {
    const { p } = beaconField;
    expect(plus(beaconField, p - 1n, 1)).toBe(0n);
    expect(minus(beaconField, 0n, 1)).toBe(p - 1n);
    fc.assert(
      fc.property(anyElement, fc.nat(), ([field, x], step) => {
        expect(minus(field, plus(field, x, step), step)).toBe(x);
      }),
    );
  });

  test("an element has one encoding, and everything else is refused", () => {
    const { p, size } = beaconField;
    expect(size).toBe(66);
    fc.assert(
      fc.property(anyElement, ([field, x]) => {
        expect(decodeElement(field, encodeElement(field, x))).toBe(x);
      }),
    );
    const top = encodeElement(beaconField, p - 1n);
    expect(top[0]).toBe(1);
    const bytesOfP = Uint8Array.from(top).fill(255, 65);
    expect(decodeElement(beaconField, bytesOfP)).toBeUndefined();
    expect(decodeElement(beaconField, Uint8Array.from(top).fill(2, 0, 1))).toBeUndefined();
    expect(decodeElement(beaconField, top.subarray(1))).toBeUndefined();
    expect(decodeElement(beaconField, new Uint8Array(67))).toBeUndefined();
  });
});
