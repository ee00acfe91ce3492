// What a block may do to the beacon (BCN-3, BCN-4): an output comes from contributions of a third of the power and from
// its walk, stays for ever, and orders the epoch after the next.
import type { Put } from "@causeway/primitives";
import { bytes32, equal, keyOf, must } from "@causeway/primitives";
import { beaconField, decodeElement } from "../../../chain-core/src/beacon/field.ts";
import {
  delayStart,
  enoughPower,
  mixOf,
  orderOf,
  outputOf,
} from "../../../chain-core/src/beacon/output.ts";
import { advance } from "../../../chain-core/src/beacon/sloth.ts";
import type { Round } from "../../../chain-core/src/ledger/beacon/round.ts";
import {
  newestOutput,
  outputs,
  rounds,
  seeded,
} from "../../../chain-core/src/ledger/beacon/round.ts";
import { committeeAt, committees } from "../../../chain-core/src/ledger/epoch/epochs.ts";
import type { StateReader } from "../../../chain-core/src/ledger/state.ts";
import { violated } from "../../seeds/violation.ts";
import type { World } from "../model.ts";

const outputsPrefix = outputs.key(0).subarray(0, 2);
const committeesPrefix = committees.key(0).subarray(0, 2);
const startsWith = (prefix: Uint8Array, key: Uint8Array): boolean =>
  equal(prefix, key.subarray(0, 2));

/** `reader` is the state after the block; `undone` what its puts overwrote, by key (hex). */
export function checkBeacon(
  world: World,
  reader: StateReader,
  puts: readonly Put[],
  undone: ReadonlyMap<string, Uint8Array | undefined>,
): void {
  for (const { key, value } of puts)
    if (startsWith(outputsPrefix, key)) {
      if (value === undefined || undone.get(keyOf(key)) !== undefined)
        violated("an output is for ever", `of ${keyOf(key)}`);
      const { output } = outputs.codec.decode(must(value, "output"));
      // As it was before the block, which may end the epoch: in its delay, with all contributions.
      const round = rounds.codec.decode(must(undone.get(keyOf(rounds.key("only"))), "round"));
      checkOutput(world, reader, round, output);
      world.checks.outputs += 1;
    } else if (startsWith(committeesPrefix, key) && value !== undefined)
      checkOrder(world, reader, committees.codec.decode(value));
}

function checkOutput(world: World, reader: StateReader, round: Round, output: Uint8Array): void {
  const { members } = must(committeeAt(reader, round.epoch), "committee");
  const powerOf = (seats: readonly number[]): bigint =>
    seats.reduce((sum, seat) => sum + must(members[seat], "member").power, 0n);
  const seats = round.solved.map(({ seat }) => seat);
  const all = members.map((_, seat) => seat);
  if (new Set(seats).size !== seats.length || !enoughPower(powerOf(seats), powerOf(all)))
    violated("an output needs a third", `epoch ${round.epoch} has seats ${seats.join()}`);
  const of = seeded(world.genesis, round);
  const solved = round.solved.map(({ seat, solution }) => ({
    seat,
    solution: must(decodeElement(beaconField, solution), "solution"),
  }));
  const mix = mixOf(beaconField, of, solved);
  const steps = round.segments * round.segmentSteps;
  const { value } = advance(beaconField, delayStart(beaconField, mix), steps);
  if (!equal(outputOf(beaconField, of, mix, value), output))
    violated("an output is its walk's", `epoch ${round.epoch}`);
}

/** All validators have the same stake and stay: only the beacon moves them. */
function checkOrder(
  world: World,
  reader: StateReader,
  {
    epoch,
    members,
  }: { readonly epoch: number; readonly members: readonly { validator: Uint8Array }[] },
): void {
  const { networkId, validators } = world.genesis;
  const newest = newestOutput(reader);
  const output = newest && bytes32(newest.output);
  const order = output && orderOf(networkId, output, epoch, validators.length);
  for (const [seat, { validator }] of members.entries()) {
    const place = order?.[seat] ?? seat;
    if (!equal(validator, must(validators[place], "validator").owner))
      violated("proposers are in the beacon's order", `seat ${seat} of epoch ${epoch}`);
  }
}
