// contribution, segment: what validators bring to the beacon (BCN-2, BCN-3), free of fees in envelopes. A contribution
// is its seat's whoever brings it, by the signature in it; a segment is posted by who has the turn.
import type { Rejected } from "@causeway/primitives";
import { equal, must, rejected } from "@causeway/primitives";
import type { Claim, Contribution, PostedSegment } from "../../beacon/contribution.ts";
import { contributionCodec, segmentCodec, turnOf } from "../../beacon/contribution.ts";
import { beaconField, decodeElement } from "../../beacon/field.ts";
import { kinds } from "../../codec/action.ts";
import type { Committee } from "../../codec/block.ts";
import { roles } from "../../codec/transaction.ts";
import { committeeAt } from "../epoch/epochs.ts";
import { suspendedSeats } from "../epoch/validators.ts";
import type { ActionContext, BlockContext, Rule } from "../rule.ts";
import type { StateReader } from "../state.ts";
import type { Round } from "./round.ts";
import { delayOrder, extendDelay, roundOf, rounds, seeded, stages } from "./round.ts";

export type BeaconCode =
  | "wrong-epoch"
  /** The window is over, or the delay has not begun or is over. */
  | "wrong-stage"
  /** No seat of the epoch's committee, or one that is barred. */
  | "bad-seat"
  /** The first one counts (BCN-2). */
  | "repeated-contribution"
  /** Not by this sender, or not yet (BCN-3). */
  | "not-your-turn"
  /** Not the piece that is due. */
  | "wrong-segment";

function committeeOf({ state }: { state: StateReader }, { epoch }: Round): Committee {
  return must(committeeAt(state, epoch), "committee");
}

/** The claim that a contribution makes; a node judges it ahead of the block. */
function contributionClaim(
  context: BlockContext,
  contribution: Contribution,
): Claim | Rejected<BeaconCode> {
  const { state, genesis, time } = context;
  const round = roundOf(state);
  const { epoch, seat } = contribution;
  if (epoch !== round.epoch)
    return rejected("wrong-epoch", `a contribution to epoch ${epoch} in ${round.epoch}`);
  if (round.stage !== stages.window || time >= round.windowEndsAt)
    return rejected("wrong-stage", "the window for contributions is over");
  const committee = committeeOf(context, round);
  const member = committee.members[seat];
  if (member === undefined || suspendedSeats(state, committee).includes(seat))
    return rejected("bad-seat", `seat ${seat} of ${committee.members.length}`);
  if (round.solved.some((one) => one.seat === seat))
    return rejected("repeated-contribution", `seat ${seat} has contributed`);
  const terms = { consensusKey: member.consensusKey, difficulty: round.difficulty };
  return { kind: "contribution", round: seeded(genesis, round), terms, contribution };
}

/** The claim that a segment makes. */
function segmentClaim(
  { state, genesis }: BlockContext,
  posted: PostedSegment,
): Claim | Rejected<BeaconCode> {
  const round = roundOf(state);
  if (posted.epoch !== round.epoch)
    return rejected("wrong-epoch", `a segment of epoch ${posted.epoch} in ${round.epoch}`);
  if (round.stage !== stages.delay) return rejected("wrong-stage", "no delay is running");
  if (posted.index !== round.next)
    return rejected("wrong-segment", `segment ${posted.index} where ${round.next} is due`);
  const end = must(decodeElement(beaconField, round.end), "end of the delay so far");
  const delay = { steps: round.segmentSteps, next: round.next, end };
  return { kind: "segment", round: seeded(genesis, round), delay, posted };
}

function verdictOn(context: BlockContext, claim: Claim): Rejected | undefined {
  const verdict = context.judged(claim);
  return verdict === true ? undefined : verdict;
}

export const contributionRule: Rule<Contribution> = {
  kind: kinds.contribution,
  codec: contributionCodec,
  carriers: [roles.relay],
  balance: () => [],
  validate: (context, contribution) => {
    const claim = contributionClaim(context, contribution);
    return "code" in claim ? claim : verdictOn(context, claim);
  },
  apply: ({ state }, { seat, solution }) => {
    const round = roundOf(state);
    rounds.put(state, "only", { ...round, solved: [...round.solved, { seat, solution }] });
  },
  describe: (_, { seat, epoch }) => `Contribute to the beacon of epoch ${epoch} for seat ${seat}`,
};

/** Ledger time (ms) from which the seat may post the piece that is due; infinite for who never may. */
export function turnTime(
  context: Pick<BlockContext, "genesis" | "params"> & { readonly state: StateReader },
  round: Round,
  seat: number,
): number {
  const { genesis, params } = context;
  const order = delayOrder(genesis, round, committeeOf(context, round).members.length);
  return round.lastAt + turnOf(order, round.next, seat) * params.beaconTurnMs;
}

function checkTurn(context: ActionContext): Rejected<BeaconCode> | undefined {
  const { state, sender, time } = context;
  const round = roundOf(state);
  const committee = committeeOf(context, round);
  const seat = committee.members.findIndex(
    ({ validator }) => sender !== undefined && equal(validator, sender.validator),
  );
  if (seat < 0 || suspendedSeats(state, committee).includes(seat))
    return rejected("not-your-turn", "the sender has no seat in this epoch");
  const turn = turnTime(context, round, seat);
  if (time < turn) return rejected("not-your-turn", `seat ${seat} may post in ${turn - time} ms`);
  return undefined;
}

export const segmentRule: Rule<PostedSegment> = {
  kind: kinds.segment,
  codec: segmentCodec,
  carriers: [roles.relay],
  balance: () => [],
  validate: (context, posted) => {
    const claim = segmentClaim(context, posted);
    if ("code" in claim) return claim;
    return checkTurn(context) ?? verdictOn(context, claim);
  },
  apply: (context, { end }) => extendDelay(context, end),
  describe: (_, { index, epoch }) => `Post segment ${index} of the beacon of epoch ${epoch}`,
};
