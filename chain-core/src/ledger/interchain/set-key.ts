// The contract of an EVM chain gets its next key (ETH-1). The change is a message of the one sequence, signed by the key
// that the contract holds. When the committee states that the contract holds the new one, older messages that have not
// run are planned again, with identical content, for the new key: what the old key signed is worthless from then on.
import { xOnly } from "@causeway/primitives/secp256k1";
import { setKeyCodec } from "../../interchain/messages.ts";
import type { Plan } from "../../interchain/records.ts";
import {
  batches,
  evmStates,
  planKinds,
  planStatus,
  plans,
  withdrawalStatus,
  withdrawals,
} from "../../interchain/records.ts";
import { currentKeys, keys, nextKeys } from "../../ring/records.ts";
import type { EvmChain } from "../genesis.ts";
import type { BlockContext } from "../rule.ts";
import type { StateReader } from "../state.ts";
import { openMessage, openMessages, subjectFor } from "./evm-message.ts";
import { closePlan } from "./open-plan.ts";

type Place = { readonly chain: Uint8Array; readonly nonce: number };

/** Plans the change of key of every chain that has a next one. No halt and no pause stops it (GOV-2). */
export function planSetKeys(block: BlockContext): void {
  for (const evm of block.genesis.evm) planSetKey(block, evm);
}

function planSetKey(block: BlockContext, { chain }: EvmChain): void {
  const { state } = block;
  const next = nextKeys.get(state, chain);
  const contract = next && evmStates.get(state, chain);
  const current = currentKeys.get(state, chain);
  if (next === undefined || contract?.stated !== true || contract.keyId !== current?.keyId) return;
  const { keyId, nextNonce: nonce } = contract;
  const key = keys.get(state, next.keyId);
  if (key?.active !== true || isUnderWay(state, { chain, nonce }, next.keyId)) return;
  const newKey = { newKeyId: key.keyId, key: xOnly(key.groupPoint) };
  openMessage(block, {
    kind: planKinds.evmSetKey,
    keyId,
    chain,
    asset: new Uint8Array(32),
    subject: setKeyCodec.encode({ keyId, nonce, ...newKey }),
    withdrawals: [],
    nonce,
    fee: 0n,
  });
  evmStates.put(state, chain, { ...contract, nextNonce: nonce + 1 });
}

/**
 * A change to this key is planned: the last message, as no batch follows it. One to an earlier next key may be open too:
 * whichever runs first counts.
 */
function isUnderWay(state: StateReader, { chain, nonce }: Place, keyId: number): boolean {
  const last = batches.get(state, { chain, nonce: nonce - 1 })?.plan;
  const plan = last && plans.get(state, last);
  return plan?.kind === planKinds.evmSetKey && newKeyOf(plan) === keyId;
}

function newKeyOf({ subject }: Plan): number {
  return setKeyCodec.decode(subject).newKeyId;
}

/** The committee has stated that the contract holds this key, newer than the one of before. */
export function moveContractKey(block: BlockContext, chain: Uint8Array, keyId: number): void {
  const { state } = block;
  currentKeys.put(state, chain, { keyId });
  const next = nextKeys.get(state, chain);
  if (next !== undefined && next.keyId <= keyId) nextKeys.delete(state, chain);
  for (const { id, plan } of openMessages(state, chain)) {
    if (plan.kind === planKinds.evmSetKey && newKeyOf(plan) <= keyId) {
      // It ran, or never can: the contract takes later keys only.
      closePlan(block, id, newKeyOf(plan) === keyId ? planStatus.final : planStatus.dead);
      continue;
    }
    closePlan(block, id, planStatus.dead);
    signAgain(block, plan, keyId);
  }
}

/** The same content under the same nonce, to be signed by this key. */
function signAgain(block: BlockContext, plan: Plan, keyId: number): void {
  const { state, time } = block;
  const { kind, chain, asset, nonce, fee } = plan;
  const subject = subjectFor(plan, keyId);
  const unsigned = { kind, keyId, chain, asset, subject, nonce, fee };
  const again = openMessage(block, { ...unsigned, withdrawals: plan.withdrawals });
  for (const id of plan.withdrawals) {
    const withdrawal = withdrawals.get(state, id);
    if (withdrawal === undefined) continue;
    const status = withdrawalStatus.planned;
    withdrawals.put(state, id, { ...withdrawal, status, plan: again, updatedAt: time });
  }
}
