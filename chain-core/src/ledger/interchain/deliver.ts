// The credit of an inbound event itself, once for each: value to its destination, and the event's new status.
import { equal } from "@causeway/primitives";
import type { AmountCode, Route } from "../../interchain/policy.ts";
import { creditId } from "../../interchain/policy.ts";
import type { Inbound } from "../../interchain/records.ts";
import { inboundReasons, inboundStatus, inbounds } from "../../interchain/records.ts";
import type { RegistryAsset } from "../genesis.ts";
import { directions, isPaused } from "../governance/restrictions.ts";
import type { BlockContext } from "../rule.ts";
import { addOutput } from "../utxo/outputs.ts";
import type { Movement } from "./accounting.ts";
import { move } from "./accounting.ts";
import { isQueueFull, isTooMuchNow, openWithdrawal } from "./withdraw.ts";

/** An open inbound event and what its credit needs. */
export type Pending = {
  readonly block: BlockContext;
  readonly id: Uint8Array;
  readonly inbound: Inbound;
  readonly registry: RegistryAsset;
  /** The ring's vaults, which nothing is paid to (BTC-4). */
  readonly ringScripts: readonly Uint8Array[];
};

/** Minted, forwarded, refunded, or left to its owner. */
export function isEnded({ status }: Inbound): boolean {
  return status !== inboundStatus.waiting && status !== inboundStatus.held;
}

/** Stores a status; nothing is written when it is the same. */
export function setStatus(
  { block, id, inbound }: Pending,
  status: number,
  reason: number,
  change: Partial<Inbound> = {},
): Inbound {
  const isSame = inbound.status === status && inbound.reason === reason;
  if (isSame && Object.keys(change).length === 0) return inbound;
  const after = { ...inbound, ...change, status, reason, updatedAt: block.time };
  inbounds.put(block.state, id, after);
  return after;
}

/** Why a pause or slow mode keeps the event from its credit now (GOV-2), or 0. */
export function restrictedReason({ block, inbound }: Pick<Pending, "block" | "inbound">): number {
  const { state, time } = block;
  const way = { chain: inbound.chain, direction: directions.in };
  if (isPaused(state, way, time)) return inboundReasons.paused;
  return isTooMuchNow(block, inbound) ? inboundReasons.slow : 0;
}

/** Value that reaches its destination: `net` of it, after `fee`; `movement` says where it is taken from. */
export type Delivery = {
  readonly route: Route;
  readonly net: bigint;
  readonly fee: bigint;
  readonly movement: Movement;
};

/** A forward waits while the queue that it would enter is full. */
export function isForwardFull({ block, inbound }: Pending, route: Route): boolean {
  return route.kind !== "ledger" && isQueueFull(block, inbound.destination.chain);
}

/** The credit itself, once for each event: an output on the ledger, or a withdrawal to another chain. */
export function deliver(pending: Pending, { route, net, fee, movement }: Delivery): Inbound {
  const { block, id, inbound } = pending;
  const { genesis, state } = block;
  const { asset, destination, maxFee, refund } = inbound;
  const account = route.kind === "ledger" ? "supply" : "pending";
  const moved = move(state, asset, { ...movement, [account]: (movement[account] ?? 0n) + net });
  if (!moved) return setStatus(pending, inboundStatus.held, inboundReasons.halted);
  if (route.kind === "ledger") {
    const txid = creditId(genesis.networkId, id);
    addOutput(state, { txid, index: 0 }, { asset, amount: net, lock: destination.payload });
    return setStatus(pending, inboundStatus.minted, 0, { credited: net, fee });
  }
  const isBitcoin = equal(inbound.chain, genesis.bitcoin.chain);
  const withdrawal = openWithdrawal(block, {
    source: id,
    position: 0,
    asset,
    amount: net,
    destination,
    maxFee: maxFee - fee,
    // A Bitcoin depositor has named no lock of the ledger.
    refund: isBitcoin ? new Uint8Array(32) : refund,
  });
  return setStatus(pending, inboundStatus.forwarded, 0, { credited: net, fee, withdrawal });
}

/** Reasons by the code of an amount that may not leave. */
export const amountReasons: Readonly<Record<AmountCode, number>> = {
  "below-minimum": inboundReasons.belowMinimum,
  "above-maximum": inboundReasons.aboveCap,
  "fee-above-maximum": inboundReasons.feeAboveMaximum,
};
