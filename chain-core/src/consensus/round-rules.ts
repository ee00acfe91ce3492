// The rules of Tendermint (arXiv 1807.04938, algorithm 1; line numbers are the paper's), each a function that
// answers whether it changed the state. `advance` applies them until none does.
import { equal, isZero, zero32 } from "@causeway/primitives";
import type { Vote } from "../codec/block.ts";
import { blockCodec, proposalDigest, voteCodec, voteDigest, voteKinds } from "../codec/block.ts";
import { certificateOf } from "./certificate.ts";
import { authorize, guardSteps, remember } from "./guard.ts";
import { proposerAt } from "./proposer.ts";
import type { Candidate, Config, Effect, Received, State } from "./round-state.ts";
import { candidateOf, guardStepOf, keepProposal, timeoutMs, toleranceMs } from "./round-state.ts";
import { addOwnVote, forgetOldRounds, reachedRound, roundVotes, votesFor } from "./vote-set.ts";

type Rule = (config: Config, state: State, at: number, out: Effect[]) => boolean;

// The own votes come before the decision: a validator that hears the proposal last would else never be among
// those who precommitted (CON-4).
const rules: readonly Rule[] = [prevote, lock, decide, skip, propose, precommitNil, expectVotes];

export function advance(config: Config, state: State, at: number, out: Effect[]): void {
  let moved = true;
  while (moved && state.step !== "decided")
    moved = rules.some((rule) => rule(config, state, at, out));
}

/** Lines 11-21 without the proposal itself. */
function startRound(config: Config, state: State, round: number, at: number): void {
  state.round = round;
  state.step = "propose";
  state.ready = true;
  const { proposeTimeoutMs, timeoutDeltaMs } = config.timing;
  state.deadlines = { propose: at + timeoutMs(proposeTimeoutMs, timeoutDeltaMs, round) };
  forgetOldBlocks(state);
  forgetOldRounds(state.votes, round);
}

/** There is work, or the heartbeat: round 0's clock runs (CON-1). */
export function makeReady(config: Config, state: State, at: number): void {
  if (state.ready) return;
  state.ready = true;
  const { proposeTimeoutMs, timeoutDeltaMs } = config.timing;
  const wait = timeoutMs(proposeTimeoutMs, timeoutDeltaMs, state.round);
  state.deadlines = { ...state.deadlines, propose: at + wait };
}

/** Line 49: a quorum of precommits of any round for a block that is here. */
function decide(config: Config, state: State, _at: number, out: Effect[]): boolean {
  for (const { precommits } of state.votes.rounds.values()) {
    const { majority } = precommits;
    if (majority === undefined || isZero(majority)) continue;
    const candidate = candidateBy(state, majority);
    if (candidate === undefined) continue;
    const votes = votesFor(precommits, majority);
    const certificate = certificateOf(config.bls, config.voters.size, votes);
    state.step = "decided";
    out.push({ kind: "decided", candidate, certificate });
    return true;
  }
  return false;
}

/** Line 55: more than a third is in a later round. */
function skip(config: Config, state: State, at: number): boolean {
  if (!state.votes.newest.some((round) => round > state.round)) return false;
  const round = reachedRound(state.votes);
  if (round <= state.round) return false;
  startRound(config, state, round, at);
  return true;
}

/** Lines 14-19. The valid block is proposed again with its proof of lock. */
function propose(config: Config, state: State, at: number, out: Effect[]): boolean {
  const { signer, voters, network } = config;
  const { height, round } = state;
  if (state.step !== "propose" || !state.ready || state.proposedRound >= round) return false;
  if (signer === undefined || proposerAt(voters, height, round) !== signer.seat) return false;
  const from = Math.max(round === 0 ? state.proposeFrom : 0, state.parentTime + 1);
  if (at < from) {
    state.deadlines = { ...state.deadlines, own: from };
    return false;
  }
  state.proposedRound = round;
  const candidate = state.valid?.candidate ?? newCandidate(config, at);
  const polRound = state.valid === undefined ? 0 : state.valid.round + 1;
  const digest = proposalDigest(network, { height, round, polRound, block: candidate.id });
  const request = { height, round, step: guardSteps.proposal, digest };
  // Whatever was signed before this process started is in the journal and so in `proposals` already.
  if (authorize(state.guard, request) !== "new") return false;
  const signature = config.bls.sign(signer.secretKey, digest);
  remember(state.guard, request, signature);
  const proposal = { height, round, polRound, block: candidate.bytes, signature };
  keepProposal(state, { proposal, candidate, arrivedAt: at });
  out.push({ kind: "journal", entry: { kind: "proposal", proposal } });
  out.push({ kind: "propose", proposal });
  return true;
}

