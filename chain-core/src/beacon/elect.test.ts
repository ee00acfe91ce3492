import type { NetworkId } from "@causeway/primitives";
import { bigEndian, equal, isRejected, must, sha256, toHex, utf8 } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { capPowers } from "../consensus/power.ts";
import type { Candidate, Drawn, Election } from "./elect.ts";
import {
  countedStakes,
  drawRing,
  electSeats,
  redrawSeats,
  seatsEachOf,
  thresholdOf,
} from "./elect.ts";

const network = sha256(utf8("network")) as Uint8Array as NetworkId;

function candidatesOf(stakes: readonly bigint[]): Candidate[] {
  return stakes.map((stake, i) => ({ owner: bigEndian(i, 32), stake }));
}
function elect(stakes: readonly bigint[], n: number, name = "seed"): Election {
  const election = electSeats(network, sha256(utf8(name)), candidatesOf(stakes), n);
  if (isRejected(election)) throw new Error(election.message);
  return election;
}
const anyStakes = fc.array(fc.bigInt({ min: 0n, max: 10n ** 18n }), {
  minLength: 1,
  maxLength: 60,
});

describe("seats of the ring (RNG-1)", () => {
  test("frozen", () => {
    const { seats, shares, total, seatsEach } = elect([100n, 50n, 25n, 12n, 6n], 10);
    const owners = seats.map((owner) => owner[31]);
    const line = shares.map(({ owner, counted, duel }) => ({ owner: owner[31], counted, duel }));
    expect({ owners, total, seatsEach, line }).toMatchInlineSnapshot(`
      {
        "line": [
          {
            "counted": 6n,
            "duel": undefined,
            "owner": 1,
          },
          {
            "counted": 6n,
            "duel": undefined,
            "owner": 2,
          },
          {
            "counted": 6n,
            "duel": undefined,
            "owner": 3,
          },
          {
            "counted": 6n,
            "duel": undefined,
            "owner": 0,
          },
          {
            "counted": 6n,
            "duel": undefined,
            "owner": 4,
          },
        ],
        "owners": [
          1,
          1,
          2,
          2,
          3,
          3,
          0,
          0,
          4,
          4,
        ],
        "seatsEach": 2,
        "total": 30n,
      }
    `);
  });

  test("each candidate gets the floor or the ceiling of its quota, at most m seats", () => {
    fc.assert(
      fc.property(anyStakes, fc.integer({ min: 1, max: 150 }), (stakes, n) => {
        fc.pre(stakes.some((stake) => stake > 0n));
        const { seats, shares, total, seatsEach } = elect(stakes, n);
        expect(seats).toHaveLength(n);
        const given = shares.flatMap((share) => share.seats).toSorted((a, b) => a - b);
        expect(given).toEqual([...seats.keys()]);
        for (const { owner, counted, seats: own } of shares) {
          const quota = counted * BigInt(n);
          expect(BigInt(own.length)).toBeGreaterThanOrEqual(quota / total);
          expect(BigInt(own.length)).toBeLessThanOrEqual((quota + total - 1n) / total);
          expect(own.length).toBeLessThanOrEqual(seatsEach);
          for (const seat of own) expect(seats[seat]).toBe(owner);
        }
      }),
    );
  });

  test("the order of the candidates does not matter, the seed does", () => {
    const stakes = [5n, 7n, 11n, 13n, 17n, 19n, 23n];
    const seed = sha256(utf8("seed"));
    const election = electSeats(network, seed, candidatesOf(stakes), 5);
    expect(electSeats(network, seed, candidatesOf(stakes).reverse(), 5)).toEqual(election);
    expect(elect(stakes, 5, "other")).not.toEqual(election);
  });

  test("over many seeds the seats follow the quotas", () => {
    const stakes = [40n, 30n, 20n, 10n, 5n, 5n, 5n, 3n, 2n];
    const counted = countedStakes(stakes, 7);
    const total = counted.reduce((a, b) => a + b, 0n);
    const got = new Map<string, number>();
    const runs = 4_000;
    for (let i = 0; i < runs; i++)
      for (const owner of elect(stakes, 7, `run ${i}`).seats)
        got.set(toHex(owner), (got.get(toHex(owner)) ?? 0) + 1);
    for (const [i, own] of counted.entries()) {
      const quota = (Number(own) * 7) / Number(total);
      const mean = (got.get(toHex(bigEndian(i, 32))) ?? 0) / runs;
      // Four standard errors of a number that is the floor or the ceiling.
      expect(Math.abs(mean - quota)).toBeLessThan(4 * Math.sqrt(0.25 / runs));
    }
  });

  test("a rich validator has at most m seats, and its surplus does not count", () => {
    const { shares, seatsEach } = elect([10n ** 20n, ...new Array<bigint>(41).fill(1_000n)], 100);
    expect(seatsEach).toBe(17);
    expect(shares.find(({ stake }) => stake === 10n ** 20n)?.seats).toHaveLength(17);
    expect(seatsEachOf(100, 3)).toBe(34);
    expect(elect([1n, 1n, 10n ** 9n], 100).shares.map(({ seats }) => seats.length)).not.toContain(
      35,
    );
  });

  test("the cap is the one of votes where the share is 2/N (CON-2)", () => {
    const stakes = [900n, 500n, 100n, 80n, 60n, 40n, 20n, 10n, 5n, 1n, 1n, 1n];
    // 12 seats among 12: m = 2, so m/n = 2/N.
    expect(countedStakes(stakes, 12)).toEqual(capPowers(stakes));
  });

  test("one candidate has all seats, none is refused", () => {
    expect(elect([1n, 0n], 4).shares).toHaveLength(1);
    expect(elect([1n, 0n], 4).seats).toHaveLength(4);
    const none = electSeats(network, sha256(utf8("seed")), candidatesOf([0n, 0n]), 4);
    expect(none).toMatchObject({ kind: "rejected", code: "no-candidates" });
    expect([3, 4, 10, 21, 100, 150].map(thresholdOf)).toEqual([2, 3, 7, 14, 67, 100]);
  });
});

