// Votes that come after the decision (CON-4): precommits of recent heights for the block that became final. The
// next proposers put them into their blocks, so that a validator that is slow or far away is not missing.
import { equal, isRejected } from "@causeway/primitives";
import { seatsOf } from "../codec/bitmap.ts";
import type { Certificate, Vote } from "../codec/block.ts";
import { lateMax, voteDigest, voteKinds } from "../codec/block.ts";
import { certificateOf } from "../consensus/certificate.ts";
import { settle, votesFor } from "../consensus/vote-set.ts";
import type { Voters } from "../consensus/voters.ts";
import type { PeerId } from "./event.ts";
import type { State, Turn } from "./state.ts";
import { blame, readerOf, scoreMax } from "./state.ts";

/** A height of the last 2N: who decided it, and the precommits for its block that are here. */
export type Recent = {
  readonly height: number;
  readonly block: Uint8Array;
  readonly voters: Voters;
  /** Whom the certificate by which this node knows the block names already. */
  readonly named: ReadonlySet<number>;
  /** By seat, one each. */
  readonly votes: (Vote | undefined)[];
};

/** The height that `certificate` decided has recent votes from now on; one of 2N heights ago has no more. */
export function keepRecent({ recent, voters, round }: State, certificate: Certificate): void {
  const { height, block, bitmap } = certificate;
  const seats = seatsOf(bitmap, voters.size);
  const votes = new Array<Vote | undefined>(voters.size).fill(undefined);
  for (const { precommits } of round.votes.rounds.values()) {
    settle(round.votes, precommits);
    for (const vote of votesFor(precommits, block))
      if (votes[vote.seat] === undefined || vote.round === certificate.round)
        votes[vote.seat] = vote;
  }
  const named = new Set(isRejected(seats) ? [] : seats);
  recent.set(height, { height, block, voters, named, votes });
  for (const old of recent.values())
    if (old.height + 2 * old.voters.size <= height) recent.delete(old.height);
}

/**
 * A vote of a height that is final. What is of no use costs nothing; a seat's vote is verified once a height, and
 * who brings a wrong one is banned: a flood costs one verification.
 */
export function receiveLate(turn: Turn, from: PeerId, vote: Vote): void {
  const { state } = turn;
  const known = state.recent.get(vote.height);
  if (known === undefined || vote.kind !== voteKinds.precommit) return;
  const { voters, votes, named, block } = known;
  const member = voters.members[vote.seat];
  if (member === undefined || voters.barred.has(vote.seat) || named.has(vote.seat)) return;
  if (votes[vote.seat] !== undefined || vote.polRound !== 0 || !equal(vote.block, block)) return;
  const { bls } = state.context;
  if (bls.verify(member.consensusKey, voteDigest(state.network, vote), vote.signature))
    votes[vote.seat] = vote;
  else blame(turn, from, scoreMax, `late vote of seat ${vote.seat} at height ${vote.height}`);
}

/** The tip's certificate with the precommits of the same round that came since. */
export function fullCertificate({ recent, tip, context }: State): Certificate | undefined {
  const { certificate } = tip;
  const known = recent.get(tip.height);
  if (certificate === undefined || known === undefined) return certificate;
  const more = known.votes.filter(
    (vote) => vote !== undefined && vote.round === certificate.round && !known.named.has(vote.seat),
  ) as Vote[];
  if (more.length === 0) return certificate;
  const added = certificateOf(context.bls, known.voters.size, more);
  return {
    ...certificate,
    bitmap: certificate.bitmap.map((byte, i) => byte | (added.bitmap[i] ?? 0)),
    signature: context.bls.aggregate([certificate.signature, added.signature]),
  };
}

/** What the next block adds: for the seats that no block has named, oldest heights first. */
export function lateVotes(state: State): Certificate[] {
  const { recent, context } = state;
  const late: Certificate[] = [];
  for (const open of context.ledger.openVotes(readerOf(state))) {
    const known = recent.get(open.height);
    if (known === undefined || !equal(known.block, open.block)) continue;
    const votes = open.seats.map((seat) => known.votes[seat]).filter((vote) => vote !== undefined);
    const rounds = [...new Set(votes.map((vote) => vote.round))].sort((a, b) => a - b);
    for (const round of rounds) {
      if (late.length === lateMax) return late;
      const same = votes.filter((vote) => vote.round === round);
      late.push(certificateOf(context.bls, known.voters.size, same));
    }
  }
  return late;
}
