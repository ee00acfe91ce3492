// The simulated Bitcoin: the devnet's own node without its RPC (real blocks, scripts, signatures and mempool
// policy), one chain for all, which each operator sees later than it is made, by its own delay.
import type { Random } from "@causeway/primitives";
import { fromHex, isRejected, must, reversed } from "@causeway/primitives";
import { encodeHeader, mineBlock } from "../../deploy/devnet/bitcoin-regtest/block.ts";
import type { Entry } from "../../deploy/devnet/bitcoin-regtest/chain.ts";
import { hasCoinsOf, isActive, tip } from "../../deploy/devnet/bitcoin-regtest/chain.ts";
import { createPool, miningOrder } from "../../deploy/devnet/bitcoin-regtest/mempool.ts";
import type { Node } from "../../deploy/devnet/bitcoin-regtest/node.ts";
import {
  createNode,
  mine,
  submitBlock,
  submitTx,
} from "../../deploy/devnet/bitcoin-regtest/node.ts";
import type { Owner } from "../../deploy/devnet/bitcoin-regtest/testing.ts";
import { keyHash, outputOf, pay } from "../../deploy/devnet/bitcoin-regtest/testing.ts";
import type { Tx } from "../../deploy/devnet/bitcoin-regtest/tx.ts";
import { parseTx } from "../../deploy/devnet/bitcoin-regtest/tx.ts";

export type { Entry } from "../../deploy/devnet/bitcoin-regtest/chain.ts";
export type { Tx } from "../../deploy/devnet/bitcoin-regtest/tx.ts";

/** Blocks before the checkpoint: the first ten have mature coinbases for the users. */
const baseHeight = 110;
const fundingMax = baseHeight - 100;
const blockSeconds = 600;

export const payer: Owner = keyHash("the users' miner");
const miner: Owner = keyHash("a miner");

export type Bitcoin = {
  readonly node: Node;
  readonly random: Random;
  /** Coinbases of the base chain that nobody has spent yet. */
  readonly funds: Tx[];
  extra: number;
};

/** The part of the chain that every seed shares, mined once in a process. `timeMs` is the end of it. */
let base: { readonly node: Node; readonly funds: readonly Tx[] } | undefined;
export const baseTimeMs = 1_799_000_000_000;

function baseNode(): { readonly node: Node; readonly funds: readonly Tx[] } {
  if (base !== undefined) return base;
  let now = baseTimeMs / 1000 - baseHeight * blockSeconds;
  const node = createNode({ clock: () => now, relayFeeRate: 1_000n, onRecord: () => undefined });
  const funds: Tx[] = [];
  for (let height = 1; height <= baseHeight; height++) {
    now += blockSeconds;
    const mined = mine(node, payer.script);
    if (isRejected(mined)) throw new Error(mined.message);
    if (height <= fundingMax) funds.push(must(mined.entry.block.txs[0], "coinbase"));
  }
  base = { node, funds };
  return base;
}

/** The checkpoint of the simulated networks' genesis (WIT-4): the last block of the shared part. */
export function checkpoint(): { height: number; header: Uint8Array; periodStart: number } {
  const { block, height } = tip(baseNode().node.chain);
  return { height, header: encodeHeader(block.header), periodStart: block.header.time };
}

/** A chain of its own on the shared part, or on what `from` has mined; `nowMs` is simulated time. */
export function createBitcoin(
  random: Random,
  nowMs: () => number,
  from: { readonly node: Node; readonly funds: readonly Tx[] } = baseNode(),
): Bitcoin {
  const { chain } = from.node;
  return {
    node: {
      chain: {
        entries: new Map(chain.entries),
        leaves: new Set(chain.leaves),
        active: [...chain.active],
        coins: new Map(chain.coins),
        txIndex: new Map(chain.txIndex),
      },
      pool: createPool(),
      options: {
        clock: () => Math.floor(nowMs() / 1000),
        relayFeeRate: 1_000n,
        onRecord: () => undefined,
      },
      mockTime: undefined,
    },
    random,
    funds: [...from.funds],
    extra: 0,
  };
}

export function best(bitcoin: Bitcoin): Entry {
  return tip(bitcoin.node.chain);
}

/** Mines everything that waits. */
export function mineNext(bitcoin: Bitcoin): Entry {
  const mined = mine(bitcoin.node, miner.script);
  if (isRejected(mined)) throw new Error(`mining: ${mined.message}`);
  return mined.entry;
}

