// Hand-overs (RNG-2): when the key of Bitcoin has moved, the coins of older keys' vaults follow it in bounded lineages,
// the oldest key's first. A part of all coins stays out of them at any time, so that withdrawals are paid meanwhile;
// payments take older keys' coins first themselves. Nothing stops them (GOV-2): the coins would stay with an old ring.
import { dustLimits } from "../../interchain/bitcoin/address.ts";
import { feeOf, keyPathSize } from "../../interchain/bitcoin/transaction.ts";
import { p2trSize } from "../../interchain/policy.ts";
import type { Coin } from "../../interchain/records.ts";
import { coinKinds, planKinds } from "../../interchain/records.ts";
import { lose } from "./accounting.ts";
import { closeCoins, heldCoins } from "./coins.ts";
import { arePlansFull } from "./open-plan.ts";
import type { Payer, Planning } from "./plan-state.ts";
import { isWithin, lanesFor, split } from "./plan-state.ts";
import { inputsMax, openVaultPlan } from "./plan-vault.ts";

/** Open hand-overs at a time. */
const handoversMax = 4;
/** Of the value of all vault coins, this part is in no hand-over. */
const freePart = 3n;

/** Plans what may be handed over now. True if it planned, so that the next block tries again. */
export function planHandovers(planning: Planning): boolean {
  const { block, payers, handover } = planning;
  const before = handover.count;
  for (const payer of payers.slice(0, -1))
    while (handover.count < handoversMax && !arePlansFull(block.state))
      if (!planHandover(planning, payer)) break;
  return handover.count > before;
}

function planHandover(planning: Planning, { vault: from, coins }: Payer): boolean {
  const group = choose(planning, coins);
  const handover = composed(planning, group);
  if (handover === undefined) {
    if (group.length === coins.length) writeOff(planning, from.keyId, group);
    return false;
  }
  const script = planning.vault.script;
  const { fee, lanes } = handover;
  const outputs = split(sum(handover.coins) - fee, lanes).map((amount) => ({ amount, script }));
  const kind = planKinds.handover;
  openVaultPlan(planning, from, { kind, coins: handover.coins, outputs, withdrawals: [], fee });
  return true;
}

/**
 * The smallest coins first, so that no remainder is left that cannot pay for its own output; as many as fit, and as
 * leave their part of all value free. Where none does, the one that is needed for an output goes all the same.
 */
function choose({ held, handover, block }: Planning, coins: readonly Coin[]): Coin[] {
  const ascending = coins.toSorted((a, b) =>
    a.amount === b.amount ? 0 : a.amount < b.amount ? -1 : 1,
  );
  const room = held - held / freePart - handover.value;
  const group: Coin[] = [];
  let total = 0n;
  for (const coin of ascending) {
    const fee = feeWith(group.length, 1, block.params.feeRateInitial);
    const isNeeded = handover.count === 0 && total < fee + dustLimits.p2tr;
    if (group.length === inputsMax || (total + coin.amount > room && !isNeeded)) break;
    group.push(coin);
    total += coin.amount;
  }
  return group;
}

type Handover = { readonly coins: readonly Coin[]; readonly fee: bigint; readonly lanes: number };

/**
 * The most outputs that the reserve can afford (ACC-1), if need be without the smallest coins; undefined where there is
 * not even one above dust.
 */
function composed(planning: Planning, ascending: readonly Coin[]): Handover | undefined {
  const { minCoin, feeRateInitial } = planning.block.params;
  const total = sum(ascending);
  const count = ascending.length;
  if (count === 0) return undefined;
  for (let lanes = lanesFor(planning, 0, total); lanes >= 1; lanes--) {
    const fee = feeWith(count, lanes, feeRateInitial);
    const least = lanes === 1 ? dustLimits.p2tr : minCoin * BigInt(lanes);
    const isPaid = isWithin(planning, { lanes, taken: 0 }, fee, planning.reserve);
    if (isPaid && total - fee >= least) return { coins: ascending, fee, lanes };
  }
  return composed(planning, ascending.slice(1));
}

function feeWith(inputs: number, lanes: number, rate: number): bigint {
  const sizes = Array.from({ length: lanes }, () => p2trSize);
  return feeOf(keyPathSize(inputs, sizes), rate);
}

/** The last coins of a key, where moving them costs more than they are: the reserve makes up for them. */
function writeOff(planning: Planning, keyId: number, coins: readonly Coin[]): void {
  const { block, asset } = planning;
  const { state, params } = block;
  const total = sum(coins);
  const fee = feeWith(coins.length, 1, params.feeRateInitial);
  if (coins.length === 0 || total >= fee + dustLimits.p2tr || total > planning.reserve) return;
  const ofKey = heldCoins(state).filter(
    ({ coin }) => coin.kind === coinKinds.vault && coin.keyId === keyId,
  );
  if (ofKey.length > coins.length) return;
  lose(state, asset, total, {});
  closeCoins(block, ofKey);
  planning.reserve -= total;
  planning.held -= total;
}

function sum(coins: readonly Coin[]): bigint {
  return coins.reduce((total, { amount }) => total + amount, 0n);
}
