// A proof of lock as something to show: the quorum of prevotes for one block in one round. A prevote that claims
// round r is believed by those who hold these votes themselves (Tendermint line 28); whoever cannot show them
// later is suspected. Prevotes state the proof that they rest on, so that there is one aggregate for each.
import type { Bls, NetworkId } from "@causeway/primitives";
import { isRejected, isZero, must, rejected } from "@causeway/primitives";
import { bitmapOf, seatsOf } from "../codec/bitmap.ts";
import { voteDigest, voteKinds } from "../codec/block.ts";
import type { BadCertificate } from "./certificate.ts";
import type { VoteSet } from "./vote-set.ts";
import { votesFor } from "./vote-set.ts";
import type { Voters } from "./voters.ts";

/** `parts`: by what the prevotes claim themselves, ascending, no seat in two; together a quorum. */
export type ProofOfLock = {
  readonly height: number;
  readonly round: number;
  readonly block: Uint8Array;
  readonly parts: readonly {
    /** As in a vote: 0 for none, else a round before `round` plus 1. */
    readonly polRound: number;
    readonly bitmap: Uint8Array;
    readonly signature: Uint8Array;
  }[];
};

/** What a node can show of `round`; undefined: no quorum of prevotes for a block of it is here. */
export function proofOfLock(set: VoteSet, round: number): ProofOfLock | undefined {
  const prevotes = set.rounds.get(round)?.prevotes;
  const block = prevotes?.majority;
  if (prevotes === undefined || block === undefined || isZero(block)) return undefined;
  const votes = votesFor(prevotes, block);
  const claims = [...new Set(votes.map((vote) => vote.polRound))].sort((a, b) => a - b);
  const parts = claims.map((polRound) => {
    const same = votes.filter((vote) => vote.polRound === polRound);
    same.sort((a, b) => a.seat - b.seat);
    return {
      polRound,
      bitmap: bitmapOf(
        same.map((vote) => vote.seat),
        set.voters.size,
      ),
      signature: set.bls.aggregate(same.map((vote) => vote.signature)),
    };
  });
  return { height: set.height, round, block, parts };
}

/** Undefined when a quorum of `voters` signed what the proof says. */
export function verifyProofOfLock(
  network: NetworkId,
  bls: Bls,
  voters: Voters,
  proof: ProofOfLock,
): BadCertificate | undefined {
  const { height, round, block } = proof;
  if (isZero(block))
    return rejected("nil-block", `a proof of lock at height ${height} for no block`);
  const counted = new Set<number>();
  for (const { polRound, bitmap, signature } of proof.parts) {
    const seats = seatsOf(bitmap, voters.size);
    if (isRejected(seats)) return seats;
    if (polRound > round || seats.some((seat) => counted.has(seat)))
      return rejected("bad-bitmap", `a seat twice in a proof of lock at height ${height}`);
    for (const seat of seats) counted.add(seat);
    const keys = seats.map((seat) => must(voters.members[seat], "seat in range").consensusKey);
    const digest = voteDigest(network, { kind: voteKinds.prevote, height, round, block, polRound });
    if (keys.length === 0 || !bls.verifyAggregate(keys, digest, signature))
      return rejected("bad-signature", `the aggregate of round ${round} does not verify`);
  }
  let power = 0n;
  for (const seat of counted)
    if (!voters.barred.has(seat)) power += voters.members[seat]?.power ?? 0n;
  if (power < voters.quorum)
    return rejected("no-quorum", `power ${power} of ${voters.total}, needs ${voters.quorum}`);
  return undefined;
}
