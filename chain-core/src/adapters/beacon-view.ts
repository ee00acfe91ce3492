// What the RPC says of the beacon on the ledger (BCN).
import { bytes32, must } from "@causeway/primitives";
import { subSeed } from "../beacon/output.ts";
import type { BeaconResult, RandomnessResult } from "../client/beacon-api.ts";
import { beaconStages, outputsMax } from "../client/beacon-api.ts";
import { newestOutput, outputs, roundOf } from "../ledger/beacon/round.ts";
import type { Genesis } from "../ledger/genesis.ts";
import type { StateReader } from "../ledger/state.ts";

export function beaconOf(state: StateReader): BeaconResult {
  const round = roundOf(state);
  const { epoch, seed, windowEndsAt, difficulty, segments, segmentSteps } = round;
  return {
    epoch,
    seed,
    stage: must(beaconStages[round.stage], "stage"),
    windowEndsAt,
    difficulty,
    contributions: round.solved.map(({ seat }) => seat),
    segments,
    segmentsDone: round.next,
    segmentSteps,
    outputs: newestOutputs(state),
  };
}

/** Of the epochs from that of the newest one down. */
function newestOutputs(state: StateReader): BeaconResult["outputs"] {
  const newest = newestOutput(state);
  if (newest === undefined) return [];
  const found: BeaconResult["outputs"][number][] = [];
  const least = Math.max(0, newest.epoch - outputsMax + 1);
  for (let epoch = newest.epoch; epoch >= least; epoch--) {
    const known = outputs.get(state, epoch);
    if (known !== undefined) found.push({ epoch, output: known.output });
  }
  return found;
}

/** Undefined where `epoch` has no output. */
export function randomnessOf(
  state: StateReader,
  { networkId }: Pick<Genesis, "networkId">,
  epoch: number,
  domain: string,
  context?: Uint8Array,
): RandomnessResult | undefined {
  const known = outputs.get(state, epoch);
  if (known === undefined) return undefined;
  const { output } = known;
  const seed = subSeed(networkId, bytes32(output), domain, context);
  return { seed, output, key: outputs.key(epoch) };
}
