// What a seed is, decided before it begins: its size, committees, Byzantine seats with their strategies, and the faults
// of network, disks and clocks. After `healAfterMs` only the Byzantine seats go on.
import type { Random } from "@causeway/primitives";
import { must } from "@causeway/primitives";
import type { Cut } from "../seeds/plan.ts";
import { drawStrategies, oneWayCuts, shuffled, smallSkew, times } from "../seeds/plan.ts";
import type { SeatStrategy, Strategy } from "./strategies.ts";
import { isSeatStrategy, strategies } from "./strategies.ts";

export type Plan = {
  /** Seats of each committee: 4, 7 or 10. */
  readonly seats: number;
  /** Nodes; those without a seat follow. */
  readonly peers: number;
  /** Voting power by peer. */
  readonly powers: readonly bigint[];
  /** Peers with a seat, by epoch, in seat order. */
  readonly committees: readonly (readonly number[])[];
  /** Heights of an epoch; one committee for ever when it is never reached. */
  readonly epochHeights: number;
  readonly drawn: readonly Strategy[];
  readonly byzantine: ReadonlyMap<number, readonly SeatStrategy[]>;
  /** Of barred peers: the height from which their votes do not count (CON-3). */
  readonly barredFrom: ReadonlyMap<number, number>;
  readonly realBls: boolean;
  /** Transfers on the real ledger; its committee stays. */
  readonly realLedger: boolean;
  readonly healAfterMs: number;
  /** Probabilities per message. */
  readonly loss: number;
  readonly duplication: number;
  readonly reordering: number;
  readonly cuts: readonly Cut<Strategy>[];
  /** Which of them strike the node that is the first to decide a height. */
  readonly isolation: Strategy | undefined;
  /** Probability per effect. */
  readonly crash: number;
  readonly skews: readonly { readonly atMs: number; readonly peer: number; readonly ms: number }[];
};

/** What validators tolerate of a clock, ms. */
export const toleranceMs = 2_000;

/** The plan of a seed. `first` is among its strategies. */
export function planOf(seed: number, random: Random, first?: Strategy): Plan {
  const sizes = random.pick([4, 4, 4, 4, 4, 4, 7, 7, 7, 10]);
  // Real pairings cost a thousand times the table's.
  const realBls = seed % 50 === 0;
  const seats = realBls ? 4 : sizes;
  const realLedger = seed % 25 === 7;
  const changes = !realLedger && random.chance(0.25);
  const peers = seats + (changes ? 1 + random.below(2) : random.chance(0.2) ? 1 : 0);
  const powers = realLedger ? times(peers, () => 1n) : powersOf(random, peers);
  const all = times(peers, (i) => i);
  const committees = changes
    ? times(40, () => shuffled(random, all).slice(0, seats))
    : [all.slice(0, seats)];
  const drawn = drawStrategies(random, strategies, 3, first);
  const healAfterMs = 4_000 + random.below(10_000);
  const byzantine = byzantineOf(random, { committees, powers, peers, drawn });
  const has = (strategy: Strategy): boolean => drawn.includes(strategy);
  const rate = (p: number, most: number): number =>
    (random.chance(p) ? random.next() % 100 : 0) * (most / 100);
  const isolating = drawn.filter(
    (one) => one === "long partition" || one === "asymmetric partition",
  );
  return {
    seats,
    peers,
    powers,
    committees,
    epochHeights: changes ? 2 + random.below(4) : Number.MAX_SAFE_INTEGER,
    drawn,
    byzantine,
    barredFrom: barredOf(random, changes, byzantine),
    realBls,
    realLedger,
    healAfterMs,
    loss: random.chance(0.15) ? 0.3 : rate(0.6, 0.2),
    duplication: rate(0.5, 0.2),
    reordering: rate(0.5, 0.2),
    cuts: cutsOf(random, peers, healAfterMs, drawn),
    isolation: isolating.length > 0 && random.chance(0.6) ? random.pick(isolating) : undefined,
    crash: has("crash") ? 0.003 + random.below(20) / 1_000 : 0,
    skews: [
      ...all.map((peer) => ({ atMs: 0, peer, ms: smallSkew(random) })),
      ...(has("clock skew") ? skewsOf(random, peers, healAfterMs) : []),
    ],
  };
}

function powersOf(random: Random, peers: number): bigint[] {
  const equal = random.chance(0.75);
  return times(peers, () => (equal ? 1n : BigInt(2 + random.below(3))));
}

type Seating = {
  readonly committees: readonly (readonly number[])[];
  readonly powers: readonly bigint[];
  readonly peers: number;
  readonly drawn: readonly Strategy[];
};

/** As many as less than a third of every committee's power allows, at times fewer. */
function byzantineOf(random: Random, seating: Seating): Map<number, SeatStrategy[]> {
  const { committees, powers, peers, drawn } = seating;
  const byzantine = new Map<number, SeatStrategy[]>();
  const known = drawn.filter(isSeatStrategy);
  if (known.length === 0) return byzantine;
  const most = random.chance(0.8) ? peers : 1;
  const powerOf = (seats: readonly number[], of: (peer: number) => boolean): bigint =>
    seats.reduce((sum, peer) => sum + (of(peer) ? must(powers[peer], "power") : 0n), 0n);
  for (const peer of shuffled(
    random,
    times(peers, (i) => i),
  )) {
    if (byzantine.size >= most) break;
    const isFaulty = (one: number): boolean => one === peer || byzantine.has(one);
    const fits = committees.every(
      (seats) => 3n * powerOf(seats, isFaulty) < powerOf(seats, () => true),
    );
    if (!fits) continue;
    // The drawn ones first, so that each is played by somebody.
    const own = [known[byzantine.size % known.length] as SeatStrategy];
    if (known.length > 1 && random.chance(0.5)) own.push(random.pick(known));
    byzantine.set(peer, [...new Set(own)]);
  }
  return byzantine;
}

/** Now and then one Byzantine seat is barred, which only they ever are. */
function barredOf(
  random: Random,
  changes: boolean,
  byzantine: ReadonlyMap<number, unknown>,
): Map<number, number> {
  const [first] = byzantine.keys();
  if (!changes || first === undefined || !random.chance(0.3)) return new Map();
  return new Map([[first, 2 + random.below(8)]]);
}

function cutsOf(
  random: Random,
  peers: number,
  healAfterMs: number,
  drawn: readonly Strategy[],
): Cut<Strategy>[] {
  const cuts: Cut<Strategy>[] = [];
  if (drawn.includes("long partition")) {
    const side = times(peers, () => random.chance(0.5));
    const atMs = random.below(healAfterMs / 2);
    const forMs = healAfterMs / 2 + random.below(healAfterMs);
    cuts.push({ strategy: "long partition", atMs, forMs, cuts: (a, b) => side[a] !== side[b] });
  }
  if (drawn.includes("asymmetric partition")) cuts.push(...oneWayCuts(random, peers, healAfterMs));
  return cuts;
}

/** Clocks within and beyond the tolerance, and back. */
function skewsOf(random: Random, peers: number, healAfterMs: number): Plan["skews"] {
  return times(2 + random.below(8), () => {
    const span = random.pick([toleranceMs / 2, toleranceMs, 3 * toleranceMs, 20_000]);
    const ms = random.below(2 * span) - span;
    return { atMs: random.below(healAfterMs), peer: random.below(peers), ms };
  });
}
