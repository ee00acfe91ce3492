// The wires between operators, after TigerBeetle's packet simulator: each message has a delay of its own and may be
// lost, doubled, held back or cut off by a partition. Nodes and signers have their own wires.
import type { Random } from "@causeway/primitives";
import type { Queue } from "../seeds/queue.ts";
import { after } from "../seeds/queue.ts";
import type { FaultCounts, FaultPlan } from "./faults.ts";

export type Network = {
  readonly queue: Queue;
  readonly random: Random;
  readonly plan: FaultPlan;
  readonly counts: FaultCounts;
  /** Partitions in force: a message passes when its ends are on one side of each. */
  readonly partitions: Set<readonly boolean[]>;
  healed: boolean;
};

const delayMinMs = 2;
const delaySpanMs = 30;
const holdMinMs = 500;
const holdSpanMs = 3_000;

export function createNetwork(
  queue: Queue,
  random: Random,
  plan: FaultPlan,
  counts: FaultCounts,
): Network {
  return { queue, random, plan, counts, partitions: new Set(), healed: false };
}

/** True while nothing separates the two operators. */
export function isOpen(network: Network, from: number, to: number): boolean {
  for (const side of network.partitions) if (side[from] !== side[to]) return false;
  return true;
}

/** Sends; `deliver` runs once for each copy that arrives. */
export function send(
  network: Network,
  from: number,
  to: number,
  label: string,
  deliver: () => void,
): void {
  const { random, plan, counts, queue } = network;
  if (!isOpen(network, from, to)) return;
  const isFaulty = !network.healed;
  if (isFaulty && plan.loss > 0 && random.chance(plan.loss)) {
    counts.loss += 1;
    return;
  }
  after(queue, delay(network), label, deliver);
  if (isFaulty && plan.duplication > 0 && random.chance(plan.duplication)) {
    counts.duplication += 1;
    after(queue, delay(network), label, deliver);
  }
}

function delay({ random, plan, counts, healed }: Network): number {
  const base = delayMinMs + random.below(delaySpanMs);
  if (healed || plan.reordering === 0 || !random.chance(plan.reordering)) return base;
  counts.reordering += 1;
  return base + holdMinMs + random.below(holdSpanMs);
}
