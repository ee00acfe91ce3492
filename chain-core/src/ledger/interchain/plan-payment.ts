// Payments of withdrawals on Bitcoin (BTC-3, BTC-4): the queue in order, from as few coins of one vault as do, the
// oldest key's first (RNG-2), change to the current vault. One transaction a block: other lanes serve the next blocks'
// withdrawals.
import { keyOf, must } from "@causeway/primitives";
import { dustLimits, scriptType } from "../../interchain/bitcoin/address.ts";
import { feeOf, keyPathSize } from "../../interchain/bitcoin/transaction.ts";
import type { Vault } from "../../interchain/policy.ts";
import { p2trSize, payoutCost, ringFee } from "../../interchain/policy.ts";
import type { Coin, Withdrawal } from "../../interchain/records.ts";
import { planKinds, withdrawals } from "../../interchain/records.ts";
import type { BlockContext } from "../rule.ts";
import { isHalted, listOf, queueName, removeAll } from "./accounting.ts";
import { arePlansFull } from "./open-plan.ts";
import type { Payer, Planning } from "./plan-state.ts";
import { isWithin, lanesFor, split } from "./plan-state.ts";
import { planSizeMax } from "./plan-sweep.ts";
import { inputsMax, openVaultPlan } from "./plan-vault.ts";
import { bindWithdrawal, isStopped, isTooMuchNow } from "./withdraw.ts";

/** A withdrawal with its share of the cost, besides what the seats get; `shareMax` is what its owner allowed. */
type Payout = {
  readonly id: Uint8Array;
  readonly withdrawal: Withdrawal;
  readonly share: bigint;
  readonly shareMax: bigint;
  readonly ringFee: bigint;
};

/** Withdrawals at the front that may turn out unpayable now before later ones get their chance. */
const skipsMax = 8;
/** Withdrawals of a payment: a plan's record holds 256 of them, and 9,000 vB would hold more. */
const payoutsMax = 250;
/** Withdrawals bound to open payments: broken lineages give them all back to a queue that may be full. */
const boundMax = 4_000;

/** Plans one payment if something can be paid. True if it did, so that the next block tries again. */
export function planPayment(planning: Planning): boolean {
  const { block, asset, payers } = planning;
  if (isHalted(block.state, asset) || isStopped(block, block.genesis.bitcoin.chain)) return false;
  if (arePlansFull(block.state)) return false;
  return (
    payers.some((payer) => payFrom(planning, sourceOf(planning, payer))) || planMerge(planning)
  );
}

/** Where a payment's inputs come from: one key's vault, since a transaction is signed by one ring. */
type Source = {
  readonly vault: Vault;
  readonly isCurrent: boolean;
  /** What it may choose from: the largest free coins. */
  readonly coins: readonly Coin[];
};

function sourceOf({ vault: current }: Planning, { vault, coins }: Payer): Source {
  const descending = coins.toSorted((a, b) =>
    a.amount === b.amount ? 0 : a.amount > b.amount ? -1 : 1,
  );
  const isCurrent = vault.keyId === current.keyId;
  return { vault, isCurrent, coins: descending.slice(0, inputsMax) };
}

function payFrom(planning: Planning, source: Source): boolean {
  if (source.coins.length === 0) return false;
  const skipped = new Set<string>();
  while (skipped.size < skipsMax) {
    const payable = payableNow(planning, source, skipped);
    const [first] = payable;
    if (first === undefined) break;
    for (let count = payable.length; count > 0; count--) {
      const payment = compose(planning, source, payable.slice(0, count));
      if (payment === undefined) continue;
      openPayment(planning, source.vault, payment);
      return true;
    }
    // What it kept waiting behind it has a chance without it.
    skipped.add(keyOf(first.id));
  }
  return false;
}

/**
 * More free coins than one payment may take: a withdrawal that needs them all would wait for ever, and others
 * behind it. The largest become one, as far as the reserve pays for that.
 */
