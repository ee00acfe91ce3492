// The beacon of one epoch as the ledger keeps it (BCN): contributions while the window is open, then the delay piece by
// piece, then an output or none.
//
//   window --its time is over, a third of the power--> delay --last piece--> closed with an output
//      \------ less ----------------------------------------------------------> closed without

import type { Bytes32 } from "@causeway/primitives";
import {
  b32,
  b66,
  bytes32,
  ContainerType,
  codec,
  equal,
  isZero,
  ListCompositeType,
  must,
  u8,
  u16,
  u32,
  u64,
  zero32,
} from "@causeway/primitives";
import { drawsOf, shuffled } from "../../beacon/draw.ts";
import { beaconField, decodeElement, encodeElement } from "../../beacon/field.ts";
import type { Round as Seeded } from "../../beacon/output.ts";
import {
  delayStart,
  enoughPower,
  firstSeed,
  mixOf,
  nextSeed,
  orderOf,
  outputOf,
  subSeed,
} from "../../beacon/output.ts";
import type { Committee } from "../../codec/block.ts";
import { committeeMax } from "../../codec/block.ts";
import { committeeAt } from "../epoch/epochs.ts";
import { suspendedSeats } from "../epoch/validators.ts";
import type { Genesis, Params } from "../genesis.ts";
import type { BlockContext } from "../rule.ts";
import type { State, StateReader, Table } from "../state.ts";
import { byNumber, modules, single, table } from "../state.ts";

export const stages = { window: 0, delay: 1, closed: 2 } as const;

/**
 * The running epoch's. `solved`: every contribution, in the order in which they came. Of the delay `next` is the piece
 * that is due and `end` where the one before ends; `lastAt` is the ledger time (ms) of that, or of the window's end.
 * `output` is zero while there is none.
 */
export type Round = {
  epoch: number;
  seed: Uint8Array;
  stage: number;
  windowEndsAt: number;
  difficulty: number;
  segments: number;
  segmentSteps: number;
  solved: { seat: number; solution: Uint8Array }[];
  mix: Uint8Array;
  next: number;
  end: Uint8Array;
  lastAt: number;
  output: Uint8Array;
};
const solvedType = new ContainerType({ seat: u16, solution: b66 });
export const rounds: Table<"only", Round> = table(
  modules.beacon,
  1,
  single,
  codec(
    "beacon round",
    new ContainerType({
      epoch: u64,
      seed: b32,
      stage: u8,
      windowEndsAt: u64,
      difficulty: u32,
      segments: u32,
      segmentSteps: u32,
      solved: new ListCompositeType(solvedType, committeeMax),
      mix: b32,
      next: u32,
      end: b66,
      lastAt: u64,
      output: b32,
    }),
    512 + 68 * committeeMax,
  ),
);

/** By epoch, for ever: what contracts and users draw from. Only epochs that have one. */
export const outputs: Table<number, { output: Uint8Array }> = table(
  modules.beacon,
  2,
  byNumber,
  codec("beacon output", new ContainerType({ output: b32 }), 32),
);

/** The newest output, of whatever epoch; it orders proposers until there is another (BCN-4). */
const newest: Table<"only", { epoch: number; output: Uint8Array }> = table(
  modules.beacon,
  3,
  single,
  codec("newest output", new ContainerType({ epoch: u64, output: b32 }), 40),
);

export function roundOf(state: StateReader): Round {
  return must(rounds.get(state, "only"), "beacon round");
}

export function newestOutput(
  state: StateReader,
): { readonly epoch: number; readonly output: Uint8Array } | undefined {
  return newest.get(state, "only");
}

/** What the beacon's pure functions call a round. */
export function seeded({ networkId }: Genesis, { epoch, seed }: Round): Seeded {
  return { network: networkId, epoch, seed: bytes32(seed) };
}

