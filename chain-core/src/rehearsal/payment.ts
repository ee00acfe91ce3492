// Something to sign that nobody will ever broadcast: a payment of coins that do not exist, from the vault to the vault.
import { must, zero32 } from "@causeway/primitives";
import { vaultScript } from "../interchain/bitcoin/scripts.ts";
import {
  encodeTransaction,
  ownTransaction,
  transactionHash,
} from "../interchain/bitcoin/transaction.ts";
import { planId } from "../interchain/messages.ts";
import type { Plan } from "../interchain/records.ts";
import {
  coinKinds,
  coinStatus,
  coins,
  lineages,
  outpoint,
  planKinds,
  planStatus,
} from "../interchain/records.ts";
import { assetId } from "../ledger/assets.ts";
import { openPlan } from "../ledger/interchain/open-plan.ts";
import type { BlockContext } from "../ledger/rule.ts";
import { keys } from "../ring/records.ts";

const amount = 100_000n;
const fee = 1_000n;

/** Plans it, with one message for each of `txids`, the made-up coins; gives the plan's id. */
export function planPayment(
  block: BlockContext,
  keyId: number,
  txids: readonly Uint8Array[],
): Uint8Array {
  const { state, genesis, time } = block;
  const { chain } = genesis.bitcoin;
  const { groupPoint } = must(keys.get(state, keyId), "key");
  const { script, merkleRoot } = vaultScript(genesis, groupPoint);
  const inputs = txids.map((txid) => ({ txid, vout: 0, amount, script, merkleRoot }));
  const anchor = outpoint(must(txids[0], "coin"), 0);
  for (const { txid, vout } of inputs)
    coins.put(state, outpoint(txid, vout), {
      txid,
      vout,
      amount,
      keyId,
      kind: coinKinds.vault,
      status: coinStatus.bound,
      counted: false,
      blockHash: zero32,
      height: 1,
      origin: zero32,
      lineage: anchor,
    });
  const total = amount * BigInt(inputs.length);
  const transaction = ownTransaction(inputs, [{ amount: total - fee, script }]);
  const plan: Plan = {
    kind: planKinds.withdrawal,
    keyId,
    chain,
    asset: must(assetId(genesis, "BBTC"), "BBTC"),
    subject: encodeTransaction(transaction),
    inputs,
    withdrawals: [],
    anchor,
    attempt: 0,
    nonce: 0,
    fee,
    txid: transactionHash(transaction),
    status: planStatus.planned,
    signatures: [],
    plannedAt: time,
    updatedAt: time,
  };
  const id = planId(genesis.networkId, plan.kind, plan.subject);
  lineages.put(state, anchor, { anchor, keyId, kind: plan.kind, plans: [id], ended: false });
  return openPlan(block, plan);
}
