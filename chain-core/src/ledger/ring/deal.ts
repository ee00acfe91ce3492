// deal: a seat's contribution to a key, or its share of one, dealt to the next ring (RNG-3). What anyone can judge of it
// is judged here; whether the shares fit only their receivers can see, who complain.
import type { Rejected } from "@causeway/primitives";
import { isRejected, rejected } from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import { roles } from "../../codec/transaction.ts";
import type { Deal } from "../../ring/index.ts";
import { ceremonyContext, dealCodec, verifyDeal } from "../../ring/index.ts";
import { ceremonyOf, ceremonyStages, deals, paramsOf } from "../../ring/records.ts";
import type { ActionContext, Rule } from "../rule.ts";
import { ceremonyFor, putCeremony } from "./ceremony.ts";

function validate(context: ActionContext, deal: Deal): Rejected | undefined {
  const ceremony = ceremonyFor(context, deal, [ceremonyStages.deal], "dealer");
  if (isRejected(ceremony)) return ceremony;
  if (ceremony.dealt.includes(deal.seat))
    return rejected("already-dealt", `seat ${deal.seat} has dealt for key ${deal.keyId}`);
  const params = paramsOf(context, ceremony);
  const verdict = verifyDeal(ceremonyContext(params), params, deal);
  return isRejected(verdict) ? verdict : undefined;
}

function apply({ state }: ActionContext, deal: Deal): void {
  const { keyId, attempt, seat } = deal;
  const ceremony = ceremonyOf(state, keyId);
  if (ceremony === undefined) return;
  deals.put(state, { keyId, attempt, seat }, { deal: dealCodec.encode(deal) });
  const dealt = [...ceremony.dealt, seat].sort((a, b) => a - b);
  putCeremony(state, { ...ceremony, dealt });
}

export const dealRule: Rule<Deal> = {
  kind: kinds.deal,
  codec: dealCodec,
  carriers: [roles.signer],
  balance: () => [],
  validate,
  apply,
};
