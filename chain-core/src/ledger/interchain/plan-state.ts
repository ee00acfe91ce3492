// What planning reads once: free coins of the ring, coins that open plans will make, and how much of the reserve
// nothing has been promised to yet (ACC-1).

import type { Vault } from "../../interchain/policy.ts";
import { vaultsOf } from "../../interchain/policy.ts";
import type { Coin, Plan } from "../../interchain/records.ts";
import {
  coinKinds,
  coinStatus,
  coins,
  inbounds,
  listNames,
  outpoint,
  planKinds,
  plans,
} from "../../interchain/records.ts";
import type { BlockContext } from "../rule.ts";
import type { StateReader } from "../state.ts";
import { accountOf, listOf } from "./accounting.ts";
import { bitcoinAsset, heldCoins, isCredited } from "./coins.ts";
import { coinbaseDepth } from "./credit-bitcoin.ts";
import { depthOf } from "./header-chain.ts";
import { transactionOf } from "./lineage.ts";
import { feeShares } from "./settle-plan.ts";

/** Planning of one block; the numbers go on changing as plans are made. */
export type Planning = {
  readonly block: BlockContext;
  readonly asset: Uint8Array;
  /** Of the current key: what sweeps and change pay to. */
  readonly vault: Vault;
  /** Free coins at final depth, oldest first (BTC-3, BTC-4). */
  deposits: Coin[];
  vaultCoins: Coin[];
  /** Value of every vault coin of the current key that exists or is being made. */
  vaultTotal: bigint;
  /** How many coins the vault will have when every open plan is final. */
  vaultCount: number;
  /** Reserve that no open plan counts on. */
  reserve: bigint;
  /** Withdrawals that open plans of Bitcoin pay. */
  bound: number;
};

/** Undefined while there is no asset or no key of Bitcoin. */
export function readPlanning(block: BlockContext): Planning | undefined {
  const { genesis, state } = block;
  const asset = bitcoinAsset(genesis)?.id;
  const [vault] = vaultsOf(genesis, state);
  if (asset === undefined || vault === undefined) return undefined;
  const planning: Planning = {
    block,
    asset,
    vault,
    deposits: [],
    vaultCoins: [],
    vaultTotal: 0n,
    vaultCount: 0,
    reserve: accountOf(state, asset).reserve,
    bound: 0,
  };
  for (const { coin } of heldCoins(state)) addCoin(planning, coin);
  for (const id of listOf(state, listNames.plans)) {
    const plan = plans.get(state, id);
    if (plan !== undefined) addPlan(planning, plan);
  }
  return planning;
}

function addCoin(planning: Planning, coin: Coin): void {
  const { block, vault } = planning;
  const isFree = coin.status === coinStatus.live && isFinal(block, coin);
  if (coin.kind === coinKinds.deposit) {
    if (isFree) planning.deposits.push(coin);
    return;
  }
  if (coin.keyId !== vault.keyId) return;
  if (coin.status === coinStatus.live) {
    planning.vaultTotal += coin.amount;
    planning.vaultCount += 1;
  }
  if (isFree) planning.vaultCoins.push(coin);
}

function isFinal({ genesis, state, params }: BlockContext, coin: Coin): boolean {
  const isCoinbase =
    coin.kind === coinKinds.deposit && inbounds.get(state, coin.origin)?.coinbase === true;
  const enough = params.finalDepth + (isCoinbase ? coinbaseDepth : 0);
  return depthOf(genesis, state, coin.height) >= enough;
}

function addPlan(planning: Planning, plan: Plan): void {
  if (plan.kind !== planKinds.sweep && plan.kind !== planKinds.withdrawal) return;
  planning.reserve -= reserveShare(planning.block.state, plan);
  planning.bound += plan.withdrawals.length;
  const outputs = transactionOf(plan)?.outputs.slice(plan.withdrawals.length) ?? [];
  planning.vaultCount += outputs.length;
  for (const { amount } of outputs) planning.vaultTotal += amount;
}

/** What the reserve will pay when the plan is final: not the shares of deposits swept before their credit. */
export function reserveShare(state: StateReader, plan: Plan): bigint {
  if (plan.kind === planKinds.withdrawal) return plan.fee;
  const shares = feeShares(plan.fee, plan.inputs.length);
  return plan.inputs.reduce((sum, { txid, vout }, i) => {
    const coin = coins.get(state, outpoint(txid, vout));
    const isLoan = coin !== undefined && isCredited(inbounds.get(state, coin.origin));
    return isLoan ? sum + (shares[i] ?? 0n) : sum;
  }, 0n);
}

/** `total` in `count` parts, equal but for the remainder, which the first has. */
export function split(total: bigint, count: number): bigint[] {
  const each = total / BigInt(count);
  const first = total - each * BigInt(count - 1);
  return Array.from({ length: count }, (_, i) => (i === 0 ? first : each));
}

/** BTC-4: how many coins a sweep or change is split into at most, each of at least `minCoin`. */
export function lanesFor({ block, vaultCount }: Planning, taken: number, total: bigint): number {
  const { vaultCoins, minCoin } = block.params;
  const missing = vaultCoins - (vaultCount - taken);
  const fitting = minCoin > 0n ? total / minCoin : BigInt(missing);
  return Math.max(1, Math.min(missing, Number(fitting < 64n ? fitting : 64n)));
}
