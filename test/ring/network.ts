// The wires between operators and to the ledger: each message has a delay of its own and may be lost, doubled, held back
// or cut off in one direction. After healing only the delay stays.
import { after } from "../seeds/queue.ts";
import type { World } from "./model.ts";

const delayMinMs = 2;
const delaySpanMs = 40;
const holdMinMs = 300;
const holdSpanMs = 3_000;

/** The ledger's place on the wires: behind the last operator. */
export function ledgerOf(world: World): number {
  return world.plan.size;
}

/** True while nothing is cut from one to the other. Counts what a cut swallows. */
export function passes(world: World, from: number, to: number): boolean {
  if (world.healed || from === to) return true;
  const now = world.queue.now - world.startMs;
  for (const cut of world.plan.cuts)
    if (now >= cut.atMs && now < cut.atMs + cut.forMs && cut.cuts(from, to)) {
      world.counts[cut.strategy] += 1;
      return false;
    }
  return true;
}

/** `deliver` runs once for each copy that arrives. */
export function transmit(world: World, from: number, to: number, deliver: () => unknown): void {
  const { plan, counts, queue, healed } = world;
  const random = world.random.network;
  if (!healed) {
    if (!passes(world, from, to)) return;
    if (plan.loss > 0 && random.chance(plan.loss)) {
      counts.loss += 1;
      return;
    }
    if (plan.duplication > 0 && random.chance(plan.duplication)) {
      counts.duplication += 1;
      after(queue, delay(world), "", () => void deliver());
    }
  }
  after(queue, delay(world), "", () => void deliver());
}

export function delay(world: World): number {
  const random = world.random.network;
  const base = delayMinMs + random.below(delaySpanMs);
  const { reordering } = world.plan;
  if (world.healed || reordering === 0 || !random.chance(reordering)) return base;
  world.counts.reordering += 1;
  return base + holdMinMs + random.below(holdSpanMs);
}