describe("the ring of a term (RNG-2), and seats that are drawn anew (RNG-3)", () => {
  const drawnOf = (stakes: readonly bigint[], gone: readonly number[]): Drawn[] =>
    candidatesOf(stakes).map((one, i) => ({ ...one, isGone: gone.includes(i) }));
  const countOf = (seats: readonly Uint8Array[], owner: Uint8Array): number =>
    seats.filter((seat) => equal(seat, owner)).length;
  const someStakes = fc.array(fc.bigInt({ min: 1n, max: 10n ** 12n }), {
    minLength: 2,
    maxLength: 20,
  });

  test("who leaves once the output is known loses seats, and moves no other", () => {
    fc.assert(
      fc.property(
        someStakes,
        fc.integer({ min: 1, max: 30 }),
        fc.uniqueArray(fc.nat(19), { maxLength: 6 }),
        (stakes, n, gone) => {
          const of = { term: 3, output: sha256(utf8("output")), n };
          const before = drawRing(network, of, drawnOf(stakes, []));
          const after = drawRing(network, of, drawnOf(stakes, gone));
          if ("code" in before || "code" in after) throw new Error("nobody was elected");
          expect(after.election.seats).toEqual(before.election.seats);
          const { seatsEach } = after.election;
          const anybodyElse = stakes.length > gone.filter((i) => i < stakes.length).length;
          for (const [place, owner] of before.seats.entries()) {
            const now = must(after.seats[place], "seat");
            const left = gone.some((i) => equal(bigEndian(i, 32), owner));
            if (!left) expect(now).toEqual(owner);
            else if (!anybodyElse) expect(now).toEqual(owner);
          }
          for (const { owner, isGone } of drawnOf(stakes, gone))
            if (!isGone) expect(countOf(after.seats, owner)).toBeLessThanOrEqual(seatsEach);
        },
      ),
    );
  });

  test("a silent seat goes to whoever has fewer than m, by stake, and stays where nobody may have it", () => {
    const stakes = [100n, 100n, 100n, 100n, 100n, 1n];
    const seats = candidatesOf(stakes)
      .slice(0, 5)
      .map(({ owner }) => owner);
    const candidates = drawnOf(stakes, []);
    let small = 0;
    for (let i = 0; i < 200; i++) {
      const seed = sha256(bigEndian(i, 4));
      const after = redrawSeats(network, seed, candidates, { seats, places: [2] });
      expect(after.filter((_, place) => place !== 2)).toEqual(
        seats.filter((_, place) => place !== 2),
      );
      // One seat each (m = 1): only the sixth has none.
      expect(after[2]).toEqual(bigEndian(5, 32));
      const two = [...seats, bigEndian(5, 32), ...seats].slice(0, 10);
      const wide = redrawSeats(network, seed, candidates, { seats: two, places: [2] });
      expect(equal(must(wide[2], "seat"), bigEndian(2, 32))).toBe(false);
      if (equal(must(wide[2], "seat"), bigEndian(5, 32))) small += 1;
    }
    // Of those who may have a second of ten seats it has the least stake.
    expect(small).toBeLessThan(40);
    const nobody = redrawSeats(network, sha256(utf8("x")), drawnOf(stakes, [5]), {
      seats,
      places: [2],
    });
    expect(nobody).toEqual(seats);
  });
});