/**
 * Replaces the newest `depth` blocks by `depth` + 1 others. Their transactions return to the mempool and are mined
 * in other places, or later, but `conflicts` are in the first new block and displace what they conflict with.
 */
export function reorganise(bitcoin: Bitcoin, depth: number, conflicts: readonly Tx[]): void {
  const { node, random } = bitcoin;
  const old = tip(node.chain);
  let parent = must(node.chain.active[old.height - depth], "fork point");
  // What moves at once is in the second block of the branch, so that its place is another than before.
  const moved = depth > 0 && random.chance(0.5) ? confirmed(bitcoin, old.height - depth + 1) : [];
  const usable = conflicts.length === 0 ? moved : [];
  for (let i = 0; i <= depth; i++) {
    bitcoin.extra += 1;
    const raw = mineBlock({
      previous: parent.block.hash,
      height: parent.height + 1,
      time: Math.max(parent.medianTime + 1, node.options.clock() + (bitcoin.extra % 7)),
      script: miner.script,
      fees: 0n,
      txs: i === 0 ? conflicts : i === 1 ? usable : [],
    });
    const refused = submitBlock(node, raw);
    if (refused !== undefined) throw new Error(`branch block: ${refused.message}`);
    parent = must([...node.chain.entries.values()].at(-1), "new block");
  }
  if (tip(node.chain) !== parent) throw new Error("the longer branch is not the best");
}

/** Transactions of the users (not coinbases) in active blocks from `height` on, in order. */
function confirmed(bitcoin: Bitcoin, height: number): Tx[] {
  return bitcoin.node.chain.active.slice(height).flatMap(({ block }) => block.txs.slice(1));
}

/** A payment of `amount` sats to `script` out of a coinbase of the payer; not broadcast yet. */
export function payment(
  bitcoin: Bitcoin,
  script: Uint8Array,
  amount: bigint,
): { readonly tx: Tx; readonly conflict: () => Tx } {
  const coinbase = must(bitcoin.funds.pop(), "funds");
  const spend = outputOf(coinbase, payer);
  const change = spend.value - amount - 1_000n;
  const to = (target: Uint8Array): Tx =>
    pay({
      spends: [spend],
      outs: [
        { script: target, value: amount },
        { script: payer.script, value: change },
      ],
      version: 2,
    });
  return { tx: to(script), conflict: () => to(miner.script) };
}

/** Into the mempool of the one simulated network; undefined when accepted, else Core's reason. */
export function broadcast(bitcoin: Bitcoin, raw: Uint8Array): string | undefined {
  const tx = parseTx(raw);
  if (isRejected(tx)) return tx.code;
  if (hasCoinsOf(bitcoin.node.chain, tx)) return "txn-already-known";
  const result = submitTx(bitcoin.node, tx);
  return isRejected(result) ? result.code : undefined;
}

/** True while the entry is on the best chain. */
export function isBest(bitcoin: Bitcoin, entry: Entry): boolean {
  return isActive(bitcoin.node.chain, entry);
}

/** Whether a transaction waits in the mempool. */
export function isWaiting(bitcoin: Bitcoin, txid: string): boolean {
  return bitcoin.node.pool.entries.has(txid);
}

/** The block that holds a transaction on the best chain. */
export function blockOf(bitcoin: Bitcoin, txid: string): Entry | undefined {
  const { chain } = bitcoin.node;
  const entry = chain.entries.get(chain.txIndex.get(txid) ?? "");
  if (entry === undefined || !isActive(chain, entry)) return undefined;
  return entry.block.txs.some((tx) => tx.txid === txid) ? entry : undefined;
}

/** Everything in the mempool, in mining order. */
export function waiting(bitcoin: Bitcoin): Tx[] {
  return miningOrder(bitcoin.node.pool).flatMap(({ entries }) => entries.map(({ tx }) => tx));
}

// ------------------------------------------------------------------- what an operator's node says of it

/** Hash in internal order. */
export function hashOf(entry: Entry): Uint8Array {
  return reversed(fromHex(entry.block.hash));
}

export function headerOf(entry: Entry): Uint8Array {
  return encodeHeader(entry.block.header);
}

/** The ancestor of `from` (or itself) at a height. */
export function ancestorAt(from: Entry, height: number): Entry | undefined {
  let at: Entry | undefined = from;
  while (at !== undefined && at.height > height) at = at.parent;
  return at?.height === height ? at : undefined;
}
