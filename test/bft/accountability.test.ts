// Who is convicted when more than a third is Byzantine and two blocks of one height become final: more than a third of
// the power, and no honest seat. (With at most a third, `run.ts` says it of every seed.)
import { describe, expect, it } from "vitest";
import type { Fork } from "./fork.ts";
import { forkOf } from "./fork.ts";

/** Seats, and Byzantine ones: f + 1 up to as many as leave an honest seat on each side. */
const sizes: readonly (readonly [number, number])[] = [
  [4, 2],
  [7, 3],
  [7, 4],
  [10, 4],
];

function forks(lies: boolean): Fork[] {
  return sizes.flatMap(([seats, byzantine]) =>
    Array.from({ length: 6 }, (_, i) => forkOf(1 + i, seats, byzantine, lies)),
  );
}

function isMoreThanThird({ committee }: Fork, seats: readonly number[]): boolean {
  const total = committee.members.reduce((sum, member) => sum + member.power, 0n);
  const power = seats.reduce((sum, seat) => sum + (committee.members[seat]?.power ?? 0n), 0n);
  return 3n * power > total;
}

describe("two final blocks of one height", () => {
  it("convict more than a third, in one round and across rounds, and no honest seat", () => {
    const found = forks(false);
    for (const fork of found) {
      expect(fork.convicted.filter((seat) => !fork.byzantine.includes(seat))).toEqual([]);
      expect(fork.unproven).toEqual([]);
      expect(isMoreThanThird(fork, fork.convicted), `rounds ${fork.rounds.join()}`).toBe(true);
      if (fork.rounds[0] !== fork.rounds[1]) continue;
      expect(isMoreThanThird(fork, fork.inBoth)).toBe(true);
      expect(fork.inBoth.filter((seat) => !fork.byzantine.includes(seat))).toEqual([]);
    }
    const across = found.filter(({ rounds: [a, b] }) => a !== b).length;
    expect(across).toBeGreaterThan(2);
    expect(found.length - across).toBeGreaterThan(2);
  });

  it("convict more than a third also when they claim proofs of lock that nobody can show", () => {
    let liars = 0;
    for (const fork of forks(true)) {
      const guilty = [...fork.convicted, ...fork.unproven];
      expect(guilty.filter((seat) => !fork.byzantine.includes(seat))).toEqual([]);
      expect(isMoreThanThird(fork, guilty), `rounds ${fork.rounds.join()}`).toBe(true);
      liars += fork.unproven.length;
    }
    expect(liars).toBeGreaterThan(0);
  });
});
