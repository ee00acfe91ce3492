// The turn of an epoch for those who are paid (STK-3): what the old one owed accrues to the end, what the new one may
// pay is issued, and each pool gets its rate. Within an epoch rates are fixed: by the stake at its start.
import { bigEndian, H } from "@causeway/primitives";
import { btm } from "../assets.ts";
import { contributors } from "../beacon/round.ts";
import { economyOf, moveEconomy, supplyOf } from "../economy.ts";
import type { Epoch } from "../epoch/epochs.ts";
import { committeeAt } from "../epoch/epochs.ts";
import { validatorStatus, validators } from "../epoch/validators.ts";
import { takeIncluded } from "../epoch/votes.ts";
import type { Genesis } from "../genesis.ts";
import type { BlockContext } from "../rule.ts";
import type { State, StateReader } from "../state.ts";
import { addOutput } from "../utxo/outputs.ts";
import { standbys } from "./candidates.ts";
import { bond } from "./delegation.ts";
import { foundationLock, vest } from "./foundation.ts";
import { issuanceFor } from "./issuance.ts";
import { poolOf, pools, potOf, pots, rateScale, settlePool } from "./pool.ts";

type Paid = { readonly owner: Uint8Array; readonly tokens: bigint };
type Classes = { readonly formal: readonly Paid[]; readonly standby: readonly Paid[] };

/** Who is in the sets of `epoch` and neither jailed nor gone. */
function classesOf(state: StateReader, epoch: number): Classes {
  const paid = (owners: readonly Uint8Array[]): Paid[] =>
    owners.flatMap((owner) =>
      validators.get(state, owner)?.status === validatorStatus.active
        ? [{ owner, tokens: poolOf(state, owner).tokens }]
        : [],
    );
  return {
    formal: paid(committeeAt(state, epoch)?.members.map(({ validator }) => validator) ?? []),
    standby: paid(standbys.get(state, epoch)?.owners ?? []),
  };
}

function totalOf(paid: readonly Paid[]): bigint {
  return paid.reduce((sum, { tokens }) => sum + tokens, 0n);
}

/** What the stake of the genesis is, and the rewards of epoch 0. */
export function stakingGenesis(state: State, genesis: Genesis): void {
  const { time, params } = genesis;
  for (const { owner, stake } of genesis.validators)
    bond({ state, time }, { validator: owner, delegator: owner }, stake);
  beginRewards({ state, genesis, params }, { epoch: 0, from: time, until: time + params.epochMs });
}

/** Settles what `epoch` owed: to pools up to its end, to proposers for late votes, to contributors. */
export function endRewards({ state, height }: BlockContext, epoch: Epoch): void {
  const members = committeeAt(state, epoch.number)?.members ?? [];
  const owners = members.map(({ validator }) => validator);
  for (const owner of [...owners, ...(standbys.get(state, epoch.number)?.owners ?? [])]) {
    const pool = settlePool(state, owner, epoch.endsAt);
    if (pool.rate > 0n) pools.put(state, owner, { ...pool, rate: 0n });
  }
  const { late, beacon } = potOf(state);
  // Every vote that could have been cast late has the same price, so that nobody gains by making votes late. An epoch of
  // few blocks, as after a halt, may bring more late votes of the one before than it has itself: they share what there is.
  const included = owners.map((owner) => takeIncluded(state, owner));
  const votes = Math.max(
    (height - epoch.firstHeight + 1) * owners.length,
    included.reduce((sum, count) => sum + count, 0),
  );
  for (const [i, owner] of owners.entries())
    payOwner(state, owner, (late * BigInt(included[i] ?? 0)) / BigInt(votes));
  for (const owner of contributors(state)) payOwner(state, owner, beacon / BigInt(owners.length));
}

/** Out of the pot to a validator's owner alone. */
function payOwner(state: State, owner: Uint8Array, amount: bigint): void {
  if (amount === 0n) return;
  const pool = poolOf(state, owner);
  pools.put(state, owner, { ...pool, commission: pool.commission + amount });
  const pot = potOf(state);
  pots.put(state, "only", { ...pot, pot: pot.pot - amount });
}

/** Issues for `epoch`, which lasts from `from` to `until` (ms of ledger time). What the pot still holds is not issued again. */
export function beginRewards(
  context: Pick<BlockContext, "state" | "genesis" | "params">,
  { epoch, from, until }: { readonly epoch: number; readonly from: number; readonly until: number },
): void {
  const { state, genesis, params } = context;
  const { pot, rest, fraction } = potOf(state);
  const classes = classesOf(state, epoch);
  const before = economyOf(state);
  const issued = issuanceFor(params, {
    lengthMs: until - from,
    supply: supplyOf(before),
    staked: before.staked,
    paid: totalOf(classes.formal) + totalOf(classes.standby),
    rest,
    fraction,
  });
  const fresh = issued.stakers > pot ? issued.stakers - pot : 0n;
  moveEconomy(state, {
    issued: fresh + issued.foundation,
    rewards: fresh,
    foundation: issued.foundation,
  });
  const [late, beacon] = [params.lateVoteBps, params.beaconBps].map(
    (bps) => (issued.stakers * BigInt(bps)) / 10_000n,
  ) as [bigint, bigint];
  pots.put(state, "only", {
    pot: pot + fresh,
    until,
    rest: issued.rest,
    fraction: issued.fraction,
    late,
    beacon,
  });
  setRates(state, params, classes, { amount: issued.stakers - late - beacon, from, until });
  const vested = vest(state, genesis, epoch, issued.foundation);
  if (vested === 0n) return;
  moveEconomy(state, { foundation: -vested });
  const txid = H("foundation", genesis.networkId, bigEndian(epoch, 8));
  const lock = foundationLock(genesis);
  addOutput(state, { txid, index: 0 }, { asset: btm(genesis), amount: vested, lock });
}

/** A class that has nobody leaves its weight to the other; in a class each token earns the same. */
function setRates(
  state: State,
  { formalWeight, standbyWeight }: BlockContext["params"],
  { formal, standby }: Classes,
  of: { readonly amount: bigint; readonly from: number; readonly until: number },
): void {
  const weighed = [
    { paid: formal, weight: BigInt(formalWeight) },
    { paid: standby, weight: BigInt(standbyWeight) },
  ].filter(({ paid }) => totalOf(paid) > 0n);
  const weights = weighed.reduce((sum, { weight }) => sum + weight, 0n);
  if (weights === 0n) return;
  for (const { paid, weight } of weighed)
    for (const { owner, tokens } of paid) {
      const amount = (of.amount * weight * tokens) / (weights * totalOf(paid));
      const rate = (amount << rateScale) / BigInt(of.until - of.from);
      pools.put(state, owner, { ...poolOf(state, owner), rate, settledAt: of.from });
    }
}
