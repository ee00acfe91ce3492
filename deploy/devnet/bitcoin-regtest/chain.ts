// The chain: a tree of blocks, the active branch, its coins with undo data, and reorganisation.
// Mutable state of one owner, no I/O: time is an argument.
import type { Rejected } from "@causeway/primitives";
import { equal } from "@causeway/primitives";
import * as block from "./block.ts";
import { isUnspendable } from "./script.ts";
import type { Coin, Tx } from "./tx.ts";
import * as txs from "./tx.ts";
import { verifyInput } from "./verify.ts";

/** A block in the tree. `undo[i]` are the coins that transaction i spent, while known. */
export type Entry = {
  readonly block: block.Block;
  readonly height: number;
  readonly parent: Entry | undefined;
  /** Order of arrival: among branches of equal work the first seen wins, as in Core. */
  readonly arrival: number;
  /** Expected hashes from genesis to here. */
  readonly work: bigint;
  /** Median of the last eleven times (BIP113), Unix seconds. */
  readonly medianTime: number;
  /** This block or an ancestor is invalid, or was declared so. */
  failed: boolean;
  undo: readonly (readonly Coin[])[] | undefined;
};

export type Chain = {
  readonly entries: Map<string, Entry>;
  /** Leaves of the tree, in order of arrival. */
  readonly leaves: Set<Entry>;
  /** The active branch by height. */
  readonly active: Entry[];
  readonly coins: Map<string, Coin>;
  /** The block in which a transaction was last connected, as with Core's txindex: it may be stale. */
  readonly txIndex: Map<string, string>;
};

/** Blocks that left the active branch (tip first) and that joined it (lowest first). */
export type Change = { readonly disconnected: Entry[]; readonly connected: Entry[] };

/** Blocks before a coinbase can be spent. */
const coinbaseMaturity = 100;
const futureTimeMax = 2 * 60 * 60;

export function createChain(): Chain {
  const genesis = block.parseBlock(block.genesisRaw);
  if (genesis === undefined) throw new Error("the genesis block does not decode");
  const entry: Entry = {
    block: genesis,
    height: 0,
    parent: undefined,
    arrival: 0,
    work: block.workPerBlock,
    medianTime: genesis.header.time,
    failed: false,
    undo: [[]],
  };
  return {
    entries: new Map([[genesis.hash, entry]]),
    leaves: new Set([entry]),
    active: [entry],
    coins: new Map(),
    txIndex: new Map(),
  };
}

export function tip(chain: Chain): Entry {
  return chain.active[chain.active.length - 1] as Entry;
}

export function isActive(chain: Chain, entry: Entry): boolean {
  return chain.active[entry.height] === entry;
}

/** Median time past of the active block at `height`. */
export function medianTimeAt(chain: Chain, height: number): number {
  return chain.active[height]?.medianTime ?? 0;
}

/** Does the active chain still hold an unspent output of this transaction? */
export function hasCoinsOf(chain: Chain, tx: Tx): boolean {
  return tx.body.outs.some((_, index) => chain.coins.has(txs.outpoint(tx.txid, index)));
}

/** Core's CheckTxInputs: amounts and maturity; the fee in satoshi. `height` is the spending block's. */
export function checkAmounts(
  tx: Tx,
  coins: readonly Coin[],
  height: number,
): Rejected | { readonly kind: "fee"; readonly fee: bigint } {
  let valueIn = 0n;
  for (const coin of coins) {
    const depth = height - coin.height;
    if (coin.coinbase && depth < coinbaseMaturity)
      return txs.refuse(
        "bad-txns-premature-spend-of-coinbase",
        `tried to spend coinbase at depth ${depth}`,
      );
    valueIn += coin.value;
  }
  const valueOut = tx.body.outs.reduce((sum, out) => sum + out.value, 0n);
  if (valueIn < valueOut) {
    const [low, high] = [txs.formatMoney(valueIn), txs.formatMoney(valueOut)];
    return txs.refuse("bad-txns-in-belowout", `value in (${low}) < value out (${high})`);
  }
  return { kind: "fee", fee: valueIn - valueOut };
}

/** Verifies every input; `flag` names the rule set in Core's message. */
export function checkScripts(tx: Tx, coins: readonly Coin[], flag: string): Rejected | undefined {
  for (const [index, input] of tx.body.ins.entries()) {
    const error = verifyInput(tx.body, index, coins);
    if (error !== undefined)
      return txs.refuse(
        `${flag} (${error})`,
        `input ${index} of ${tx.txid} (wtxid ${tx.wtxid}), spending ${txs.spentOutpoint(input)}`,
      );
  }
  return undefined;
}

