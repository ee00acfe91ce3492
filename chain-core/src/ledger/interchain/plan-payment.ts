// Payments of withdrawals on Bitcoin (BTC-3, BTC-4): the queue in order, from as few vault coins as do, change
// back to the vault. One transaction a block: other lanes serve the next blocks' withdrawals.
import { keyOf, must } from "@causeway/primitives";
import { dustLimits, scriptType } from "../../interchain/bitcoin/address.ts";
import {
  encodeTransaction,
  feeOf,
  keyPathSize,
  ownTransaction,
  transactionHash,
} from "../../interchain/bitcoin/transaction.ts";
import { p2trSize, payoutFee } from "../../interchain/policy.ts";
import type { Coin, Withdrawal } from "../../interchain/records.ts";
import { outpoint, planKinds, planStatus, withdrawals } from "../../interchain/records.ts";
import { isHalted, listOf, queueName, removeAll } from "./accounting.ts";
import { openLineage } from "./lineage.ts";
import { arePlansFull } from "./open-plan.ts";
import type { Planning } from "./plan-state.ts";
import { lanesFor, split } from "./plan-state.ts";
import { planSizeMax } from "./plan-sweep.ts";
import { bindWithdrawal, isStopped, isTooMuchNow } from "./withdraw.ts";

/** A withdrawal with its share of the fee; `shareMax` is what its owner allowed. */
type Payout = {
  readonly id: Uint8Array;
  readonly withdrawal: Withdrawal;
  readonly share: bigint;
  readonly shareMax: bigint;
};

/** Withdrawals at the front that may turn out unpayable now before later ones get their chance. */
const skipsMax = 8;
/** Inputs of a payment: the rest of its size is room for outputs (BTC-4). */
const inputsMax = 60;
/** Withdrawals of a payment: a plan's record holds 256 of them, and 9,000 vB would hold more. */
const payoutsMax = 250;
/** Withdrawals bound to open payments: broken lineages give them all back to a queue that may be full. */
const boundMax = 4_000;

/** Plans one payment if something can be paid. True if it did, so that the next block tries again. */
export function planPayment(planning: Planning): boolean {
  const { block, asset } = planning;
  if (isHalted(block.state, asset) || isStopped(block, block.genesis.bitcoin.chain)) return false;
  if (planning.vaultCoins.length === 0) return false;
  if (arePlansFull(block.state)) return false;
  const skipped = new Set<string>();
  while (skipped.size < skipsMax) {
    const payable = payableNow(planning, skipped);
    const [first] = payable;
    if (first === undefined) break;
    for (let count = payable.length; count > 0; count--) {
      const payment = compose(planning, payable.slice(0, count));
      if (payment === undefined) continue;
      openPayment(planning, payment);
      return true;
    }
    // What it kept waiting behind it has a chance without it.
    skipped.add(keyOf(first.id));
  }
  return planMerge(planning);
}

/**
 * More free coins than one payment may take: a withdrawal that needs them all would wait for ever, and others
 * behind it. The largest become one, as far as the reserve pays for that.
 */
function planMerge(planning: Planning): boolean {
  const { block, vaultCoins, vaultTotal, reserve } = planning;
  const queue = listOf(block.state, queueName(block.genesis.bitcoin.chain));
  if (vaultCoins.length <= inputsMax) return false;
  const inputs = choice(planning);
  const free = sum(inputs.map(({ amount }) => amount));
  const isNeeded = queue.some((id) => {
    const amount = withdrawals.get(block.state, id)?.amount ?? 0n;
    return amount > free && amount <= vaultTotal;
  });
  const fee = feeOf(keyPathSize(inputs.length, [p2trSize]), block.params.feeRateInitial);
  if (!isNeeded || fee > reserve) return false;
  openPayment(planning, { payouts: [], inputs, change: [free - fee], fee });
  return true;
}

/** The coins that a payment may choose from: the largest free ones. */
function choice({ vaultCoins }: Planning): Coin[] {
  const descending = vaultCoins.toSorted((a, b) =>
    a.amount === b.amount ? 0 : a.amount > b.amount ? -1 : 1,
  );
  return descending.slice(0, inputsMax);
}