function planMerge(planning: Planning): boolean {
  const { block, payers, vaultTotal, reserve } = planning;
  const payer = must(payers.at(-1), "current vault");
  const queue = listOf(block.state, queueName(block.genesis.bitcoin.chain));
  if (payer.coins.length <= inputsMax) return false;
  const inputs = sourceOf(planning, payer).coins;
  const free = sum(inputs.map(({ amount }) => amount));
  const isNeeded = queue.some((id) => {
    const amount = withdrawals.get(block.state, id)?.amount ?? 0n;
    return amount > free && amount <= vaultTotal;
  });
  const fee = feeOf(keyPathSize(inputs.length, [p2trSize]), block.params.feeRateInitial);
  if (!isNeeded || fee > reserve) return false;
  openPayment(planning, payer.vault, { payouts: [], inputs, change: [free - fee], fee });
  return true;
}

/**
 * From the front of the queue; one that waits for coins in flight to the current vault makes later ones wait, others
 * are skipped.
 */
function payableNow(
  { block, vaultTotal, bound }: Planning,
  { coins, isCurrent }: Source,
  skipped: ReadonlySet<string>,
): Payout[] {
  const { state, genesis } = block;
  const free = sum(coins.map(({ amount }) => amount));
  const payouts: Payout[] = [];
  const sizes: number[] = Array.from({ length: block.params.vaultCoins }, () => p2trSize);
  let total = 0n;
  const most = Math.min(payoutsMax, boundMax - bound);
  for (const id of listOf(state, queueName(genesis.bitcoin.chain))) {
    if (payouts.length >= most) break;
    if (skipped.has(keyOf(id))) continue;
    const withdrawal = withdrawals.get(state, id);
    const payout = withdrawal && payoutOf(block, id, withdrawal);
    if (payout === undefined) continue;
    const { amount, destination } = payout.withdrawal;
    if (total + amount > free) {
      if (isCurrent && amount <= vaultTotal) break;
      continue;
    }
    sizes.push(destination.payload.length);
    if (keyPathSize(coins.length, sizes) > planSizeMax) break;
    total += amount;
    payouts.push(payout);
  }
  return payouts;
}

/** Undefined for one whose maximum is below the rate, or which would leave dust: skipped, never waited for. */
function payoutOf(block: BlockContext, id: Uint8Array, withdrawal: Withdrawal): Payout | undefined {
  const { amount, maxFee, destination } = withdrawal;
  const type = scriptType(destination.payload);
  if (type === undefined || isTooMuchNow(block, withdrawal)) return undefined;
  const share = payoutCost(block.params, destination.payload.length);
  const forRing = ringFee(block.params, share);
  const room = amount - dustLimits[type];
  const shareMax = (maxFee < room ? maxFee : room) - forRing;
  return share > shareMax ? undefined : { id, withdrawal, share, shareMax, ringFee: forRing };
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}

type Payment = {
  readonly payouts: readonly Payout[];
  readonly inputs: readonly Coin[];
  readonly change: readonly bigint[];
  readonly fee: bigint;
};

/** Fee of a payment by its numbers of inputs and of change outputs. */
type FeeOf = (inputs: number, lanes: number) => bigint;

/** Coins, shares, change and fee for these withdrawals; undefined if coins or fees do not reach. */
function compose(
  planning: Planning,
  source: Source,
  payouts: readonly Payout[],
): Payment | undefined {
  const rate = planning.block.params.feeRateInitial;
  const sizes = payouts.map(({ withdrawal }) => withdrawal.destination.payload.length);
  const feeWith: FeeOf = (inputs, lanes) =>
    feeOf(keyPathSize(inputs, [...sizes, ...Array.from({ length: lanes }, () => p2trSize)]), rate);
  return (
    withChange(planning, source, payouts, feeWith) ??
    withoutChange(planning, source, payouts, feeWith)
  );
}

/** What its recipient gets. */
function netOf({ withdrawal, share, ringFee: forRing }: Payout): bigint {
  return withdrawal.amount - share - forRing;
}

/** What recipients get, and what the fee can be taken from. */
function totals(
  { reserve }: Planning,
  payouts: readonly Payout[],
): { readonly paid: bigint; readonly budget: bigint } {
  const paid = sum(payouts.map(netOf));
  const shares = sum(payouts.map(({ share }) => share));
  return { paid, budget: shares + (reserve > 0n ? reserve : 0n) };
}

