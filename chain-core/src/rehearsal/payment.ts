// Something to sign that nobody will ever broadcast: a payment of coins that do not exist, from a key's vault to the
// running key's.
import { must, zero32 } from "@causeway/primitives";
import type { VaultScript } from "../interchain/bitcoin/scripts.ts";
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
import { currentKeys, keys } from "../ring/records.ts";

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
  const vaultOf = (id: number): VaultScript =>
    vaultScript(genesis, must(keys.get(state, id), "key").groupPoint);
  const { script, merkleRoot } = vaultOf(keyId);
  const running = vaultOf(must(currentKeys.get(state, chain), "running key").keyId);
  const inputs = txids.map((txid, vout) => ({ txid, vout, amount, script, merkleRoot }));
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
  const transaction = ownTransaction(inputs, [{ amount: total - fee, script: running.script }]);
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
