// What may enter the mempool: Bitcoin Core 31's checks in Core's order, with its codes and messages.
import type { Rejected } from "@causeway/primitives";
import type { Chain } from "./chain.ts";
import * as chains from "./chain.ts";
import type { Pool, PoolEntry } from "./mempool.ts";
import * as mempool from "./mempool.ts";
import { isUnspendable } from "./script.ts";
import type { Coin, Tx } from "./tx.ts";
import * as txs from "./tx.ts";

export type PolicyOptions = {
  /** Least fee rate, and least rate of a replacement's extra fee, in satoshi per 1,000 vB. */
  readonly relayFeeRate: bigint;
  /** After a reorganisation: no minimum fee, no TRUC rules, no replacement. */
  readonly returning?: boolean;
};

export type Accepted = {
  readonly kind: "accepted";
  readonly fee: bigint;
  /** Ids of the transactions that it replaces, descendants included. */
  readonly replaced: ReadonlySet<string>;
};

const clusterCountMax = 64;
const clusterSizeMax = 101_000;
const trucSizeMax = 10_000;
const trucChildSizeMax = 1_000;

/** Satoshi for `vsize` at a rate per 1,000 vB, rounded up. */
export function feeAt(rate: bigint, vsize: number): bigint {
  return (rate * BigInt(vsize) + 999n) / 1000n;
}

/** May `tx` enter `pool`? Changes nothing. */
export function evaluate(
  chain: Chain,
  pool: Pool,
  tx: Tx,
  options: PolicyOptions,
): Accepted | Rejected {
  const early = checkAlone(chain, pool, tx);
  if (early !== undefined) return early;
  const height = chains.tip(chain).height + 1;
  const coins = coinsOf(chain, pool, tx);
  if (coins === undefined)
    return chains.hasCoinsOf(chain, tx)
      ? txs.refuse("txn-already-known")
      : txs.refuse("bad-txns-inputs-missingorspent");
  const timeAt = (at: number): number => chains.medianTimeAt(chain, at);
  if (!txs.sequenceLocksPass(tx, coins, height, timeAt)) return txs.refuse("non-BIP68-final");
  const amounts = chains.checkAmounts(tx, coins, height);
  if (amounts.kind === "rejected") return amounts;
  const { fee } = amounts;
  if (fee > 0n && tx.body.outs.some(txs.isDust))
    return txs.refuse("dust", "tx with dust output must be 0-fee");
  const least = feeAt(options.relayFeeRate, tx.vsize);
  if (fee < least && !options.returning)
    return txs.refuse("min relay fee not met", `${fee} < ${least}`);
  const conflicts = conflictsOf(pool, tx);
  if (options.returning && conflicts.size > 0) return txs.refuse("txn-mempool-conflict");
  const truc = options.returning ? undefined : checkTruc(pool, tx, conflicts);
  if (truc !== undefined && typeof truc !== "string") return truc;
  if (truc !== undefined) conflicts.add(truc);
  const replaced = mempool.descendants(pool, conflicts);
  const parents = parentsOf(pool, tx);
  const refusal =
    checkCluster(pool, tx, parents, replaced) ??
    checkReplacement(pool, tx, fee, replaced, options.relayFeeRate, truc !== undefined) ??
    checkDisjoint(pool, tx, parents, conflicts) ??
    chains.checkScripts(tx, coins, "mempool-script-verify-flag-failed");
  return refusal ?? { kind: "accepted", fee, replaced };
}

/** Puts an accepted transaction in; `now` in Unix seconds. */
export function commit(chain: Chain, pool: Pool, tx: Tx, accepted: Accepted, now: number): void {
  for (const id of accepted.replaced) mempool.remove(pool, id);
  mempool.add(pool, tx, accepted.fee, now, chains.tip(chain).height);
}

function checkAlone(chain: Chain, pool: Pool, tx: Tx): Rejected | undefined {
  const error = txs.checkSanity(tx) ?? txs.checkStandard(tx);
  if (error !== undefined) return error;
  const top = chains.tip(chain);
  if (!txs.isFinal(tx, top.height + 1, top.medianTime)) return txs.refuse("non-final");
  const known = pool.entries.get(tx.txid);
  if (known === undefined) return undefined;
  return txs.refuse(
    known.tx.wtxid === tx.wtxid ? "txn-already-in-mempool" : "txn-same-nonwitness-data-in-mempool",
  );
}

/** The coin behind an outpoint in the chain or, at the next height, in the mempool; spent or not. */
export function findCoin(chain: Chain, pool: Pool, txid: string, index: number): Coin | undefined {
  const coin = chain.coins.get(txs.outpoint(txid, index));
  if (coin !== undefined) return coin;
  const output = pool.entries.get(txid)?.tx.body.outs[index];
  if (output === undefined || isUnspendable(output.script)) return undefined;
  const height = chains.tip(chain).height + 1;
  return { value: output.value, script: output.script, height, coinbase: false };
}

function coinsOf(chain: Chain, pool: Pool, tx: Tx): Coin[] | undefined {
  const coins: Coin[] = [];
  for (const input of tx.body.ins) {
    const coin = findCoin(chain, pool, txs.display(input.hash), input.index);
    if (coin === undefined) return undefined;
    coins.push(coin);
  }
  return coins;
}

