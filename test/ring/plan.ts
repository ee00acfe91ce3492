// What a seed is, decided before it begins: its size, Byzantine members with their strategies, and the faults of
// network, disks, clocks and ledger. After `healAfterMs` only the Byzantine members go on.
import type { Random } from "@causeway/primitives";
import type { Cut } from "../seeds/plan.ts";
import { drawStrategies, oneWayCuts, shuffled, smallSkew, times } from "../seeds/plan.ts";
import type { MemberStrategy, Strategy } from "./strategies.ts";
import { isMemberStrategy, memberStrategies, strategies } from "./strategies.ts";

/** An operator dies right before or after the write with this number (of all its lives, from 1). */
export type CrashAtWrite = {
  readonly operator: number;
  readonly write: number;
  readonly after: boolean;
};

export type Plan = {
  /** Operators of the genesis. */
  readonly size: number;
  readonly drawn: readonly Strategy[];
  readonly byzantine: ReadonlyMap<number, readonly MemberStrategy[]>;
  readonly healAfterMs: number;
  /** Requests to sign, besides canaries. */
  readonly requests: number;
  /** New rings, one a term: the operator of each seat. */
  readonly rings: readonly (readonly number[])[];
  /** The next term does not wait for the ceremonies of the one before. */
  readonly hastyTerms: boolean;
  /** Probabilities per message. */
  readonly loss: number;
  readonly duplication: number;
  readonly reordering: number;
  readonly cuts: readonly Cut<Strategy>[];
  /** How much later than others an operator's node has a block, ms. */
  readonly slowNodes: ReadonlyMap<number, number>;
  /** Probability per effect. */
  readonly crash: number;
  readonly crashesAtWrites: readonly CrashAtWrite[];
  /**
   * Operators who at a start may find a disk of an earlier time. What was open then they never sign (DESIGN 10, rule 5),
   * so that they and the Byzantine ones are at most n - t.
   */
  readonly olderDisks: ReadonlySet<number>;
  /** An operator whose folder is copied at that time, and runs as a second process until healing; as with older disks. */
  readonly secondCopy: { readonly operator: number; readonly atMs: number } | undefined;
  /** A request is replaced by another content in the same slot, which no right ledger does. */
  readonly wrongLedger: boolean;
  readonly skews: readonly {
    readonly atMs: number;
    readonly operator: number;
    readonly ms: number;
  }[];
};

/** The plan of a seed. `first` is among its strategies. */
export function planOf(random: Random, first?: Strategy): Plan {
  // 6 of threshold 4 signs without two, and generates without one.
  const size = random.pick([4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 6, 6, 7, 7, 7, 7, 7, 10]);
  const drawn = draw(random, first);
  const has = (strategy: Strategy): boolean => drawn.includes(strategy);
  const rate = (p: number, most: number): number =>
    random.chance(p) ? (random.below(1_000) / 1_000) * most : 0;
  const terms = random.pick(size === 10 ? [0, 0, 0, 1] : [0, 0, 0, 0, 1, 1, 2]);
  const healAfterMs = 2_000 + random.below(12_000) + (terms > 0 ? 6_000 : 0);
  const all = times(size, (i) => i);
  const forgets = has("older disk") || has("second copy");
  const byzantine = byzantineOf(random, size, drawn, forgets ? 1 : 0);
  const honest = shuffled(random, all).filter((one) => !byzantine.has(one));
  const forgetful = forgets ? honest.slice(0, spareOf(size) - byzantine.size) : [];
  return {
    size,
    drawn,
    byzantine,
    healAfterMs,
    requests: 1 + random.below(3),
    rings: times(terms, () => drawRing(random, size, new Set(byzantine.keys()), forgetful)),
    hastyTerms: random.chance(0.3),
    loss: random.chance(0.15) ? 0.3 : rate(0.6, 0.2),
    duplication: rate(0.5, 0.2),
    reordering: rate(0.5, 0.2),
    cuts: cutsOf(random, size, healAfterMs, drawn),
    slowNodes: new Map(
      has("slow node")
        ? times(1 + random.below(2), () => [random.below(size), 500 + random.below(6_000)] as const)
        : [],
    ),
    crash: has("crash") ? 0.002 + random.below(20) / 1_000 : 0,
    crashesAtWrites: has("crash at a write")
      ? times(1 + random.below(size), () => ({
          operator: random.chance(0.5) ? (forgetful[0] ?? random.below(size)) : random.below(size),
          write: 1 + random.below(40),
          after: random.chance(0.5),
        }))
      : [],
    olderDisks: new Set(has("older disk") ? forgetful : []),
    secondCopy:
      has("second copy") && forgetful[0] !== undefined
        ? { operator: forgetful[0], atMs: random.below(healAfterMs) }
        : undefined,
    wrongLedger: has("wrong ledger") && !forgets,
    skews: [
      ...all.map((operator) => ({ atMs: 0, operator, ms: smallSkew(random) })),
      ...(has("clock skew") ? skewsOf(random, size, healAfterMs) : []),
    ],
  };
}

