// A transaction out of one key's vault as the first attempt of a lineage (BTC-3): payments, merges and hand-overs.
import { must } from "@causeway/primitives";
import type { BitcoinOutput } from "../../interchain/bitcoin/transaction.ts";
import {
  encodeTransaction,
  ownTransaction,
  transactionHash,
} from "../../interchain/bitcoin/transaction.ts";
import type { Vault } from "../../interchain/policy.ts";
import type { Coin } from "../../interchain/records.ts";
import { outpoint, planKinds, planStatus } from "../../interchain/records.ts";
import { openLineage } from "./lineage.ts";
import type { Planning } from "./plan-state.ts";

/** Inputs of a transaction out of a vault: the rest of its size is room for outputs (BTC-4). */
export const inputsMax = 60;

/** What leaves a vault. The outputs after those of `withdrawals` pay the current vault. */
export type Leaving = {
  readonly kind: number;
  readonly coins: readonly Coin[];
  readonly outputs: readonly BitcoinOutput[];
  readonly withdrawals: Uint8Array[];
  /** What inputs and outputs leave, sats; the reserve has it. */
  readonly fee: bigint;
};

/** Opens the lineage and counts it in what the rest of the block plans. Gives the plan's id. */
export function openVaultPlan(planning: Planning, from: Vault, leaving: Leaving): Uint8Array {
  const { block, asset, payers, vault } = planning;
  const { kind, coins, outputs, withdrawals, fee } = leaving;
  const { keyId, script, merkleRoot } = from;
  const inputs = coins.map(({ txid, vout, amount }) => ({
    txid,
    vout,
    amount,
    script,
    merkleRoot,
  }));
  const transaction = ownTransaction(inputs, outputs);
  const first = must(coins[0], "coin");
  const isCurrent = keyId === vault.keyId;
  const own = outputs.slice(withdrawals.length);
  planning.reserve -= fee;
  planning.bound += withdrawals.length;
  planning.vaultCount += own.length - (isCurrent ? coins.length : 0);
  planning.vaultTotal += sum(own) - (isCurrent ? sum(coins) : 0n);
  if (kind === planKinds.handover) {
    planning.handover.count += 1;
    planning.handover.value += sum(coins);
  }
  const payer = payers.find((one) => one.vault.keyId === keyId);
  if (payer !== undefined) payer.coins = payer.coins.filter((coin) => !coins.includes(coin));
  return openLineage(block, {
    kind,
    keyId,
    chain: block.genesis.bitcoin.chain,
    asset,
    subject: encodeTransaction(transaction),
    inputs,
    withdrawals,
    anchor: outpoint(first.txid, first.vout),
    nonce: 0,
    fee,
    txid: transactionHash(transaction),
    status: planStatus.planned,
    signatures: [],
    plannedAt: block.time,
    updatedAt: block.time,
  });
}

function sum(values: readonly { readonly amount: bigint }[]): bigint {
  return values.reduce((total, { amount }) => total + amount, 0n);
}
