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

test("merged commitments commit to the weighted sum of the polynomials", () => {
  const pair = fc.integer({ min: 1, max: 8 }).chain((size) =>
    fc.array(fc.array(scalar, { minLength: size, maxLength: size }), {
      minLength: 1,
      maxLength: 5,
    }),
  );
  const seat = fc.integer({ min: 0, max: 149 });
  const property = fc.property(pair, seat, fc.infiniteStream(scalar), (polynomials, at, stream) => {
    const ones = polynomials.map(() => 1n);
    for (const weights of [ones, [...stream.take(polynomials.length)]]) {
      const weighted = (i: number): bigint => must(weights[i], "weight");
      const constant = polynomials.reduce((sum, [c = 0n], i) => sum + weighted(i) * c, 0n);
      // They cancel: the next test's matter.
      fc.pre(mod(constant) !== 0n);
      const merged = must(mergeCommitments(polynomials.map(commit), weights), "merged");
      const total = polynomials.reduce((sum, f, i) => sum + weighted(i) * evaluate(f, at), 0n);
      expect(evaluateCommitments(merged, at)).toEqual(multiplyBase(mod(total)));
    }
    expect(mergeCommitments(polynomials.map(commit))).toEqual(
      mergeCommitments(polynomials.map(commit), ones),
    );
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

test("a sum that is infinite on the way to another is none of its end", () => {
  const f = [3n, order - 7n, 7n];
  expect(evaluateCommitments(commit(f), 0)).toEqual(multiplyBase(3n));
  expect(evaluateCommitments([...commit([3n, 5n]), new Uint8Array(33)], 4)).toEqual(
    multiplyBase(28n),
  );
  const none = new Uint8Array(33).fill(9);
  for (const points of [[none], [...commit([3n]), none], [none, ...commit([3n])]])
    expect(() => evaluateCommitments(points, 4)).toThrow();
});
