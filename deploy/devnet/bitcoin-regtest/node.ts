// The node: chain and mempool together. What is irrevocable leaves through `onRecord`, which the caller
// may write down; replaying the records gives the same node. Time is a function given by the caller.
import type { Rejected } from "@causeway/primitives";
import { isRejected } from "@causeway/primitives";
import * as block from "./block.ts";
import type { Chain, Change, Entry } from "./chain.ts";
import * as chains from "./chain.ts";
import type { Pool } from "./mempool.ts";
import * as mempool from "./mempool.ts";
import * as policy from "./policy.ts";
import type { Tx } from "./tx.ts";

/** What changes the tree of blocks; `payload` is a raw block or a block hash in display order, as bytes. */
export type RecordKind = "block" | "invalidate" | "reconsider";
export type OnRecord = (kind: RecordKind, payload: Uint8Array) => void;

export type NodeOptions = {
  /** Unix seconds. */
  readonly clock: () => number;
  /** Satoshi per 1,000 vB; also the increment of replacements. */
  readonly relayFeeRate: bigint;
  readonly onRecord: OnRecord;
};

export type Node = {
  readonly chain: Chain;
  pool: Pool;
  readonly options: NodeOptions;
  /** Set by `setmocktime`, Unix seconds. */
  mockTime: number | undefined;
};

/** Blocks of which `invalidateblock` gives the transactions back to the mempool, as in Core. */
const returningBlocksMax = 10;
/** Left free in a mined block for header and coinbase, as in Core. */
const reservedWeight = 8_000;

export function createNode(options: NodeOptions): Node {
  return {
    chain: chains.createChain(),
    pool: mempool.createPool(),
    options,
    mockTime: undefined,
  };
}

export function now(node: Node): number {
  return node.mockTime ?? node.options.clock();
}

/** Applies a record of an earlier run; a record that does not apply is ignored. */
export function replay(node: Node, kind: RecordKind, payload: Uint8Array): void {
  if (kind === "block") {
    // Judged by its own clock: a block mined under a mock time must load again.
    applyChange(node, chains.acceptBlock(node.chain, payload, Number.MAX_SAFE_INTEGER));
    return;
  }
  const entry = node.chain.entries.get(new TextDecoder().decode(payload));
  if (entry === undefined) return;
  if (kind === "invalidate") applyChange(node, chains.invalidate(node.chain, entry), 0);
  else applyChange(node, chains.reconsider(node.chain, entry));
}

/** Core's AcceptToMemoryPool. */
export function submitTx(node: Node, tx: Tx): policy.Accepted | Rejected {
  const { relayFeeRate } = node.options;
  const result = policy.evaluate(node.chain, node.pool, tx, { relayFeeRate });
  if (result.kind === "accepted") policy.commit(node.chain, node.pool, tx, result, now(node));
  return result;
}

/** Validates and stores a block from outside or from our own miner. */
export function submitBlock(node: Node, raw: Uint8Array): Rejected | undefined {
  const result = chains.acceptBlock(node.chain, raw, now(node));
  if (isRejected(result)) return result;
  node.options.onRecord("block", raw);
  applyChange(node, result);
  return undefined;
}

/** Mines one block on the tip to `script`; with `chosen`, these transactions only. Its hash or why not. */
export function mine(
  node: Node,
  script: Uint8Array,
  chosen?: readonly Tx[],
): { readonly kind: "mined"; readonly entry: Entry } | Rejected {
  const top = chains.tip(node.chain);
  const selected = chosen ?? selectTxs(node);
  const fees = selected.map((tx) => node.pool.entries.get(tx.txid)?.fee ?? 0n);
  const raw = block.mineBlock({
    previous: top.block.hash,
    height: top.height + 1,
    time: Math.max(top.medianTime + 1, now(node)),
    script,
    // As in Core, the coinbase of a block of chosen transactions leaves their fees unclaimed.
    fees: chosen === undefined ? fees.reduce((sum, fee) => sum + fee, 0n) : 0n,
    txs: selected,
  });
  const refused = submitBlock(node, raw);
  if (refused !== undefined) {
    // Core tests a block that it built before it is one; nothing of it may stay.
    if (refused.code !== "duplicate") chains.forget(node.chain, raw);
    return refused;
  }
  return { kind: "mined", entry: chains.tip(node.chain) };
}

function selectTxs(node: Node): Tx[] {
  const left = new Set<string>();
  const selected: Tx[] = [];
  let weight = block.blockWeightMax - reservedWeight;
  for (const chunk of mempool.miningOrder(node.pool)) {
    const ready = chunk.entries.every((entry) => [...entry.parents].every((id) => !left.has(id)));
    if (ready && chunk.weight <= weight) {
      weight -= chunk.weight;
      selected.push(...chunk.entries.map((entry) => entry.tx));
    } else for (const entry of chunk.entries) left.add(entry.tx.txid);
  }
  return selected;
}

export function invalidate(node: Node, entry: Entry): void {
  node.options.onRecord("invalidate", new TextEncoder().encode(entry.block.hash));
  applyChange(node, chains.invalidate(node.chain, entry), returningBlocksMax);
}

export function reconsider(node: Node, entry: Entry): void {
  node.options.onRecord("reconsider", new TextEncoder().encode(entry.block.hash));
  applyChange(node, chains.reconsider(node.chain, entry));
}

/** Brings the mempool in line with the chain; the first `returning` disconnected blocks give back. */
function applyChange(
  node: Node,
  change: Change | Rejected,
  returning: number = Number.POSITIVE_INFINITY,
): void {
  if (isRejected(change)) return;
  if (change.disconnected.length === 0) {
    for (const entry of change.connected) mempool.removeConfirmed(node.pool, entry.block.txs);
    return;
  }
  const old = node.pool;
  const next = mempool.createPool();
  const { relayFeeRate } = node.options;
  const enter = (tx: Tx, time: number, height?: number): void => {
    if (chains.hasCoinsOf(node.chain, tx) || next.entries.has(tx.txid)) return;
    const result = policy.evaluate(node.chain, next, tx, { relayFeeRate, returning: true });
    if (result.kind === "accepted")
      mempool.add(next, tx, result.fee, time, height ?? chains.tip(node.chain).height);
  };
  for (const entry of change.disconnected.slice(0, returning).reverse())
    for (const tx of entry.block.txs) if (!tx.body.isCoinbase()) enter(tx, now(node));
  for (const { tx, time, height } of old.entries.values()) enter(tx, time, height);
  const added = [...next.entries.keys()].filter((id) => !old.entries.has(id)).length;
  const removed = [...old.entries.keys()].filter((id) => !next.entries.has(id)).length;
  next.sequence = old.sequence + added + removed;
  node.pool = next;
}
