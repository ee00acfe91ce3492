// The credit of a Bitcoin deposit: at its depth on the ledger's own header chain (WIT-4, WIT-5), as a bounded
// loan until its sweep is final, or after that (BTC-2).
import { isRejected } from "@causeway/primitives";
import { reclaimableFrom } from "../../interchain/bitcoin/reclaim.ts";
import { isExpired } from "../../interchain/key-life.ts";
import type { Route } from "../../interchain/policy.ts";
import {
  checkAmount,
  ringFee,
  routeFee,
  routeOf,
  sweepCost,
  sweepFee,
} from "../../interchain/policy.ts";
import type { Coin, Inbound } from "../../interchain/records.ts";
import {
  coinStatus,
  coins,
  inboundReasons,
  inboundStatus,
  outpoint,
} from "../../interchain/records.ts";
import { currentKeys } from "../../ring/records.ts";
import type { Params } from "../genesis.ts";
import { slowed } from "../governance/restrictions.ts";
import { accountOf, isHalted } from "./accounting.ts";
import type { Review } from "./coins.ts";
import { bestCandidate, openDepositCoin } from "./coins.ts";
import type { Pending } from "./deliver.ts";
import { amountReasons, deliver, isForwardFull, restrictedReason, setStatus } from "./deliver.ts";
import { bitcoinTip, depthOf } from "./header-chain.ts";

/** WIT-5: a coinbase output can be spent 100 blocks later than others. */
export const coinbaseDepth = 100;

export function creditDeposit(pending: Pending, review: Review): Inbound {
  const { block, inbound, id } = pending;
  const { genesis, state, params } = block;
  const coin = coins.get(state, outpoint(inbound.txid, inbound.index));
  if (coin?.status === coinStatus.spent) return creditSwept(pending);
  const at = bestCandidate(state, inbound);
  const depth = at === undefined ? 0 : depthOf(genesis, state, at.height);
  const enough = params.creditDepth + (inbound.coinbase ? coinbaseDepth : 0);
  if (at === undefined || depth < enough) return setStatus(pending, inboundStatus.waiting, 0);
  const terms = readTerms(pending);
  if (terms.kind === "reclaim") return setStatus(pending, inboundStatus.reclaim, terms.reason);
  const own = coin ?? openDepositCoin(block, id, inbound, at);
  if (!isWithinBonds(inbound, coin !== undefined, review))
    // What never gets room must not keep its key for ever (RNG-2).
    return isExpired(state, inbound.keyId, block.time)
      ? setStatus(pending, inboundStatus.reclaim, inboundReasons.keyExpired)
      : setStatus(pending, inboundStatus.held, inboundReasons.bondLimit);
  const reason = isForwardFull(pending, terms.route)
    ? inboundReasons.queueFull
    : loanReason(pending, own, review);
  return reason === 0
    ? creditLoan(pending, own, terms.route)
    : setStatus(pending, inboundStatus.held, reason);
}

/** What the terms of a deposit allow, whatever the state of loans and sweeps. */
export type Terms =
  | { readonly kind: "credit"; readonly route: Route }
  | { readonly kind: "reclaim"; readonly reason: number };

/** Limits and fees (ACC-2). A deposit that can never be credited is left to its owner's reclaim. */
export function readTerms({ block, inbound, registry, ringScripts }: Omit<Pending, "id">): Terms {
  const { genesis, params } = block;
  const { amount, destination, maxFee, keyId, statedAt } = inbound;
  const reclaim = (reason: number): Terms => ({ kind: "reclaim", reason });
  const fee = sweepFee(params);
  if (isExpired(block.state, keyId, statedAt)) return reclaim(inboundReasons.keyExpired);
  if (amount < params.depositMin || amount <= fee) return reclaim(inboundReasons.belowMinimum);
  if (amount > params.depositCap) return reclaim(inboundReasons.aboveCap);
  const route = routeOf(genesis, registry, destination, ringScripts);
  if (isRejected(route) || route.kind === "bitcoin") return reclaim(inboundReasons.badDestination);
  if (fee + routeFee(params, route, destination) > maxFee)
    return reclaim(inboundReasons.feeAboveMaximum);
  if (route.kind === "ledger") return { kind: "credit", route };
  const onward = { amount: amount - fee, maxFee: maxFee - fee, destination };
  const bad = checkAmount(params, route, onward);
  return bad === undefined ? { kind: "credit", route } : reclaim(amountReasons[bad.code]);
}