function open(
  state: State,
  params: Params,
  of: { readonly epoch: number; readonly seed: Bytes32; readonly time: number },
): void {
  const { epoch, seed, time } = of;
  rounds.put(state, "only", {
    epoch,
    seed,
    stage: stages.window,
    windowEndsAt: time + params.beaconWindowMs,
    difficulty: params.beaconDifficulty,
    segments: params.beaconSegments,
    segmentSteps: params.beaconSegmentSteps,
    solved: [],
    mix: zero32,
    next: 0,
    end: new Uint8Array(beaconField.size),
    lastAt: time,
    output: zero32,
  });
}

export function beaconGenesis(state: State, genesis: Genesis): void {
  const { networkId, params, time } = genesis;
  open(state, params, { epoch: 0, seed: firstSeed(networkId), time });
}

/** At the end of the epoch's last block, before the sets of the epoch after the next are fixed. */
export function beaconEpoch({ state, genesis, params, time }: BlockContext, epoch: number): void {
  const round = roundOf(state);
  const output = isZero(round.output) ? undefined : bytes32(round.output);
  open(state, params, { epoch, seed: nextSeed(seeded(genesis, round), output), time });
}

/** At the end of every block: the window closes with the first block after its end. */
export function beaconEndBlock({ state, genesis, time }: BlockContext): void {
  const round = roundOf(state);
  if (round.stage !== stages.window || time < round.windowEndsAt) return;
  const committee = must(committeeAt(state, round.epoch), "committee");
  const barred = suspendedSeats(state, committee);
  const total = committee.members.reduce((sum, { power }) => sum + power, 0n);
  const solved = round.solved.filter(({ seat }) => !barred.includes(seat));
  const power = solved.reduce((sum, { seat }) => sum + powerOf(committee, seat), 0n);
  if (!enoughPower(power, total)) {
    rounds.put(state, "only", { ...round, stage: stages.closed, lastAt: time });
    return;
  }
  const known = solved.map(({ seat, solution }) => ({
    seat,
    solution: must(decodeElement(beaconField, solution), "solution"),
  }));
  const mix = mixOf(beaconField, seeded(genesis, round), known);
  const end = encodeElement(beaconField, delayStart(beaconField, mix).value);
  rounds.put(state, "only", { ...round, stage: stages.delay, mix, end, lastAt: time });
}

function powerOf({ members }: Committee, seat: number): bigint {
  return must(members[seat], "seat").power;
}

/** The next piece of the delay is true: it leads to `end`. */
export function extendDelay({ state, genesis, time }: BlockContext, end: Uint8Array): void {
  const round = roundOf(state);
  const next = round.next + 1;
  if (next < round.segments) {
    rounds.put(state, "only", { ...round, next, end, lastAt: time });
    return;
  }
  const value = must(decodeElement(beaconField, end), "end of the delay");
  const output = outputOf(beaconField, seeded(genesis, round), bytes32(round.mix), value);
  const { epoch } = round;
  rounds.put(state, "only", { ...round, stage: stages.closed, next, end, lastAt: time, output });
  outputs.put(state, epoch, { output });
  newest.put(state, "only", { epoch, output });
}

/** BCN-3: the order of seats in which pieces of this epoch's delay are posted. */
export function delayOrder({ networkId }: Genesis, { seed }: Round, size: number): number[] {
  return shuffled(drawsOf(networkId, subSeed(networkId, bytes32(seed), "delay")), size);
}

/**
 * BCN-4: the order of proposers, as positions of a list of `size`: by the newest output, as it is given while there was
 * none. An output orders each epoch anew.
 */
export function proposerOrder(
  state: StateReader,
  { networkId }: Genesis,
  epoch: number,
  size: number,
): number[] {
  const known = newestOutput(state);
  if (known === undefined) return Array.from({ length: size }, (_, i) => i);
  return orderOf(networkId, bytes32(known.output), epoch, size);
}

/** Who contributed to the running round and is not barred since; none if it has no output. */
export function contributors(state: StateReader): readonly Uint8Array[] {
  const round = roundOf(state);
  if (equal(round.output, zero32)) return [];
  const committee = must(committeeAt(state, round.epoch), "committee");
  const barred = suspendedSeats(state, committee);
  return round.solved
    .filter(({ seat }) => !barred.includes(seat))
    .map(({ seat }) => must(committee.members[seat], "seat").validator);
}
