// kill -9 of whole operators in the middle of steps, to see that nothing stops and nothing is lost.
import { setTimeout as sleep } from "node:timers/promises";
import { anyNode, nodeAt, until } from "./follow.ts";
import type { Network } from "./network.ts";
import type { Operator } from "./operators.ts";
import type { Facts, Reporter } from "./report.ts";

/** Milliseconds into a step at which its operator is killed: in the middle of things. */
const killAfterMs = 400;

export type Killer = {
  /** Kills when it is this step's turn; whoever died before comes back first. */
  readonly during: (step: number) => Promise<void>;
  /** Brings back who is still dead; what is to be told. */
  readonly end: () => Promise<Facts>;
};

/** In each of `steps` the operator `victimOf(step)` dies, and stays dead until the next one dies, or the end. */
export function killer(
  network: Network,
  reporter: Reporter,
  steps: readonly number[],
  victimOf: (step: number) => number,
): Killer {
  let dead: Operator | undefined;
  const restarted: Facts[] = [];
  async function revive(): Promise<void> {
    if (dead === undefined) return;
    restarted.push({ operator: dead.index, height: await restart(network, dead) });
    dead = undefined;
  }
  return {
    during: async (step) => {
      const victim = steps.includes(step) ? network.operators[victimOf(step)] : undefined;
      if (victim === undefined) return;
      await revive();
      await until("the operator to be up", async () => (victim.isAlive() ? true : undefined));
      await sleep(killAfterMs);
      reporter.note(`kill -9: operator ${victim.index}, processes ${victim.pids().join(", ")}`);
      dead = victim;
      await victim.kill();
    },
    end: async () => {
      await revive();
      return restarted.length === 0 ? {} : { restarted };
    },
  };
}

/** Starts the operator again and waits until it has every block that the others have: that height. */
async function restart(network: Network, operator: Operator): Promise<number> {
  const { height } = await anyNode(network).status();
  await operator.start();
  const node = nodeAt(operator.nodeUrl);
  return until("the restarted operator to catch up", async () => {
    const now = await node.status();
    return now.height >= height ? now.height : undefined;
  });
}
