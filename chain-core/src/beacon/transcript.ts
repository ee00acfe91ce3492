// An epoch's beacon once more, from what was brought to the ledger alone: whoever has the blocks and the committee's keys
// comes to the output, or to what is wrong with it, without believing anybody (BCN-2 to BCN-4).
import type { Bls, Bytes32, Rejected } from "@causeway/primitives";
import { must, rejected } from "@causeway/primitives";
import type { Contribution, ContributionCode, PostedSegment, SegmentCode } from "./contribution.ts";
import { verifyContribution, verifyPosted } from "./contribution.ts";
import { beaconField, decodeElement } from "./field.ts";
import type { Round, Solved } from "./output.ts";
import { delayStart, firstSeed, mixOf, nextSeed, outputOf } from "./output.ts";

export type Transcript = {
  readonly round: Round;
  /** By seat of the epoch's committee. */
  readonly consensusKeys: readonly Uint8Array[];
  readonly difficulty: number;
  readonly segments: number;
  readonly segmentSteps: number;
  /** Those that count: of seats that were not barred when the window closed. */
  readonly contributions: readonly Contribution[];
  /** In order. */
  readonly posted: readonly PostedSegment[];
};

export type TranscriptCode = ContributionCode | SegmentCode | "bad-seat" | "incomplete";

/** The output. About 26 ms for 10 s of the delay, and a contribution's own time. */
export function replayTranscript(
  bls: Bls,
  transcript: Transcript,
): Bytes32 | Rejected<TranscriptCode> {
  const { round, consensusKeys, difficulty, contributions, posted } = transcript;
  const solved: Solved[] = [];
  for (const contribution of contributions) {
    const { seat } = contribution;
    const consensusKey = consensusKeys[seat];
    if (consensusKey === undefined || solved.some((one) => one.seat === seat))
      return rejected("bad-seat", `seat ${seat} may not contribute, or not again`);
    const verdict = verifyContribution(bls, round, { consensusKey, difficulty }, contribution);
    if (verdict !== true) return verdict;
    const solution = must(decodeElement(beaconField, contribution.solution), "solution");
    solved.push({ seat, solution });
  }
  if (posted.length !== transcript.segments)
    return rejected("incomplete", `${posted.length} of ${transcript.segments} segments`);
  const mix = mixOf(beaconField, round, solved);
  let end = delayStart(beaconField, mix).value;
  for (const [next, segment] of posted.entries()) {
    const verdict = verifyPosted(round, { steps: transcript.segmentSteps, next, end }, segment);
    if (verdict !== true) return verdict;
    end = must(decodeElement(beaconField, segment.end), "end");
  }
  return outputOf(beaconField, round, mix, end);
}

/** BCN-4: the seed of `epoch`, from the outputs of the epochs before it (undefined: had none), oldest first. */
export function seedAfter(
  network: Round["network"],
  outputs: readonly (Bytes32 | undefined)[],
): Bytes32 {
  let seed = firstSeed(network);
  for (const [epoch, output] of outputs.entries())
    seed = nextSeed({ network, epoch, seed }, output);
  return seed;
}
