// The RPC's methods of the beacon (BCN): part of the table in api.ts.
import type { MethodShape } from "./shape.ts";
import {
  bytesOf,
  bytesUpTo,
  choice,
  listOf,
  maybe,
  method,
  record,
  whole,
  words,
} from "./shape.ts";
import type { Nothing } from "./types.ts";
import { heightMax } from "./wire.ts";

/** Characters; at most 255 bytes (`subSeed`). */
const domainMax = 63;
const contextMax = 1_024;
/** Outputs in one answer. */
export const outputsMax = 32;
export const beaconStages = ["window", "delay", "closed"] as const;

/** Ledger times in ms. */
export type BeaconResult = {
  epoch: number;
  seed: Uint8Array;
  stage: (typeof beaconStages)[number];
  windowEndsAt: number;
  difficulty: number;
  /** Seats of the epoch's committee that contributed. */
  contributions: readonly number[];
  /** Pieces of the delay, how many of them are there, and steps of each. */
  segments: number;
  segmentsDone: number;
  segmentSteps: number;
  /** The newest ones, newest first; an epoch without is left out. */
  outputs: readonly { epoch: number; output: Uint8Array }[];
};
const dutyKinds = ["contribution", "segment"] as const;
/** `body`: of an action of this kind, to be brought by the node's own validator. */
export type Duty = { what: (typeof dutyKinds)[number]; body: Uint8Array };
export type RandomnessParams = { epoch: number; domain: string; context: Uint8Array | undefined };
/** `key`: of the record with `output`, for `prove`. */
export type RandomnessResult = { seed: Uint8Array; output: Uint8Array; key: Uint8Array };

export type BeaconApi = {
  readonly beacon: MethodShape<Nothing, BeaconResult>;
  readonly duties: MethodShape<Nothing, { duties: readonly Duty[] }>;
  readonly randomness: MethodShape<RandomnessParams, RandomnessResult>;
};

const b32 = bytesOf(32);
const epoch = whole(0, heightMax);

export const beaconApi: BeaconApi = {
  beacon: method(
    "The running epoch's beacon and the newest outputs.",
    record<Nothing>({}),
    record(
      {
        epoch,
        seed: b32,
        stage: choice(beaconStages),
        windowEndsAt: whole(0),
        difficulty: whole(0),
        contributions: listOf(whole(0), 256),
        segments: whole(0),
        segmentsDone: whole(0),
        segmentSteps: whole(0),
        outputs: listOf(record({ epoch, output: b32 }, true), outputsMax),
      },
      true,
    ),
  ),
  duties: method(
    "What the node's own validator owes the beacon now, for its relay to bring.",
    record<Nothing>({}),
    record(
      {
        duties: listOf(record<Duty>({ what: choice(dutyKinds), body: bytesUpTo(1_024) }, true), 8),
      },
      true,
    ),
  ),
  randomness: method(
    "The seed of one use, named by a domain and a context, of an epoch's output.",
    record({ epoch, domain: words(domainMax), context: maybe(bytesUpTo(contextMax)) }),
    record({ seed: b32, output: b32, key: bytesUpTo(64) }, true),
  ),
};
