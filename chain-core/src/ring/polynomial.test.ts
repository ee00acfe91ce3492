import { must } from "@causeway/primitives";
import {
  mod,
  multiplyBase,
  negate,
  order,
  publicPoint,
  scalarBytes,
} from "@causeway/primitives/secp256k1";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  evaluate,
  evaluateCommitments,
  lagrangeCoefficients,
  mergeCommitments,
} from "./polynomial.ts";

const scalar = fc.bigInt({ min: 1n, max: order - 1n });
const coefficients = fc.array(scalar, { minLength: 1, maxLength: 12 });
const commit = (values: readonly bigint[]) =>
  values.map((value) => publicPoint(scalarBytes(value)));

test("commitments evaluate to the share times G, at the first seat and the last", () => {
  const property = fc.property(coefficients, fc.constantFrom(0, 1, 9, 149), (f, seat) => {
    expect(evaluateCommitments(commit(f), seat)).toEqual(multiplyBase(evaluate(f, seat)));
  });
  void fc.assert(property, { numRuns: 30 });
});

test("any as many seats as coefficients interpolate the constant term, fewer do not", () => {
  const seats = fc.uniqueArray(fc.integer({ min: 0, max: 149 }), { minLength: 2, maxLength: 20 });
  const property = fc.property(seats, fc.infiniteStream(scalar), (chosen, stream) => {
    const f = [...stream.take(chosen.length)];
    const interpolate = (list: readonly number[]): bigint => {
      const lambdas = lagrangeCoefficients(list);
      return mod(
        list.reduce((sum, seat, i) => sum + must(lambdas[i], "lambda") * evaluate(f, seat), 0n),
      );
    };
    expect(interpolate(chosen)).toBe(must(f[0], "constant term"));
    expect(interpolate(chosen.slice(1))).not.toBe(must(f[0], "constant term"));
  });
  void fc.assert(property, { numRuns: 50 });
});

test("merged commitments commit to the sum of the polynomials", () => {
  const pair = fc.integer({ min: 1, max: 8 }).chain((size) =>
    fc.array(fc.array(scalar, { minLength: size, maxLength: size }), {
      minLength: 1,
      maxLength: 5,
    }),
  );
  const property = fc.property(pair, fc.integer({ min: 0, max: 149 }), (polynomials, seat) => {
    const merged = must(mergeCommitments(polynomials.map(commit)), "merged");
    const total = mod(polynomials.reduce((sum, f) => sum + evaluate(f, seat), 0n));
    expect(evaluateCommitments(merged, seat)).toEqual(multiplyBase(total));
  });
  void fc.assert(property, { numRuns: 30 });
});

test("vectors that cancel merge to nothing, and a seat that stands twice is our own mistake", () => {
  const [point] = commit([7n]);
  const one = must(point, "point");
  expect(mergeCommitments([[one], [negate(one)]])).toBeUndefined();
  expect(mergeCommitments([[one], [one], [negate(one)]])).toEqual([one]);
  expect(() => lagrangeCoefficients([1, 1])).toThrow();
});

test("a share of zero is infinity on both sides", () => {
  // f(x) = -1 + x at seat 0 (x = 1).
  expect(evaluate([order - 1n, 1n], 0)).toBe(0n);
  expect(evaluateCommitments(commit([order - 1n, 1n]), 0)).toBeUndefined();
});