/** Adds a block to the tree and follows the most work; `now` in Unix seconds. */
export function acceptBlock(chain: Chain, raw: Uint8Array, now: number): Change | Rejected {
  const parsed = block.parseBlock(raw);
  if (parsed === undefined) return txs.refuse("block-decode");
  if (chain.entries.has(parsed.hash)) return txs.refuse("duplicate");
  const parent = chain.entries.get(txs.display(parsed.header.previous));
  if (parent === undefined) return txs.refuse("prev-blk-not-found");
  if (parent.failed) return txs.refuse("bad-prevblk");
  const error = checkBlock(parsed, parent, now);
  if (error !== undefined) return error;
  const entry = insert(chain, parsed, parent);
  const change: Change = { disconnected: [], connected: [] };
  const failure = activate(chain, change, entry);
  return failure ?? change;
}

function insert(chain: Chain, parsed: block.Block, parent: Entry): Entry {
  const times = [parsed.header.time];
  for (let at: Entry | undefined = parent; at && times.length < 11; at = at.parent)
    times.push(at.block.header.time);
  const entry: Entry = {
    block: parsed,
    height: parent.height + 1,
    parent,
    arrival: Math.max(...[...chain.leaves].map((leaf) => leaf.arrival)) + 1,
    work: parent.work + block.workPerBlock,
    medianTime: times.toSorted((a, b) => a - b)[times.length >> 1] as number,
    failed: false,
    undo: undefined,
  };
  chain.entries.set(parsed.hash, entry);
  chain.leaves.delete(parent);
  chain.leaves.add(entry);
  return entry;
}

/** Everything about a block that needs no coins. */
function checkBlock(parsed: block.Block, parent: Entry, now: number): Rejected | undefined {
  const { header, txs: list } = parsed;
  const height = parent.height + 1;
  if (header.bits !== block.regtestBits) return txs.refuse("bad-diffbits");
  if (BigInt(`0x${parsed.hash}`) > block.regtestTarget) return txs.refuse("high-hash");
  if (header.time <= parent.medianTime) return txs.refuse("time-too-old");
  if (header.time > now + futureTimeMax) return txs.refuse("time-too-new");
  if (header.version < 4) return txs.refuse(`bad-version(0x${header.version.toString(16)})`);
  if (!equal(block.txMerkleRoot(list), header.merkleRoot)) return txs.refuse("bad-txnmrklroot");
  if (new Set(list.map((tx) => tx.txid)).size !== list.length)
    return txs.refuse("bad-txns-duplicate");
  const weight = list.reduce((sum, tx) => sum + tx.weight, 4 * 83);
  if (weight > block.blockWeightMax) return txs.refuse("bad-blk-weight");
  for (const [index, tx] of list.entries()) {
    if (tx.body.isCoinbase() !== (index === 0))
      return txs.refuse(index === 0 ? "bad-cb-missing" : "bad-cb-multiple");
    const error = txs.checkSanity(tx);
    if (error !== undefined) return error;
    if (!txs.isFinal(tx, height, parent.medianTime)) return txs.refuse("bad-txns-nonfinal");
  }
  const push = block.heightPush(height);
  if (!equal(list[0]?.body.ins[0]?.script.subarray(0, push.length) ?? push.subarray(1), push))
    return txs.refuse("bad-cb-height");
  if (!block.witnessCommitmentMatches(parsed)) return txs.refuse("bad-witness-merkle-match");
  return undefined;
}

/** The valid entry of most work; among equals the first seen. */
function best(chain: Chain): Entry {
  let found = chain.active[0] as Entry;
  for (const leaf of chain.leaves) {
    let at: Entry = leaf;
    while (at.failed && at.parent !== undefined) at = at.parent;
    if (at.work > found.work || (at.work === found.work && at.arrival < found.arrival)) found = at;
  }
  return found;
}

/** Moves the active branch to the best entry; returns why `watched` failed, if it did. */
function activate(chain: Chain, change: Change, watched?: Entry): Rejected | undefined {
  let failure: Rejected | undefined;
  for (let target = best(chain); target !== tip(chain); target = best(chain)) {
    const path: Entry[] = [];
    let at = target;
    for (; !isActive(chain, at) && at.parent !== undefined; at = at.parent) path.unshift(at);
    while (tip(chain) !== at) {
      const last = tip(chain);
      disconnect(chain, last);
      if (change.connected.at(-1) === last) change.connected.pop();
      else change.disconnected.push(last);
    }
    for (const entry of path) {
      const error = connect(chain, entry);
      if (error !== undefined) {
        markFailed(chain, entry);
        if (watched?.failed) failure = error;
        break;
      }
      change.connected.push(entry);
    }
  }
  return failure;
}

