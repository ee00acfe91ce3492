// Tendermint (arXiv 1807.04938) for one height as a machine. It signs through the guard, orders the journal
// before the vote (CON-1), and ends with a certificate. State is a resource: `step` updates it in place and
// returns the same object; what it does depends on its arguments alone.
//
//   propose --proposal, time-out--> prevote --proof of lock, time-out--> precommit --quorum--> decided
//      ^------------------------------------ next round -------------------------'
import type { Rejected, Step } from "@causeway/primitives";
import { equal, isRejected, isZero, must, rejected, unreachable } from "@causeway/primitives";
import { bitmapOf } from "../codec/bitmap.ts";
import type { Proposal, Vote } from "../codec/block.ts";
import { proposalDigest } from "../codec/block.ts";
import { proposerAt } from "./proposer.ts";
import { advance, candidateBy, expire, isWanted, makeReady } from "./round-rules.ts";
import type { Candidate, Config, Effect, State } from "./round-state.ts";
import { keepProposal, parseCandidate } from "./round-state.ts";
import type { SignedProposal, Tally } from "./vote-set.ts";
import {
  addVote,
  allVotes,
  keepEvidence,
  roundsAheadMax,
  roundVotes,
  settleVotes,
  votesFor,
} from "./vote-set.ts";

export type { Candidate, Config, Effect, Start, State, Timing } from "./round-state.ts";
export {
  candidateFrom,
  deadline,
  initial,
  parseCandidate,
  replayGuard,
  restore,
} from "./round-state.ts";

export type Event =
  /** There is work, or the heartbeat has come: a proposal may be expected (CON-1). */
  | { readonly kind: "ready"; readonly at: number }
  | {
      readonly kind: "proposal";
      readonly at: number;
      /** TIM-1: when it reached this node, at most `at`. */
      readonly arrivedAt: number;
      readonly proposal: Proposal;
      /** Its block, when that was parsed already. */
      readonly candidate?: Candidate;
    }
  /** `from`: who brought it, where that is known: its check may wait for others. */
  | { readonly kind: "vote"; readonly at: number; readonly vote: Vote; readonly from?: string }
  | { readonly kind: "woke"; readonly at: number };

export function step(config: Config, state: State, event: Event): Step<State, Effect> {
  const out: Effect[] = [];
  if (state.step === "decided") return [state, out];
  const isOther = event.kind === "vote" && event.vote.round !== state.round;
  if (event.kind === "woke" || event.kind === "ready" || isOther) settleVotes(state.votes);
  take(config, state, event, out);
  for (const { from, reason } of state.votes.forged.splice(0))
    out.push({ kind: "blame", reason, from });
  return [state, out];
}

function take(config: Config, state: State, event: Event, out: Effect[]): void {
  switch (event.kind) {
    case "ready":
      makeReady(config, state, event.at);
      break;
    case "proposal": {
      const bad = receive(config, state, event);
      if (bad !== undefined) out.push({ kind: "blame", reason: bad });
      break;
    }
    case "vote": {
      const isWanted = (id: Uint8Array): boolean => candidateBy(state, id) !== undefined;
      // Of an idle height the first vote wakes us: it is looked at.
      const from = state.ready ? event.from : undefined;
      const result = addVote(state.votes, event.vote, state.round, isWanted, from);
      if (isRejected(result)) out.push({ kind: "blame", reason: result });
      // Others are at work on this height, so a proposal may be expected.
      else if (result !== "known" && result !== "waiting") makeReady(config, state, event.at);
      if (isRejected(result) || result === "known" || result === "waiting") return;
      break;
    }
    case "woke":
      expire(config, state, event.at, out);
      break;
    default:
      unreachable(event);
  }
  advance(config, state, event.at, out);
}

/** Keeps a proposal that may matter. A reason to blame is one that an honest node never passes on. */
function receive(
  config: Config,
  state: State,
  { proposal, arrivedAt, candidate: parsed }: Event & { kind: "proposal" },
): Rejected | undefined {
  const { height, round, polRound, signature } = proposal;
  if (height !== state.height || round > state.round + roundsAheadMax) return undefined;
  if (polRound > round) return rejected("bad-pol-round", `proof of lock ${polRound} in ${round}`);
  const sameRound = state.proposals.get(round) ?? [];
  if (sameRound.some((known) => equal(known.proposal.signature, signature))) return undefined;
  // Before 2 MiB are parsed and hashed: nothing can come of it.
  const isLate = round < state.round && sameRound.length === 0;
  if ((isLate || isConvicted(state, round)) && !lacksBlock(state, round)) return undefined;
  const candidate = parsed ?? parseCandidate(config.network, proposal.block);
  if (isRejected(candidate)) return candidate;
  if (candidate.block.header.height !== height)
    return rejected("wrong-height", `a block of height ${candidate.block.header.height}`);
  const wanted = isWanted(state, round, candidate.id);
  if ((isLate || isConvicted(state, round)) && !wanted) return undefined;
  const seat = proposerAt(config.voters, height, round);
  const key = must(config.voters.members[seat], "proposer's seat").consensusKey;
  const digest = proposalDigest(config.network, { height, round, polRound, block: candidate.id });
  if (!config.bls.verify(key, digest, signature))
    return rejected("bad-signature", `proposal of height ${height}, round ${round}`);
  noteDouble(state, seat, proposal, candidate);
  const isFirst = round >= state.round && sameRound.length === 0;
  if (isFirst || (wanted && !state.candidates.has(candidate.key)))
    keepProposal(state, { proposal, candidate, arrivedAt });
  return undefined;
}

