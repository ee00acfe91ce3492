// What a hostile part of the stake can get of a ring (RNG-1): the most seats there are for it, and a bound on the
// probability that it gets enough to sign, or to prevent signing. Both hold whichever validators are hostile, as long
// as together they have no more than the stated part of the stake. A tool and no rule: floats are fine here.
//
// The bound. Duels leave every pair with E[x_i x_j] <= E[x_i] E[x_j] and every fraction with its mean, so P(all of S
// win) <= the product of the fractions for any set S (Srinivasan, FOCS 2001), and Chernoff's bound holds as for
// independent draws: P(X >= k) <= e^(-z k) x the product over the hostile of e^(z floor) (1 + f (e^z - 1)), for any
// z > 0. For each z the worst hostile set is bounded by a knapsack whose last item may be cut.
import { assert } from "@causeway/primitives";
import { countedStakes, thresholdOf } from "./elect.ts";

export type Part = { readonly part: bigint; readonly of: bigint };

export type Chance = {
  /** What the hostile need. */
  readonly seats: number;
  /** Some hostile set has so many at most, whatever is drawn. */
  readonly seatsMax: number;
  /** log2 of an upper bound on the probability of `seats` or more; -Infinity where `seatsMax` is below. */
  readonly log2: number;
};

export type RingCheck = {
  /** A third of the stake is hostile: it gets t seats and signs alone. */
  readonly capture: Chance;
  /** A fifth is: it gets more than n - t seats and can prevent every signature. */
  readonly veto: Chance;
  /** RNG-1's bounds for a production network hold. */
  readonly isSafe: boolean;
};

/** RNG-1, log2. */
const captureMax = -40;
const vetoMax = -20;

/** Whether a ring of `n` seats, 1 to 150, drawn from validators with these stakes is what RNG-1 asks for. */
export function checkRing(stakes: readonly bigint[], n: number): RingCheck {
  const t = thresholdOf(n);
  const capture = chanceOf(stakes, n, t, { part: 1n, of: 3n });
  const veto = chanceOf(stakes, n, n - t + 1, { part: 1n, of: 5n });
  return { capture, veto, isSafe: capture.log2 < captureMax && veto.log2 < vetoMax };
}

/** The chance of `seats` or more of `n` for the worst set of validators that has at most `hostile` of all stake. */
export function chanceOf(
  stakes: readonly bigint[],
  n: number,
  seats: number,
  hostile: Part,
): Chance {
  const eligible = stakes.filter((stake) => stake > 0n);
  assert(eligible.length > 0, "nobody with stake");
  const budget = (eligible.reduce((a, b) => a + b, 0n) * hostile.part) / hostile.of;
  const quotas = quotasOf(eligible, n).filter(({ stake }) => stake <= budget);
  const whole = quotasOf(eligible, n).reduce((sum, { floor }) => sum + floor, 0);
  const seatsMax = Math.min(
    mostWithin(quotas, budget, ({ ceiling }) => ceiling),
    mostWithin(quotas, budget, ({ floor }) => floor) + n - whole,
  );
  const log2 = seatsMax < seats ? Number.NEGATIVE_INFINITY : chernoff(quotas, budget, seats);
  return { seats, seatsMax, log2 };
}

type Quota = {
  readonly stake: bigint;
  readonly floor: number;
  readonly ceiling: number;
  /** Of a seat, above `floor`; rounded up. */
  readonly fraction: number;
};

function quotasOf(stakes: readonly bigint[], n: number): Quota[] {
  const counted = countedStakes(stakes, n);
  const total = counted.reduce((a, b) => a + b, 0n);
  return stakes.map((stake, i) => {
    const quota = (counted[i] ?? 0n) * BigInt(n);
    const rest = quota % total;
    const floor = Number(quota / total);
    const fraction = rest === 0n ? 0 : Number((rest << 96n) / total + 1n) / 2 ** 96;
    return { stake, floor, ceiling: rest === 0n ? floor : floor + 1, fraction };
  });
}

/** The largest sum of `seatsOf` over validators whose stakes fit into `budget`, exactly: a knapsack by seats. */
function mostWithin(
  quotas: readonly Quota[],
  budget: bigint,
  seatsOf: (quota: Quota) => number,
): number {
  /** By number of seats: the least stake that has them. */
  let least: (bigint | undefined)[] = [0n];
  for (const quota of quotas) {
    const seats = seatsOf(quota);
    if (seats === 0) continue;
    const next = [...least];
    for (const [have, stake] of least.entries()) {
      if (stake === undefined || stake + quota.stake > budget) continue;
      const before = next[have + seats];
      if (before === undefined || before > stake + quota.stake)
        next[have + seats] = stake + quota.stake;
    }
    least = next;
  }
  return least.length - 1;
}

/** log2 of Chernoff's bound at its best z. As a function of z its logarithm is convex; any z is a bound. */
function chernoff(quotas: readonly Quota[], budget: bigint, seats: number): number {
  const at = (z: number): number => heaviest(quotas, budget, z) - z * seats;
  let [low, high] = [0, 50];
  for (let i = 0; i < 80; i++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (at(a) < at(b)) high = b;
    else low = a;
  }
  // Of some hundred logarithms in doubles the error is far below a millionth.
  return Math.min(0, (at(low) + 1e-6) / Math.LN2);
}

/** The most that ln E[e^(z seats)] can be for validators whose stakes fit into `budget`, the last one cut to fit. */
function heaviest(quotas: readonly Quota[], budget: bigint, z: number): number {
  const items = quotas.map(({ stake, floor, fraction }) => {
    const value = z * floor + Math.log1p(fraction * Math.expm1(z));
    return { value, share: Number((stake << 64n) / budget) / 2 ** 64 };
  });
  items.sort((a, b) => b.value * a.share - a.value * b.share);
  let [sum, room] = [0, 1];
  for (const { value, share } of items) {
    if (share >= room) return sum + (share === 0 ? value : (value * room) / share);
    sum += value;
    room -= share;
  }
  return sum;
}
