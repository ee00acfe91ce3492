// badShare: anybody of the ring's signers proves that a seat signed wrong in a session (ADR 0019): a stalled signature has
// an author. It costs the seat's validator what a wrong deal costs, once for each epoch of its shares.
import type { Rejected } from "@causeway/primitives";
import { isRejected, rejected } from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import { roles } from "../../codec/transaction.ts";
import type { BadShare } from "../../ring/index.ts";
import { badShareCodec, judgeBadShare } from "../../ring/index.ts";
import type { Seat } from "../../ring/records.ts";
import { badShares, ceremonyOfEpoch, ceremonyStages } from "../../ring/records.ts";
import type { ActionContext, Rule } from "../rule.ts";
import { punishSeat } from "./blame.ts";
import type { CeremonyCode } from "./ceremony.ts";

export type BadShareRuleCode =
  /** This seat was punished for a share of this epoch. */
  "already-blamed";

const stages: readonly number[] = [ceremonyStages.canary, ceremonyStages.active];

/** The guilty seat. */
function judge({ genesis, state }: ActionContext, evidence: BadShare): Seat | Rejected {
  const { keyId, attempt, seat } = evidence;
  if (badShares.get(state, evidence) !== undefined)
    return rejected<BadShareRuleCode>("already-blamed", `seat ${seat} of key ${keyId} has paid`);
  const ceremony = ceremonyOfEpoch(state, evidence);
  const [groupPoint] = ceremony?.commitments ?? [];
  if (ceremony === undefined || groupPoint === undefined)
    return rejected<CeremonyCode>("wrong-ceremony", `no shares ${attempt} of key ${keyId}`);
  if (!stages.includes(ceremony.stage))
    return rejected<CeremonyCode>("wrong-stage", `key ${keyId} is at stage ${ceremony.stage}`);
  const accused = ceremony.seats[seat];
  const confirmed = ceremony.confirmed.find((one) => one.seat === seat);
  if (accused === undefined || confirmed === undefined)
    return rejected<CeremonyCode>("wrong-seat", `seat ${seat} of key ${keyId} has no share`);
  const { hostKey } = accused;
  const { share } = confirmed;
  const known = { network: genesis.networkId, groupPoint, hostKey, share };
  const verdict = judgeBadShare(known, evidence);
  return isRejected(verdict) ? verdict : accused;
}

function validate(context: ActionContext, evidence: BadShare): Rejected | undefined {
  const accused = judge(context, evidence);
  return isRejected(accused) ? accused : undefined;
}

function apply(context: ActionContext, evidence: BadShare): void {
  const accused = judge(context, evidence);
  if (isRejected(accused)) return;
  badShares.put(context.state, evidence, { evidence: badShareCodec.encode(evidence) });
  punishSeat(context, accused);
}

export const badShareRule: Rule<BadShare> = {
  kind: kinds.badShare,
  codec: badShareCodec,
  carriers: [roles.signer],
  balance: () => [],
  validate,
  apply,
};