/** Evidence of two proposals for one round; the first stays the one that is voted on. */
function noteDouble(state: State, seat: number, proposal: Proposal, candidate: Candidate): void {
  const { height, round } = proposal;
  const first = state.proposals.get(round)?.[0];
  if (first === undefined || isConvicted(state, round)) return;
  const sameBlock = equal(first.candidate.id, candidate.id);
  if (sameBlock && first.proposal.polRound === proposal.polRound) return;
  const signed = (id: Uint8Array, from: Proposal): SignedProposal => ({
    block: id,
    polRound: from.polRound,
    signature: from.signature,
  });
  state.votes.convicted.add(proposalSlot(round));
  keepEvidence(state.votes, {
    kind: "double-proposal",
    height,
    round,
    seat,
    first: signed(first.candidate.id, first.proposal),
    second: signed(candidate.id, proposal),
  });
}

function isConvicted(state: State, round: number): boolean {
  return state.votes.convicted.has(proposalSlot(round));
}

function proposalSlot(round: number): string {
  return `proposal/${round}`;
}

// ---------------------------------------------------------------- repairing losses

/** What a node has of a round: the proposal's block, and whose votes. */
export type RoundView = {
  round: number;
  proposal: boolean;
  prevotes: Uint8Array;
  precommits: Uint8Array;
};

/** The rounds whose missing messages would help: the current, the one before, and a claimed proof of lock. */
export function view(state: State): RoundView[] {
  const views = new Map<number, RoundView>();
  for (const round of [state.round, state.round - 1])
    if (round >= 0) views.set(round, viewOf(state, round));
  for (const { proposal, candidate } of state.proposals.get(state.round) ?? []) {
    if (proposal.polRound === 0) continue;
    const round = proposal.polRound - 1;
    // Only who prevoted this very block: an equivocator may have shown us another vote.
    const { prevotes } = roundVotes(state.votes, round);
    const seats = votesFor(prevotes, candidate.id).map((vote) => vote.seat);
    views.set(round, { ...viewOf(state, round), prevotes: bitmapOf(seats, prevotes.votes.length) });
  }
  return [...views.values()];
}

function viewOf(state: State, round: number): RoundView {
  const { prevotes, precommits } = roundVotes(state.votes, round);
  return {
    round,
    proposal: hasBlock(state, round),
    prevotes: bitmap(prevotes),
    precommits: bitmap(precommits),
  };
}

/** A quorum voted for a block in this round that is not here. */
function lacksBlock(state: State, round: number): boolean {
  const votes = state.votes.rounds.get(round);
  if (votes === undefined) return false;
  return [votes.prevotes.majority, votes.precommits.majority].some(
    (majority) =>
      majority !== undefined && !isZero(majority) && candidateBy(state, majority) === undefined,
  );
}

/** Whether the block that the round is about is here. */
function hasBlock(state: State, round: number): boolean {
  const { prevotes, precommits } = roundVotes(state.votes, round);
  const majority = precommits.majority ?? prevotes.majority;
  if (majority === undefined) return state.proposals.has(round);
  return isZero(majority) || candidateBy(state, majority) !== undefined;
}

function bitmap(tally: Tally): Uint8Array {
  const seats: number[] = [];
  for (const [seat, vote] of tally.votes.entries()) if (vote !== undefined) seats.push(seat);
  return bitmapOf(seats, tally.votes.length);
}

/** At most this many votes answer one status. */
const repairVotesMax = 256;

/** What a peer at the same height lacks by its `views` and we have; its own round is `round`. */
export function missing(
  state: State,
  round: number,
  views: readonly RoundView[],
): { readonly proposals: Proposal[]; readonly votes: Vote[] } {
  const proposals: Proposal[] = [];
  const votes: Vote[] = [];
  const wanted = new Map(views.map((seen) => [seen.round, seen]));
  // A peer in an earlier round moves on when it sees enough of ours.
  const rounds = new Set(wanted.keys());
  if (round < state.round) rounds.add(state.round);
  for (const of of rounds) {
    const mine = state.votes.rounds.get(of);
    const theirs = wanted.get(of);
    if (mine !== undefined)
      for (const [tally, seen] of [
        [mine.prevotes, theirs?.prevotes],
        [mine.precommits, theirs?.precommits],
      ] as const)
        for (const vote of allVotes(tally)) if (!hasSeat(seen, vote.seat)) votes.push(vote);
    if (theirs?.proposal === true) continue;
    for (const { proposal } of state.proposals.get(of) ?? []) proposals.push(proposal);
  }
  return { proposals, votes: votes.slice(0, repairVotesMax) };
}

function hasSeat(bitmap: Uint8Array | undefined, seat: number): boolean {
  return bitmap !== undefined && ((bitmap[seat >> 3] ?? 0) & (1 << (seat & 7))) !== 0;
}

/** The own votes of the current round: sent again while the height is undecided. */
export function ownVotes(config: Config, state: State): Vote[] {
  const { signer } = config;
  if (signer === undefined) return [];
  const { prevotes, precommits } = roundVotes(state.votes, state.round);
  return [prevotes.votes[signer.seat], precommits.votes[signer.seat]].filter(
    (vote): vote is Vote => vote !== undefined,
  );
}
