// How much BTM comes into being (STK-3): per epoch, exact to the unit over any time, in integers only.
//
//   x = staked / supply      all of it: max a year, of which min(1, x + 1/2) to who votes and who stands by
//                            and the rest to the foundation
import type { Params } from "../genesis.ts";

/** 365 days of ledger time, ms: what "a year" is here (STK-3). */
export const yearMs: number = 365 * 86_400_000;

/** The unit of `fraction`: 2^-64 BTM units. */
const fractionBits = 64n;

export type Economics = Pick<Params, "issuanceMax" | "yieldMaxBps" | "stakersLeastBps">;

/** What the divisions of the epoch before left over: `rest` in (units x ms) of a year, `fraction` in 2^-64 units. */
export type Remainders = { readonly rest: bigint; readonly fraction: bigint };

export type Issuance = Remainders & { readonly stakers: bigint; readonly foundation: bigint };

/**
 * For `lengthMs` of ledger time. `paid` of the `staked` BTM earns, which bounds what is issued for it: the cut is
 * issued to nobody.
 */
export function issuanceFor(
  { issuanceMax, yieldMaxBps, stakersLeastBps }: Economics,
  of: {
    readonly lengthMs: number;
    readonly supply: bigint;
    readonly staked: bigint;
    readonly paid: bigint;
  } & Remainders,
): Issuance {
  const { supply, staked } = of;
  const length = BigInt(of.lengthMs);
  const year = BigInt(yearMs);
  const due = issuanceMax * length + of.rest;
  const total = due / year;
  const rest = due % year;
  const [share, whole] = shareOfStakers(staked, supply, stakersLeastBps);
  // Rounded up by less than 2^-64 units an epoch, so that a year of whole units is not one short.
  const scaled = (((total * share) << fractionBits) + whole - 1n) / whole + of.fraction;
  const earned = scaled >> fractionBits;
  const cap = (of.paid * BigInt(yieldMaxBps) * length) / (10_000n * year);
  return {
    rest,
    fraction: scaled & ((1n << fractionBits) - 1n),
    stakers: earned < cap ? earned : cap,
    // Not negative: the share is at most 1, and the fraction less than a unit.
    foundation: total - earned,
  };
}

/** min(1, x + 1/2) as a fraction, and not less than the parameter. */
function shareOfStakers(
  staked: bigint,
  supply: bigint,
  leastBps: number,
): readonly [share: bigint, whole: bigint] {
  if (2n * staked >= supply) return [1n, 1n];
  const [share, whole] = [2n * staked + supply, 2n * supply];
  const least = BigInt(leastBps);
  return share * 10_000n >= least * whole ? [share, whole] : [least, 10_000n];
}

/** What a staked BTM would earn in a year at this stake, in basis points of it, rounded down; 0 where none is staked. */
export function yieldBps(
  { issuanceMax, yieldMaxBps, stakersLeastBps }: Economics,
  { staked, supply }: { readonly staked: bigint; readonly supply: bigint },
): number {
  if (staked === 0n) return 0;
  const [share, whole] = shareOfStakers(staked, supply, stakersLeastBps);
  const bps = (issuanceMax * share * 10_000n) / (whole * staked);
  return Number(bps < BigInt(yieldMaxBps) ? bps : BigInt(yieldMaxBps));
}