/** Seats by operator: at most f Byzantine ones, and with those who forget as many as signing can do without. */
function drawRing(
  random: Random,
  size: number,
  byzantine: ReadonlySet<number>,
  forgetful: readonly number[],
): readonly number[] {
  for (;;) {
    // Not every size is possible with whoever is hostile and forgetful here.
    const n = random.pick([4, 4, 4, 6, 7]);
    const f = Math.floor((n - 1) / 3);
    const seats = Array.from({ length: n }, () => random.below(size));
    const most = Math.max(...seats.map((one) => seats.filter((other) => other === one).length));
    const hostile = seats.filter((one) => byzantine.has(one)).length;
    const lost = seats.filter((one) => forgetful.includes(one)).length;
    if (most > Math.max(Math.ceil(n / 6), Math.ceil(n / size))) continue;
    if (hostile <= f && hostile + lost <= spareOf(n)) return seats;
  }
}

/** One to four strategies; an older disk needs a crash. */
function draw(random: Random, first: Strategy | undefined): Strategy[] {
  const drawn = drawStrategies(random, strategies, 4, first);
  const crashes = drawn.includes("crash") || drawn.includes("crash at a write");
  return drawn.includes("older disk") && !crashes ? [...drawn, "crash at a write"] : drawn;
}

/** n - t: how many signing can do without. */
function spareOf(n: number): number {
  return n - Math.ceil((2 * n) / 3);
}

/** f that spoil ceremonies, and as many more as signing can do without; at times fewer. */
function byzantineOf(
  random: Random,
  n: number,
  drawn: readonly Strategy[],
  fewer: number = 0,
): Map<number, MemberStrategy[]> {
  const byzantine = new Map<number, MemberStrategy[]>();
  const known = drawn.filter(isMemberStrategy);
  const signing = known.filter((one) => memberStrategies[one].part === "signing");
  const signingMost = spareOf(n) - fewer;
  const most = { ceremony: Math.min(Math.floor((n - 1) / 3), signingMost), signing: signingMost };
  const isFull = random.chance(0.8) || most.signing === 0;
  for (const operator of shuffled(
    random,
    times(n, (i) => i),
  )) {
    const inCeremony = byzantine.size < (isFull ? most.ceremony : 1);
    const choice = inCeremony ? known : signing;
    if (choice.length === 0 || byzantine.size >= (isFull ? most.signing : 1)) break;
    // The drawn ones first, so that each is played by somebody.
    const own = [choice[byzantine.size % choice.length] as MemberStrategy];
    if (choice.length > 1 && random.chance(0.5)) own.push(random.pick(choice));
    byzantine.set(operator, [...new Set(own)]);
  }
  return byzantine;
}

function cutsOf(
  random: Random,
  size: number,
  healAfterMs: number,
  drawn: readonly Strategy[],
): Cut<Strategy>[] {
  const cuts: Cut<Strategy>[] = [];
  const places = size + 1;
  if (drawn.includes("partition"))
    for (let i = 0; i < 1 + random.below(2); i++) {
      const side = times(places, () => random.chance(0.5));
      const atMs = random.below(healAfterMs / 2);
      const forMs = 1_000 + random.below(healAfterMs);
      cuts.push({ strategy: "partition", atMs, forMs, cuts: (a, b) => side[a] !== side[b] });
    }
  if (drawn.includes("asymmetric partition")) cuts.push(...oneWayCuts(random, places, healAfterMs));
  return cuts;
}

/** Clocks that jump within the age of RNG-6 and beyond it. */
function skewsOf(random: Random, size: number, healAfterMs: number): Plan["skews"] {
  return times(2 + random.below(6), () => {
    const span = random.pick([1_000, 5_000, 30_000, 90_000]);
    const ms = random.below(2 * span) - span;
    return { atMs: random.below(healAfterMs), operator: random.below(size), ms };
  });
}
