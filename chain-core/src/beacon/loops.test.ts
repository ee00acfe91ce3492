import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mersenneField } from "./field.ts";
import { loopsOf } from "./loops.ts";
import { rootOf } from "./testing.ts";

const fields = [31, 61, 89, 127, 521].map(mersenneField);
const indexes = fc.oneof(
  fc.constantFrom(0, 1, 2 ** 16 - 1, 2 ** 16, 2 ** 29 - 1, 2 ** 29, 2 ** 31 - 100),
  fc.nat(2 ** 31 - 100),
);

describe("the loops (BCN-1)", () => {
  for (const field of fields) {
    const { bits, p } = field;
    const { advance, retreat } = loopsOf(field);
    /** Near 0 and p, where reductions have their edges, values of few bits, and any. */
    const elements = fc.oneof(
      fc.bigInt({ min: 0n, max: 3n }),
      fc.bigInt({ min: p - 4n, max: p - 1n }),
      fc.nat(bits - 1).map((bit) => 1n << BigInt(bit)),
      fc.nat(bits - 1).map((bit) => p - (1n << BigInt(bit))),
      fc.bigInt({ min: 0n, max: p - 1n }),
    );

    test(`a step in the field of ${bits} bits is what the definition says, and back`, () => {
      fc.assert(
        fc.property(elements, indexes, (x, index) => {
          const y = advance(x, index, 1);
          expect(y).toBe(rootOf(field, (x + BigInt(index + 1)) % p));
          expect(retreat(y, index + 1, 1)).toBe(x);
          // Any element is the end of a step.
          const before = retreat(x, index + 1, 1);
          expect(rootOf(field, (before + BigInt(index + 1)) % p)).toBe(x);
        }),
        { numRuns: bits === 521 ? 300 : 1_000 },
      );
    });

    test(`steps meet the edges of the field of ${bits} bits`, () => {
      // The sum of x and the step's number is p, p - 1 and p + 1: 0, -1 and 1.
      for (const sum of [p - 1n, p, p + 1n])
        for (const index of [1, 7, 2 ** 20]) {
          const x = (sum - BigInt(index)) % p;
          expect(advance(x, index - 1, 1)).toBe(rootOf(field, sum % p));
          expect(retreat(rootOf(field, sum % p), index, 1)).toBe(x);
        }
    });

    test(`many steps in the field of ${bits} bits are steps one by one`, () => {
      fc.assert(
        fc.property(elements, indexes, fc.nat(50), (x, index, steps) => {
          let y = x;
          for (let i = 0; i < steps; i++) y = advance(y, index + i, 1);
          expect(advance(x, index, steps)).toBe(y);
          expect(retreat(y, index + steps, steps)).toBe(x);
        }),
        { numRuns: 50 },
      );
    });
  }

  test("a walk of more steps than a number of 31 bits is refused", () => {
    const { advance } = loopsOf(mersenneField(521));
    expect(() => advance(1n, 2 ** 31 - 1, 1)).toThrow("no walk has more than");
  });
});