function conflictsOf(pool: Pool, tx: Tx): Set<string> {
  return new Set(tx.body.ins.flatMap((input) => pool.spends.get(txs.spentOutpoint(input)) ?? []));
}

function parentsOf(pool: Pool, tx: Tx): string[] {
  const ids = new Set(tx.body.ins.map((input) => txs.display(input.hash)));
  return [...ids].filter((id) => pool.entries.has(id));
}

function name(tx: Tx): string {
  return `tx ${tx.txid} (wtxid=${tx.wtxid})`;
}

/** BIP431. A string is the sibling that `tx` must evict as if it conflicted. */
function checkTruc(
  pool: Pool,
  tx: Tx,
  conflicts: ReadonlySet<string>,
): Rejected | string | undefined {
  const refuse = (detail: string): Rejected => txs.refuse("TRUC-violation", detail);
  const parents = parentsOf(pool, tx).map((id) => pool.entries.get(id) as PoolEntry);
  if (tx.body.version !== txs.trucVersion) {
    const parent = parents.find((entry) => entry.tx.body.version === txs.trucVersion);
    if (parent === undefined) return undefined;
    return refuse(`non-version=3 ${name(tx)} cannot spend from version=3 ${name(parent.tx)}`);
  }
  if (tx.vsize > trucSizeMax)
    return refuse(`version=3 ${name(tx)} is too big: ${tx.vsize} > ${trucSizeMax} virtual bytes`);
  const other = parents.find((entry) => entry.tx.body.version !== txs.trucVersion);
  if (other !== undefined)
    return refuse(`version=3 ${name(tx)} cannot spend from non-version=3 ${name(other.tx)}`);
  const [parent] = parents;
  if (parent === undefined) return undefined;
  if (parents.length > 1 || parent.parents.size > 0)
    return refuse(`${name(tx)} would have too many ancestors`);
  if (tx.vsize > trucChildSizeMax)
    return refuse(
      `version=3 child ${name(tx)} is too big: ${tx.vsize} > ${trucChildSizeMax} virtual bytes`,
    );
  const siblings = [...mempool.descendants(pool, parent.children)];
  const [sibling] = siblings.filter((id) => !conflicts.has(id));
  if (sibling === undefined) return undefined;
  // Sibling eviction: the only other child may be replaced although no input conflicts.
  if (siblings.length === 1) return sibling;
  return refuse(`${name(parent.tx)} would exceed descendant count limit`);
}

/** A transaction cannot replace what it spends. */
function checkDisjoint(
  pool: Pool,
  tx: Tx,
  parents: readonly string[],
  conflicts: ReadonlySet<string>,
): Rejected | undefined {
  const spent = [...mempool.ancestors(pool, parents)].find((id) => conflicts.has(id));
  if (spent === undefined) return undefined;
  const detail = `${tx.txid} spends conflicting transaction ${spent}`;
  return txs.refuse("bad-txns-spends-conflicting-tx", detail);
}

function checkCluster(
  pool: Pool,
  tx: Tx,
  parents: readonly string[],
  replaced: ReadonlySet<string>,
): Rejected | undefined {
  const members = [...mempool.cluster(pool, parents)].filter((id) => !replaced.has(id));
  const size = members.reduce((sum, id) => sum + (pool.entries.get(id)?.tx.vsize ?? 0), tx.vsize);
  const tooLarge = members.length + 1 > clusterCountMax || size > clusterSizeMax;
  return tooLarge ? txs.refuse("too-large-cluster") : undefined;
}

/**
 * Core 31's replacement rule for clusters that are replaced whole: all their fees plus the relay rate
 * for the new transaction's own size, and more per weight than each replaced chunk.
 */
function checkReplacement(
  pool: Pool,
  tx: Tx,
  fee: bigint,
  replaced: ReadonlySet<string>,
  relayFeeRate: bigint,
  evictsSibling: boolean,
): Rejected | undefined {
  if (replaced.size === 0) return undefined;
  const reason = `insufficient fee${evictsSibling ? " (including sibling eviction)" : ""}`;
  if (replaced.size > 100)
    return txs.refuse("too many potential replacements", `rejecting replacement ${tx.txid}`);
  const fees = [...replaced].reduce((sum, id) => sum + (pool.entries.get(id)?.fee ?? 0n), 0n);
  const head = `rejecting replacement ${tx.txid}`;
  if (fee < fees) {
    const [low, high] = [txs.formatMoney(fee), txs.formatMoney(fees)];
    return txs.refuse(reason, `${head}, less fees than conflicting txs; ${low} < ${high}`);
  }
  const extra = feeAt(relayFeeRate, tx.vsize);
  if (fee - fees < extra) {
    const [low, high] = [txs.formatMoney(fee - fees), txs.formatMoney(extra)];
    return txs.refuse(reason, `${head}, not enough additional fees to relay; ${low} < ${high}`);
  }
  for (const id of replaced) {
    const chunk = mempool.ancestors(pool, [id]).intersection(replaced);
    const old = { fee: 0n, weight: 0 };
    for (const member of chunk) {
      old.fee += pool.entries.get(member)?.fee ?? 0n;
      old.weight += pool.entries.get(member)?.tx.weight ?? 0;
    }
    if (!mempool.paysMore({ fee, weight: tx.weight }, old))
      return txs.refuse(
        "replacement-failed",
        "insufficient feerate: does not improve feerate diagram",
      );
  }
  return undefined;
}
