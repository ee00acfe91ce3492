import type { NetworkId } from "@causeway/primitives";
import { sha256 } from "@causeway/primitives";
import { testBls } from "@causeway/primitives/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { capPowers } from "./power.ts";
import { proposerAt, proposerOf } from "./proposer.ts";
import { honestMin, quorum } from "./quorum.ts";
import { testCommittee } from "./testing.ts";
import { votersOf } from "./voters.ts";

const stakes = fc.array(fc.bigInt({ min: 1n, max: 10n ** 20n }), { minLength: 3, maxLength: 40 });

function sum(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => a + b, 0n);
}

describe("power", () => {
  it("is capped by the largest c that is at most 2/N of what it counts (CON-2)", () => {
    fc.assert(
      fc.property(stakes, (of) => {
        const holds = (cap: bigint): boolean => {
          const counted = sum(of.map((stake) => (stake < cap ? stake : cap)));
          return cap <= (2n * counted) / BigInt(of.length);
        };
        const powers = capPowers(of);
        const cap = powers.reduce((a, b) => (a > b ? a : b));
        const isCapped = powers.some((power, i) => power < (of[i] ?? 0n));
        expect(powers.every((power, i) => power === (of[i] ?? 0n) || power === cap)).toBe(true);
        expect(holds(cap)).toBe(true);
        if (isCapped) expect(holds(cap + 1n)).toBe(false);
      }),
    );
  });

  it("lets no two of ten decide, however rich", () => {
    const powers = capPowers([10n ** 18n, 10n ** 18n, ...new Array<bigint>(8).fill(100n)]);
    expect(sum(powers.slice(0, 2))).toBeLessThan(quorum(sum(powers)));
  });

  it("is the plain stake for one and two seats, and for equal stakes", () => {
    expect(capPowers([])).toEqual([]);
    expect(capPowers([7n])).toEqual([7n]);
    expect(capPowers([1n, 1_000n])).toEqual([1n, 1_000n]);
    expect(capPowers([5n, 5n, 5n, 5n])).toEqual([5n, 5n, 5n, 5n]);
  });
});

describe("quorum", () => {
  it("is the least power strictly above two thirds (CON-2)", () => {
    expect([1n, 2n, 3n, 4n, 6n, 7n, 10n].map(quorum)).toEqual([1n, 2n, 3n, 3n, 5n, 5n, 7n]);
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 30n }), (total) => {
        expect(3n * quorum(total)).toBeGreaterThan(2n * total);
        expect(3n * (quorum(total) - 1n)).toBeLessThanOrEqual(2n * total);
      }),
    );
  });

  it("of two quorums has more than a third in common: at least one honest seat", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 30n }), (total) => {
        expect(2n * quorum(total) - total).toBeGreaterThanOrEqual(honestMin(total));
        expect(3n * honestMin(total)).toBeGreaterThan(total);
        expect(3n * (honestMin(total) - 1n)).toBeLessThanOrEqual(total);
      }),
    );
  });
});

describe("proposers", () => {
  it("are equally frequent over heights, and another one each round", () => {
    const counts = new Array<number>(7).fill(0);
    for (let height = 1; height <= 700; height++) {
      const seat = proposerOf(7, height, 0);
      counts[seat] = (counts[seat] ?? 0) + 1;
    }
    expect(new Set(counts)).toEqual(new Set([100]));
  });

  const sizes = fc.integer({ min: 1, max: 40 });
  const heights = fc.integer({ min: 1, max: 1_000_000 });
  const range = (size: number): number[] => Array.from({ length: size }, (_, i) => i);

  it("have one turn each in any N heights, and in N rounds of a height (CON-2)", () => {
    fc.assert(
      fc.property(sizes, heights, fc.integer({ min: 0, max: 99 }), (size, from, lap) => {
        const inHeights = range(size).map((i) => proposerOf(size, from + i, 0));
        expect(inHeights.sort((a, b) => a - b)).toEqual(range(size));
        const inRounds = range(size).map((i) => proposerOf(size, from, lap * size + i));
        expect(inRounds.sort((a, b) => a - b)).toEqual(range(size));
      }),
    );
  });

  it("share a silent seat's turns equally", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 21 }), heights, (size, first) => {
        const silent = first % size;
        const counts = new Array<number>(size).fill(0);
        const from = first - (first % size);
        for (let height = from; height < from + size * (size - 1); height++) {
          let round = 0;
          while (proposerOf(size, height, round) === silent) round += 1;
          const seat = proposerOf(size, height, round);
          counts[seat] = (counts[seat] ?? 0) + 1;
        }
        expect(counts).toEqual(range(size).map((seat) => (seat === silent ? 0 : size)));
      }),
    );
  });

  it("are never barred ones, whose turns go to the others equally (CON-3)", () => {
    const bls = testBls();
    const network = sha256(new Uint8Array(1)) as unknown as NetworkId;
    const voters = votersOf(network, testCommittee(bls, 7), [2, 5]);
    const counts = new Map<number, number>();
    for (let height = 1; height <= 100; height++) {
      const seat = proposerAt(voters, height, 0);
      counts.set(seat, (counts.get(seat) ?? 0) + 1);
    }
    expect([...counts].sort(([a], [b]) => a - b)).toEqual(
      [0, 1, 3, 4, 6].map((seat) => [seat, 20]),
    );
  });
});
