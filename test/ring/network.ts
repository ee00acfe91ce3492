// The wires between operators and to the ledger (test/seeds/wires.ts).
import { carry, delay as delayOn, isCut } from "../seeds/wires.ts";
import type { World } from "./model.ts";

const delaySpanMs = 40;

/** The ledger's place on the wires: behind the last operator. */
export function ledgerOf(world: World): number {
  return world.plan.size;
}

/** True while nothing is cut from one to the other. Counts what a cut swallows. */
export function passes(world: World, from: number, to: number): boolean {
  return world.healed || from === to || !isCut(world, from, to);
}

/** `deliver` runs once for each copy that arrives. */
export function transmit(world: World, from: number, to: number, deliver: () => unknown): void {
  if (passes(world, from, to)) carry(world, delaySpanMs, 0, () => void deliver());
}

export function delay(world: World): number {
  return delayOn(world, delaySpanMs);
}
