// A message for an EVM chain against the final ledger (ETH-1 to ETH-3): the content of its nonce, by the key that the
// contract obeys. A batch pays each bound withdrawal exactly once and nobody else; a change of key leads to the next.
import type { Genesis, Key, Plan, StateReader } from "@causeway/chain-core/interchain";
import {
  assetOf,
  batchCodec,
  batches,
  canaryMessage,
  evmStates,
  itemKinds,
  keys,
  nextKeys,
  planKinds,
  setKeyCodec,
  verifyPlanSignature,
  withdrawals,
} from "@causeway/chain-core/interchain";
import type { Bytes32, Rejected } from "@causeway/primitives";
import { equal, isRejected, isZero, keyOf, rejected, toHex } from "@causeway/primitives";
import { xOnly } from "@causeway/primitives/secp256k1";
import { readKey } from "../follow/rings.ts";
import type { NotYet } from "./not-yet.ts";
import { isHalted, notYet, recordMissing } from "./not-yet.ts";

export type EvmCode =
  /** No such chain in the genesis, or its contract is not stated (ETH-3). */
  | "unknown-chain"
  /** The plan is for another key than the one that the contract obeys. */
  | "wrong-key"
  /** The subject is no batch, or another key's or nonce's than the plan's. */
  | "bad-batch"
  /** The subject is no change of key, or another key's or nonce's than the plan's. */
  | "bad-set-key"
  /** The key that the contract is to get is not the ledger's next one, with its point and its canary (ETH-1). */
  | "wrong-next-key"
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
  const contract = evmStates.get(view, plan.chain);
  if (contract === undefined) return recordMissing("EVM state", plan.chain);
  if (!contract.stated) return rejected("unknown-chain", "the contract is not stated yet");
  if (contract.keyId !== plan.keyId)
    return rejected("wrong-key", `key ${plan.keyId} is not the contract's, ${contract.keyId}`);
  const place = { chain: plan.chain, nonce: plan.nonce };
  const holder = batches.get(view, place);
  if (holder === undefined) return recordMissing("batch of nonce", batches.key(place));
  if (!equal(holder.plan, id))
    return rejected("wrong-nonce", `nonce ${plan.nonce} belongs to plan ${toHex(holder.plan)}`);
  return plan.kind === planKinds.evmSetKey
    ? judgeSetKey(genesis, view, plan)
    : judgeBatch(genesis, view, id, plan);
}

/** ETH-1: to the key that is next for this contract by the proven ledger, fit for money by its canary (RNG-3). */
function judgeSetKey(genesis: Genesis, view: StateReader, plan: Plan): Bad | undefined {
  const change = setKeyCodec.parse(plan.subject);
  if (isRejected(change)) return rejected("bad-set-key", change.message);
  if (change.keyId !== plan.keyId || change.nonce !== plan.nonce || plan.withdrawals.length > 0)
    return rejected("bad-set-key", `key ${change.keyId}, nonce ${change.nonce}`);
  const next = nextKeys.get(view, plan.chain);
  if (next === undefined || change.newKeyId < next.keyId)
    return notYet("superseded", `key ${change.newKeyId} is not next for the contract any more`);
  const key = readKey(view, change.newKeyId);
  if (key === undefined) return recordMissing("key", keys.key(change.newKeyId));
  const isNext =
    change.newKeyId === next.keyId &&
    key.active &&
    equal(key.chain, plan.chain) &&
    isProven(genesis, key);
  if (!isNext) return rejected("wrong-next-key", `key ${change.newKeyId} is not the next key`);
  return equal(change.key, xOnly(key.groupPoint))
    ? undefined
    : rejected("wrong-next-key", `key ${change.newKeyId} has another point`);
}

function isProven({ networkId }: Genesis, key: Key): boolean {
  const message = canaryMessage(networkId, key);
  return verifyPlanSignature(key.groupPoint, { message }, key.canary);
}

function judgeBatch(genesis: Genesis, view: StateReader, id: Bytes32, plan: Plan): Bad | undefined {
  const batch = batchCodec.parse(plan.subject);
  if (isRejected(batch)) return rejected("bad-batch", batch.message);
  if (batch.keyId !== plan.keyId || batch.nonce !== plan.nonce)
    return rejected("bad-batch", `key ${batch.keyId}, nonce ${batch.nonce}`);
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
