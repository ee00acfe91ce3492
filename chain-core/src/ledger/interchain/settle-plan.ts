// An attempt of a plan at final depth (ACC-1): its inputs are spent, its outputs to the vault are coins at once,
// the reserve pays the miner's fee, and its lineage ends.
import type { Bytes32 } from "@causeway/primitives";
import { equal, must } from "@causeway/primitives";
import type { BitcoinTransaction } from "../../interchain/bitcoin/transaction.ts";
import { vaultsOf } from "../../interchain/policy.ts";
import type { Plan } from "../../interchain/records.ts";
import {
  coins,
  inbounds,
  outpoint,
  planKinds,
  withdrawalStatus,
  withdrawals,
} from "../../interchain/records.ts";
import type { BlockContext } from "../rule.ts";
import type { Movement } from "./accounting.ts";
import { lose } from "./accounting.ts";
import type { Held } from "./coins.ts";
import { bitcoinAsset, closeCoins, isCredited, openVaultCoin, restoreCoin } from "./coins.ts";
import { isEnded } from "./deliver.ts";
import { endLineage } from "./lineage.ts";

/** A final transaction and its block. */
export type Settled = {
  readonly transaction: BitcoinTransaction;
  readonly txid: Bytes32;
  readonly blockHash: Uint8Array;
  readonly height: number;
};

export function settleAttempt(
  block: BlockContext,
  { id, plan }: { readonly id: Uint8Array; readonly plan: Plan },
  at: Settled,
): void {
  const asset = must(bitcoinAsset(block.genesis), "asset of Bitcoin").id;
  const inputs = inputsOf(block, plan);
  const isSweep = plan.kind === planKinds.sweep;
  const movement = isSweep ? sweepMovement(block, plan, inputs) : paymentMovement(block, plan);
  // The miner's fee comes out of the reserve; a deposit swept before its credit pays its own share.
  lose(block.state, asset, movement.fee, movement.accounts);
  closeCoins(block, inputs);
  openVaultCoins(block, id, plan, at);
  endLineage(block, plan.anchor, id);
}

/** The plan's coins; one that a reorganisation had taken is back, since this transaction spends it. */
function inputsOf(block: BlockContext, plan: Plan): Held[] {
  return plan.inputs.map(({ txid, vout }) => {
    const name = outpoint(txid, vout);
    const coin = must(coins.get(block.state, name), "coin of a plan");
    return { name, coin: coin.counted ? coin : restoreCoin(block, { name, coin }, coin) };
  });
}

/** What each of `count` equal inputs pays of a fee: the first ones a sat more. */
export function feeShares(fee: bigint, count: number): bigint[] {
  const each = fee / BigInt(count);
  const rest = Number(fee % BigInt(count));
  return Array.from({ length: count }, (_, i) => (i < rest ? each + 1n : each));
}

/** `fee` is what the reserve pays; `accounts` move besides. */
type Payment = { readonly fee: bigint; readonly accounts: Movement };

function sweepMovement({ state }: BlockContext, plan: Plan, inputs: readonly Held[]): Payment {
  const shares = feeShares(plan.fee, inputs.length);
  const sum = { fee: 0n, unswept: 0n, credited: 0n, stray: 0n };
  for (const [i, { coin }] of inputs.entries()) {
    const share = must(shares[i], "share");
    const inbound = inbounds.get(state, coin.origin);
    if (isCredited(inbound)) {
      sum.fee += share;
      sum.unswept += coin.amount;
    } else if (inbound !== undefined && !isEnded(inbound)) {
      inbounds.put(state, coin.origin, { ...inbound, fee: share });
      sum.credited += coin.amount - share;
    } else sum.stray += coin.amount - share;
  }
  const accounts: Movement = {
    coins: sum.credited + sum.stray,
    pending: sum.credited,
    reserve: sum.stray,
    unswept: -sum.unswept,
  };
  return { fee: sum.fee, accounts };
}

function paymentMovement({ state, time }: BlockContext, plan: Plan): Payment {
  let paid = 0n;
  let rewards = 0n;
  for (const id of plan.withdrawals) {
    const withdrawal = withdrawals.get(state, id);
    if (withdrawal === undefined) continue;
    paid += withdrawal.amount - withdrawal.fee;
    rewards += withdrawal.ringFee;
    const status = withdrawalStatus.settled;
    withdrawals.put(state, id, { ...withdrawal, status, updatedAt: time });
  }
  return { fee: plan.fee, accounts: { coins: -paid, pending: -paid - rewards, rewards } };
}

/** Outputs after the payments go to a vault of ours (BTC-4), and are coins of its key. */
function openVaultCoins(block: BlockContext, id: Uint8Array, plan: Plan, at: Settled): void {
  const vaults = vaultsOf(block.genesis, block.state);
  const { txid, blockHash, height, transaction } = at;
  for (const [vout, { amount, script }] of transaction.outputs.entries()) {
    if (vout < plan.withdrawals.length) continue;
    const vault = vaults.find((one) => equal(one.script, script));
    if (vault === undefined) continue;
    openVaultCoin(block, {
      txid,
      vout,
      amount,
      keyId: vault.keyId,
      counted: true,
      blockHash,
      height,
      origin: id,
      lineage: new Uint8Array(0),
    });
  }
}
