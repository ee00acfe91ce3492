// Messages of the one sequence of an EVM contract (ETH-1) as plans. A message is planned again for each key that the
// contract comes to hold before it has run, with identical content: one plan for (nonce, key).
import { equal, must } from "@causeway/primitives";
import { batchDigest, setKeyDigest } from "../../interchain/ethereum/batch.ts";
import { batchCodec, evmDomain, setKeyCodec } from "../../interchain/messages.ts";
import type { Plan } from "../../interchain/records.ts";
import {
  batches,
  isEvmPlan,
  listNames,
  planKinds,
  planStatus,
  plans,
  plansByTxid,
} from "../../interchain/records.ts";
import type { BlockContext } from "../rule.ts";
import type { StateReader } from "../state.ts";
import { listOf } from "./accounting.ts";
import { openPlan } from "./open-plan.ts";

/** What a message is; `asset` is zero for one that pays nobody. */
export type Message = Pick<
  Plan,
  "kind" | "keyId" | "chain" | "asset" | "subject" | "withdrawals" | "nonce" | "fee"
>;

/** Opens the message as the plan of its nonce from here on. Gives the plan's id. */
export function openMessage(block: BlockContext, message: Message): Uint8Array {
  const { state, time } = block;
  const { chain, nonce } = message;
  const txid = digestOf(block, message);
  const plan = openPlan(block, {
    ...message,
    inputs: [],
    anchor: new Uint8Array(0),
    attempt: 0,
    txid,
    status: planStatus.planned,
    signatures: [],
    plannedAt: time,
    updatedAt: time,
  });
  batches.put(state, { chain, nonce }, { plan });
  plansByTxid.put(state, txid, { plan });
  return plan;
}

function digestOf({ genesis }: BlockContext, { kind, chain, subject }: Message): Uint8Array {
  const domain = must(evmDomain(genesis, chain), "EVM chain");
  if (kind === planKinds.evmBatch) return batchDigest(domain, batchCodec.decode(subject));
  const { newKeyId, key, ...slot } = setKeyCodec.decode(subject);
  return setKeyDigest(domain, slot, { keyId: newKeyId, key });
}

/** Messages of a chain that have not run as far as the ledger knows, oldest first. */
export function openMessages(
  state: StateReader,
  chain: Uint8Array,
): { readonly id: Uint8Array; readonly plan: Plan }[] {
  return listOf(state, listNames.plans).flatMap((id) => {
    const plan = plans.get(state, id);
    return plan !== undefined && isEvmPlan(plan) && equal(plan.chain, chain) ? [{ id, plan }] : [];
  });
}

/** The subject of a message for another key; the rest of its content is the same. */
export function subjectFor({ kind, subject }: Plan, keyId: number): Uint8Array {
  return kind === planKinds.evmSetKey
    ? setKeyCodec.encode({ ...setKeyCodec.decode(subject), keyId })
    : batchCodec.encode({ ...batchCodec.decode(subject), keyId });
}