/** RNG-7: what there is no room for is not swept either, so that its owner can take it back. */
function isWithinBonds({ amount, reason }: Inbound, isOpen: boolean, { room }: Review): boolean {
  if (isOpen && reason !== inboundReasons.bondLimit) return true;
  if (room.custody + amount > room.limit) return false;
  room.custody += amount;
  return true;
}

/** Why this deposit may not be credited before its sweep is final, or 0. */
function loanReason(pending: Pending, coin: Coin, { isOverdue, room }: Review): number {
  const { block, inbound } = pending;
  const { genesis, state, params, time } = block;
  if (isHalted(state, inbound.asset)) return inboundReasons.halted;
  const restricted = restrictedReason(pending);
  if (restricted !== 0) return restricted;
  const current = currentKeys.get(state, genesis.bitcoin.chain);
  if (current?.keyId !== inbound.keyId) return inboundReasons.oldKey;
  if (isNearReclaim(block, coin)) return inboundReasons.nearReclaim;
  const { unswept } = accountOf(state, inbound.asset);
  const limit = room.loan < params.loanLimit ? room.loan : params.loanLimit;
  const isOver = isOverdue || unswept + inbound.amount > slowed(state, time, limit);
  return isOver ? inboundReasons.loanLimit : 0;
}

/** BTC-2: the owner could soon take the coin back, and hang children on that. */
export function isNearReclaim(
  { genesis, state, params }: Pending["block"],
  { height }: Pick<Coin, "height">,
): boolean {
  const left = reclaimableFrom(height) - bitcoinTip(genesis, state).height;
  return left < params.reclaimMarginBlocks;
}

/** Before the sweep: its quoted cost enters the reserve (ACC-1). */
function creditLoan(pending: Pending, coin: Coin, route: Route): Inbound {
  const { block, inbound } = pending;
  const { amount } = inbound;
  const [fee, cost] = [sweepFee(block.params), sweepCost(block.params)];
  const movement = { coins: amount, reserve: cost, rewards: fee - cost, unswept: amount };
  const after = deliver(pending, { route, net: amount - fee, fee, movement });
  if (after.status !== inboundStatus.held)
    coins.put(block.state, outpoint(coin.txid, coin.vout), { ...coin, counted: true });
  return after;
}

/** After the sweep: the coin has paid its share of the miner's fee, and the rest waits in `pending` (settle.ts). */
function creditSwept(pending: Pending): Inbound {
  const { block, inbound, registry, ringScripts } = pending;
  const { amount, fee: cost, destination } = inbound;
  if (isHalted(block.state, inbound.asset))
    return setStatus(pending, inboundStatus.held, inboundReasons.halted);
  const restricted = restrictedReason(pending);
  if (restricted !== 0) return setStatus(pending, inboundStatus.held, restricted);
  const route = routeOf(block.genesis, registry, destination, ringScripts);
  if (isRejected(route))
    return setStatus(pending, inboundStatus.held, inboundReasons.badDestination);
  if (isForwardFull(pending, route))
    return setStatus(pending, inboundStatus.held, inboundReasons.queueFull);
  const fee = cost + ringFeeWithin(block.params, inbound);
  const movement = { pending: cost - amount, rewards: fee - cost };
  return deliver(pending, { route, net: amount - fee, fee, movement });
}

/** Parameters may have changed since the deposit was taken: its maximum stays. */
function ringFeeWithin(params: Params, { fee: cost, maxFee }: Inbound): bigint {
  const fee = ringFee(params, cost);
  const room = maxFee > cost ? maxFee - cost : 0n;
  return fee < room ? fee : room;
}
