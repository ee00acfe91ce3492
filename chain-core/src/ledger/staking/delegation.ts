// Who stands behind a validator, with how many shares of its pool, and what of its rewards is theirs.
import { ContainerType, codec, concat, u64, u128 } from "@causeway/primitives";
import { moveEconomy } from "../economy.ts";
import type { BlockContext } from "../rule.ts";
import type { State, StateReader, Table } from "../state.ts";
import { modules, table } from "../state.ts";
import { releaseTime } from "./fixed.ts";
import type { Pool } from "./pool.ts";
import { accrued, indexScale, poolOf, pools, potOf, settlePool, sharesFor, worth } from "./pool.ts";

/**
 * `index` is the pool's when `accrued` was counted. `locked` of the shares came by redelegation and stay liable for
 * another validator until the stake that left it after epoch `lockedUntil` is released (STK-2).
 */
export type Delegation = {
  shares: bigint;
  index: bigint;
  accrued: bigint;
  locked: bigint;
  lockedUntil: number;
};
const none: Delegation = { shares: 0n, index: 0n, accrued: 0n, locked: 0n, lockedUntil: 0 };

export type DelegationKey = { readonly validator: Uint8Array; readonly delegator: Uint8Array };
/** By validator || delegator. */
export const delegations: Table<DelegationKey, Delegation> = table(
  modules.staking,
  11,
  ({ validator, delegator }) => concat(validator, delegator),
  codec(
    "delegation",
    new ContainerType({ shares: u128, index: u128, accrued: u128, locked: u128, lockedUntil: u64 }),
    96,
  ),
);

export function delegationOf(state: StateReader, key: DelegationKey): Delegation {
  return delegations.get(state, key) ?? none;
}

function withRewards(delegation: Delegation, { index }: Pool): Delegation {
  const due = (delegation.shares * (index - delegation.index)) >> indexScale;
  return { ...delegation, index, accrued: delegation.accrued + due };
}

/** Deletes what says nothing. */
export function putDelegation(state: State, key: DelegationKey, delegation: Delegation): void {
  if (delegation.shares === 0n && delegation.accrued === 0n) delegations.delete(state, key);
  else delegations.put(state, key, delegation);
}

/** Both as they are at the block's time, stored. */
export function settle(
  { state, time }: Pick<BlockContext, "state" | "time">,
  key: DelegationKey,
): { readonly pool: Pool; readonly delegation: Delegation } {
  const pool = settlePool(state, key.validator, time);
  const delegation = withRewards(delegationOf(state, key), pool);
  return { pool, delegation };
}

/** What {@link settle} would give, without a write: for validation and for queries. */
export function peek(
  state: StateReader,
  key: DelegationKey,
  at: { readonly time: number; readonly commission: number },
): { readonly pool: Pool; readonly delegation: Delegation } {
  const { pool } = accrued(poolOf(state, key.validator), { ...at, until: potOf(state).until });
  return { pool, delegation: withRewards(delegationOf(state, key), pool) };
}

/** Shares that the delegator may move at the block's time. */
export function movable(
  context: Pick<BlockContext, "params" | "time"> & { readonly state: StateReader },
  { shares, locked, lockedUntil }: Delegation,
): bigint {
  if (locked === 0n) return shares;
  const release = releaseTime(context.state, context.params, lockedUntil);
  return release !== undefined && release <= context.time ? shares : shares - locked;
}

/** BTM that stands behind the validator from now on; gives the shares. `amount` is worth one at least. */
export function bond(
  context: Pick<BlockContext, "state" | "time">,
  key: DelegationKey,
  amount: bigint,
): bigint {
  const { state } = context;
  const { pool, delegation } = settle(context, key);
  const shares = sharesFor(pool, amount);
  pools.put(state, key.validator, {
    ...pool,
    tokens: pool.tokens + amount,
    shares: pool.shares + shares,
  });
  putDelegation(state, key, { ...delegation, shares: delegation.shares + shares });
  moveEconomy(state, { staked: amount });
  return shares;
}

/** Takes `shares` out of the pool; gives what they were worth. */
export function unbond(
  context: Pick<BlockContext, "state" | "time">,
  key: DelegationKey,
  shares: bigint,
  value?: bigint,
): bigint {
  const { state } = context;
  const { pool, delegation } = settle(context, key);
  const tokens = value ?? worth(pool, shares);
  pools.put(state, key.validator, {
    ...pool,
    tokens: pool.tokens - tokens,
    shares: pool.shares - shares,
  });
  const left = delegation.shares - shares;
  const locked = delegation.locked < left ? delegation.locked : left;
  putDelegation(state, key, { ...delegation, shares: left, locked });
  moveEconomy(state, { staked: -tokens });
  return tokens;
}
