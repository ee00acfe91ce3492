// What validators bring to the beacon as bytes on the ledger, and how each is judged (BCN-2, BCN-3).
import type { Bls, Bytes32, Codec, Rejected } from "@causeway/primitives";
import {
  b66,
  b96,
  bigEndian,
  ContainerType,
  codec,
  concat,
  H,
  rejected,
  u16,
  u32,
  u64,
} from "@causeway/primitives";
import { beaconField, decodeElement, encodeElement } from "./field.ts";
import type { Round } from "./output.ts";
import { delaySegment } from "./output.ts";
import type { SolutionCode } from "./seqpow.ts";
import { shareDigest, startOf, verifySolution } from "./seqpow.ts";
import { verifySegment } from "./sloth.ts";

/** A seat's solution of its puzzle. */
export type Contribution = {
  epoch: number;
  /** In the epoch's committee. */
  seat: number;
  /** s_v: the seat's signature of `shareDigest` by its consensus key, 96 bytes. */
  share: Uint8Array;
  /** Where the walk ends, an element of the field in 66 bytes, and after how many steps. */
  solution: Uint8Array;
  steps: number;
};

/** Piece `index` (from 0) of the epoch's delay; it begins where the one before ends. */
export type PostedSegment = {
  epoch: number;
  index: number;
  /** An element of the field, 66 bytes. */
  end: Uint8Array;
};

/** Action body of 176 bytes. */
export const contributionCodec: Codec<Contribution> = codec(
  "Contribution",
  new ContainerType({ epoch: u64, seat: u16, share: b96, solution: b66, steps: u32 }),
  176,
);

/** Action body of 78 bytes. */
export const segmentCodec: Codec<PostedSegment> = codec(
  "Segment",
  new ContainerType({ epoch: u64, index: u32, end: b66 }),
  78,
);

export type ContributionCode =
  /** Of another epoch than the running one. */
  | "wrong-epoch"
  /** The share is not this key's signature over this epoch and seed. */
  | "bad-share"
  /** The solution is not the one encoding of an element. */
  | "bad-element"
  | SolutionCode;

/** `consensusKey` is the contributor's, fixed with the epoch's committee (CON-3), two epochs before. */
export type Terms = { readonly consensusKey: Uint8Array; readonly difficulty: number };

/** BCN-2: a contribution against the round and its seat's consensus key. The signature first: it is the cheaper check. */
export function verifyContribution(
  bls: Bls,
  round: Round,
  terms: Terms,
  contribution: Contribution,
): true | Rejected<ContributionCode> {
  const { network, epoch, seed } = round;
  const { share, steps } = contribution;
  if (contribution.epoch !== epoch)
    return rejected("wrong-epoch", `a contribution to epoch ${contribution.epoch} in ${epoch}`);
  const solution = decodeElement(beaconField, contribution.solution);
  if (solution === undefined)
    return rejected("bad-element", "the solution is no element of the field");
  if (!bls.verify(terms.consensusKey, shareDigest(network, epoch, seed), share))
    return rejected("bad-share", `the share is not seat ${contribution.seat}'s signature`);
  const start = startOf(network, seed, share);
  const { difficulty } = terms;
  return verifySolution({ field: beaconField, network, start, difficulty }, steps, solution);
}

export type SegmentCode =
  | "wrong-epoch"
  /** Not the next piece of the delay. */
  | "wrong-segment"
  | "bad-element"
  /** The steps do not lead from the last known value to this end. */
  | "wrong-walk";

/** What the ledger knows of the running delay: `end` of the pieces before `next`, each of `steps` steps. */
export type Delay = { readonly steps: number; readonly next: number; readonly end: bigint };

/** BCN-3: a posted segment against the delay that it continues. */
export function verifyPosted(
  { epoch }: Round,
  { steps, next, end: start }: Delay,
  posted: PostedSegment,
): true | Rejected<SegmentCode> {
  if (posted.epoch !== epoch)
    return rejected("wrong-epoch", `a segment of epoch ${posted.epoch} in ${epoch}`);
  if (posted.index !== next)
    return rejected("wrong-segment", `segment ${posted.index} where ${next} is next`);
  const end = decodeElement(beaconField, posted.end);
  if (end === undefined) return rejected("bad-element", "the end is no element of the field");
  return verifySegment(beaconField, delaySegment(steps, next, start, end))
    ? true
    : rejected("wrong-walk", `${steps} steps do not lead to the end of segment ${next}`);
}

/** What is judged, with all that the verdict depends on. */
export type Claim =
  | {
      readonly kind: "contribution";
      readonly round: Round;
      readonly terms: Terms;
      readonly contribution: Contribution;
    }
  | {
      readonly kind: "segment";
      readonly round: Round;
      readonly delay: Delay;
      readonly posted: PostedSegment;
    };

export type Verdict = true | Rejected<ContributionCode | SegmentCode>;

/**
 * The verdict is a function of the claim alone. It may take a second of CPU, so a node judges in its worker when a
 * message arrives and keeps the verdict by {@link claimId}: applying the block then finds it.
 */
export function judge(bls: Bls, claim: Claim): Verdict {
  return claim.kind === "contribution"
    ? verifyContribution(bls, claim.round, claim.terms, claim.contribution)
    : verifyPosted(claim.round, claim.delay, claim.posted);
}

/** Equal iff the claims are. */
export function claimId({ round, ...claim }: Claim): Bytes32 {
  const { network, epoch, seed } = round;
  const head = concat(bigEndian(epoch, 8), seed);
  if (claim.kind === "contribution") {
    const { consensusKey, difficulty } = claim.terms;
    const body = contributionCodec.encode(claim.contribution);
    const terms = concat(consensusKey, bigEndian(difficulty, 4));
    return H("beacon-contribution", network, concat(head, terms, body));
  }
  const { steps, next, end } = claim.delay;
  const delay = concat(bigEndian(steps, 4), bigEndian(next, 4), encodeElement(beaconField, end));
  return H("beacon-segment", network, concat(head, delay, segmentCodec.encode(claim.posted)));
}

/**
 * BCN-3: how many time-outs pass after a segment, or the window's end, before `seat` may post the next one, number
 * `segment`. Seats take turns in the beacon's `order`, beginning one further with each segment; with every time-out
 * one more may post and none loses its turn, so that machines slower than the time-out finish too. Infinite for who
 * is not in the order.
 */
export function turnOf(order: readonly number[], segment: number, seat: number): number {
  const place = order.indexOf(seat);
  if (place < 0) return Number.POSITIVE_INFINITY;
  const size = order.length;
  return (place - (segment % size) + size) % size;
}
