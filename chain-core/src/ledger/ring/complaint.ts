// complaint: a seat proves that a dealer sent it a wrong share (RNG-3). Only a true one is valid: it voids the
// deal, and the confirmations of a key that will not be. A false one proves nothing against anybody else.
import type { Rejected } from "@causeway/primitives";
import {
  ByteListType,
  bigEndian,
  ContainerType,
  codec,
  concat,
  isRejected,
  rejected,
} from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import { roles } from "../../codec/transaction.ts";
import type { Complaint } from "../../ring/index.ts";
import { ceremonyContext, complaintCodec, judgeComplaint } from "../../ring/index.ts";
import { ceremonies, ceremonyStages } from "../../ring/records.ts";
import type { ActionContext, Rule } from "../rule.ts";
import type { Table } from "../state.ts";
import { modules, table } from "../state.ts";
import { acceptedSeats, beginConfirm, ceremonyFor, dealOf, paramsOf } from "./ceremony.ts";

/** RNG-5: the bytes of the complaint that voided a deal, by key, attempt and dealer: evidence for slashing. */
export const complaints: Table<
  { keyId: number; attempt: number; dealer: number },
  { complaint: Uint8Array }
> = table(
  modules.ring,
  6,
  ({ keyId, attempt, dealer }) =>
    concat(bigEndian(keyId, 4), bigEndian(attempt, 4), bigEndian(dealer, 2)),
  codec("complaint record", new ContainerType({ complaint: new ByteListType(128) }), 160),
);

function validate(context: ActionContext, complaint: Complaint): Rejected | undefined {
  const ceremony = ceremonyFor(context, complaint, [ceremonyStages.confirm]);
  if (isRejected(ceremony)) return ceremony;
  const { dealer, seat } = complaint;
  const deal = acceptedSeats(ceremony).includes(dealer)
    ? dealOf(context.state, ceremony, dealer)
    : undefined;
  if (deal === undefined)
    return rejected("no-such-deal", `no deal of seat ${dealer} counts for key ${ceremony.keyId}`);
  const params = paramsOf(context.genesis, ceremony);
  const verdict = judgeComplaint(ceremonyContext(params), params, deal, complaint);
  if (isRejected(verdict)) return verdict;
  return verdict === "dealer-guilty"
    ? undefined
    : rejected("false-complaint", `the share of seat ${seat} in the deal of ${dealer} fits`);
}

function apply(context: ActionContext, complaint: Complaint): void {
  const { keyId, attempt, dealer } = complaint;
  const ceremony = ceremonies.get(context.state, keyId);
  if (ceremony === undefined) return;
  const record = { complaint: complaintCodec.encode(complaint) };
  complaints.put(context.state, { keyId, attempt, dealer }, record);
  const voided = [...ceremony.voided, dealer].sort((a, b) => a - b);
  beginConfirm(context, { ...ceremony, voided });
}

export const complaintRule: Rule<Complaint> = {
  kind: kinds.complaint,
  codec: complaintCodec,
  carriers: [roles.signer],
  balance: () => [],
  validate,
  apply,
};
