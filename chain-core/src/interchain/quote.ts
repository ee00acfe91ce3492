// What a transfer costs and whether it is accepted, asked before paying (ACC-2): the ledger's own functions
// (policy.ts), so that a quote and the ledger never differ.
import type { Rejected } from "@causeway/primitives";
import { equal, isRejected, rejected, satsMax } from "@causeway/primitives";
import type { Destination } from "../codec/action.ts";
import type { Genesis, Params, RegistryAsset } from "../ledger/genesis.ts";
import { reclaimDelay } from "./bitcoin/scripts.ts";
import type { AmountCode, Route, RouteCode } from "./policy.ts";
import { checkAmount, isMint, routeFee, routeLimits, routeOf, sweepFee } from "./policy.ts";
import type { Accounting } from "./records.ts";

/**
 * What a quote rests on. `account` is the asset's; `ringScripts` the vaults of the ring's keys (`vaultsOf`); `room` what
 * the ring's bonds allow (`roomOf`), sats.
 */
export type QuoteBasis = {
  readonly genesis: Genesis;
  readonly params: Params;
  readonly asset: RegistryAsset;
  readonly account: Pick<Accounting, "halted" | "deficit" | "unswept">;
  readonly ringScripts: readonly Uint8Array[];
  readonly room: { readonly custody: bigint; readonly limit: bigint; readonly loan: bigint };
  /** What may still be minted of the asset on the chains where bonds bound that (`mintable`), in its unit. */
  readonly mints: readonly { readonly chain: Uint8Array; readonly free: bigint }[];
};

export type QuoteCode =
  | RouteCode
  | AmountCode
  /** The asset stands still: nothing is credited or paid until it goes on. */
  | "halted";

/** Amounts in sats. `fee` is all of the transfer's cost: its sweep, and what leaving again costs. */
export type DepositQuote = {
  readonly fee: bigint;
  readonly minimum: bigint;
  readonly cap: bigint;
  /** Credited at `creditDepth` confirmations up to this value, above it when its sweep is final (BTC-2). */
  readonly creditNow: bigint;
  readonly creditDepth: number;
  readonly finalDepth: number;
  /** Blocks after which the owner can take the deposit back. */
  readonly reclaimAfterBlocks: number;
};

/** Why a deposit to this destination is not possible, or what it costs. `maxFee` is of the address. */
export function quoteDeposit(
  basis: QuoteBasis,
  { destination, maxFee }: { readonly destination: Destination; readonly maxFee: bigint },
): DepositQuote | Rejected<QuoteCode> {
  const { genesis, params, asset, account, ringScripts, room } = basis;
  const route = routeOf(genesis, asset, destination, ringScripts);
  if (isRejected(route)) return route;
  if (route.kind === "bitcoin")
    return rejected("bad-destination", "a bitcoin deposit cannot go to Bitcoin");
  const sweep = sweepFee(params);
  const fee = sweep + routeFee(params, route, destination);
  if (fee > maxFee)
    return rejected("fee-above-maximum", `the fee of ${fee} exceeds the maximum of ${maxFee}`);
  if (isStanding(account)) return rejected("halted", `${asset.symbol} is halted`);
  const minimum = depositMinimum(params, route, destination);
  const onward = mostOf(basis, route, destination.chain);
  const byBonds = least(room.limit - room.custody, onward === undefined ? satsMax : onward + fee);
  const cap = least(params.depositCap, byBonds);
  if (cap < minimum)
    return rejected("above-maximum", "the ring holds as much as its bonds answer for; try later");
  const onLoan = least(params.loanLimit, room.loan) - account.unswept;
  return {
    fee,
    minimum,
    cap,
    creditNow: onLoan > 0n ? onLoan : 0n,
    creditDepth: params.creditDepth,
    finalDepth: params.finalDepth,
    reclaimAfterBlocks: reclaimDelay,
  };
}

/** What may arrive by this route at most; undefined: any amount. */
function mostOf({ mints }: QuoteBasis, route: Route, chain: Uint8Array): bigint | undefined {
  return isMint(route) ? mints.find((one) => equal(one.chain, chain))?.free : undefined;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** Least deposit that reaches its destination. */
function depositMinimum(params: Params, route: Route, destination: Destination): bigint {
  const sweep = sweepFee(params);
  const onward = route.kind === "ledger" ? 1n : routeLimits(params, route, destination).min;
  const sum = sweep + onward;
  return sum > params.depositMin ? sum : params.depositMin;
}

function isStanding({ halted, deficit }: QuoteBasis["account"]): boolean {
  return halted || deficit > 0n;
}

/** In the asset's unit. The recipient gets `amount` less the fee. */
export type WithdrawalQuote = { readonly fee: bigint; readonly min: bigint; readonly max: bigint };

/** What leaving to `destination` costs and its limits; rejected where it is not possible at all. */
export function quoteWithdrawal(
  basis: QuoteBasis,
  destination: Destination,
): WithdrawalQuote | Rejected<QuoteCode> {
  const { genesis, params, asset, account, ringScripts } = basis;
  if (equal(destination.chain, genesis.networkId))
    return rejected("bad-destination", "the destination is this ledger");
  const route = routeOf(genesis, asset, destination, ringScripts);
  if (isRejected(route)) return route;
  if (isStanding(account)) return rejected("halted", `${asset.symbol} is halted`);
  const fee = routeFee(params, route, destination);
  const limits = routeLimits(params, route, destination);
  const most = mostOf(basis, route, destination.chain);
  const max = most === undefined ? limits.max : least(limits.max, most + fee);
  return max < limits.min
    ? rejected("above-maximum", "the contract there holds as much as bonds answer for; try later")
    : { fee, min: limits.min, max };
}

/** Why this very withdrawal would be refused, or undefined: what the burn rule checks. */
export function checkWithdrawal(
  basis: QuoteBasis,
  of: { readonly amount: bigint; readonly maxFee: bigint; readonly destination: Destination },
): Rejected<QuoteCode> | undefined {
  const quote = quoteWithdrawal(basis, of.destination);
  if (isRejected(quote)) return quote;
  const route = routeOf(basis.genesis, basis.asset, of.destination, basis.ringScripts);
  if (isRejected(route)) return route;
  return of.amount > quote.max
    ? rejected("above-maximum", `${of.amount} is above ${quote.max}`)
    : checkAmount(basis.params, route, of);
}