/** From the front of the queue; one that waits for coins in flight makes later ones wait, others are skipped. */
function payableNow(planning: Planning, skipped: ReadonlySet<string>): Payout[] {
  const { block, vaultTotal, bound } = planning;
  const { state, genesis } = block;
  const coins = choice(planning);
  const free = sum(coins.map(({ amount }) => amount));
  const payouts: Payout[] = [];
  const sizes: number[] = Array.from({ length: block.params.vaultCoins }, () => p2trSize);
  let total = 0n;
  const most = Math.min(payoutsMax, boundMax - bound);
  for (const id of listOf(state, queueName(genesis.bitcoin.chain))) {
    if (payouts.length >= most) break;
    if (skipped.has(keyOf(id))) continue;
    const withdrawal = withdrawals.get(state, id);
    const payout = withdrawal && payoutOf(planning, id, withdrawal);
    if (payout === undefined) continue;
    const { amount, destination } = payout.withdrawal;
    if (total + amount > free) {
      if (amount <= vaultTotal) break;
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
function payoutOf({ block }: Planning, id: Uint8Array, withdrawal: Withdrawal): Payout | undefined {
  const { amount, maxFee, destination } = withdrawal;
  const type = scriptType(destination.payload);
  if (type === undefined || isTooMuchNow(block, withdrawal)) return undefined;
  const share = payoutFee(block.params, destination.payload.length);
  const room = amount - dustLimits[type];
  const shareMax = maxFee < room ? maxFee : room;
  return share > shareMax ? undefined : { id, withdrawal, share, shareMax };
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
function compose(planning: Planning, payouts: readonly Payout[]): Payment | undefined {
  const rate = planning.block.params.feeRateInitial;
  const sizes = payouts.map(({ withdrawal }) => withdrawal.destination.payload.length);
  const feeWith: FeeOf = (inputs, lanes) =>
    feeOf(keyPathSize(inputs, [...sizes, ...Array.from({ length: lanes }, () => p2trSize)]), rate);
  return withChange(planning, payouts, feeWith) ?? withoutChange(planning, payouts, feeWith);
}

/** What recipients get, and what the fee can be taken from. */
function totals(
  { reserve }: Planning,
  payouts: readonly Payout[],
): { readonly paid: bigint; readonly budget: bigint } {
  const paid = sum(payouts.map(({ withdrawal, share }) => withdrawal.amount - share));
  const shares = sum(payouts.map(({ share }) => share));
  return { paid, budget: shares + (reserve > 0n ? reserve : 0n) };
}

function withChange(
  planning: Planning,
  payouts: readonly Payout[],
  feeWith: FeeOf,
): Payment | undefined {
  const { minCoin } = planning.block.params;
  const { paid, budget } = totals(planning, payouts);
  const inputs = selectCoins(planning, (count) => paid + feeWith(count, 1) + dustLimits.p2tr);
  if (inputs === undefined) return undefined;
  const count = inputs.length;
  const taken = sum(inputs.map(({ amount }) => amount));
  for (let lanes = lanesFor(planning, count, taken - paid); lanes >= 1; lanes--) {
    const fee = feeWith(count, lanes);
    const rest = taken - paid - fee;
    const isSplit = lanes === 1 || rest >= minCoin * BigInt(lanes);
    if (isSplit && fee <= budget) return { payouts, inputs, change: split(rest, lanes), fee };
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
  payouts: readonly Payout[],
  feeWith: FeeOf,
): Payment | undefined {
  const { paid, budget } = totals(planning, payouts);
  const inputs = selectCoins(planning, (count) => paid + feeWith(count, 0));
  if (inputs === undefined) return withEverything(planning, payouts, feeWith);
  const fee = sum(inputs.map(({ amount }) => amount)) - paid;
  return fee <= budget ? { payouts, inputs, change: [], fee } : undefined;
}

/** The last coins pay what is owed, if the shares grow as far as their fee asks. */
function withEverything(
  planning: Planning,
  payouts: readonly Payout[],
  feeWith: FeeOf,
): Payment | undefined {
  const inputs = choice(planning);
  const taken = sum(inputs.map(({ amount }) => amount));
  const missing = totals(planning, payouts).paid + feeWith(inputs.length, 0) - taken;
  const raised = raise(payouts, missing);
  if (raised === undefined) return undefined;
  const { paid, budget } = totals(planning, raised);
  const fee = taken - paid;
  return fee <= budget ? { payouts: raised, inputs, change: [], fee } : undefined;
}

/** The smallest coin that alone is enough, else the largest until they are. `needed` is by number of coins. */
function selectCoins(planning: Planning, needed: (count: number) => bigint): Coin[] | undefined {
  const descending = choice(planning);
  const single = descending.findLast(({ amount }) => amount >= needed(1));
  if (single !== undefined) return [single];
  const chosen: Coin[] = [];
  let total = 0n;
  for (const coin of descending) {
    chosen.push(coin);
    total += coin.amount;
    if (total >= needed(chosen.length)) return chosen;
  }
  return undefined;
}

function openPayment(planning: Planning, { payouts, inputs, change, fee }: Payment): void {
  const { block, asset, vault } = planning;
  const { genesis, state, time } = block;
  const spent = inputs.map(({ txid, vout, amount }) => ({
    txid,
    vout,
    amount,
    script: vault.script,
    merkleRoot: vault.merkleRoot,
  }));
  const outputs = [
    ...payouts.map(({ withdrawal, share }) => ({
      amount: withdrawal.amount - share,
      script: withdrawal.destination.payload,
    })),
    ...change.map((amount) => ({ amount, script: vault.script })),
  ];
  const transaction = ownTransaction(spent, outputs);
  const first = must(inputs[0], "coin");
  const id = openLineage(block, {
    kind: planKinds.withdrawal,
    keyId: vault.keyId,
    chain: genesis.bitcoin.chain,
    asset,
    subject: encodeTransaction(transaction),
    inputs: spent,
    withdrawals: payouts.map((payout) => payout.id),
    anchor: outpoint(first.txid, first.vout),
    nonce: 0,
    fee,
    txid: transactionHash(transaction),
    status: planStatus.planned,
    signatures: [],
    plannedAt: time,
    updatedAt: time,
  });
  for (const payout of payouts)
    bindWithdrawal(block, payout.id, payout.withdrawal, id, payout.share);
  removeAll(
    state,
    queueName(genesis.bitcoin.chain),
    payouts.map((payout) => payout.id),
  );
}
