// What planning reads once: free coins of the ring, coins that open plans will make, and how much of the reserve
// nothing has been promised to yet (ACC-1).
import { equal } from "@causeway/primitives";
import type { Vault } from "../../interchain/policy.ts";
import { handoverFee, vaultsOf } from "../../interchain/policy.ts";
import type { Coin, Plan } from "../../interchain/records.ts";
import {
  coinKinds,
  coinStatus,
  coins,
  inbounds,
  isBitcoinPlan,
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

/** A vault of one key with its free coins at final depth, oldest first (BTC-3, BTC-4). */
export type Payer = { readonly vault: Vault; coins: Coin[] };

/** Planning of one block; the numbers go on changing as plans are made. */
export type Planning = {
  readonly block: BlockContext;
  readonly asset: Uint8Array;
  /** Of the current key: what sweeps, change and hand-overs pay to. */
  readonly vault: Vault;
  /** Free deposits at final depth, oldest first. */
  deposits: Coin[];
  /** Vaults by key, the oldest first and the current one last (RNG-2). */
  readonly payers: readonly Payer[];
  /** Value of every vault coin of the current key that exists or is being made. */
  vaultTotal: bigint;
  /** How many coins the current vault will have when every open plan is final. */
  vaultCount: number;
  /** Value of the vaults' coins of all keys, bound ones too. */
  held: bigint;
  /** Open hand-overs, and the value of what they spend (RNG-2). */
  readonly handover: { count: number; value: bigint };
  /** Reserve that no open plan counts on. */
  reserve: bigint;
  /** Withdrawals that open plans of Bitcoin pay. */
  bound: number;
};

/** Undefined while there is no asset or no key of Bitcoin. */
export function readPlanning(block: BlockContext): Planning | undefined {
  const { genesis, state } = block;
  const asset = bitcoinAsset(genesis)?.id;
  const vaults = vaultsOf(genesis, state);
  const [vault] = vaults;
  if (asset === undefined || vault === undefined) return undefined;
  const planning: Planning = {
    block,
    asset,
    vault,
    deposits: [],
    payers: vaults.toReversed().map((one) => ({ vault: one, coins: [] })),
    vaultTotal: 0n,
    vaultCount: 0,
    held: 0n,
    handover: { count: 0, value: 0n },
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
  if (coin.status !== coinStatus.missing) planning.held += coin.amount;
  if (coin.status === coinStatus.live && coin.keyId === vault.keyId) {
    planning.vaultTotal += coin.amount;
    planning.vaultCount += 1;
  }
  if (isFree) planning.payers.find((one) => one.vault.keyId === coin.keyId)?.coins.push(coin);
}

function isFinal({ genesis, state, params }: BlockContext, coin: Coin): boolean {
  const isCoinbase =
    coin.kind === coinKinds.deposit && inbounds.get(state, coin.origin)?.coinbase === true;
  const enough = params.finalDepth + (isCoinbase ? coinbaseDepth : 0);
  return depthOf(genesis, state, coin.height) >= enough;
}

function addPlan(planning: Planning, plan: Plan): void {
  if (!isBitcoinPlan(plan)) return;
  planning.reserve -= reserveShare(planning.block.state, plan);
  planning.bound += plan.withdrawals.length;
  if (plan.kind === planKinds.handover) {
    planning.handover.count += 1;
    for (const { amount } of plan.inputs) planning.handover.value += amount;
  }
  for (const { amount, script } of transactionOf(plan)?.outputs.slice(plan.withdrawals.length) ??
    []) {
    // One that was planned before the key moved pays to the vault of then.
    if (!equal(script, planning.vault.script)) continue;
    planning.vaultCount += 1;
    planning.vaultTotal += amount;
  }
}

/** What the reserve will pay when the plan is final: not the shares of deposits swept before their credit. */
function reserveShare(state: StateReader, plan: Plan): bigint {
  if (plan.kind !== planKinds.sweep) return plan.fee;
  const shares = feeShares(plan.fee, plan.inputs.length);
  return plan.inputs.reduce((sum, { txid, vout }, i) => {
    const coin = coins.get(state, outpoint(txid, vout));
    const isLoan = coin !== undefined && isCredited(inbounds.get(state, coin.origin));
    return isLoan ? sum + (shares[i] ?? 0n) : sum;
  }, 0n);
}

/**
 * True if `budget` pays `cost`. More than one lane is a comfort, and leaves what it will take to hand the vault over once
 * (RNG-2). `taken` of the vault's coins leave.
 */
export function isWithin(
  { block, vaultCount }: Planning,
  { lanes, taken }: { readonly lanes: number; readonly taken: number },
  cost: bigint,
  budget: bigint,
): boolean {
  if (lanes === 1) return cost <= budget;
  return cost + handoverFee(block.params, vaultCount - taken + lanes) <= budget;
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
