// The wires of a world: each message has a delay of its own and may be lost, doubled or held back, and a way cut off. After
// healing only the delay stays.
import type { Random } from "@causeway/primitives";
import type { Cut } from "./plan.ts";
import type { Queue } from "./queue.ts";
import { after } from "./queue.ts";

type Wired = {
  /** Probabilities per message. */
  readonly plan: Readonly<Record<"loss" | "duplication" | "reordering", number>>;
  /** How often each struck. */
  readonly counts: Record<"loss" | "duplication" | "reordering", number>;
  readonly queue: Queue;
  readonly random: { readonly network: Random };
  readonly healed: boolean;
};

const delayMinMs = 2;
const holdMinMs = 300;
const holdSpanMs = 3_000;

/** Counts what a cut swallows. */
export function isCut<Strategy extends string>(
  {
    plan,
    counts,
    queue,
    startMs,
  }: {
    readonly plan: { readonly cuts: readonly Cut<Strategy>[] };
    readonly counts: Record<Strategy, number>;
    readonly queue: Queue;
    readonly startMs: number;
  },
  from: number,
  to: number,
): boolean {
  const now = queue.now - startMs;
  for (const cut of plan.cuts)
    if (now >= cut.atMs && now < cut.atMs + cut.forMs && cut.cuts(from, to)) {
      counts[cut.strategy] += 1;
      return true;
    }
  return false;
}

/** `deliver` runs once for each copy that arrives, between 2 ms and `spanMs` more after `heldMs`, or after seconds. */
export function carry(world: Wired, spanMs: number, heldMs: number, deliver: () => void): void {
  const { plan, counts, queue, healed } = world;
  const random = world.random.network;
  if (!healed && plan.loss > 0 && random.chance(plan.loss)) {
    counts.loss += 1;
    return;
  }
  if (!healed && plan.duplication > 0 && random.chance(plan.duplication)) {
    counts.duplication += 1;
    after(queue, heldMs + delay(world, spanMs), "", deliver);
  }
  after(queue, heldMs + delay(world, spanMs), "", deliver);
}

export function delay({ plan, counts, random, healed }: Wired, spanMs: number): number {
  const base = delayMinMs + random.network.below(spanMs);
  if (healed || plan.reordering === 0 || !random.network.chance(plan.reordering)) return base;
  counts.reordering += 1;
  return base + holdMinMs + random.network.below(holdSpanMs);
}
