// What others offer, for who wants to know what to offer (ACC-2): by those that wait here, and by those that waited here
// and are final. An estimate, so that samples do.
import { feeRateOf } from "../ledger/fees/base-fee.ts";
import type { Pool } from "./entry.ts";

/** Of so many of the newest blocks that took payments from here, at most so many offers each. */
const blocksMax = 20;
const blockSampleMax = 256;
const waitingSampleMax = 2_048;

/**
 * Tips in BTM units per 1,000 of weight that a tenth, a half and nine tenths of `count` payments do not exceed: what they
 * offer above the base fee of the next block, 0 below it.
 */
export type Tips = {
  readonly count: number;
  readonly p10: bigint;
  readonly p50: bigint;
  readonly p90: bigint;
};

/** Remembers the rates of payments that a block took, envelopes left out. */
export function rememberOffers(state: Pool, rates: readonly number[]): void {
  if (rates.length === 0) return;
  state.offers = [sample(rates, rates.length, blockSampleMax), ...state.offers].slice(0, blocksMax);
}

/** Of final payments; `baseFee` is the next block's. */
export function recentTips({ offers }: Pool, baseFee: bigint): Tips {
  return tipsOf(offers.flat(), baseFee);
}

/** Of payments that wait. Looks at each entry once. */
export function waitingTips({ entries }: Pool, baseFee: bigint): Tips {
  return tipsOf(sample(paymentRates(entries.values()), entries.size, waitingSampleMax), baseFee);
}

function* paymentRates(entries: Iterable<{ sender?: unknown; rate: number }>): Generator<number> {
  for (const { sender, rate } of entries) if (sender === undefined) yield rate;
}

/** Evenly, at most `max` of about `size`. */
function sample(rates: Iterable<number>, size: number, max: number): number[] {
  const stride = Math.max(1, Math.ceil(size / max));
  const found: number[] = [];
  let position = 0;
  for (const rate of rates) if (position++ % stride === 0) found.push(rate);
  return found;
}

function tipsOf(rates: number[], baseFee: bigint): Tips {
  rates.sort((a, b) => a - b);
  const at = (part: number): bigint => {
    const rate = rates[Math.max(0, Math.ceil(rates.length * part) - 1)];
    const tip = rate === undefined ? 0n : feeRateOf(rate) - baseFee;
    return tip > 0n ? tip : 0n;
  };
  return { count: rates.length, p10: at(0.1), p50: at(0.5), p90: at(0.9) };
}