function newCandidate(config: Config, at: number): Candidate {
  const block = config.build(at);
  return candidateOf(config.network, block, blockCodec.encode(block));
}

/** Lines 22 and 28. */
function prevote(config: Config, state: State, _at: number, out: Effect[]): boolean {
  if (state.step !== "propose") return false;
  const received = state.proposals.get(state.round)?.[0];
  if (received === undefined) return false;
  const { candidate, proposal } = received;
  const { locked } = state;
  const isLocked = locked !== undefined && equal(locked.id, candidate.id);
  let accepted: boolean;
  if (proposal.polRound === 0) {
    accepted = (locked === undefined || isLocked) && isFresh(config, state, received);
  } else {
    const proof = roundVotes(state.votes, proposal.polRound - 1).prevotes.majority;
    // The proof of lock may still be on its way; the proposal's time-out bounds the wait.
    if (proof === undefined || !equal(proof, candidate.id)) return false;
    accepted = locked === undefined || isLocked || locked.round <= proposal.polRound - 1;
  }
  // Who is locked on this block rests on its own lock, whatever the proposer claims: after a precommit for another
  // block in an earlier round, stating less would look like a violated lock (accountability.ts).
  const own = isLocked ? locked.round + 1 : 0;
  const polRound = Math.max(own, proposal.polRound);
  if (accepted && isValid(config, state, candidate)) {
    if (polRound > 0) keepProof(config, state, out, polRound - 1, candidate);
    castPrevote(config, state, out, candidate.id, polRound);
  } else castPrevote(config, state, out, zero32, 0);
  return true;
}

/** Whoever claims a proof of lock must be able to show it, also after a restart (accountability). */
function keepProof(
  config: Config,
  state: State,
  out: Effect[],
  round: number,
  candidate: Candidate,
): void {
  if (state.proofs.has(round)) return;
  state.proofs.add(round);
  if (config.signer === undefined) return;
  const { prevotes } = roundVotes(state.votes, round);
  const votes = votesFor(prevotes, candidate.id).map((vote) => voteCodec.encode(vote));
  const polka = { height: state.height, round, locked: false, block: candidate.bytes, votes };
  out.push({ kind: "journal", entry: { kind: "polka", polka } });
}

/** TIM-1, and that the header names this round's proposer: only for blocks without a proof of lock. */
function isFresh(config: Config, state: State, received: Received): boolean {
  const { header } = received.candidate.block;
  const proposer = proposerAt(config.voters, state.height, state.round);
  if (header.proposer !== proposer) return false;
  const apart = Math.abs(header.time - received.arrivedAt);
  return apart <= toleranceMs(config.timing, state.round);
}

/** CON-5: the verdict on a block, asked for once, a no once a round; a throw is a no. */
function isValid(config: Config, state: State, candidate: Candidate): boolean {
  let verdict = state.verdicts.get(candidate.key);
  if (verdict === undefined) {
    // The one `try` in pure code: a proposed block that breaks an assertion must cost a vote, not the node.
    try {
      verdict = config.validate(candidate.block, candidate.id) === undefined;
    } catch {
      verdict = false;
    }
    state.verdicts.set(candidate.key, verdict);
  }
  return verdict;
}

/** Line 36: a proof of lock in this round. The lock is journaled before the precommit can leave. */
function lock(config: Config, state: State, _at: number, out: Effect[]): boolean {
  const { round } = state;
  if (state.step === "propose" || state.polkaRound >= round) return false;
  const { prevotes } = roundVotes(state.votes, round);
  const { majority } = prevotes;
  if (majority === undefined || isZero(majority)) return false;
  const candidate = candidateBy(state, majority);
  if (candidate === undefined || !isValid(config, state, candidate)) return false;
  const locks = state.step === "prevote";
  state.polkaRound = round;
  state.valid = { round, candidate };
  if (locks) state.locked = { round, id: candidate.id };
  state.proofs.add(round);
  if (config.signer !== undefined) {
    const votes = votesFor(prevotes, majority).map((vote) => voteCodec.encode(vote));
    const polka = { height: state.height, round, locked: locks, block: candidate.bytes, votes };
    out.push({ kind: "journal", entry: { kind: "polka", polka } });
  }
  if (locks) castPrecommit(config, state, out, candidate.id);
  return true;
}

