// Lineages (BTC-3): coins and withdrawals stay bound to one until an attempt of it is final, or until none of
// its attempts can ever be, because a final transaction has taken one of its inputs.
import { equal, isRejected, keyOf } from "@causeway/primitives";
import type { BitcoinTransaction } from "../../interchain/bitcoin/transaction.ts";
import { parseTransaction } from "../../interchain/bitcoin/transaction.ts";
import type { Coin, Plan } from "../../interchain/records.ts";
import {
  coinStatus,
  coins,
  lineages,
  outpoint,
  planStatus,
  plans,
  plansByTxid,
} from "../../interchain/records.ts";
import type { BlockContext } from "../rule.ts";
import { closePlan, openPlan } from "./open-plan.ts";
import { requeue } from "./withdraw.ts";

/**
 * Opens a lineage with an attempt and binds the coins that it spends. The first input is the anchor. A lineage
 * of that anchor which ended without a final attempt goes on with the next number: signers have used the slots of
 * those before.
 */
export function openLineage(block: BlockContext, first: Omit<Plan, "attempt">): Uint8Array {
  const { state } = block;
  const { anchor, keyId, kind } = first;
  const before = lineages.get(state, anchor)?.plans ?? [];
  const plan: Plan = { ...first, attempt: before.length };
  const id = openPlan(block, plan);
  lineages.put(state, anchor, { anchor, keyId, kind, plans: [...before, id], ended: false });
  plansByTxid.put(state, plan.txid, { plan: id });
  for (const { txid, vout } of plan.inputs) {
    const name = outpoint(txid, vout);
    const coin = coins.get(state, name);
    if (coin !== undefined)
      coins.put(state, name, { ...coin, status: coinStatus.bound, lineage: anchor });
  }
  return id;
}

/** An attempt is final: the others of its lineage are dead. */
export function endLineage(block: BlockContext, anchor: Uint8Array, final: Uint8Array): void {
  const { state } = block;
  const lineage = lineages.get(state, anchor);
  if (lineage === undefined) return;
  lineages.put(state, anchor, { ...lineage, ended: true });
  for (const id of lineage.plans)
    closePlan(block, id, equal(id, final) ? planStatus.final : planStatus.dead);
}

/**
 * A transaction that is none of ours has taken `spent` for good: attempts that need it are dead. When all are,
 * the rest of the lineage is free again and its withdrawals return to the queue.
 */
export function breakLineage(block: BlockContext, spent: Coin): void {
  const { state } = block;
  const lineage = spent.lineage.length > 0 ? lineages.get(state, spent.lineage) : undefined;
  if (lineage === undefined || lineage.ended) return;
  const name = outpoint(spent.txid, spent.vout);
  let isAlive = false;
  for (const id of lineage.plans) {
    const plan = plans.get(state, id);
    if (plan === undefined || plan.status === planStatus.dead) continue;
    if (plan.inputs.some(({ txid, vout }) => equal(outpoint(txid, vout), name)))
      closePlan(block, id, planStatus.dead);
    else isAlive = true;
  }
  if (isAlive) return;
  lineages.put(state, lineage.anchor, { ...lineage, ended: true });
  release(block, lineage.plans, lineage.anchor);
}

function release(block: BlockContext, ids: readonly Uint8Array[], anchor: Uint8Array): void {
  const { state } = block;
  const unpaid = new Map<string, Uint8Array>();
  for (const id of ids) {
    const plan = plans.get(state, id);
    for (const withdrawal of plan?.withdrawals ?? []) unpaid.set(keyOf(withdrawal), withdrawal);
    for (const { txid, vout } of plan?.inputs ?? []) {
      const name = outpoint(txid, vout);
      const coin = coins.get(state, name);
      if (coin === undefined || !equal(coin.lineage, anchor)) continue;
      const status = coin.status === coinStatus.bound ? coinStatus.live : coin.status;
      coins.put(state, name, { ...coin, status, lineage: new Uint8Array(0) });
    }
  }
  requeue(block, [...unpaid.values()]);
}

/** The unsigned transaction of a Bitcoin plan. */
export function transactionOf(plan: Plan): BitcoinTransaction | undefined {
  const transaction = parseTransaction(plan.subject);
  return isRejected(transaction) ? undefined : transaction;
}
