// The votes of one height by round and kind: each signature is verified once, each seat counts once, and
// whoever contradicts itself leaves evidence. A vote set is a resource with one owner: `addVote` updates it in
// place (no copies per vote) and depends on nothing but its arguments.
import type { Bls, Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import { equal, isZero, keyOf, must, rejected } from "@causeway/primitives";
import type { Vote } from "../codec/block.ts";
import { voteDigest, voteKinds } from "../codec/block.ts";
import { contradicts } from "./accountability.ts";
import type { Voters } from "./voters.ts";

/** A vote whose signature nobody looked at yet; `from` brought it. */
export type Waiting = { readonly vote: Vote; readonly from: string };

/** Votes of one kind in one round. */
export type Tally = {
  /** By seat: they count once a quorum is together and one check shows them all to be true. */
  readonly waiting: Map<number, Waiting>;
  /** By seat: its first. */
  readonly votes: (Vote | undefined)[];
  /** Later votes of seats that contradict themselves; each counts for its block, as the proof of safety allows. */
  readonly doubles: Vote[];
  /** Sum over the seats that voted, nil included. */
  power: bigint;
  /** By hex of the block id. */
  readonly blocks: Map<string, { readonly block: Uint8Array; power: bigint }>;
  /** The block (or 32 zero bytes) that has a quorum; there is never a second one. */
  majority?: Uint8Array;
};

export type RoundVotes = { readonly prevotes: Tally; readonly precommits: Tally };

/** Two signed statements of one seat that exclude each other (issue: accountability). */
export type Evidence =
  | { readonly kind: "double-vote"; readonly first: Vote; readonly second: Vote }
  /** A prevote that the seat's earlier precommit for another block forbids, see `contradicts`. */
  | { readonly kind: "lock-violation"; readonly precommit: Vote; readonly prevote: Vote }
  | {
      readonly kind: "double-proposal";
      readonly height: number;
      readonly round: number;
      readonly seat: number;
      readonly first: SignedProposal;
      readonly second: SignedProposal;
    };
export type SignedProposal = {
  readonly block: Uint8Array;
  readonly polRound: number;
  readonly signature: Uint8Array;
};

export type VoteSet = {
  readonly network: NetworkId;
  readonly bls: Bls;
  readonly voters: Voters;
  readonly height: number;
  readonly rounds: Map<number, RoundVotes>;
  /** Highest round in which each seat has a verified vote; -1 before the first. */
  readonly newest: number[];
  /** At most {@link evidencePerSeatMax} of a seat. */
  readonly evidence: Evidence[];
  /** Where a seat contradicted itself: "seat/round/kind", and "proposal/round". */
  readonly convicted: Set<string>;
  /** What was signed, by content: all voters for a block sign the same (TIM-1). Bounded. */
  readonly digests: Map<string, Bytes32>;
  /** Who brought votes that turned out to be forged; whoever blames them empties it. */
  readonly forged: { readonly from: string; readonly reason: BadVote }[];
};

/** Votes of rounds further ahead than this are not kept, only noted: their sender repeats them. */
export const roundsAheadMax = 8;
/** What is older and nil decides nothing, and breaks no lock. */
const nilRoundsKept = 16;
const lockRoundsKept = 1_024;
/** One would do to convict a seat; that many of a height are kept of each. */
const evidencePerSeatMax = 4;
const digestsMax = 256;

export function voteSet(network: NetworkId, bls: Bls, voters: Voters, height: number): VoteSet {
  const newest = new Array<number>(voters.size).fill(-1);
  return {
    network,
    bls,
    voters,
    height,
    rounds: new Map(),
    newest,
    evidence: [],
    convicted: new Set(),
    digests: new Map(),
    forged: [],
  };
}

/** The votes of a round; made when asked for the first time. */
export function roundVotes(set: VoteSet, round: number): RoundVotes {
  let votes = set.rounds.get(round);
  if (votes === undefined) {
    const tally = (): Tally => ({
      waiting: new Map(),
      votes: new Array<Vote | undefined>(set.voters.size).fill(undefined),
      doubles: [],
      power: 0n,
      blocks: new Map(),
    });
    votes = { prevotes: tally(), precommits: tally() };
    set.rounds.set(round, votes);
  }
  return votes;
}

export function tallyOf(set: VoteSet, round: number, kind: number): Tally {
  const votes = roundVotes(set, round);
  return kind === voteKinds.prevote ? votes.prevotes : votes.precommits;
}

/**
 * `wrong-height`, `bad-seat`, `bad-kind`, `bad-pol-round`: the statement makes no sense; `bad-signature`: it is
 * not the seat's.
 */
export type BadVote = Rejected<
  "wrong-height" | "bad-seat" | "bad-kind" | "bad-pol-round" | "bad-signature"
>;

/**
 * Counts `vote`. `round` is the round that the caller is in. "added": counts now; "known": counted before, or of
 * no use, at no cost; "noted": too far ahead to keep; "double": the seat contradicts itself. A second vote counts as well
 * when `isWanted` its block: without it, an equivocator hides a proof of lock from one node for ever by showing
 * it another vote first. "waiting": a vote of round 0 that `from` brought, to be checked with others.
 */
export function addVote(
  set: VoteSet,
  vote: Vote,
  round: number,
  isWanted: (block: Uint8Array) => boolean,
  from?: string,
): "added" | "known" | "noted" | "double" | "waiting" | BadVote {
  const malformed = shapeOf(set, vote);
  if (malformed !== undefined) return malformed;
  if (set.voters.barred.has(vote.seat)) return "known";
  if (vote.round < round - nilRoundsKept && isZero(vote.block)) return "known";
  const ahead = vote.round > round + roundsAheadMax;
  if (ahead && isNoted(set, vote, round)) return "known";
  const tally = ahead ? undefined : tallyOf(set, vote.round, vote.kind);
  const waits = tally?.waiting.get(vote.seat);
  if (tally !== undefined && waits !== undefined) {
    if (isSame(waits.vote, vote) && equal(waits.vote.signature, vote.signature)) return "known";
    settle(set, tally);
  }
  const first = tally?.votes[vote.seat];
  if (tally !== undefined && first === undefined && from !== undefined && round + vote.round === 0)
    return wait(set, tally, vote, from);
  if (first !== undefined && tally !== undefined) {
    if (isSame(first, vote) || tally.doubles.some((double) => isSame(double, vote))) return "known";
    if (isConvicted(set, vote) && !isWanted(vote.block)) return "known";
  }
  const member = must(set.voters.members[vote.seat], "seat in range");
  if (!set.bls.verify(member.consensusKey, digestOf(set, vote), vote.signature))
    return badSignature(vote);
  if ((set.newest[vote.seat] ?? -1) < vote.round) set.newest[vote.seat] = vote.round;
  if (tally === undefined) return "noted";
  if (first === undefined) {
    count(set, tally, vote, member.power);
    noteViolation(set, vote);
    return "added";
  }
  if (!isConvicted(set, vote)) {
    set.convicted.add(slotOf(vote));
    keepEvidence(set, { kind: "double-vote", first, second: vote });
  }
  noteViolation(set, vote);
  if (isWanted(vote.block)) countDouble(set, tally, vote, member.power);
  return "double";
}

/**
 * A check of many signatures costs little more than of one, and what comes after a majority decides nothing any more. Not
 * in later rounds: there each vote may break a lock.
 */
function wait(set: VoteSet, tally: Tally, vote: Vote, from: string): "added" | "waiting" {
  tally.waiting.set(vote.seat, { vote, from });
  return settleQuorum(set, tally) ? "added" : "waiting";
}

function settleQuorum(set: VoteSet, tally: Tally): boolean {
  let power = tally.power;
  for (const seat of tally.waiting.keys()) power += set.voters.members[seat]?.power ?? 0n;
  if (tally.majority !== undefined || power < set.voters.quorum) return false;
  settle(set, tally);
  return true;
}

/** Counts what waits and is true. Of who brought one forged vote no other is looked at: it comes again by others. */
export function settle(set: VoteSet, tally: Tally): void {
  if (tally.waiting.size === 0) return;
  const groups = new Map<Bytes32, Waiting[]>();
  for (const one of tally.waiting.values()) {
    const digest = digestOf(set, one.vote);
    groups.set(digest, [...(groups.get(digest) ?? []), one]);
  }
  tally.waiting.clear();
  const liars = new Set<string>();
  for (const [digest, group] of groups) {
    const members = group.map(({ vote }) => must(set.voters.members[vote.seat], "seat in range"));
    const keys = members.map(({ consensusKey }) => consensusKey);
    const signatures = group.map(({ vote }) => vote.signature);
    const all = group.length > 1 && set.bls.verifyEach?.(keys, digest, signatures) === true;
    for (const [i, { vote, from }] of group.entries()) {
      const { consensusKey, power } = must(members[i], "member");
      if (liars.has(from)) continue;
      if (all || set.bls.verify(consensusKey, digest, vote.signature)) {
        if ((set.newest[vote.seat] ?? -1) < vote.round) set.newest[vote.seat] = vote.round;
        count(set, tally, vote, power);
        noteViolation(set, vote);
        continue;
      }
      liars.add(from);
      set.forged.push({ from, reason: badSignature(vote) });
    }
  }
}

/** Counts whatever waits: at a time-out, when the round is another, and where others may need it. */
export function settleVotes(set: VoteSet): void {
  for (const { prevotes, precommits } of set.rounds.values())
    for (const tally of [prevotes, precommits]) settle(set, tally);
}

function badSignature({ seat, height }: Vote): BadVote {
  return rejected("bad-signature", `vote of seat ${seat} at height ${height}`);
}

/**
 * Days without a decision must not fill the memory. A proof of lock stays, and so does for a thousand rounds who
 * precommitted a block: it may be decided yet, and whoever breaks that lock is convicted.
 */
export function forgetOldRounds(set: VoteSet, round: number): void {
  for (const [old, { prevotes, precommits }] of set.rounds) {
    if (old >= round - nilRoundsKept) continue;
    const isProof = prevotes.majority !== undefined && !isZero(prevotes.majority);
    const isLock = [...precommits.blocks.values()].some(({ block }) => !isZero(block));
    if (!isProof && !(isLock && old >= round - lockRoundsKept)) set.rounds.delete(old);
  }
}

/**
 * Far rounds cost their voter's key nothing. A seat that was seen far ahead is looked at again when it has gone
 * twice as far: 32 verifications per seat and own round at most. More than a third of the seats is never there
 * for long, since the own round then follows ({@link reachedRound}).
 */
function isNoted(set: VoteSet, vote: Vote, round: number): boolean {
  const noted = set.newest[vote.seat] ?? -1;
  return noted > round + roundsAheadMax ? vote.round < 2 * noted : noted >= vote.round;
}

/** Looks for a vote of another round that `vote` contradicts: a broken lock. */
function noteViolation(set: VoteSet, vote: Vote): void {
  if (isZero(vote.block)) return;
  const isPrecommit = vote.kind === voteKinds.precommit;
  for (const [round, votes] of set.rounds) {
    if (isPrecommit ? round <= vote.round : round >= vote.round) continue;
    const others = isPrecommit ? votes.prevotes : votes.precommits;
    for (const other of votesBy(others, vote.seat)) {
      if (contradicts(vote, other) !== "lock-violation") continue;
      const [precommit, prevote] = isPrecommit ? [vote, other] : [other, vote];
      keepEvidence(set, { kind: "lock-violation", precommit, prevote });
      return;
    }
  }
}

function votesBy(tally: Tally, seat: number): Vote[] {
  const first = tally.votes[seat];
  const doubles = tally.doubles.filter((vote) => vote.seat === seat);
  return first === undefined ? doubles : [first, ...doubles];
}

/** Whom evidence convicts. */
export function convictOf(evidence: Evidence): number {
  switch (evidence.kind) {
    case "double-vote":
      return evidence.first.seat;
    case "lock-violation":
      return evidence.precommit.seat;
    case "double-proposal":
      return evidence.seat;
  }
}

/** Keeps evidence while there is little of the same seat; every kind at least once. */
export function keepEvidence(set: VoteSet, found: Evidence): void {
  const seat = convictOf(found);
  const same = set.evidence.filter((known) => convictOf(known) === seat);
  const isNews = same.every((known) => known.kind !== found.kind);
  if (isNews || same.length < evidencePerSeatMax) set.evidence.push(found);
}

function digestOf(set: VoteSet, vote: Vote): Bytes32 {
  const content = `${vote.kind}/${vote.round}/${vote.polRound}/${keyOf(vote.block)}`;
  let digest = set.digests.get(content);
  if (digest === undefined) {
    if (set.digests.size >= digestsMax) set.digests.clear();
    digest = voteDigest(set.network, vote);
    set.digests.set(content, digest);
  }
  return digest;
}

function isSame(a: Vote, b: Vote): boolean {
  return a.seat === b.seat && a.polRound === b.polRound && equal(a.block, b.block);
}

function countDouble(set: VoteSet, tally: Tally, vote: Vote, power: bigint): void {
  // Votes for one block that differ in the proof of lock alone count once.
  if (votesFor(tally, vote.block).some((counted) => counted.seat === vote.seat)) return;
  tally.doubles.push(vote);
  countBlock(set, tally, vote, power);
}

/** Counts a vote of our own or of our own journal, whose signature needs no check. */
export function addOwnVote(set: VoteSet, vote: Vote): void {
  const tally = tallyOf(set, vote.round, vote.kind);
  // Of a twin with our key, or of ourselves before we forgot it: it counts once.
  if (tally.waiting.has(vote.seat)) settle(set, tally);
  if (tally.votes[vote.seat] !== undefined) return;
  const member = must(set.voters.members[vote.seat], "own seat");
  if ((set.newest[vote.seat] ?? -1) < vote.round) set.newest[vote.seat] = vote.round;
  count(set, tally, vote, member.power);
  settleQuorum(set, tally);
}

function count(set: VoteSet, tally: Tally, vote: Vote, power: bigint): void {
  tally.votes[vote.seat] = vote;
  tally.power += power;
  countBlock(set, tally, vote, power);
}

function countBlock(set: VoteSet, tally: Tally, vote: Vote, power: bigint): void {
  const key = keyOf(vote.block);
  const entry = tally.blocks.get(key) ?? { block: vote.block, power: 0n };
  entry.power += power;
  tally.blocks.set(key, entry);
  if (tally.majority === undefined && entry.power >= set.voters.quorum)
    tally.majority = entry.block;
}

function shapeOf(set: VoteSet, vote: Vote): BadVote | undefined {
  if (vote.height !== set.height)
    return rejected("wrong-height", `a vote of height ${vote.height} at height ${set.height}`);
  if (vote.seat >= set.voters.size)
    return rejected("bad-seat", `seat ${vote.seat} of ${set.voters.size}`);
  if (vote.kind !== voteKinds.prevote && vote.kind !== voteKinds.precommit)
    return rejected("bad-kind", `vote kind ${vote.kind}`);
  // A precommit rests on its own round's prevotes, and nil on none; a proof of lock lies in the past.
  const polMax = vote.kind === voteKinds.precommit || isZero(vote.block) ? 0 : vote.round;
  if (vote.polRound > polMax)
    return rejected("bad-pol-round", `proof of lock ${vote.polRound} in round ${vote.round}`);
  return undefined;
}

function isConvicted(set: VoteSet, vote: Vote): boolean {
  return set.convicted.has(slotOf(vote));
}

function slotOf({ seat, round, kind }: Vote): string {
  return `${seat}/${round}/${kind}`;
}

/** The votes of a tally for one block, one per seat. */
export function votesFor(tally: Tally, block: Uint8Array): Vote[] {
  return allVotes(tally).filter((vote) => equal(vote.block, block));
}

/** First votes in seat order, then the doubles. */
export function allVotes(tally: Tally): Vote[] {
  return [...tally.votes.filter((vote) => vote !== undefined), ...tally.doubles];
}

/** Tendermint line 55: the highest round that seats of more than a third of the power have reached. */
export function reachedRound(set: VoteSet): number {
  const rounds = set.newest
    .map((round, seat) => ({ round, power: set.voters.members[seat]?.power ?? 0n }))
    .sort((a, b) => b.round - a.round);
  let power = 0n;
  for (const entry of rounds) {
    power += entry.power;
    if (power >= set.voters.honestMin) return entry.round;
  }
  return -1;
}
