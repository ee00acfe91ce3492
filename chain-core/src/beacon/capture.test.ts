import type { NetworkId } from "@causeway/primitives";
import { bigEndian, isRejected, sha256, utf8 } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chanceOf, checkRing } from "./capture.ts";
import { electSeats } from "./elect.ts";

const network = sha256(utf8("network")) as Uint8Array as NetworkId;

/** Seats of each candidate in the election of the seed `name`. */
function seatsOf(stakes: readonly bigint[], n: number, name: string): number[] {
  const candidates = stakes.map((stake, i) => ({ owner: bigEndian(i, 32), stake }));
  const election = electSeats(network, sha256(utf8(name)), candidates, n);
  if (isRejected(election)) throw new Error(election.message);
  const counts = stakes.map(() => 0);
  for (const owner of election.seats) counts[owner[31] ?? 0] = (counts[owner[31] ?? 0] ?? 0) + 1;
  return counts;
}

/** Every set of validators with at most `part` of `of` of the stake, as bits. */
function setsWithin(stakes: readonly bigint[], part: bigint, of: bigint): number[] {
  const total = stakes.reduce((a, b) => a + b, 0n);
  return Array.from({ length: 2 ** stakes.length }, (_, bits) => bits).filter((bits) => {
    const stake = stakes.reduce((sum, one, i) => ((bits >> i) & 1 ? sum + one : sum), 0n);
    return stake * of <= total * part;
  });
}

describe("capture and veto (RNG-1)", () => {
  test("no set within its part of the stake gets more often so many seats than the bound says", () => {
    const runs = 2_000;
    for (const stakes of [
      [9n, 8n, 7n, 6n, 5n, 4n, 3n, 2n, 1n],
      [10n, 10n, 10n, 10n, 10n, 10n, 10n, 10n, 10n],
      [50n, 3n, 3n, 3n, 3n, 2n, 2n, 2n, 2n],
    ]) {
      const draws = Array.from({ length: runs }, (_, i) => seatsOf(stakes, 5, `${i}`));
      for (const [part, of] of [
        [1n, 3n],
        [1n, 5n],
      ] as const)
        for (const seats of [1, 2, 3, 4]) {
          const { log2, seatsMax } = chanceOf(stakes, 5, seats, { part, of });
          for (const bits of setsWithin(stakes, part, of)) {
            const got = draws.map((counts) =>
              counts.reduce((sum, count, i) => ((bits >> i) & 1 ? sum + count : sum), 0),
            );
            expect(Math.max(...got)).toBeLessThanOrEqual(seatsMax);
            const frequency = got.filter((one) => one >= seats).length / runs;
            // Five standard errors above the bound.
            const bound = 2 ** log2;
            expect(frequency).toBeLessThanOrEqual(bound + 5 * Math.sqrt(bound / runs));
          }
        }
    }
  });

  test("the most seats are what the worst set of all has", () => {
    const anyStakes = fc.array(fc.bigInt({ min: 1n, max: 100n }), { minLength: 3, maxLength: 8 });
    fc.assert(
      fc.property(anyStakes, fc.integer({ min: 1, max: 40 }), (stakes, n) => {
        const sets = setsWithin(stakes, 1n, 3n);
        const { seatsMax } = chanceOf(stakes, n, 1, { part: 1n, of: 3n });
        for (let i = 0; i < 20; i++) {
          const counts = seatsOf(stakes, n, `${i}`);
          for (const bits of sets) {
            const got = counts.reduce((sum, c, j) => ((bits >> j) & 1 ? sum + c : sum), 0);
            expect(got).toBeLessThanOrEqual(seatsMax);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test("equal stakes: 100 seats of 42 are safe for certain, small rings have no proof", () => {
    const equal = (count: number): bigint[] => new Array<bigint>(count).fill(10n ** 14n);
    const large = checkRing(equal(42), 100);
    expect(large.capture).toEqual({ seats: 67, seatsMax: 42, log2: Number.NEGATIVE_INFINITY });
    expect(large.veto).toEqual({ seats: 34, seatsMax: 24, log2: Number.NEGATIVE_INFINITY });
    expect(large.isSafe).toBe(true);
    expect(checkRing(equal(10), 10).isSafe).toBe(true);
    const small = checkRing(equal(42), 10);
    expect(small.isSafe).toBe(false);
    expect(small.capture.log2).toBeGreaterThan(-40);
  });

  test("many small validators are bounded, and a cap that makes the hostile heavier is seen", () => {
    const falling = Array.from({ length: 150 }, (_, i) => 10n ** 16n / BigInt(i + 1));
    const { capture } = checkRing(falling, 150);
    expect(capture.seatsMax).toBeGreaterThan(capture.seats);
    expect(capture.log2).toBeLessThan(-40);
    // One validator has most of the stake; what counts is a sixth, and the third is most of the ring.
    const one = [10n ** 16n, ...new Array<bigint>(41).fill(10n ** 14n)];
    expect(checkRing(one, 100).capture.log2).toBe(0);
  });

  test("the bound is near the truth where that is known", () => {
    // 14 of 42 equal ones, one seat for every second: all 14 get theirs with 2^-14 when drawn independently.
    const { log2 } = chanceOf(new Array<bigint>(42).fill(7n), 21, 14, { part: 1n, of: 3n });
    expect(log2).toBeLessThan(-13.9);
    expect(log2).toBeGreaterThan(-14.1);
  });
});
