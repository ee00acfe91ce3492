// Finality certificates: one BLS aggregate over the precommits for a block, and the bitmap of who signed.
import type { Bls, NetworkId, Rejected } from "@causeway/primitives";
import { isRejected, isZero, must, rejected } from "@causeway/primitives";
import { bitmapOf, seatsOf } from "../codec/bitmap.ts";
import type { Certificate, Vote } from "../codec/block.ts";
import { voteDigest, voteKinds } from "../codec/block.ts";
import type { Voters } from "./voters.ts";

/**
 * `bad-bitmap`: wrong length or a stray bit; `no-quorum`: too little power; `nil-block`: certifies nil;
 * `bad-signature`: the aggregate does not verify.
 */
export type BadCertificate = Rejected<"bad-bitmap" | "no-quorum" | "nil-block" | "bad-signature">;

/** Undefined when seats of a quorum of `voters` precommitted the certificate's block at its height. */
export function verifyCertificate(
  network: NetworkId,
  bls: Bls,
  voters: Voters,
  certificate: Certificate,
): BadCertificate | undefined {
  const { height, round, block, bitmap, signature } = certificate;
  if (isZero(block)) return rejected("nil-block", `a certificate at height ${height} for no block`);
  const seats = seatsOf(bitmap, voters.size);
  if (isRejected(seats)) return seats;
  const members = seats.map((seat) => must(voters.members[seat], "seat in range"));
  // CON-3: barred seats do not count; the aggregate must verify with whoever is in it.
  const power = seats.reduce(
    (sum, seat) => (voters.barred.has(seat) ? sum : sum + (voters.members[seat]?.power ?? 0n)),
    0n,
  );
  if (power < voters.quorum)
    return rejected("no-quorum", `power ${power} of ${voters.total}, needs ${voters.quorum}`);
  const digest = voteDigest(network, {
    kind: voteKinds.precommit,
    height,
    round,
    block,
    polRound: 0,
  });
  const keys = members.map((member) => member.consensusKey);
  if (!bls.verifyAggregate(keys, digest, signature))
    return rejected("bad-signature", `the aggregate at height ${height} does not verify`);
  return undefined;
}

/** The certificate of `votes`: valid precommits of distinct seats, all for one block in one round. */
export function certificateOf(bls: Bls, size: number, votes: readonly Vote[]): Certificate {
  const ordered = [...votes].sort((a, b) => a.seat - b.seat);
  const first = must(ordered[0], "a vote");
  return {
    height: first.height,
    round: first.round,
    block: first.block,
    bitmap: bitmapOf(
      ordered.map((vote) => vote.seat),
      size,
    ),
    signature: bls.aggregate(ordered.map((vote) => vote.signature)),
  };
}