function connect(chain: Chain, entry: Entry): Rejected | undefined {
  const undo: Coin[][] = [];
  let fees = 0n;
  if (entry.block.txs.some((tx) => hasCoinsOf(chain, tx)))
    return txs.refuse("bad-txns-BIP30", "tried to overwrite transaction");
  for (const tx of entry.block.txs) {
    const result = tx.body.isCoinbase() ? [] : spend(chain, tx, entry);
    if (!Array.isArray(result)) {
      unwind(chain, entry, undo);
      return result;
    }
    undo.push(result);
    for (const coin of result) fees += coin.value;
    if (!tx.body.isCoinbase()) for (const out of tx.body.outs) fees -= out.value;
    addOutputs(chain, tx, entry.height);
  }
  const reward = entry.block.txs[0]?.body.outs.reduce((sum, out) => sum + out.value, 0n) ?? 0n;
  const limit = block.subsidy(entry.height) + fees;
  if (reward > limit) {
    unwind(chain, entry, undo);
    return txs.refuse(
      "bad-cb-amount",
      `coinbase pays too much (actual=${reward} vs limit=${limit})`,
    );
  }
  entry.undo = undo;
  chain.active.push(entry);
  for (const tx of entry.block.txs) chain.txIndex.set(tx.txid, entry.block.hash);
  return undefined;
}

/** Takes the coins of one transaction in a block, or says why it may not have them. */
function spend(chain: Chain, tx: Tx, entry: Entry): Coin[] | Rejected {
  const keys = tx.body.ins.map(txs.spentOutpoint);
  const coins = keys.map((key) => chain.coins.get(key)).filter((coin) => coin !== undefined);
  if (coins.length !== keys.length)
    return txs.refuse(
      "bad-txns-inputs-missingorspent",
      `CheckTxInputs: inputs missing/spent in transaction ${tx.txid}`,
    );
  const amounts = checkAmounts(tx, coins, entry.height);
  if (amounts.kind === "rejected") return amounts;
  const timeAt = (height: number): number => medianTimeAt(chain, height);
  if (!txs.sequenceLocksPass(tx, coins, entry.height, timeAt))
    return txs.refuse("bad-txns-nonfinal", "contains a non-BIP68-final transaction");
  const error = checkScripts(tx, coins, "block-script-verify-flag-failed");
  if (error !== undefined) return error;
  for (const key of keys) chain.coins.delete(key);
  return coins;
}

function addOutputs(chain: Chain, tx: Tx, height: number): void {
  const coinbase = tx.body.isCoinbase();
  for (const [index, { value, script }] of tx.body.outs.entries())
    if (!isUnspendable(script))
      chain.coins.set(txs.outpoint(tx.txid, index), { value, script, height, coinbase });
}

function disconnect(chain: Chain, entry: Entry): void {
  unwind(chain, entry, entry.undo ?? []);
  chain.active.pop();
}

/** Reverts the first `undo.length` transactions of a block. The undo data stays for queries. */
function unwind(chain: Chain, entry: Entry, undo: readonly (readonly Coin[])[]): void {
  for (let i = undo.length - 1; i >= 0; i--) {
    const tx = entry.block.txs[i] as Tx;
    for (const index of tx.body.outs.keys()) chain.coins.delete(txs.outpoint(tx.txid, index));
    for (const [index, coin] of (undo[i] ?? []).entries()) {
      const input = tx.body.ins[index];
      if (input !== undefined) chain.coins.set(txs.spentOutpoint(input), coin);
    }
  }
}

function descendsFrom(entry: Entry, ancestor: Entry): boolean {
  let at: Entry | undefined = entry;
  while (at !== undefined && at.height > ancestor.height) at = at.parent;
  return at === ancestor;
}

function markFailed(chain: Chain, entry: Entry): void {
  for (const other of chain.entries.values()) if (descendsFrom(other, entry)) other.failed = true;
}

/** Drops a leaf that failed. */
export function forget(chain: Chain, raw: Uint8Array): void {
  const entry = chain.entries.get(block.parseBlock(raw)?.hash ?? "");
  if (entry?.parent === undefined || !entry.failed || !chain.leaves.delete(entry)) return;
  chain.entries.delete(entry.block.hash);
  const siblings = [...chain.entries.values()].some((other) => other.parent === entry.parent);
  if (!siblings) chain.leaves.add(entry.parent);
}

/** `invalidateblock`: the entry and its descendants leave the active branch. Never the genesis. */
export function invalidate(chain: Chain, entry: Entry): Change {
  markFailed(chain, entry);
  const change: Change = { disconnected: [], connected: [] };
  activate(chain, change);
  return change;
}

/** `reconsiderblock`: takes back what `invalidate` said about the entry, its family included. */
export function reconsider(chain: Chain, entry: Entry): Change {
  for (const other of chain.entries.values())
    if (descendsFrom(other, entry) || descendsFrom(entry, other)) other.failed = false;
  const change: Change = { disconnected: [], connected: [] };
  activate(chain, change);
  return change;
}
