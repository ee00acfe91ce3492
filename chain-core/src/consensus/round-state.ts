// What the round machine knows at one height, and how a restarted validator gets it back from its journal.
// The state is a resource with one owner: rules update it in place, without copies per vote.
import type { Bls, NetworkId, Rejected } from "@causeway/primitives";
import { assert, equal, isRejected, keyOf, rejected } from "@causeway/primitives";
import type { Block, Certificate, Proposal, Vote } from "../codec/block.ts";
import {
  blockCodec,
  blockId,
  proposalDigest,
  transactionsRoot,
  voteCodec,
  voteDigest,
  voteKinds,
  votesRoot,
} from "../codec/block.ts";
import type { Guard, GuardStep } from "./guard.ts";
import { guardSteps, remember } from "./guard.ts";
import type { Entry } from "./journal.ts";
import type { VoteSet } from "./vote-set.ts";
import { addOwnVote, roundVotes, voteSet } from "./vote-set.ts";
import type { Voters } from "./voters.ts";

/** Durations of the genesis, ms. */
export type Timing = {
  readonly proposeTimeoutMs: number;
  readonly voteTimeoutMs: number;
  /** Added to both per round. */
  readonly timeoutDeltaMs: number;
  /** TIM-1: precision + message delay. */
  readonly clockToleranceMs: number;
};

/** What one height is decided with. */
export type Config = {
  readonly network: NetworkId;
  readonly bls: Bls;
  readonly voters: Voters;
  readonly timing: Timing;
  /** The own seat and its key; absent in a node that only follows. */
  readonly signer?: { readonly seat: number; readonly secretKey: Uint8Array };
  /** A new block on the parent, stamped `time` (ms, later than the parent's). */
  readonly build: (time: number) => Block;
  /** Everything but the time window and the round's proposer. A throw counts as no (CON-5). */
  readonly validate: (block: Block, id: Uint8Array) => Rejected | undefined;
};

/** A block that somebody proposed. `key` is the hex of `id`. */
export type Candidate = {
  readonly id: Uint8Array;
  readonly key: string;
  readonly block: Block;
  /** Canonical bytes. */
  readonly bytes: Uint8Array;
};

/** A proposal with a valid signature of its round's proposer. */
export type Received = {
  readonly proposal: Proposal;
  readonly candidate: Candidate;
  /** Own clock when it arrived (TIM-1), ms. */
  readonly arrivedAt: number;
};

export type State = {
  readonly height: number;
  readonly parentTime: number;
  /** Own clock from which round 0's proposer may propose, ms. */
  readonly proposeFrom: number;
  readonly votes: VoteSet;
  readonly guard: Guard;
  round: number;
  step: "propose" | "prevote" | "precommit" | "decided";
  /** There is reason to expect a proposal: round 0 runs against the clock (CON-1). */
  ready: boolean;
  /** Tendermint's lockedRound and lockedValue. */
  locked?: { readonly round: number; readonly id: Uint8Array } | undefined;
  /** Tendermint's validRound and validValue. */
  valid?: { readonly round: number; readonly candidate: Candidate } | undefined;
  /** Newest round whose proof of lock was acted on (Tendermint line 36, "for the first time"); -1: none. */
  polkaRound: number;
  /** Rounds whose proof of lock is in the journal. */
  readonly proofs: Set<number>;
  /** Newest round in which the own proposal was made or given up; -1: none. */
  proposedRound: number;
  /** By round; the first is the one that is voted on. */
  readonly proposals: Map<number, Received[]>;
  /** By hex of the block id. */
  readonly candidates: Map<string, Candidate>;
  readonly verdicts: Map<string, boolean>;
  /** Own clock, ms. */
  deadlines: Deadlines;
};

export type Deadlines = {
  /** The clock passes the parent's time: propose (TIM-1). */
  readonly own?: number;
  readonly propose?: number;
  readonly prevote?: number;
  readonly precommit?: number;
};

export type Effect =
  /** Durable before the effect after it (CON-1). */
  | { readonly kind: "journal"; readonly entry: Entry }
  | { readonly kind: "propose"; readonly proposal: Proposal }
  | { readonly kind: "vote"; readonly vote: Vote }
  | {
      readonly kind: "decided";
      readonly candidate: Candidate;
      readonly certificate: Certificate;
    }
  /** Whoever brought this message, or `from` before, knew that it is wrong. */
  | { readonly kind: "blame"; readonly reason: Rejected; readonly from?: string };

export type Start = {
  readonly height: number;
  readonly parentTime: number;
  readonly proposeFrom: number;
  readonly guard: Guard;
};

/** Round 0 of a height, not yet running against the clock. */
export function initial(config: Config, start: Start): State {
  return {
    ...start,
    votes: voteSet(config.network, config.bls, config.voters, start.height),
    round: 0,
    step: "propose",
    ready: false,
    polkaRound: -1,
    proofs: new Set(),
    proposedRound: -1,
    proposals: new Map(),
    candidates: new Map(),
    verdicts: new Map(),
    deadlines: {},
  };
}

/** A timeout of round `round`, ms: grows linearly, to a bound that keeps a healed network waking up. */
export function timeoutMs(base: number, delta: number, round: number): number {
  return base + delta * Math.min(round, 100);
}

