// confirm: a seat proves that it holds its share of the merged deals (RNG-3). Accepted for as long as the key is
// not retired: a seat that was away joins an active key by it, also while that is being reshared.
import type { Rejected } from "@causeway/primitives";
import { isRejected, must, rejected } from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import { roles } from "../../codec/transaction.ts";
import type { Confirm } from "../../ring/index.ts";
import { ceremonyContext, confirmCodec, verifyConfirm } from "../../ring/index.ts";
import { ceremonyStages, keys, paramsOf } from "../../ring/records.ts";
import type { ActionContext, Rule } from "../rule.ts";
import type { CeremonyCode } from "./ceremony.ts";
import { ceremonyFor, isUnmerged, putCeremony } from "./ceremony.ts";

const stages = [ceremonyStages.confirm, ceremonyStages.canary, ceremonyStages.active];

function validate(context: ActionContext, confirm: Confirm): Rejected | undefined {
  const ceremony = ceremonyFor(context, confirm, stages);
  if (isRejected(ceremony)) return ceremony;
  if (isUnmerged(ceremony))
    return rejected<CeremonyCode>("wrong-stage", "a complaint of this block has voided a deal");
  const { keyId, seat } = confirm;
  if (ceremony.confirmed.some((other) => other.seat === seat))
    return rejected("already-confirmed", `seat ${seat} has confirmed key ${keyId}`);
  const params = paramsOf(context, ceremony);
  const { commitments, dealsHash } = ceremony;
  const merged = { commitments, groupPoint: must(commitments[0], "group point") };
  const verdict = verifyConfirm(ceremonyContext(params), params, merged, dealsHash, confirm);
  return isRejected(verdict) ? verdict : undefined;
}

function apply(context: ActionContext, confirm: Confirm): void {
  const { state } = context;
  const { keyId, seat, share } = confirm;
  const ceremony = ceremonyFor(context, confirm, stages);
  if (isRejected(ceremony)) return;
  const confirmed = [...ceremony.confirmed, { seat, share }].sort((a, b) => a.seat - b.seat);
  putCeremony(state, { ...ceremony, confirmed });
  const key = keys.get(state, keyId);
  if (key?.attempt !== ceremony.attempt) return;
  keys.put(state, keyId, { ...key, shares: key.shares.with(seat, share) });
}

export const confirmRule: Rule<Confirm> = {
  kind: kinds.confirm,
  codec: confirmCodec,
  carriers: [roles.signer],
  balance: () => [],
  validate,
  apply,
};