function withChange(
  planning: Planning,
  source: Source,
  payouts: readonly Payout[],
  feeWith: FeeOf,
): Payment | undefined {
  const { minCoin } = planning.block.params;
  const { paid, budget } = totals(planning, payouts);
  const inputs = selectCoins(source, (count) => paid + feeWith(count, 1) + dustLimits.p2tr);
  if (inputs === undefined) return undefined;
  const count = inputs.length;
  const taken = sum(inputs.map(({ amount }) => amount));
  const leaving = source.isCurrent ? count : 0;
  for (let lanes = lanesFor(planning, leaving, taken - paid); lanes >= 1; lanes--) {
    const fee = feeWith(count, lanes);
    const rest = taken - paid - fee;
    const isSplit = lanes === 1 || rest >= minCoin * BigInt(lanes);
    if (isSplit && isWithin(planning, { lanes, taken: leaving }, fee, budget))
      return { payouts, inputs, change: split(rest, lanes), fee };
  }
  const fee = feeWith(count, 1);
  const raised = raise(payouts, fee - budget);
  if (raised === undefined) return undefined;
  return { payouts: raised, inputs, change: [taken - totals(planning, raised).paid - fee], fee };
}

/** Shares that grow by `missing` together, up to each owner's maximum (ACC-1). */
function raise(payouts: readonly Payout[], missing: bigint): Payout[] | undefined {
  let rest = missing;
  const raised = payouts.map((payout) => {
    const room = payout.shareMax - payout.share;
    const more = rest <= 0n ? 0n : rest < room ? rest : room;
    rest -= more;
    return { ...payout, share: payout.share + more };
  });
  return rest <= 0n ? raised : undefined;
}

/** BTC-4: what would be dust is fee, where the shares and the reserve pay it. */
function withoutChange(
  planning: Planning,
  source: Source,
  payouts: readonly Payout[],
  feeWith: FeeOf,
): Payment | undefined {
  const { paid, budget } = totals(planning, payouts);
  const inputs = selectCoins(source, (count) => paid + feeWith(count, 0));
  if (inputs === undefined) return withEverything(planning, source, payouts, feeWith);
  const fee = sum(inputs.map(({ amount }) => amount)) - paid;
  return fee <= budget ? { payouts, inputs, change: [], fee } : undefined;
}

/** The last coins pay what is owed, if the shares grow as far as their fee asks. */
function withEverything(
  planning: Planning,
  source: Source,
  payouts: readonly Payout[],
  feeWith: FeeOf,
): Payment | undefined {
  const inputs = source.coins;
  const taken = sum(inputs.map(({ amount }) => amount));
  const missing = totals(planning, payouts).paid + feeWith(inputs.length, 0) - taken;
  const raised = raise(payouts, missing);
  if (raised === undefined) return undefined;
  const { paid, budget } = totals(planning, raised);
  const fee = taken - paid;
  return fee <= budget ? { payouts: raised, inputs, change: [], fee } : undefined;
}

/** The smallest coin that alone is enough, else the largest until they are. `needed` is by number of coins. */
function selectCoins({ coins }: Source, needed: (count: number) => bigint): Coin[] | undefined {
  const single = coins.findLast(({ amount }) => amount >= needed(1));
  if (single !== undefined) return [single];
  const chosen: Coin[] = [];
  let total = 0n;
  for (const coin of coins) {
    chosen.push(coin);
    total += coin.amount;
    if (total >= needed(chosen.length)) return chosen;
  }
  return undefined;
}

function openPayment(
  planning: Planning,
  from: Vault,
  { payouts, inputs, change, fee }: Payment,
): void {
  const { block, vault } = planning;
  const outputs = [
    ...payouts.map((payout) => ({
      amount: netOf(payout),
      script: payout.withdrawal.destination.payload,
    })),
    ...change.map((amount) => ({ amount, script: vault.script })),
  ];
  const ids = payouts.map((payout) => payout.id);
  const id = openVaultPlan(planning, from, {
    kind: planKinds.withdrawal,
    coins: inputs,
    outputs,
    withdrawals: ids,
    fee,
  });
  for (const { id: of, withdrawal, share: cost, ringFee: forRing } of payouts)
    bindWithdrawal(block, of, withdrawal, id, { cost, ringFee: forRing });
  planning.reserve += sum(payouts.map(({ share }) => share));
  removeAll(block.state, queueName(block.genesis.bitcoin.chain), ids);
}
