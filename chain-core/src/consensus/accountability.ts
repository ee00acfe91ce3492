// Who can be convicted, and by what. Two signed votes of one seat that no honest machine signs both, and two
// certificates that cannot both exist: pure functions, used by nodes that look for evidence and by the ledger
// that judges it. Signatures are the caller's to check.
import { equal, isRejected, isZero } from "@causeway/primitives";
import { seatsOf } from "../codec/bitmap.ts";
import type { Certificate, Vote, VoteContent } from "../codec/block.ts";
import { voteKinds } from "../codec/block.ts";

export type Contradiction = "double-vote" | "lock-violation";

/**
 * Why `a` and `b`, in any order, convict the seat that signed both; undefined: an honest seat may have.
 * "double-vote": two contents in one (height, round, kind). "lock-violation": a precommit for a block, and in a
 * later round a prevote for another one that does not rest on a proof of lock of a later round than the precommit's.
 * Nil never violates a lock. (Buchman, Kwon, Milosevic, arXiv 1807.04938, lines 22 to 43.)
 */
export function contradicts(a: Vote, b: Vote): Contradiction | undefined {
  if (a.seat !== b.seat) return undefined;
  return contradiction(a, b);
}

/** {@link contradicts} for contents that one seat signed. */
export function contradiction(a: VoteContent, b: VoteContent): Contradiction | undefined {
  if (a.height !== b.height) return undefined;
  if (a.kind === b.kind && a.round === b.round)
    return a.polRound === b.polRound && equal(a.block, b.block) ? undefined : "double-vote";
  if (violatesLock(a, b) || violatesLock(b, a)) return "lock-violation";
  return undefined;
}

function violatesLock(precommit: VoteContent, prevote: VoteContent): boolean {
  if (precommit.kind !== voteKinds.precommit || prevote.kind !== voteKinds.prevote) return false;
  if (isZero(precommit.block) || isZero(prevote.block)) return false;
  if (prevote.round <= precommit.round || equal(precommit.block, prevote.block)) return false;
  // `polRound` is the round plus 1, and 0 for none. The precommit rested on a proof of its own round for its own block:
  // whoever states that as a proof for another block states two quorums in one round, of which a node acts on one.
  return prevote.polRound <= precommit.round + 1;
}

/**
 * The seats that signed both of two certificates of one height and round for different blocks: more than a third
 * of the power when both have a quorum of a committee of `size`. None when the certificates do not conflict.
 */
export function culprits(a: Certificate, b: Certificate, size: number): number[] {
  if (a.height !== b.height || a.round !== b.round || equal(a.block, b.block)) return [];
  const [seatsA, seatsB] = [seatsOf(a.bitmap, size), seatsOf(b.bitmap, size)];
  if (isRejected(seatsA) || isRejected(seatsB)) return [];
  const second = new Set(seatsB);
  return seatsA.filter((seat) => second.has(seat));
}
