// The running round as a validator's machine wants it (beacon/machine.ts).
import { bytes32, equal, must } from "@causeway/primitives";
import { beaconField, decodeElement } from "../../beacon/field.ts";
import type { Facts } from "../../beacon/machine.ts";
import { committeeAt } from "../epoch/epochs.ts";
import { suspendedSeats } from "../epoch/validators.ts";
import type { Genesis } from "../genesis.ts";
import { readParameters } from "../parameters.ts";
import type { StateReader } from "../state.ts";
import { roundOf, stages } from "./round.ts";
import { turnTime } from "./rules.ts";

/** `now`: ledger time (ms) of the block after which the state is; `consensusKey`: the validator's own, 48 bytes. */
export function factsOf(
  state: StateReader,
  genesis: Genesis,
  now: number,
  consensusKey: Uint8Array,
): Facts {
  const round = roundOf(state);
  const { epoch, seed, stage, difficulty } = round;
  const committee = must(committeeAt(state, epoch), "committee");
  const seat = committee.members.findIndex((member) => equal(member.consensusKey, consensusKey));
  const common = { now, epoch, seed: bytes32(seed) };
  // A barred seat's contribution counts for nothing.
  if (seat < 0 || stage === stages.closed || suspendedSeats(state, committee).includes(seat))
    return { ...common, stage: { kind: "closed" } };
  if (stage === stages.window) {
    const contributed = round.solved.some((one) => one.seat === seat);
    return { ...common, seat, stage: { kind: "window", difficulty, contributed } };
  }
  const end = must(decodeElement(beaconField, round.end), "end of the delay so far");
  const delay = { steps: round.segmentSteps, next: round.next, end };
  const params = readParameters(state, genesis.params);
  const turnAt = turnTime({ state, genesis, params }, round, seat);
  return { ...common, seat, stage: { kind: "delay", delay, turnAt } };
}
