// The queue of what leaves the ledger (DESIGN 5): burns and forwards enter it, plans take from it.
import type { Bytes32 } from "@causeway/primitives";
import { equal } from "@causeway/primitives";
import type { Destination } from "../../codec/action.ts";
import { withdrawalId } from "../../interchain/policy.ts";
import type { Withdrawal } from "../../interchain/records.ts";
import { withdrawalStatus, withdrawals } from "../../interchain/records.ts";
import { assetOf } from "../assets.ts";
import { directions, isPaused, isSlow, slowed } from "../governance/restrictions.ts";
import type { BlockContext } from "../rule.ts";
import { append, listOf, listSizeMax, move, putList, queueName } from "./accounting.ts";

/** What is to leave. `source` and `position` name it: a burn's transaction, or an inbound event. */
export type Leaving = {
  readonly source: Uint8Array;
  readonly position: number;
  readonly asset: Uint8Array;
  readonly amount: bigint;
  readonly destination: Destination;
  readonly maxFee: bigint;
  /** Ledger lock, or zero where none is known. */
  readonly refund: Uint8Array;
};

/** Enqueues value that the caller has moved to pending. */
export function openWithdrawal({ genesis, state, time }: BlockContext, leaving: Leaving): Bytes32 {
  const { source, position, ...terms } = leaving;
  const id = withdrawalId(genesis.networkId, source, position);
  withdrawals.put(state, id, {
    source,
    ...terms,
    status: withdrawalStatus.queued,
    reason: 0,
    plan: new Uint8Array(32),
    fee: 0n,
    ringFee: 0n,
    createdAt: time,
    updatedAt: time,
  });
  append(state, queueName(leaving.destination.chain), id);
  return id;
}

/** GOV-2: nothing is paid to this chain now; it waits in the queue. */
export function isStopped({ state, time }: BlockContext, chain: Uint8Array): boolean {
  return isPaused(state, { chain, direction: directions.out }, time);
}

/** GOV-2: in slow mode, of Bitcoin's asset, more at once than a tenth of the greatest deposit. */
export function isTooMuchNow(
  { genesis, state, params, time }: BlockContext,
  { asset, amount }: { readonly asset: Uint8Array; readonly amount: bigint },
): boolean {
  if (!isSlow(state, time)) return false;
  const origin = assetOf(genesis, asset)?.registry?.chain;
  const isBitcoin = origin !== undefined && equal(origin, genesis.bitcoin.chain);
  return isBitcoin && amount > slowed(state, time, params.depositCap);
}

/** The rest of the list is room for what broken lineages give back. */
export function isQueueFull({ state }: BlockContext, chain: Uint8Array): boolean {
  return listOf(state, queueName(chain)).length >= listSizeMax;
}

/** Says why a withdrawal stays in its queue. */
export function noteReason(
  { state, time }: BlockContext,
  id: Uint8Array,
  withdrawal: Withdrawal,
  reason: number,
): void {
  if (withdrawal.reason === reason) return;
  withdrawals.put(state, id, { ...withdrawal, reason, updatedAt: time });
}

/** What a withdrawal pays: its share of what its plan costs, and what the ring's seats get. */
export type Fees = { readonly cost: bigint; readonly ringFee: bigint };

/** Binds a withdrawal to its plan; its share of the cost enters the reserve (ACC-1). */
export function bindWithdrawal(
  { state, time }: BlockContext,
  id: Uint8Array,
  withdrawal: Withdrawal,
  plan: Uint8Array,
  { cost, ringFee }: Fees,
): void {
  const fee = cost + ringFee;
  const status = withdrawalStatus.planned;
  withdrawals.put(state, id, {
    ...withdrawal,
    status,
    reason: 0,
    plan,
    fee,
    ringFee,
    updatedAt: time,
  });
  move(state, withdrawal.asset, { pending: -cost, reserve: cost });
}

/** BTC-3: a dead lineage gives its withdrawals back to the front of the queue, with their shares. */
export function requeue({ state, time }: BlockContext, ids: readonly Uint8Array[]): void {
  for (const id of ids.toReversed()) {
    const withdrawal = withdrawals.get(state, id);
    if (withdrawal === undefined || withdrawal.status === withdrawalStatus.settled) continue;
    const { asset, fee, ringFee, destination } = withdrawal;
    const cost = fee - ringFee;
    move(state, asset, { pending: cost, reserve: -cost });
    const status = withdrawalStatus.queued;
    const plan = new Uint8Array(32);
    withdrawals.put(state, id, {
      ...withdrawal,
      status,
      plan,
      fee: 0n,
      ringFee: 0n,
      updatedAt: time,
    });
    const queue = queueName(destination.chain);
    putList(state, queue, [id, ...listOf(state, queue)]);
  }
}
