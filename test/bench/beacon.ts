// What the beacon's arithmetic takes on this machine (issue: beacon): a segment of 10 s of walking and its
// verification, and of a contribution, all in one run.
import type { NetworkId } from "@causeway/primitives";
import { bytes32, isRejected, sha256, utf8 } from "@causeway/primitives";
import { createBls } from "../../chain-core/src/adapters/bls.ts";
import type { Claim, Verdict } from "../../chain-core/src/beacon/index.ts";
import {
  advance,
  beaconField,
  encodeElement,
  firstStep,
  judge,
  proposeDifficulty,
  retreat,
  search,
  shareDigest,
  startOf,
} from "../../chain-core/src/beacon/index.ts";

const segmentMs = 10_000;
const windowMs = 120_000;
/** Steps; near what is proposed for 28,000 a second. */
const difficulty = 2 ** 18 + 2 ** 17;

export type BeaconReport = {
  /** Steps forward, each with its addition. */
  readonly rootsPerSecond: number;
  /** Steps back: one squaring and one subtraction each. */
  readonly squaringsPerSecond: number;
  /** Of a solution after `contributionSteps`, the signature included. */
  readonly contributionVerifyMs: number;
  readonly segmentSolveMs: number;
  readonly segmentVerifyMs: number;
  readonly segmentSteps: number;
  readonly contributionSteps: number;
  /** For a window of two minutes on machines like this one. */
  readonly proposedDifficulty: number;
};

export async function run(): Promise<BeaconReport> {
  // Everything is compiled by then.
  retreat(beaconField, advance(beaconField, { index: 0, value: 1n }, 5_000), 5_000);
  const [, rootsMs] = timed(() => advance(beaconField, { index: 0, value: 3n }, 50_000));
  const rootsPerSecond = Math.round(50_000 / (rootsMs / 1_000));
  const segment = segmentOf(Math.round((rootsPerSecond * segmentMs) / 1_000));
  const far = { index: 5_000_000, value: 5n };
  const [, squaringsMs] = timed(() => retreat(beaconField, far, 5_000_000));
  return {
    rootsPerSecond,
    squaringsPerSecond: Math.round(5_000_000 / (squaringsMs / 1_000)),
    ...segment,
    ...contribution(),
    proposedDifficulty: proposeDifficulty([rootsPerSecond], windowMs),
  };
}

const network = sha256(utf8("bench")) as Uint8Array as NetworkId;
const seed = bytes32(new Uint8Array(32).fill(1));
const round = { network, epoch: 1, seed };
const bls = createBls();

function segmentOf(
  steps: number,
): Pick<BeaconReport, "segmentSolveMs" | "segmentVerifyMs" | "segmentSteps"> {
  const delay = { steps, next: 1, end: 7n };
  const [walk, solveMs] = timed(() => advance(beaconField, { index: steps, value: 7n }, steps));
  const end = encodeElement(beaconField, walk.value);
  const claim = { kind: "segment", round, delay, posted: { epoch: 1, index: 1, end } } as const;
  return { segmentSolveMs: solveMs, segmentVerifyMs: verifyMs(claim), segmentSteps: steps };
}

/** Of this epoch the solution takes about the average number of steps. */
const epoch = 5;

function contribution(): Pick<BeaconReport, "contributionVerifyMs" | "contributionSteps"> {
  const secret = sha256(utf8("bench")).fill(0, 0, 1);
  const share = bls.sign(secret, shareDigest(network, epoch, seed));
  const start = startOf(network, seed, share);
  const puzzle = { field: beaconField, network, start, difficulty };
  const { walk } = search(puzzle, firstStep(puzzle), 100_000);
  const solution = encodeElement(beaconField, walk.value);
  const claim = {
    kind: "contribution",
    round: { ...round, epoch },
    terms: { consensusKey: bls.publicKey(secret), difficulty },
    contribution: { epoch, seat: 0, share, solution, steps: walk.index },
  } as const;
  return { contributionVerifyMs: verifyMs(claim), contributionSteps: walk.index };
}

/** Median of five. */
function verifyMs(claim: Claim): number {
  const times = Array.from({ length: 5 }, () => {
    const [verdict, ms] = timed((): Verdict => judge(bls, claim));
    if (isRejected(verdict)) throw new Error(verdict.message);
    return ms;
  });
  return times.toSorted((a, b) => a - b)[2] ?? 0;
}

function timed<T>(work: () => T): readonly [T, number] {
  const start = performance.now();
  const result = work();
  return [result, Math.round((performance.now() - start) * 100) / 100];
}
