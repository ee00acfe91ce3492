import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { beaconField, decodeElement, encodeElement, mersenneField } from "./field.ts";

const anyElement = fc
  .constantFrom(...[31, 61, 89, 127, 521].map(mersenneField))
  .chain((field) => fc.tuple(fc.constant(field), fc.bigInt({ min: 0n, max: field.p - 1n })));

describe("the field (BCN-1)", () => {
  test("an element has one encoding, and everything else is refused", () => {
    const { p, size } = beaconField;
    expect(size).toBe(66);
    expect(() => encodeElement(beaconField, p)).toThrow("no element");
    expect(() => mersenneField(11)).toThrow("not among the primes");
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
