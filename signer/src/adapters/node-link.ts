// The own node: heights as they become final, proofs, sequences, submissions. It is asked, not believed: what it
// proves is checked in the vault. An outage is a state of health, not an error.
import type { NodeClient } from "@causeway/chain-core/client";
import { waitMsMax } from "@causeway/chain-core/client";
import type { HealthState } from "@causeway/chain-core/foreign";
import { roles } from "@causeway/chain-core/interchain";
import type { Log } from "@causeway/primitives";
import { Failure, isRejected, unreachable } from "@causeway/primitives";
import { sleep } from "@causeway/primitives/adapters/clock";
import type { Effect, Event } from "../machine.ts";

export type NodeOrder = Effect & { kind: "prove" | "sequence" | "submit" };

export type NodeLinkOptions = {
  readonly client: NodeClient;
  readonly emit: (event: Event) => void;
  readonly health: HealthState;
  readonly log: Log;
  readonly signal: AbortSignal;
};

const outageMsMin = 200;
const outageMsMax = 3_000;

/** Answers each order by exactly one event. */
export async function performNode(options: NodeLinkOptions, order: NodeOrder): Promise<void> {
  const { emit, log, signal } = options;
  try {
    emit(await answer(options, order));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (!signal.aborted) log.debug("the own node does not answer", { order: order.kind, error });
    emit({ kind: "failed", id: order.id, code: error.code });
  }
}

async function answer({ client }: NodeLinkOptions, order: NodeOrder): Promise<Event> {
  const { id } = order;
  switch (order.kind) {
    case "prove": {
      const { keys, endsFrom } = order;
      const asked = endsFrom === undefined ? {} : await client.ask("ends", { from: endsFrom });
      return { kind: "proved", id, ...asked, ...(await client.prove(keys)) };
    }
    case "sequence":
      return { kind: "sequence", id, next: await client.sequence(order.validator, roles.signer) };
    case "submit": {
      const submitted = await client.submit(order.transaction);
      if (!isRejected(submitted)) return { kind: "submitted", id };
      return { kind: "rejected", id, code: submitted.code, message: submitted.message };
    }
    default:
      return unreachable(order);
  }
}

/** Tells every new final height, until the signal aborts. */
export async function followHeights(options: NodeLinkOptions): Promise<void> {
  const { client, emit, health, log, signal } = options;
  let last = -1;
  let outageMs = outageMsMin;
  while (!signal.aborted)
    try {
      const height = await client.waitForHeight(last + 1, waitMsMax - 10_000);
      if (!health.get().ok) log.info("the own node is up", { height });
      health.up(`height ${height}`);
      outageMs = outageMsMin;
      if (height > last && !signal.aborted) emit({ kind: "height", height });
      // A node that starts again from an empty folder begins below: what it names is judged in the vault.
      last = height;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (signal.aborted) return;
      if (health.get().ok) log.warn("the own node is down", { error });
      health.down(error);
      await sleep(outageMs, signal);
      outageMs = Math.min(2 * outageMs, outageMsMax);
    }
}
