// The parameter store (GOV-1): the network's constants as one record of the state, written by the genesis and
// read from there, so that a change by the committee is a change of state.
import type { Codec } from "@causeway/primitives";
import {
  assert,
  ByteListType,
  ContainerType,
  codec,
  equal,
  ListCompositeType,
  u128,
  utf8,
} from "@causeway/primitives";
import { ringSeatsMax } from "../beacon/elect.ts";
import { difficultyMax, stepsPerTry } from "../beacon/seqpow.ts";
import { committeeMax } from "../codec/block.ts";
import type { Params } from "./genesis.ts";
import type { State, StateReader, Table } from "./state.ts";
import { modules, single, table } from "./state.ts";

/** In which direction a change loosens a limit, so that it waits for `govDelayMs` (GOV-1). */
export type Loosens = "up" | "down" | "both" | "none";
/** Every parameter: the type of its value, and the least and greatest that makes sense at all. */
export type Field = {
  readonly type: "number" | "bigint";
  readonly min: bigint;
  readonly max: bigint;
  readonly loosens: Loosens;
};
const day = 86_400_000n;
/** Unless somebody has shown that a direction is harmless, both wait. */
const ms = (min: bigint, max: bigint, loosens: Loosens = "both"): Field => ({
  type: "number",
  min,
  max,
  loosens,
});
const count = ms;
const money = (loosens: Loosens): Field => ({
  type: "bigint",
  min: 0n,
  max: 2_100_000_000_000_000n,
  loosens,
});

/** All that can ever exist is below 2^62 units. */
const btmUnits = (min: bigint, loosens: Loosens): Field => ({
  type: "bigint",
  min,
  max: 10n ** 18n,
  loosens,
});

