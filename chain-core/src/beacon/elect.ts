// The seats of a ring by systematic sampling (RNG-1), in integers, with everything that explains the result: whoever
// has the seed and the stakes gets the same seats. It is Deville's systematic sampling, in which every seat draws the
// point of its n-th of the line, carried out as ordered pivotal sampling (Chauvet, Bernoulli 18 (4), 2012): with one
// offset for all seats there is no bound on what a hostile third gets (ADR 0012).
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import { assert, bigEndian, compare, equal, keyOf, must, rejected } from "@causeway/primitives";
import { capStakes } from "../consensus/power.ts";
import type { Draws } from "./draw.ts";
import { drawsOf, shuffled } from "./draw.ts";
import { subSeed } from "./output.ts";

/** Largest ring (RNG-1). */
export const ringSeatsMax = 150;

/** `owner`: a validator's lock; `stake` in units, not negative. */
export type Candidate = { readonly owner: Uint8Array; readonly stake: bigint };

/**
 * A draw between the candidate that holds a fraction of a seat and the next one; fractions are of `total`. Up to a
 * seat together, one gets both fractions. Above, one gets a seat and the other holds the rest.
 */
export type Duel = {
  readonly held: bigint;
  readonly own: bigint;
  /** `drawn` in [0, of); the holder wins iff it is below `wins`. */
  readonly wins: bigint;
  readonly of: bigint;
  readonly drawn: bigint;
};

/** What a candidate counts and got; `duel`: its fraction's, with who held one before it. */
export type Share = Candidate & {
  readonly counted: bigint;
  readonly seats: readonly number[];
  readonly duel?: Duel;
};

export type Election = {
  /** The owner of each seat. */
  readonly seats: readonly Uint8Array[];
  /** Seats that one candidate may have. */
  readonly seatsEach: number;
  /** What counts of all stakes together. */
  readonly total: bigint;
  /** All eligible candidates in the shuffled order, in which the seats are filled. */
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
  const line = order.map((index) => ({
    ...(eligible[index] as Candidate),
    counted: counted[index] as bigint,
  }));
  const seatsEach = seatsEachOf(n, eligible.length);
  return { ...fill(draws, line, total, n), seatsEach, total };
}

type Filling = Candidate & { readonly counted: bigint; readonly seats: number[]; duel?: Duel };
type Holder = { readonly place: number; readonly fraction: bigint };

/** Goes along the line: whole seats of a quota are given, its fraction duels with the one that is held. */
function fill(
  draws: Draws,
  line: readonly (Candidate & { readonly counted: bigint })[],
  total: bigint,
  n: number,
): Pick<Election, "seats" | "shares"> {
  const seats: Uint8Array[] = [];
  const shares = line.map((one): Filling => ({ ...one, seats: [] }));
  const give = (place: number): void => {
    const share = must(shares[place], "share");
    share.seats.push(seats.length);
    seats.push(share.owner);
  };
  let holder: Holder | undefined;
  for (const [place, share] of shares.entries()) {
    const quota = share.counted * BigInt(n);
    for (let whole = quota / total; whole > 0n; whole--) give(place);
    const own = quota % total;
    if (own === 0n) continue;
    if (holder === undefined) {
      holder = { place, fraction: own };
      continue;
    }
    const duel = drawDuel(draws, holder.fraction, own, total);
    share.duel = duel;
    const [winner, loser] = duel.drawn < duel.wins ? [holder.place, place] : [place, holder.place];
    const sum = holder.fraction + own;
    if (sum < total) holder = { place: winner, fraction: sum };
    else {
      give(winner);
      holder = sum > total ? { place: loser, fraction: sum - total } : undefined;
    }
  }
  return { seats, shares };
}

/** Each comes out of it with its fraction on average. */
function drawDuel(draws: Draws, held: bigint, own: bigint, total: bigint): Duel {
  const sum = held + own;
  const [wins, of] = sum < total ? [held, sum] : [total - own, 2n * total - sum];
  return { held, own, wins, of, drawn: draws.below(of) };
}

/** One who was a candidate before the output was known; `isGone`: it can take no seat any more. */
export type Drawn = Candidate & { readonly isGone: boolean };

/** Who has which seat of a term, and the draw that says so before the seats of those who have gone found others. */
export type DrawnRing = { readonly seats: readonly Uint8Array[]; readonly election: Election };

/**
 * RNG-2: the ring of `term`, drawn by the beacon's `output`. Whoever has the two and the candidates gets the same.
 * Who has gone is drawn with the others, and only then replaced: could one leave the draw after the output is known,
 * one would draw again by leaving.
 */
export function drawRing(
  network: NetworkId,
  of: { readonly term: number; readonly output: Bytes32; readonly n: number },
  candidates: readonly Drawn[],
): DrawnRing | Rejected<"no-candidates"> {
  const { term, output, n } = of;
  const context = bigEndian(term, 8);
  const election = electSeats(network, subSeed(network, output, "ring", context), candidates, n);
  if ("code" in election) return election;
  const { seats } = election;
  const gone = new Set(candidates.filter(({ isGone }) => isGone).map(({ owner }) => keyOf(owner)));
  const places = [...seats.keys()].filter((place) => gone.has(keyOf(must(seats[place], "seat"))));
  const seed = subSeed(network, output, "ring-gone", context);
  return { seats: redrawSeats(network, seed, candidates, { seats, places }), election };
}

/**
 * RNG-3: the seats at `places` go to others, one by one, each by counted stake among the candidates that hold none of
 * these places, have not gone, and have fewer seats than one may have (RNG-1). A seat that nobody else may have stays.
 */
export function redrawSeats(
  network: NetworkId,
  seed: Bytes32,
  candidates: readonly Drawn[],
  ring: { readonly seats: readonly Uint8Array[]; readonly places: readonly number[] },
): Uint8Array[] {
  const { seats, places } = ring;
  const after = [...seats];
  const leaving = new Set(places.map((place) => keyOf(must(seats[place], "seat"))));
  const staked = candidates
    .filter(({ stake }) => stake > 0n)
    .toSorted((a, b) => compare(a.owner, b.owner));
  if (staked.length === 0) return after;
  const each = seatsEachOf(seats.length, staked.length);
  const counted = countedStakes(
    staked.map(({ stake }) => stake),
    seats.length,
  );
  const eligible = staked
    .map((one, i) => ({ ...one, counted: must(counted[i], "counted stake") }))
    .filter(({ owner, isGone }) => !isGone && !leaving.has(keyOf(owner)));
  const draws = drawsOf(network, seed);
  for (const place of places) {
    const open = eligible.filter(
      ({ owner }) => after.filter((other) => equal(other, owner)).length < each,
    );
    const total = open.reduce((sum, one) => sum + one.counted, 0n);
    if (total === 0n) break;
    let point = draws.below(total);
    const winner = open.find(({ counted: own }) => {
      if (point < own) return true;
      point -= own;
      return false;
    });
    after[place] = must(winner, "winner").owner;
  }
  return after;
}
