// A message that ran on its EVM chain (ETH-1, ETH-3), once, whichever of the keys that signed it was the contract's. A
// batch's withdrawals are settled, whatever became of each item, because a failed item waits at the contract as a claim
// that anybody can execute (ETH-2).
import { equal, zero32 } from "@causeway/primitives";
import type { Withdrawal } from "../../interchain/records.ts";
import {
  batches,
  planStatus,
  plans,
  plansByTxid,
  withdrawalReasons,
  withdrawalStatus,
  withdrawals,
} from "../../interchain/records.ts";
import type { EvmExecuted } from "../../interchain/statement.ts";
import { assetOf } from "../assets.ts";
import { forfeitContract } from "../ring/liability.ts";
import type { BlockContext } from "../rule.ts";
import { halt, move, wrappedAssets } from "./accounting.ts";
import { closePlan } from "./open-plan.ts";

export function settleEvm(
  context: BlockContext,
  chain: Uint8Array,
  { nonce, digest, failedBitmap }: EvmExecuted,
  height: number,
): void {
  const { state } = context;
  const newest = batches.get(state, { chain, nonce })?.plan;
  if (newest !== undefined && plans.get(state, newest)?.status === planStatus.final) return;
  const id = plansByTxid.get(state, digest)?.plan;
  const plan = id && plans.get(state, id);
  const isPlanned = plan !== undefined && plan.nonce === nonce && equal(plan.chain, chain);
  if (newest === undefined || id === undefined || plan === undefined || !isPlanned) {
    // Under a nonce that a plan has, other content: the plan can never run.
    if (newest !== undefined) closePlan(context, newest, planStatus.dead);
    haltUnplanned(context, chain, nonce);
    forfeitContract(context, chain, height);
    return;
  }
  for (const [i, withdrawalId] of plan.withdrawals.entries()) {
    const isClaim = ((failedBitmap >> BigInt(i)) & 1n) === 1n;
    settleItem(context, chain, { id: withdrawalId, plan: id, isClaim });
  }
  closePlan(context, id, planStatus.final);
  if (equal(id, newest)) return;
  // It ran before the contract took the key that the ring signed it with once more.
  closePlan(context, newest, planStatus.dead);
  batches.put(state, { chain, nonce }, { plan: id });
}

function settleItem(
  context: BlockContext,
  chain: Uint8Array,
  { id, plan, isClaim }: { readonly id: Uint8Array; plan: Uint8Array; readonly isClaim: boolean },
): void {
  const { genesis, state, time } = context;
  const withdrawal = withdrawals.get(state, id);
  if (withdrawal === undefined) return;
  const settled: Withdrawal = {
    ...withdrawal,
    plan,
    status: withdrawalStatus.settled,
    reason: isClaim ? withdrawalReasons.claim : 0,
    updatedAt: time,
  };
  withdrawals.put(state, id, settled);
  const { asset, amount, fee, ringFee } = withdrawal;
  const paid = amount - fee;
  const origin = assetOf(genesis, asset)?.registry?.chain;
  const isReleased = origin !== undefined && equal(origin, chain);
  const there = isReleased ? { coins: -paid } : { exported: paid };
  move(state, asset, { ...there, pending: -paid - ringFee, rewards: ringFee });
}

/** RNG-7: the contract obeyed a message that no plan contains. Every asset that is there stops. */
function haltUnplanned({ genesis, state }: BlockContext, chain: Uint8Array, nonce: number): void {
  batches.put(state, { chain, nonce }, { plan: zero32 });
  for (const { id, registry } of wrappedAssets(genesis)) {
    const places = [registry.chain, ...registry.exports.map((one) => one.chain)];
    if (places.some((place) => equal(place, chain))) halt(state, id);
  }
}