export const paramFields: { readonly [Name in keyof Params]: Field } = {
  epochMs: ms(1_000n, 30n * day),
  seats: count(1n, BigInt(committeeMax)),
  standbySeats: count(0n, BigInt(committeeMax)),
  selfStakeMin: btmUnits(1n, "down"),
  delegationMin: btmUnits(1n, "none"),
  unbondingMs: ms(1_000n, 365n * day),
  issuanceMax: btmUnits(0n, "up"),
  yieldMaxBps: count(0n, 10_000n, "up"),
  stakersLeastBps: count(0n, 10_000n),
  formalWeight: count(1n, 1_000n),
  standbyWeight: count(0n, 1_000n),
  lateVoteBps: count(0n, 1_000n, "up"),
  // A slash leaves a part, so that a pool with shares is never empty (staking/pool.ts).
  slashBps: count(0n, 9_000n),
  reporterBps: count(0n, 2_000n, "up"),
  beaconWindowMs: ms(100n, day),
  beaconDifficulty: count(BigInt(stepsPerTry), BigInt(difficultyMax)),
  beaconSegments: count(1n, 10_000n),
  // A piece is verified at 0.11 us a step: at most half a second.
  beaconSegmentSteps: count(1n, 4_000_000n),
  beaconTurnMs: ms(100n, day, "none"),
  beaconBps: count(0n, 1_000n, "up"),
  missedWindow: count(16n, 10_000_000n),
  missedMax: count(8n, 10_000_000n),
  jailMs: ms(1_000n, 30n * day, "none"),
  // More than the heaviest envelope: none is shut out for good.
  envelopeQuota: count(1_000_000n, 1_000_000_000_000n, "up"),
  blockIntervalMs: ms(50n, 60_000n, "none"),
  heartbeatMs: ms(100n, 600_000n, "none"),
  clockToleranceMs: ms(100n, 60_000n, "up"),
  proposeTimeoutMs: ms(100n, 60_000n, "none"),
  voteTimeoutMs: ms(50n, 60_000n, "none"),
  timeoutDeltaMs: ms(10n, 60_000n, "none"),
  creditDepth: count(1n, 1_000n, "down"),
  finalDepth: count(1n, 1_000n, "down"),
  loanLimit: money("up"),
  depositMin: money("down"),
  depositCap: money("up"),
  withdrawalMin: money("down"),
  feeRateInitial: count(1_000n, 1_000_000n, "up"),
  minCoin: money("none"),
  vaultCoins: count(1n, 64n, "none"),
  reclaimMarginBlocks: count(1n, 26_280n, "down"),
  loanOverdueBlocks: count(1n, 26_280n, "up"),
  stipend: count(0n, 1_000_000n, "up"),
  overhead: count(16_000n, 1_000_000n, "up"),
  evmItemFee: money("up"),
  ceremonyWindowMs: ms(100n, day, "down"),
  ringSeats: count(1n, BigInt(ringSeatsMax)),
  ringTermEpochs: count(0n, 1_000n),
  ringCooldownEpochs: count(0n, 1_000n, "down"),
  ringRetireTerms: count(0n, 48n),
  ringHeartbeatMs: ms(1_000n, day),
  ringSlashBps: count(0n, 9_000n),
  // As slashBps: a slash leaves a part.
  ringBondBps: count(0n, 9_000n, "down"),
  ringFeeBps: count(0n, 10_000n, "up"),
  ringCustodyBps: count(0n, 1_000_000_000_000n, "up"),
  finalityAgeMaxMs: ms(1_000n, day, "up"),
  baseFeeInitial: { type: "bigint", min: 8n, max: 10n ** 15n, loosens: "none" },
  // From 8 on an eighth of it is a unit: the base fee can move (fees/base-fee.ts).
  baseFeeMin: { type: "bigint", min: 8n, max: 10n ** 15n, loosens: "down" },
  // Every transaction that FMT-6 and FMT-9 allow weighs less than the least of these.
  weightMax: count(1_000_000n, 1_000_000_000n, "up"),
  weightTarget: count(100_000n, 1_000_000_000n, "up"),
  expiryMaxMs: ms(1_000n, 30n * day, "up"),
  requestTtlMs: ms(1_000n, 365n * day, "none"),
  govDelayMs: ms(1_000n, 90n * day, "down"),
  slowModeMs: ms(1_000n, 7n * day, "down"),
  slowModeRestMs: ms(1_000n, 90n * day, "up"),
  pauseMs: ms(1_000n, 30n * day),
};
export const paramNames: readonly (keyof Params)[] = Object.keys(paramFields) as (keyof Params)[];

type Entries = { entries: { name: Uint8Array; value: bigint }[] };
const entriesCodec: Codec<Entries> = codec(
  "parameters",
  new ContainerType({
    entries: new ListCompositeType(
      new ContainerType({ name: new ByteListType(64), value: u128 }),
      256,
    ),
  }),
  32 * 1024,
);

/** Name and value of every parameter in order of the names. */
export const parameters: Table<"only", Entries> = table(modules.system, 3, single, entriesCodec);

export function putParameters(state: State, params: Params): void {
  const entries = [...paramNames]
    .sort()
    .map((name) => ({ name: utf8(name), value: BigInt(params[name]) }));
  parameters.put(state, "only", { entries });
}

/** The newest record that was read and what it says: the same for every transaction of months. */
let newest: { readonly bytes: Uint8Array; readonly params: Params } | undefined;

/** The parameters in force; those of the genesis where the state has none, as a tool's may. */
export function readParameters(state: StateReader, genesis: Params): Params {
  const bytes = state.get(parameters.key("only"));
  if (bytes === undefined) return genesis;
  if (newest === undefined || (newest.bytes !== bytes && !equal(newest.bytes, bytes)))
    newest = { bytes, params: decodeParameters(bytes) };
  return newest.params;
}

function decodeParameters(bytes: Uint8Array): Params {
  const params: Record<string, number | bigint> = {};
  for (const { name, value } of entriesCodec.decode(bytes).entries) {
    const key = new TextDecoder().decode(name) as keyof Params;
    params[key] = paramFields[key]?.type === "number" ? Number(value) : value;
  }
  for (const name of paramNames) assert(name in params, `parameter ${name} is not in the state`);
  return params as Params;
}