/** TIM-1: the tolerance grows by a tenth each round; ms. */
export function toleranceMs(timing: Timing, round: number): number {
  let tolerance = timing.clockToleranceMs;
  for (let i = 0; i < Math.min(round, 100); i++) tolerance += Math.ceil(tolerance / 10);
  return tolerance;
}

/** When the machine wants `woke` next; undefined: only a message moves it. */
export function deadline(state: State): number | undefined {
  const { own, propose, prevote, precommit } = state.deadlines;
  const due: number[] = [];
  if (state.step === "decided") return undefined;
  if (state.step === "propose") {
    if (own !== undefined && state.proposedRound < state.round) due.push(own);
    if (propose !== undefined) due.push(propose);
  }
  if (state.step === "prevote" && prevote !== undefined) due.push(prevote);
  if (precommit !== undefined) due.push(precommit);
  return due.length === 0 ? undefined : Math.min(...due);
}

export function candidateOf(network: NetworkId, block: Block, bytes: Uint8Array): Candidate {
  const id = blockId(network, block.header);
  return { id, key: keyOf(id), block, bytes };
}

export function keepProposal(state: State, received: Received): void {
  const { proposal, candidate } = received;
  const sameRound = state.proposals.get(proposal.round);
  if (sameRound === undefined) state.proposals.set(proposal.round, [received]);
  else sameRound.push(received);
  state.candidates.set(candidate.key, candidate);
}

export function guardStepOf(voteKind: number): GuardStep {
  return voteKind === voteKinds.prevote ? guardSteps.prevote : guardSteps.precommit;
}

/** The guard learns everything that a journal says was signed, whatever its height. */
export function replayGuard(network: NetworkId, guard: Guard, entries: Iterable<Entry>): void {
  for (const entry of entries) {
    if (entry.kind === "vote") {
      const { vote } = entry;
      const step = guardStepOf(vote.kind);
      const { height, round } = vote;
      remember(guard, { height, round, step, digest: voteDigest(network, vote) }, vote.signature);
    }
    if (entry.kind === "proposal") {
      const { height, round, polRound, signature } = entry.proposal;
      const block = blockCodec.decode(entry.proposal.block);
      const id = blockId(network, block.header);
      const digest = proposalDigest(network, { height, round, polRound, block: id });
      remember(guard, { height, round, step: guardSteps.proposal, digest }, signature);
    }
  }
}

/** {@link initial}, and then everything that the journal's entries of this height say; it goes on when it is ready. */
export function restore(config: Config, start: Start, entries: Iterable<Entry>): State {
  const state = initial(config, start);
  for (const entry of entries) {
    if (entry.kind === "vote" && entry.vote.height === state.height) replayVote(state, entry.vote);
    if (entry.kind === "proposal" && entry.proposal.height === state.height) {
      const block = blockCodec.decode(entry.proposal.block);
      const candidate = candidateOf(config.network, block, entry.proposal.block);
      keepProposal(state, { proposal: entry.proposal, candidate, arrivedAt: block.header.time });
      enter(state, entry.proposal.round);
      state.proposedRound = Math.max(state.proposedRound, entry.proposal.round);
    }
    if (entry.kind === "polka" && entry.polka.height === state.height) {
      const { round, locked, votes, block } = entry.polka;
      const candidate = candidateOf(config.network, blockCodec.decode(block), block);
      state.candidates.set(candidate.key, candidate);
      for (const bytes of votes) addOwnVote(state.votes, voteCodec.decode(bytes));
      assertPolka(state, round, candidate.id);
      if (locked) state.locked = { round, id: candidate.id };
      state.proofs.add(round);
      enter(state, round);
      // A proof that was shown to us later may be of an earlier round.
      if (round < state.polkaRound) continue;
      state.valid = { round, candidate };
      state.polkaRound = round;
    }
  }
  return state;
}

function replayVote(state: State, vote: Vote): void {
  addOwnVote(state.votes, vote);
  enter(state, vote.round);
  if (vote.round === state.round)
    state.step = vote.kind === voteKinds.prevote ? "prevote" : "precommit";
}

function enter(state: State, round: number): void {
  if (round <= state.round) return;
  state.round = round;
  state.step = "propose";
}

function assertPolka(state: State, round: number, id: Uint8Array): void {
  const { majority } = roundVotes(state.votes, round).prevotes;
  assert(majority !== undefined && equal(majority, id), `journal: no quorum behind round ${round}`);
}

/**
 * Untrusted block bytes. The id covers the header alone, so that transactions and votes which are not the header's
 * are refused here: else whoever sends them under a good id could keep the true block out, or have a final one fail.
 */
export function parseCandidate(network: NetworkId, bytes: Uint8Array): Candidate | Rejected {
  const block = blockCodec.parse(bytes);
  return isRejected(block) ? block : candidateFrom(network, block, bytes);
}

/** The same of a block that was parsed; `bytes` are its canonical ones. */
export function candidateFrom(
  network: NetworkId,
  block: Block,
  bytes: Uint8Array,
): Candidate | Rejected {
  if (!equal(transactionsRoot(network, block.transactions), block.header.transactionsRoot))
    return rejected("bad-transactions-root", `block ${block.header.height}: other transactions`);
  if (!equal(votesRoot(network, block), block.header.votesRoot))
    return rejected("bad-votes-root", `block ${block.header.height}: other votes`);
  return candidateOf(network, block, bytes);
}
