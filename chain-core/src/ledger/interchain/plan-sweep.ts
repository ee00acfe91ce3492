// Sweeps (BTC-2, BTC-3): final deposits of one key to the current vault. They come before everything else, and
// no halt stops them: until its sweep is final a credited deposit is a loan to whoever holds its reclaim key.
import { isRejected, keyOf, must } from "@causeway/primitives";
import { depositScript, depositVersion } from "../../interchain/bitcoin/scripts.ts";
import {
  encodeTransaction,
  feeOf,
  keyPathSize,
  ownTransaction,
  transactionHash,
} from "../../interchain/bitcoin/transaction.ts";
import { p2trSize, sweepCost } from "../../interchain/policy.ts";
import type { Coin, Inbound, PlanInput } from "../../interchain/records.ts";
import {
  inboundReasons,
  inboundStatus,
  inbounds,
  outpoint,
  planKinds,
  planStatus,
} from "../../interchain/records.ts";
import { keys } from "../../ring/records.ts";
import { isCredited } from "./coins.ts";
import { isNearReclaim } from "./credit-bitcoin.ts";
import { openLineage } from "./lineage.ts";
import { arePlansFull } from "./open-plan.ts";
import type { Planning } from "./plan-state.ts";
import { isWithin, lanesFor, split } from "./plan-state.ts";
import { feeShares } from "./settle-plan.ts";

/** BTC-4. */
export const planSizeMax = 9_000;
/** Sweeps of one block; the rest comes with the next. */
const sweepsMax = 8;

type Deposit = { readonly coin: Coin; readonly inbound: Inbound };

/** Plans the sweeps that can be paid. True if more wait for the next block. */
export function planSweeps(planning: Planning): boolean {
  const groups = sweepGroups(planning);
  let planned = 0;
  for (const group of groups) {
    if (arePlansFull(planning.block.state)) return false;
    if (planned === sweepsMax) return true;
    if (planSweep(planning, group)) planned += 1;
  }
  return false;
}

/** Deposits that share a transaction: of one key, as many as fit; one near its reclaim alone (BTC-2). */
function sweepGroups({ block, deposits }: Planning): Deposit[][] {
  const { state, params } = block;
  const groups: Deposit[][] = [];
  const open = new Map<number, Deposit[]>();
  for (const coin of deposits) {
    const inbound = inbounds.get(state, coin.origin);
    if (inbound === undefined || !isSweepable(inbound)) continue;
    if (isNearReclaim(block, coin)) {
      groups.push([{ coin, inbound }]);
      continue;
    }
    const outputs = Array.from({ length: params.vaultCoins }, () => p2trSize);
    let group = open.get(coin.keyId);
    if (group === undefined || keyPathSize(group.length + 1, outputs) > planSizeMax) {
      group = [];
      open.set(coin.keyId, group);
      groups.push(group);
    }
    group.push({ coin, inbound });
  }
  return groups;
}

/** Credited, or to be credited: what is not has no coin, has left to its owner, or has no room (RNG-7). */
function isSweepable(inbound: Inbound): boolean {
  const isWaiting = inbound.status === inboundStatus.held;
  return isCredited(inbound) || (isWaiting && inbound.reason !== inboundReasons.bondLimit);
}

function planSweep(planning: Planning, group: readonly Deposit[]): boolean {
  const { block, asset, vault } = planning;
  const total = group.reduce((sum, { coin }) => sum + coin.amount, 0n);
  const cost = affordable(planning, group, total);
  if (cost === undefined) return false;
  const { fee, lanes, share } = cost;
  const outputs = split(total - fee, lanes).map((amount) => ({ amount, script: vault.script }));
  const inputs = group.map((deposit) => sweepInput(planning, deposit));
  const transaction = ownTransaction(inputs, outputs);
  const first = must(group[0], "deposit").coin;
  openLineage(block, {
    kind: planKinds.sweep,
    keyId: first.keyId,
    chain: block.genesis.bitcoin.chain,
    asset,
    subject: encodeTransaction(transaction),
    inputs,
    withdrawals: [],
    anchor: outpoint(first.txid, first.vout),
    nonce: 0,
    fee,
    txid: transactionHash(transaction),
    status: planStatus.planned,
    signatures: [],
    plannedAt: block.time,
    updatedAt: block.time,
  });
  planning.reserve -= share;
  planning.vaultCount += lanes;
  const gone = new Set(group.map(({ coin }) => keyOf(outpoint(coin.txid, coin.vout))));
  planning.deposits = planning.deposits.filter(
    ({ txid, vout }) => !gone.has(keyOf(outpoint(txid, vout))),
  );
  return true;
}

type Cost = { readonly fee: bigint; readonly lanes: number; readonly share: bigint };

/** The most outputs that the reserve, and the deposits that pay for themselves, can afford (ACC-1). */
function affordable(
  planning: Planning,
  group: readonly Deposit[],
  total: bigint,
): Cost | undefined {
  const { params } = planning.block;
  const ownMax = sweepCost(params);
  for (let lanes = lanesFor(planning, 0, total); lanes >= 1; lanes--) {
    const sizes = Array.from({ length: lanes }, () => p2trSize);
    const fee = feeOf(keyPathSize(group.length, sizes), params.feeRateInitial);
    const shares = feeShares(fee, group.length);
    let share = 0n;
    let isQuoted = true;
    for (const [i, { inbound }] of group.entries()) {
      const own = must(shares[i], "share");
      if (isCredited(inbound)) share += own;
      else if (own > ownMax) isQuoted = false;
    }
    if (!isQuoted || !isWithin(planning, { lanes, taken: 0 }, share, planning.reserve)) continue;
    return { fee, lanes, share };
  }
  return undefined;
}

function sweepInput({ block }: Planning, { coin, inbound }: Deposit): PlanInput {
  const { genesis, state } = block;
  const keyPoint = must(keys.get(state, coin.keyId), "key of a coin").groupPoint;
  const { destination, maxFee, refund } = inbound;
  const terms = { version: depositVersion, keyPoint, destination, maxFee, refund };
  const deposit = depositScript(genesis, terms);
  const { script, merkleRoot } = must(
    isRejected(deposit) ? undefined : deposit,
    "script of a coin",
  );
  return { txid: coin.txid, vout: coin.vout, amount: coin.amount, script, merkleRoot };
}
