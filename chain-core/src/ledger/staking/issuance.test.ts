// The table of the white paper: reward = min(30 M, 30 M (x + 0.5)) BTM a year, supply 1,566 M, the rest to the
// foundation. The numbers were computed apart from this code.
import { describe, expect, test } from "vitest";
import { issuanceFor, yearMs, yieldBps } from "./issuance.ts";

const unit = 100_000_000n;
const million = 1_000_000n * unit;
const economics = { issuanceMax: 30n * million, yieldMaxBps: 6_000, stakersLeastBps: 0 };
const supply = 1_566n * million;
/** x in tenths, yearly to stakers and to the foundation in M BTM, yield in basis points, rounded down. */
const table: readonly (readonly [number, bigint, bigint, number])[] = [
  [1, 18n, 12n, 1_149],
  [2, 21n, 9n, 670],
  [3, 24n, 6n, 510],
  [4, 27n, 3n, 431],
  [5, 30n, 0n, 383],
  [6, 30n, 0n, 319],
  [7, 30n, 0n, 273],
  [8, 30n, 0n, 239],
  [9, 30n, 0n, 212],
  [10, 30n, 0n, 191],
];

function yearOf(staked: bigint, lengths: readonly number[]): readonly [bigint, bigint] {
  let left = { rest: 0n, fraction: 0n };
  let [stakers, foundation] = [0n, 0n];
  for (const lengthMs of lengths) {
    const of = { lengthMs, supply, staked, paid: staked, ...left };
    const issued = issuanceFor(economics, of);
    stakers += issued.stakers;
    foundation += issued.foundation;
    left = { rest: issued.rest, fraction: issued.fraction };
  }
  return [stakers, foundation];
}

const days = Array.from({ length: 365 }, () => yearMs / 365);

describe("a year's issuance (STK-3)", () => {
  test.each(table)("at x = %i / 10 is the white paper's, to the unit", (x, stakers, rest, bps) => {
    const staked = (supply * BigInt(x)) / 10n;
    expect(yearOf(staked, days)).toEqual([stakers * million, rest * million]);
    expect(yieldBps(economics, { staked, supply })).toBe(bps);
  });

  test("is the same however the year is cut into epochs", () => {
    const odd = [1_000, 77_777, 3_600_001, yearMs - 1_000 - 77_777 - 3_600_001];
    for (const x of [1n, 3n, 4n]) {
      const staked = (supply * x) / 10n;
      expect(yearOf(staked, odd)).toEqual(yearOf(staked, [yearMs]));
    }
  });

  test("never exceeds 30 M, nor 60 % of what earns", () => {
    const [stakers, foundation] = yearOf(supply, days);
    expect(stakers + foundation).toBe(30n * million);
    const few = million;
    const [capped, rest] = yearOf(few, days);
    expect(capped).toBeLessThanOrEqual((few * 6n) / 10n);
    expect(capped + rest).toBeLessThan(30n * million);
    expect(yieldBps(economics, { staked: few, supply })).toBe(6_000);
    expect(yieldBps(economics, { staked: 0n, supply })).toBe(0);
    expect(yearOf(0n, days)).toEqual([0n, 15n * million]);
  });

  test("goes to the stakers alone where the pool is fixed", () => {
    for (const staked of [supply / 10n, supply / 2n, supply]) {
      const of = { lengthMs: yearMs, supply, staked, paid: staked, rest: 0n, fraction: 0n };
      const { stakers, foundation } = issuanceFor({ ...economics, stakersLeastBps: 10_000 }, of);
      expect([stakers, foundation]).toEqual([30n * million, 0n]);
    }
  });
});
