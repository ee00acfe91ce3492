// Draws for the plan of a seed. Their order is a seed's history: another one makes other seeds of all.
import type { Random } from "@causeway/primitives";

/** One way of a link that carries nothing for a while. */
export type Cut<Strategy extends string> = {
  readonly strategy: Strategy;
  readonly atMs: number;
  readonly forMs: number;
  /** By place on the wires: what leaves `from` for `to` is lost. */
  readonly cuts: (from: number, to: number) => boolean;
};

/** Time that an honest clock may be off, ms. */
const honestSkewMs = 300;

export function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

export function smallSkew(random: Random): number {
  return random.chance(0.5) ? random.below(2 * honestSkewMs) - honestSkewMs : 0;
}

/** One to `most`; `first` is among them. */
export function drawStrategies<Strategy extends string>(
  random: Random,
  strategies: readonly Strategy[],
  most: number,
  first: Strategy | undefined,
): Strategy[] {
  const others = shuffled(random, strategies).slice(0, 1 + random.below(most));
  if (first === undefined) return others;
  return [first, ...others.filter((one) => one !== first).slice(0, most - 1)];
}

/** One to three, each of a third of all ways between that many places. */
export function oneWayCuts(
  random: Random,
  places: number,
  healAfterMs: number,
): Cut<"asymmetric partition">[] {
  const cuts: Cut<"asymmetric partition">[] = [];
  for (let i = 0; i < 1 + random.below(3); i++) {
    const ways = times(places * places, () => random.chance(0.3));
    const atMs = random.below(healAfterMs);
    const forMs = 1_000 + random.below(healAfterMs);
    const cutsWay = (a: number, b: number): boolean => ways[a * places + b] === true;
    cuts.push({ strategy: "asymmetric partition", atMs, forMs, cuts: cutsWay });
  }
  return cuts;
}
