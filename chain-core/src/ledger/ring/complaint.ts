// complaint: a seat proves which share a dealer sent it, and the ledger sees whose fault it is (RNG-3), as long as it has
// the deals: a network may keep a seat from being heard in time. A true one voids the deal, and the confirmations of a
// key that will not be; where it comes too late for that, it still costs the dealer. A false one is a proof, too: only
// the complainer's host secret makes it, and nobody who holds that needs to complain about a share that fits. Either
// costs stake.
import type { Rejected } from "@causeway/primitives";
import { isRejected, rejected } from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import { roles } from "../../codec/transaction.ts";
import type { Complaint } from "../../ring/index.ts";
import { ceremonyContext, complaintCodec, judgeComplaint } from "../../ring/index.ts";
import type { Ceremony, Seat } from "../../ring/records.ts";
import { ceremonyStages, isWronged, oldRings, paramsOf, purposes } from "../../ring/records.ts";
import type { ActionContext, Rule } from "../rule.ts";
import { punishSeat } from "./blame.ts";
import { acceptedSeats, ceremonyFor, dealOf, voidDeal } from "./ceremony.ts";
import { complaints, lies } from "./complaint-records.ts";

export type ComplaintRuleCode =
  /** The dealer has dealt nothing, or its deal is void already. */
  | "no-such-deal"
  /** The ledger knows that this seat has no share, and that this dealer dealt wrong. */
  | "known-wrong"
  /** This seat has complained falsely in this attempt, and paid for it. */
  | "known-lie";

const stages = [ceremonyStages.confirm, ceremonyStages.canary, ceremonyStages.active];

type Judged = { readonly ceremony: Ceremony; readonly guilty: "dealer" | "complainer" };

function judge(context: ActionContext, complaint: Complaint): Judged | Rejected {
  const ceremony = ceremonyFor(context, complaint, stages);
  if (isRejected(ceremony)) return ceremony;
  if (isWronged(ceremony, complaint))
    return rejected<ComplaintRuleCode>("known-wrong", "what follows from it has been done");
  const { dealer } = complaint;
  const deal = acceptedSeats(ceremony).includes(dealer)
    ? dealOf(context.state, ceremony, dealer)
    : undefined;
  if (deal === undefined)
    return rejected<ComplaintRuleCode>(
      "no-such-deal",
      `no deal of seat ${dealer} counts for key ${ceremony.keyId}`,
    );
  const params = paramsOf(context, ceremony);
  const verdict = judgeComplaint(ceremonyContext(params), params, deal, complaint);
  if (isRejected(verdict)) return verdict;
  return { ceremony, guilty: verdict === "dealer-guilty" ? "dealer" : "complainer" };
}

function validate(context: ActionContext, complaint: Complaint): Rejected | undefined {
  // Before the verdict, which costs 3 ms.
  if (lies.get(context.state, complaint) !== undefined)
    return rejected<ComplaintRuleCode>(
      "known-lie",
      `seat ${complaint.seat} has complained falsely`,
    );
  const judged = judge(context, complaint);
  return isRejected(judged) ? judged : undefined;
}

function apply(context: ActionContext, complaint: Complaint): void {
  const judged = judge(context, complaint);
  if (isRejected(judged)) return;
  const { ceremony, guilty } = judged;
  const { state } = context;
  const { keyId, attempt, dealer, seat } = complaint;
  const record = { complaint: complaintCodec.encode(complaint) };
  if (guilty === "complainer") {
    lies.put(state, { keyId, attempt, seat }, record);
    punishSeat(context, ceremony.seats[seat]);
    return;
  }
  const name = { keyId, attempt, dealer };
  if (complaints.get(state, name) === undefined) complaints.put(state, name, record);
  punishSeat(context, dealerSeat(context, ceremony, dealer));
  voidDeal(context, ceremony, complaint);
}

function dealerSeat(
  { state }: ActionContext,
  { keyId, attempt, purpose, seats }: Ceremony,
  dealer: number,
): Pick<Seat, "validator"> | undefined {
  if (purpose === purposes.generate) return seats[dealer];
  const validator = oldRings.get(state, { keyId, attempt })?.owners[dealer];
  return validator && { validator };
}

export const complaintRule: Rule<Complaint> = {
  kind: kinds.complaint,
  codec: complaintCodec,
  carriers: [roles.signer],
  balance: () => [],
  validate,
  apply,
};
