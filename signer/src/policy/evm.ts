// A batch for an EVM chain against the final ledger (ETH-1 to ETH-3): the next content of its nonce, by the key
// that the contract obeys, paying each bound withdrawal exactly once and nobody else.
import type { Genesis, Plan, StateReader } from "@causeway/chain-core/interchain";
import {
  assetOf,
  batchCodec,
  batches,
  evmStates,
  itemKinds,
  withdrawals,
} from "@causeway/chain-core/interchain";
import type { Bytes32, Rejected } from "@causeway/primitives";
import { equal, isRejected, isZero, keyOf, rejected, toHex } from "@causeway/primitives";
import type { NotYet } from "./not-yet.ts";
import { isHalted, notYet, recordMissing } from "./not-yet.ts";

export type EvmCode =
  /** No such chain in the genesis, or its contract is not stated (ETH-3). */
  | "unknown-chain"
  /** The subject is no batch, or another key's or nonce's than the plan's. */
  | "bad-batch"
  /** The nonce belongs to another plan: content of a nonce never changes (ETH-1). */
  | "wrong-nonce"
  /** A bound withdrawal is not paid exactly, or is bound elsewhere. */
  | "wrong-withdrawal"
  /** An item pays what nobody is owed. */
  | "wrong-item";

type Bad = Rejected<EvmCode> | NotYet;

/** Undefined when the plan is right. */
export function judgeEvmPlan(
  genesis: Genesis,
  view: StateReader,
  id: Bytes32,
  plan: Plan,
): Bad | undefined {
  const chain = genesis.evm.find((one) => equal(one.chain, plan.chain));
  if (chain === undefined) return rejected("unknown-chain", `no chain ${toHex(plan.chain)}`);
  const state = evmStates.get(view, plan.chain);
  if (state === undefined) return recordMissing("EVM state", plan.chain);
  if (!state.stated) return rejected("unknown-chain", "the contract is not stated yet");
  const batch = batchCodec.parse(plan.subject);
  if (isRejected(batch)) return rejected("bad-batch", batch.message);
  const isOurs =
    batch.keyId === plan.keyId && batch.nonce === plan.nonce && state.keyId === plan.keyId;
  if (!isOurs) return rejected("bad-batch", `key ${batch.keyId}, nonce ${batch.nonce}`);
  const place = { chain: plan.chain, nonce: plan.nonce };
  const holder = batches.get(view, place);
  if (holder === undefined) return recordMissing("batch of nonce", batches.key(place));
  if (!equal(holder.plan, id))
    return rejected("wrong-nonce", `nonce ${plan.nonce} belongs to plan ${toHex(holder.plan)}`);
  const owed: string[] = [];
  for (const withdrawalId of plan.withdrawals) {
    const withdrawal = withdrawals.get(view, withdrawalId);
    if (withdrawal === undefined) return recordMissing("withdrawal", withdrawalId);
    const { destination, amount, fee, maxFee } = withdrawal;
    if (isHalted(view, withdrawal.asset))
      return notYet("asset-halted", `the asset of ${toHex(withdrawalId)} is halted`);
    const token = tokenOn(genesis, withdrawal.asset, plan.chain);
    const isBound = equal(withdrawal.plan, id) && equal(destination.chain, plan.chain);
    if (!isBound || token === undefined || fee > maxFee || fee >= amount)
      return rejected("wrong-withdrawal", `${toHex(withdrawalId)} is bound elsewhere`);
    const { kind, address } = token;
    owed.push(`${kind}:${keyOf(address)}:${keyOf(destination.payload)}:${amount - fee}`);
  }
  for (const { kind, token, to, amount } of batch.items) {
    const paid = owed.indexOf(`${kind}:${keyOf(token)}:${keyOf(to)}:${amount}`);
    if (paid < 0) return rejected("wrong-item", `${amount} to ${toHex(to)} is owed to nobody`);
    owed.splice(paid, 1);
  }
  if (owed.length > 0)
    return rejected("wrong-withdrawal", `${owed.length} bound withdrawals are not paid exactly`);
  return undefined;
}

/** How an asset is paid on a chain: released where it comes from, minted where it is wrapped (ETH-2). */
function tokenOn(
  genesis: Genesis,
  asset: Uint8Array,
  chain: Uint8Array,
): { readonly kind: number; readonly address: Uint8Array } | undefined {
  const registry = assetOf(genesis, asset)?.registry;
  if (registry === undefined) return undefined;
  if (equal(registry.chain, chain)) {
    const kind = isZero(registry.token) ? itemKinds.releaseEth : itemKinds.releaseErc20;
    return { kind, address: registry.token };
  }
  const wrapped = registry.exports.find((one) => equal(one.chain, chain));
  return wrapped === undefined ? undefined : { kind: itemKinds.mint, address: wrapped.token };
}
