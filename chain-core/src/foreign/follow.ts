// Between a watcher machine and a node: asks for news again and again, performs the reads that the machine
// orders, and never gives up. An outage is a state of health, not an error.
import type { Log } from "@causeway/primitives";
import { Failure } from "@causeway/primitives";
import type * as bitcoinWatch from "../interchain/watch/bitcoin.ts";
import type * as ethereumWatch from "../interchain/watch/ethereum.ts";
import type { BlockRef } from "../interchain/watch/facts.ts";
import type { BitcoinNode } from "./bitcoin.ts";
import type { EthereumNode } from "./ethereum.ts";
import type { HealthState } from "./health.ts";

/** What the loops need of the world. `sleep` resolves early, without error, when `signal` aborts. */
export type FollowContext = {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  readonly health: HealthState;
  readonly log: Log;
};

/** Waits between questions to a node that does not answer, ms. */
const outageMsMin = 250;
const outageMsMax = 5_000;

/** The answer to an order of the Bitcoin watcher; "read-failed" when the node fails. */
export async function answerBitcoin(
  node: BitcoinNode,
  order: bitcoinWatch.Effect,
): Promise<bitcoinWatch.Event> {
  try {
    if (order.kind === "read-headers") {
      const { from, count } = order;
      return { kind: "headers", from, headers: await node.headers(from, count) };
    }
    const bytes = await node.block(order.hash);
    return { kind: "block", hash: order.hash, ...(bytes && { bytes }) };
  } catch (error) {
    if (error instanceof Failure) return { kind: "read-failed" };
    throw error;
  }
}

/** The answer to an order of the Ethereum watcher; `contract` is the gateway's address. */
export async function answerEthereum(
  node: EthereumNode,
  contract: Uint8Array,
  order: ethereumWatch.Effect,
): Promise<ethereumWatch.Event> {
  try {
    if (order.kind === "read-logs") {
      const found = await node.logs(contract, order.from, order.to);
      return { kind: "logs", to: order.to, txids: found.map(({ txid }) => txid) };
    }
    const receipt = await node.receipt(order.txid);
    return { kind: "receipt", txid: order.txid, ...(receipt && { receipt }) };
  } catch (error) {
    if (error instanceof Failure) return { kind: "read-failed" };
    throw error;
  }
}

/**
 * Calls `onTip` with the node's best block every `everyMs`, also when it is the same (a read that failed is asked
 * again then); `isNew` says whether it changed. Resolves when the signal aborts.
 */
export function followBitcoin(
  node: BitcoinNode,
  everyMs: number,
  context: FollowContext,
  onTip: (tip: BlockRef, isNew: boolean) => void,
): Promise<void> {
  return follow(context, "bitcoin", everyMs, onTip, async () => {
    const { tip, behind } = await node.progress();
    return { block: tip, message: behind > 1 ? `${behind} blocks behind its headers` : "up" };
  });
}

/** As {@link followBitcoin}, with the finalized block. */
export function followEthereum(
  node: EthereumNode,
  everyMs: number,
  context: FollowContext,
  onFinalized: (finalized: BlockRef, isNew: boolean) => void,
): Promise<void> {
  return follow(context, "ethereum", everyMs, onFinalized, async () => {
    const { finalized, head } = await node.progress();
    return { block: finalized, message: `up, ${head - finalized.height} blocks not final` };
  });
}

async function follow(
  { sleep, signal, health, log }: FollowContext,
  name: string,
  everyMs: number,
  onBlock: (block: BlockRef, isNew: boolean) => void,
  look: () => Promise<{ readonly block: BlockRef; readonly message: string }>,
): Promise<void> {
  let last = "";
  let outageMs = outageMsMin;
  while (!signal.aborted) {
    try {
      const { block, message } = await look();
      if (signal.aborted) return;
      if (!health.get().ok) log.info("foreign node is up", { chain: name, height: block.height });
      health.up(message);
      outageMs = outageMsMin;
      const id = `${block.height} ${block.hash.join()}`;
      const isNew = id !== last;
      last = id;
      onBlock(block, isNew);
      await sleep(everyMs, signal);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (signal.aborted) return;
      if (health.get().ok || outageMs === outageMsMin)
        log.warn("foreign node is down", { chain: name, error });
      health.down(error);
      await sleep(outageMs, signal);
      outageMs = Math.min(2 * outageMs, outageMsMax);
    }
  }
}
