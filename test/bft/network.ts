// The wires between nodes (test/seeds/wires.ts), and a network that turns on whoever decides first.
import { carry, isCut } from "../seeds/wires.ts";
import type { Peer, World } from "./model.ts";

const delaySpanMs = 30;

/** True while `from` reaches `to`. Counts what a cut swallows. */
function passes(world: World, from: Peer, to: Peer): boolean {
  const { plan, counts, queue, isolated } = world;
  if (isCut(world, from.index, to.index)) return false;
  if (plan.isolation === undefined) return true;
  const [out, into] = [isolated.get(from.index), isolated.get(to.index)];
  const isAlone =
    (out !== undefined && out.untilMs > queue.now) ||
    (into?.both === true && into.untilMs > queue.now);
  if (isAlone) counts[plan.isolation] += 1;
  return !isAlone;
}

/** `deliver` runs once for each copy that arrives. `heldMs`: what the sender itself adds. */
export function transmit(
  world: World,
  from: Peer,
  to: Peer,
  heldMs: number,
  deliver: () => void,
): void {
  if (world.healed || passes(world, from, to)) carry(world, delaySpanMs, heldMs, deliver);
}

/** The network turns on whoever decides a height first, so that the others do not hear of it. */
export function isolateDecider(world: World, peer: Peer): void {
  const random = world.random.network;
  if (world.healed || world.plan.isolation === undefined || !random.chance(0.25)) return;
  const untilMs = world.queue.now + 2_000 + random.below(6_000);
  world.isolated.set(peer.index, { untilMs, both: random.chance(0.5) });
}
