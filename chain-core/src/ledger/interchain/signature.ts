// signature: what the ring signed for a plan, verified by anyone (DESIGN 5). A canary's signature activates its
// key (RNG-3).
import type { Rejected } from "@causeway/primitives";
import { isRejected, rejected } from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import { roles } from "../../codec/transaction.ts";
import type { BadPlan } from "../../interchain/messages.ts";
import { planMessages, verifyPlanSignature } from "../../interchain/messages.ts";
import type { Plan } from "../../interchain/records.ts";
import {
  planKinds,
  planStatus,
  plans,
  withdrawalStatus,
  withdrawals,
} from "../../interchain/records.ts";
import type { RingSignature } from "../../interchain/statement.ts";
import { ringSignatureCodec } from "../../interchain/statement.ts";
import { ceremonyOf, keys } from "../../ring/records.ts";
import { activateKey } from "../ring/activate.ts";
import type { ActionContext, Rule } from "../rule.ts";
import type { StateReader } from "../state.ts";
import { setDue } from "./accounting.ts";
import { closePlan } from "./open-plan.ts";

export type SignatureCode =
  | "unknown-plan"
  | "already-signed"
  /** The plan's attempt can no longer be final (BTC-3). */
  | "dead-plan"
  | "unknown-key"
  /** Not one signature for each message. */
  | "bad-length"
  | "bad-signature"
  | BadPlan["code"];

export const signatureRule: Rule<RingSignature> = {
  kind: kinds.signature,
  codec: ringSignatureCodec,
  carriers: [roles.signer, roles.relay],
  balance: () => [],
  validate: ({ genesis, state }, { plan: id, signatures }) => {
    const plan = plans.get(state, id);
    if (plan === undefined) return rejected<SignatureCode>("unknown-plan", "no such plan");
    const closed = closedCode(plan);
    if (closed !== undefined) return closed;
    const groupPoint = groupPointOf(state, plan);
    if (groupPoint === undefined)
      return rejected<SignatureCode>("unknown-key", `no key ${plan.keyId}`);
    const messages = planMessages(genesis, plan, { keyId: plan.keyId, groupPoint });
    if (isRejected(messages)) return messages;
    if (messages.length !== signatures.length)
      return rejected<SignatureCode>(
        "bad-length",
        `${signatures.length} signatures for ${messages.length} messages`,
      );
    const bad = messages.findIndex((message, i) => {
      const signature = signatures[i] ?? new Uint8Array(0);
      return !verifyPlanSignature(groupPoint, message, signature);
    });
    return bad < 0
      ? undefined
      : rejected<SignatureCode>("bad-signature", `signature ${bad} does not verify`);
  },
  apply: (context, { plan: id, signatures }) => {
    const { state, time } = context;
    const plan = plans.get(state, id);
    if (plan === undefined) return;
    const status = planStatus.signed;
    plans.put(state, id, { ...plan, status, signatures, updatedAt: time });
    if (plan.kind === planKinds.canary) finishCanary(context, id, plan, signatures);
    else markSigned(context, plan);
  },
};

function closedCode({ status }: Plan): Rejected<SignatureCode> | undefined {
  if (status === planStatus.planned) return undefined;
  return status === planStatus.dead
    ? rejected("dead-plan", "the plan is dead")
    : rejected("already-signed", "the plan is signed");
}

/** Of an active key, or of the one that a ceremony has just made and the canary is to prove. */
function groupPointOf(state: StateReader, { kind, keyId }: Plan): Uint8Array | undefined {
  if (kind === planKinds.canary) return ceremonyOf(state, keyId)?.commitments[0];
  return keys.get(state, keyId)?.groupPoint;
}

function finishCanary(
  context: ActionContext,
  id: Uint8Array,
  plan: Plan,
  [signature]: readonly Uint8Array[],
): void {
  closePlan(context, id, planStatus.final);
  if (signature !== undefined) activateKey(context, plan, signature);
  // A new current key changes what can be credited and planned.
  setDue(context.state);
}

function markSigned({ state, time }: ActionContext, plan: Plan): void {
  for (const id of plan.withdrawals) {
    const withdrawal = withdrawals.get(state, id);
    if (withdrawal?.status !== withdrawalStatus.planned) continue;
    const status = withdrawalStatus.signed;
    withdrawals.put(state, id, { ...withdrawal, status, updatedAt: time });
  }
}
