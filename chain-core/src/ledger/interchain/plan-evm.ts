// Batches for EVM chains (ETH-1 to ETH-3): what waits in a chain's queue, in order, under the next nonce of the
// one sequence; none before the committee has stated the contract with the current key.
import { equal, isRejected } from "@causeway/primitives";
import type { Batch, Item } from "../../interchain/ethereum/batch.ts";
import { batchDigest, checkBatch, itemsMaxAt } from "../../interchain/ethereum/batch.ts";
import { batchCodec } from "../../interchain/messages.ts";
import { routeOf } from "../../interchain/policy.ts";
import type { Withdrawal } from "../../interchain/records.ts";
import {
  batches,
  evmStates,
  listNames,
  planKinds,
  planStatus,
  plans,
  withdrawals,
} from "../../interchain/records.ts";
import { currentKeys } from "../../ring/records.ts";
import { assetOf } from "../assets.ts";
import type { EvmChain } from "../genesis.ts";
import type { BlockContext } from "../rule.ts";
import { isHalted, listOf, queueName, removeAll } from "./accounting.ts";
import { openPlan } from "./open-plan.ts";
import { bindWithdrawal, isStopped, isTooMuchNow } from "./withdraw.ts";

/** Batches of a chain that have not run: while it stands still, the rest waits in its queue. */
const batchesMax = 64;

/** Plans at most one batch for each chain. True if one was full: more waits for the next block. */
export function planBatches(block: BlockContext): boolean {
  let hasMore = false;
  for (const evm of block.genesis.evm) if (planBatch(block, evm)) hasMore = true;
  return hasMore;
}

type Payable = { readonly id: Uint8Array; readonly withdrawal: Withdrawal; readonly item: Item };

function planBatch(block: BlockContext, evm: EvmChain): boolean {
  const { state, params } = block;
  if (isStopped(block, evm.chain)) return false;
  const ids = listOf(state, queueName(evm.chain));
  const contract = ids.length === 0 ? undefined : evmStates.get(state, evm.chain);
  const current = currentKeys.get(state, evm.chain);
  if (contract?.stated !== true || current === undefined || contract.keyId !== current.keyId)
    return false;
  if (openBatches(block, evm) >= batchesMax) return false;
  const max = itemsMaxAt(params.stipend);
  const payable: Payable[] = [];
  for (const id of ids) {
    if (payable.length === max) break;
    const withdrawal = withdrawals.get(state, id);
    const item = withdrawal && itemOf(block, withdrawal);
    if (withdrawal !== undefined && item !== undefined) payable.push({ id, withdrawal, item });
  }
  const [first] = payable;
  if (first === undefined) return false;
  const { stipend, overhead } = params;
  const nonce = contract.nextNonce;
  const items = payable.map(({ item }) => item);
  const batch: Batch = { keyId: current.keyId, nonce, stipend, overhead, items };
  if (isRejected(checkBatch(batch))) return false;
  openBatch(block, evm, batch, payable);
  evmStates.put(state, evm.chain, { ...contract, nextNonce: nonce + 1 });
  return payable.length === max;
}

function openBatches({ state }: BlockContext, { chain }: EvmChain): number {
  return listOf(state, listNames.plans).filter((id) => {
    const plan = plans.get(state, id);
    return plan?.kind === planKinds.evmBatch && equal(plan.chain, chain);
  }).length;
}

/** Undefined for one that is skipped: its asset is halted, it is too much for slow mode, or its owner's maximum is below the fee. */
function itemOf(block: BlockContext, withdrawal: Withdrawal): Item | undefined {
  const { genesis, state, params } = block;
  const { asset, amount, destination, maxFee } = withdrawal;
  const fee = params.evmItemFee;
  if (fee > maxFee || fee >= amount || isHalted(state, asset)) return undefined;
  if (isTooMuchNow(block, withdrawal)) return undefined;
  const registry = assetOf(genesis, asset)?.registry;
  const route = registry && routeOf(genesis, registry, destination, []);
  if (route === undefined || isRejected(route) || route.kind !== "evm") return undefined;
  return {
    kind: route.itemKind,
    token: route.token,
    to: destination.payload,
    amount: amount - fee,
  };
}

function openBatch(
  block: BlockContext,
  evm: EvmChain,
  batch: Batch,
  payable: readonly Payable[],
): void {
  const { genesis, state, params, time } = block;
  const ids = payable.map(({ id }) => id);
  const domain = { network: genesis.networkId, chainId: evm.chainId, contract: evm.gateway };
  const plan = openPlan(block, {
    kind: planKinds.evmBatch,
    keyId: batch.keyId,
    chain: evm.chain,
    // ETH-4: the gas comes out of the reserve of the first item's asset.
    asset: payable[0]?.withdrawal.asset ?? new Uint8Array(32),
    subject: batchCodec.encode(batch),
    inputs: [],
    withdrawals: ids,
    anchor: new Uint8Array(0),
    attempt: 0,
    nonce: batch.nonce,
    fee: params.evmItemFee * BigInt(payable.length),
    txid: batchDigest(domain, batch),
    status: planStatus.planned,
    signatures: [],
    plannedAt: time,
    updatedAt: time,
  });
  batches.put(state, { chain: evm.chain, nonce: batch.nonce }, { plan });
  for (const { id, withdrawal } of payable)
    bindWithdrawal(block, id, withdrawal, plan, params.evmItemFee);
  removeAll(state, queueName(evm.chain), ids);
}