/** Line 44. */
function precommitNil(config: Config, state: State, _at: number, out: Effect[]): boolean {
  if (state.step !== "prevote") return false;
  const { majority } = roundVotes(state.votes, state.round).prevotes;
  if (majority === undefined || !isZero(majority)) return false;
  castPrecommit(config, state, out, zero32);
  return true;
}

/**
 * Lines 34 and 47: a quorum has voted, so the rest of the votes is worth a bounded wait. A quorum of nil
 * precommits leaves nothing to wait for: no block can be decided in this round any more.
 */
function expectVotes(config: Config, state: State, at: number): boolean {
  const { voteTimeoutMs, timeoutDeltaMs } = config.timing;
  const { prevotes, precommits } = roundVotes(state.votes, state.round);
  const until = at + timeoutMs(voteTimeoutMs, timeoutDeltaMs, state.round);
  const enough = config.voters.quorum;
  if (state.step === "prevote" && prevotes.power >= enough && state.deadlines.prevote === undefined)
    state.deadlines = { ...state.deadlines, prevote: until };
  if (precommits.majority !== undefined && isZero(precommits.majority)) {
    startRound(config, state, state.round + 1, at);
    return true;
  }
  if (precommits.power >= enough && state.deadlines.precommit === undefined)
    state.deadlines = { ...state.deadlines, precommit: until };
  return false;
}

/** Lines 57, 61 and 65: what the time-outs that have passed by `at` do. */
export function expire(config: Config, state: State, at: number, out: Effect[]): void {
  const { propose: proposeBy, prevote: prevoteBy, precommit: precommitBy } = state.deadlines;
  const due = (deadline: number | undefined): boolean => deadline !== undefined && deadline <= at;
  if (state.step === "decided") return;
  if (due(precommitBy)) startRound(config, state, state.round + 1, at);
  else if (state.step === "propose" && due(proposeBy)) castPrevote(config, state, out, zero32, 0);
  else if (state.step === "prevote" && due(prevoteBy)) castPrecommit(config, state, out, zero32);
}

function castPrevote(
  config: Config,
  state: State,
  out: Effect[],
  block: Uint8Array,
  polRound: number,
): void {
  state.step = "prevote";
  cast(config, state, out, voteKinds.prevote, block, polRound);
}

function castPrecommit(config: Config, state: State, out: Effect[], block: Uint8Array): void {
  state.step = "precommit";
  cast(config, state, out, voteKinds.precommit, block, 0);
}

function cast(
  config: Config,
  state: State,
  out: Effect[],
  kind: number,
  block: Uint8Array,
  polRound: number,
): void {
  const { signer } = config;
  if (signer === undefined) return;
  const { height, round } = state;
  const content = { kind, height, round, block, polRound };
  const digest = voteDigest(config.network, content);
  const request = { height, round, step: guardStepOf(kind), digest };
  if (authorize(state.guard, request) !== "new") return;
  const signature = config.bls.sign(signer.secretKey, digest);
  remember(state.guard, request, signature);
  const vote: Vote = { ...content, seat: signer.seat, signature };
  addOwnVote(state.votes, vote);
  out.push({ kind: "journal", entry: { kind: "vote", vote } });
  out.push({ kind: "vote", vote });
}

/** A block that was proposed at this height, while it is kept. */
export function candidateBy(state: State, id: Uint8Array): Candidate | undefined {
  for (const candidate of state.candidates.values()) if (equal(candidate.id, id)) return candidate;
  return undefined;
}

/**
 * Blocks of 2 MiB must not pile up over the rounds: what is older than three rounds and not wanted goes. So does
 * every no: what this node did not know yet (a snapshot's root) it may know now, and others may be locked on it.
 */
function forgetOldBlocks(state: State): void {
  for (const [key, isGood] of state.verdicts) if (!isGood) state.verdicts.delete(key);
  for (const round of state.proposals.keys())
    if (round < state.round - 3) state.proposals.delete(round);
  const wanted = new Set<string>();
  for (const sameRound of state.proposals.values())
    for (const { candidate } of sameRound) wanted.add(candidate.key);
  if (state.valid !== undefined) wanted.add(state.valid.candidate.key);
  for (const key of [...state.candidates.keys()])
    if (!wanted.has(key)) {
      state.candidates.delete(key);
      state.verdicts.delete(key);
    }
}

/** Whether a second proposal of a round, or one of an earlier round, is of use: a quorum voted for it. */
export function isWanted(state: State, round: number, id: Uint8Array): boolean {
  const votes = state.votes.rounds.get(round);
  if (votes === undefined) return false;
  return [votes.prevotes.majority, votes.precommits.majority].some(
    (majority) => majority !== undefined && equal(majority, id),
  );
}
