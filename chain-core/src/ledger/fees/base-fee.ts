// The base fee (ACC-2): BTM units per 1,000 of weight, burnt. It follows how full blocks are, as EIP-1559's does,
// and is a record of the state, so that everybody knows the next block's.
import { ContainerType, codec, u128 } from "@causeway/primitives";
import type { Params } from "../genesis.ts";
import type { State, StateReader, Table } from "../state.ts";
import { modules, single, table } from "../state.ts";

/** A block moves the base fee by at most an eighth: seven full blocks double it. */
const baseFeeStep = 8n;
/** What the base fee is the price of. */
const baseFeeWeight = 1_000n;

/** Of the block after this state. */
export const baseFees: Table<"only", { baseFee: bigint }> = table(
  modules.system,
  16,
  single,
  codec("base fee", new ContainerType({ baseFee: u128 }), 16),
);

type FeeParams = Pick<Params, "baseFeeInitial" | "baseFeeMin" | "weightTarget">;

export function baseFeeOf(state: StateReader, params: FeeParams): bigint {
  return baseFees.get(state, "only")?.baseFee ?? startOf(params);
}

function startOf({ baseFeeInitial, baseFeeMin }: FeeParams): bigint {
  return baseFeeInitial > baseFeeMin ? baseFeeInitial : baseFeeMin;
}

/** BTM units for `weight`, rounded up: above 0 for any transaction. */
export function feeAt(baseFee: bigint, weight: number): bigint {
  return (baseFee * BigInt(weight) + baseFeeWeight - 1n) / baseFeeWeight;
}

/** BTM units per 1,000 of weight of a rate in units by weight. */
export function feeRateOf(rate: number): bigint {
  return BigInt(Math.floor(rate * Number(baseFeeWeight)));
}

/**
 * The base fee after a block whose paid transactions weigh `weight`: unchanged at the target, up or down in
 * proportion to the distance, never below the minimum. `baseFeeMin` is at least 8, so that every step can be made.
 */
export function nextBaseFee(params: FeeParams, baseFee: bigint, weight: number): bigint {
  const target = BigInt(params.weightTarget);
  const most = baseFee / baseFeeStep;
  const distance = BigInt(weight) - target;
  const exact = (baseFee * distance) / (target * baseFeeStep);
  let step = exact > most ? most : exact;
  // A block above the target is never for nothing.
  if (distance > 0n && step === 0n && most > 0n) step = 1n;
  const next = baseFee + step;
  return next > params.baseFeeMin ? next : params.baseFeeMin;
}

/** Writes the base fee of the block after one of this weight. */
export function moveBaseFee(state: State, params: FeeParams, weight: number): void {
  const baseFee = nextBaseFee(params, baseFeeOf(state, params), weight);
  baseFees.put(state, "only", { baseFee });
}

/** What a wallet should offer, in BTM units per 1,000 of weight. */
export type FeeEstimate = {
  /** Of the next block, exact. */
  readonly baseFee: bigint;
  /** The most that it can be in four blocks, and a tip for the proposer: a payment that should not wait. */
  readonly feeRate: bigint;
  readonly tip: bigint;
};

/** How many full blocks in a row an estimate survives. */
const estimateBlocks = 4;

/** For the block after this state. */
export function feeEstimate(state: StateReader, params: FeeParams): FeeEstimate {
  const baseFee = baseFeeOf(state, params);
  let feeRate = baseFee;
  for (let i = 0; i < estimateBlocks; i++) feeRate += feeRate / baseFeeStep;
  // A tenth orders the payment before those that offer nothing, and costs a wallet little.
  const tip = baseFee / 10n;
  return { baseFee, feeRate: feeRate + tip, tip };
}
