// Shamir's polynomials in the exponent: what anyone can compute from the commitments of a deal.
// Seat i in 0..n-1 has x = i + 1, as in BIP-445. Everything here is public: variable time.
import { assert, isZero, must } from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import { combine, evaluatePoints, invert, mod, order } from "@causeway/primitives/secp256k1";

/** Stands for infinity among merged commitments: points have no encoding of it. */
const infinity: Point = new Uint8Array(33);

/**
 * f(seat + 1) x G from the coefficients times G, constant term first; undefined is infinity. A commitment of 33
 * zero bytes is infinite, too ({@link mergeCommitments}).
 */
export function evaluateCommitments(
  commitments: readonly Point[],
  seat: number,
): Point | undefined {
  const points = commitments.map((point) => (isZero(point) ? undefined : point));
  return evaluatePoints(points, BigInt(seat + 1));
}

/**
 * f(seat + 1) mod the order from secret coefficients, constant term first (bigint arithmetic). x has at most 16
 * bits, so that a step adds as many; reduced every eighth.
 */
export function evaluate(coefficients: readonly bigint[], seat: number): bigint {
  const x = BigInt(seat + 1);
  let value = 0n;
  for (let k = coefficients.length - 1; k >= 0; k--) {
    value = value * x + must(coefficients[k], "coefficient");
    if (k % 8 === 0) value %= order;
  }
  return mod(value);
}

/**
 * Sum of commitment vectors of one length, each times its weight (1 unless given), coefficient by coefficient: the
 * commitment to the weighted sum of the polynomials. Throws when one is no point. Undefined when the constant term is infinite, which nobody can cause who proves his own. An
 * infinite sum further up, 33 zero bytes here, is in the power of whoever deals last and does not mind that his
 * shares fit nobody: it must not end the attempt, so that the receivers can complain of him (RNG-3).
 */
export function mergeCommitments(
  vectors: readonly (readonly Point[])[],
  weights: readonly bigint[] = vectors.map(() => 1n),
): readonly Point[] | undefined {
  const size = must(vectors[0], "first vector").length;
  assert(
    vectors.every((vector) => vector.length === size),
    "commitment vectors of different length",
  );
  const merged: Point[] = [];
  for (let k = 0; k < size; k++) {
    const point = combine(
      vectors.map((vector, i) => [must(vector[k], "commitment"), must(weights[i], "weight")]),
    );
    if (point === undefined && k === 0) return undefined;
    merged.push(point ?? infinity);
  }
  return merged;
}

/**
 * Lagrange's coefficients at 0 for distinct seats, in the order given, with one inversion for all.
 * sum of lambda_i f(i + 1) = f(0) for degree below the number of seats.
 */
export function lagrangeCoefficients(seats: readonly number[]): readonly bigint[] {
  assert(new Set(seats).size === seats.length, "a seat stands twice");
  const xs = seats.map((seat) => seat + 1);
  const all = xs.reduce((product, x) => (product * BigInt(x)) % order, 1n);
  return divideAll(
    all,
    xs.map((xi) => mod(denominator(xs, xi))),
  );
}

/** xi times the product of x - xi over the other xs. Multiplied as numbers as long as they are exact. */
function denominator(xs: readonly number[], xi: number): bigint {
  let product = 1n;
  let small = xi;
  for (const x of xs) {
    if (x === xi) continue;
    const next = small * (x - xi);
    if (Number.isSafeInteger(next)) small = next;
    else {
      product *= BigInt(small);
      small = x - xi;
    }
  }
  return product * BigInt(small);
}

/** Montgomery's trick: the quotients mod the order by one inversion; no value may be 0. */
function divideAll(dividend: bigint, values: readonly bigint[]): readonly bigint[] {
  const before: bigint[] = [];
  let product = 1n;
  for (const value of values) {
    before.push(product);
    product = (product * value) % order;
  }
  let inverse = (dividend * invert(product)) % order;
  const out: bigint[] = new Array(values.length).fill(0n);
  for (let i = values.length - 1; i >= 0; i--) {
    out[i] = (inverse * must(before[i], "product")) % order;
    inverse = (inverse * must(values[i], "value")) % order;
  }
  return out;
}
