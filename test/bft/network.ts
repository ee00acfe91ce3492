// The wires between nodes: each message has a delay of its own and may be lost, doubled, held back or cut off in one
// direction. After healing only the delay stays.

import { after } from "../seeds/queue.ts";
import type { Peer, World } from "./model.ts";

const delayMinMs = 2;
const delaySpanMs = 30;
const holdMinMs = 300;
const holdSpanMs = 3_000;

/** True while `from` reaches `to`. Counts what a cut swallows. */
function passes(world: World, from: Peer, to: Peer): boolean {
  const { plan, counts, queue, startMs, isolated } = world;
  const now = queue.now - startMs;
  for (const cut of plan.cuts)
    if (now >= cut.atMs && now < cut.atMs + cut.forMs && cut.cuts(from.index, to.index)) {
      counts[cut.strategy] += 1;
      return false;
    }
  if (plan.isolation === undefined) return true;
  const [out, into] = [isolated.get(from.index), isolated.get(to.index)];
  const isCut =
    (out !== undefined && out.untilMs > queue.now) ||
    (into?.both === true && into.untilMs > queue.now);
  if (isCut) counts[plan.isolation] += 1;
  return !isCut;
}

/** `deliver` runs once for each copy that arrives. `heldMs`: what the sender itself adds. */
export function transmit(
  world: World,
  from: Peer,
  to: Peer,
  heldMs: number,
  deliver: () => void,
): void {
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
      after(queue, heldMs + delay(world), "", deliver);
    }
  }
  after(queue, heldMs + delay(world), "", deliver);
}

function delay(world: World): number {
  const random = world.random.network;
  const base = delayMinMs + random.below(delaySpanMs);
  const { reordering } = world.plan;
  if (world.healed || reordering === 0 || !random.chance(reordering)) return base;
  world.counts.reordering += 1;
  return base + holdMinMs + random.below(holdSpanMs);
}

/** The network turns on whoever decides a height first, so that the others do not hear of it. */
export function isolateDecider(world: World, peer: Peer): void {
  const random = world.random.network;
  if (world.healed || world.plan.isolation === undefined || !random.chance(0.25)) return;
  const untilMs = world.queue.now + 2_000 + random.below(6_000);
  world.isolated.set(peer.index, { untilMs, both: random.chance(0.5) });
}
