// The seats of a ring by systematic sampling (RNG-1), in integers, with everything that explains the result: whoever
// has the seed and the stakes gets the same seats.
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import { assert, compare, rejected } from "@causeway/primitives";
import { capStakes } from "../consensus/power.ts";
import { drawsOf, shuffled } from "./draw.ts";

/** Largest ring (RNG-1). */
export const ringSeatsMax = 150;

/** `owner`: a validator's lock; `stake` in units, not negative. */
export type Candidate = { readonly owner: Uint8Array; readonly stake: bigint };

/** A candidate's interval [from, from + counted x n) on a line of `total` x n, and the seats whose points lie in it. */
export type Share = Candidate & {
  readonly counted: bigint;
  readonly from: bigint;
  readonly seats: readonly number[];
};

export type Election = {
  /** The owner of each seat. */
  readonly seats: readonly Uint8Array[];
  /** Seats that one candidate may have. */
  readonly seatsEach: number;
  /** What counts of all stakes together. */
  readonly total: bigint;
  /** In [0, total): seat i's point is offset + i x total. */
  readonly offset: bigint;
  /** All eligible candidates in the shuffled order. */
  readonly shares: readonly Share[];
};

/** RNG-1: t = ceil(2n/3). */
export function thresholdOf(n: number): number {
  return Math.ceil((2 * n) / 3);
}

/** RNG-1: m = max(ceil(n/6), ceil(n/V)) for V eligible candidates. */
export function seatsEachOf(n: number, eligible: number): number {
  return Math.max(Math.ceil(n / 6), Math.ceil(n / eligible));
}

/** What counts of each stake: at most m/n of what counts of all (RNG-1, the fixpoint of CON-2). */
export function countedStakes(stakes: readonly bigint[], n: number): bigint[] {
  return capStakes(stakes, BigInt(seatsEachOf(n, stakes.length)), BigInt(n));
}

/**
 * RNG-1: `n` seats, 1 to 150. The order of `candidates` does not matter; who has no stake is not eligible. Each gets
 * the floor or the ceiling of its quota n x counted / total.
 */
export function electSeats(
  network: NetworkId,
  seed: Bytes32,
  candidates: readonly Candidate[],
  n: number,
): Election | Rejected<"no-candidates"> {
  assert(Number.isSafeInteger(n) && n >= 1 && n <= ringSeatsMax, `a ring of ${n} seats`);
  const eligible = candidates
    .filter(({ stake }) => stake > 0n)
    .toSorted((a, b) => compare(a.owner, b.owner));
  if (eligible.length === 0) return rejected("no-candidates", "nobody with stake can be elected");
  const counted = countedStakes(
    eligible.map(({ stake }) => stake),
    n,
  );
  const total = counted.reduce((a, b) => a + b, 0n);
  const draws = drawsOf(network, seed);
  const order = shuffled(draws, eligible.length);
  const offset = draws.below(total);
  const seats: Uint8Array[] = [];
  let from = 0n;
  const shares = order.map((index): Share => {
    const candidate = eligible[index] as Candidate;
    const own = counted[index] as bigint;
    const end = from + own * BigInt(n);
    const mine: number[] = [];
    while (seats.length < n && offset + BigInt(seats.length) * total < end) {
      mine.push(seats.length);
      seats.push(candidate.owner);
    }
    const share = { ...candidate, counted: own, from, seats: mine };
    from = end;
    return share;
  });
  const seatsEach = seatsEachOf(n, eligible.length);
  return { seats, seatsEach, total, offset, shares };
}
