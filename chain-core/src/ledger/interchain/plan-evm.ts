// Batches for EVM chains (ETH-1 to ETH-3): what waits in a chain's queue, in order, under the next nonce of the
// one sequence; none before the committee has stated the contract with the current key, nor while it is to get another
// (set-key.ts).
import { isRejected } from "@causeway/primitives";
import type { Batch, Item } from "../../interchain/ethereum/batch.ts";
import { checkBatch, itemKinds, itemsMaxAt } from "../../interchain/ethereum/batch.ts";
import { batchCodec } from "../../interchain/messages.ts";
import { ringFee, routeOf } from "../../interchain/policy.ts";
import type { Withdrawal } from "../../interchain/records.ts";
import { evmStates, planKinds, withdrawalReasons, withdrawals } from "../../interchain/records.ts";
import { currentKeys, nextKeys } from "../../ring/records.ts";
import { assetOf } from "../assets.ts";
import type { EvmChain } from "../genesis.ts";
import { custodiesIn, isAdmitted } from "../ring/liability-custody.ts";
import type { ContractRoom } from "../ring/liability-records.ts";
import type { BlockContext } from "../rule.ts";
import { isHalted, listOf, queueName, removeAll } from "./accounting.ts";
import { openMessage, openMessages } from "./evm-message.ts";
import { underWayIn } from "./under-way.ts";
import { bindWithdrawal, isStopped, isTooMuchNow, noteReason } from "./withdraw.ts";

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
  // Under a later nonce than the change of key it would have to be signed twice (ETH-1).
  if (nextKeys.get(state, evm.chain) !== undefined) return false;
  if (openMessages(state, evm.chain).length >= batchesMax) return false;
  const max = itemsMaxAt(params.stipend);
  const room = custodiesIn(block, underWayIn(state))(evm.chain);
  const payable: Payable[] = [];
  for (const id of ids) {
    if (payable.length === max) break;
    const withdrawal = withdrawals.get(state, id);
    const item = withdrawal && itemOf(block, withdrawal);
    if (withdrawal === undefined || item === undefined) continue;
    if (hasRoom(block, room, withdrawal, item)) payable.push({ id, withdrawal, item });
    else noteReason(block, id, withdrawal, withdrawalReasons.bondLimit);
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

/** Undefined for one that is skipped: its asset is halted, it is too much for slow mode, or its owner's maximum is below the fee. */
function itemOf(block: BlockContext, withdrawal: Withdrawal): Item | undefined {
  const { genesis, state, params } = block;
  const { asset, amount, destination, maxFee } = withdrawal;
  const fee = params.evmItemFee + ringFee(params, params.evmItemFee);
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

/** RNG-7: what is minted is in custody of the contract's key, too; what is released leaves it. */
function hasRoom(
  block: BlockContext,
  room: ContractRoom,
  { asset }: Withdrawal,
  { kind, amount }: Item,
): boolean {
  return kind !== itemKinds.mint || isAdmitted(block, room, { asset, amount });
}

function openBatch(
  block: BlockContext,
  { chain }: EvmChain,
  batch: Batch,
  payable: readonly Payable[],
): void {
  const { state, params } = block;
  const ids = payable.map(({ id }) => id);
  const plan = openMessage(block, {
    kind: planKinds.evmBatch,
    keyId: batch.keyId,
    chain,
    // ETH-4: the gas comes out of the reserve of the first item's asset.
    asset: payable[0]?.withdrawal.asset ?? new Uint8Array(32),
    subject: batchCodec.encode(batch),
    withdrawals: ids,
    nonce: batch.nonce,
    fee: params.evmItemFee * BigInt(payable.length),
  });
  const fees = { cost: params.evmItemFee, ringFee: ringFee(params, params.evmItemFee) };
  for (const { id, withdrawal } of payable) bindWithdrawal(block, id, withdrawal, plan, fees);
  removeAll(state, queueName(chain), ids);
}
