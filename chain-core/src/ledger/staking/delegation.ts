// Who stands behind a validator, with how many shares of its pool, and what of its rewards is theirs.
import type { Codec } from "@causeway/primitives";
import {
  b32,
  ContainerType,
  codec,
  concat,
  equal,
  ListCompositeType,
  u64,
  u128,
} from "@causeway/primitives";
import { moveEconomy } from "../economy.ts";
import type { At } from "../ring/liability-records.ts";
import { bondedBy } from "../ring/liability-records.ts";
import type { BlockContext } from "../rule.ts";
import type { State, StateReader, Table } from "../state.ts";
import { modules, table } from "../state.ts";
import { releaseTime } from "./fixed.ts";
import type { Pool } from "./pool.ts";
import { accrued, indexScale, poolOf, pools, potOf, settlePool, sharesFor, worth } from "./pool.ts";

/** A validator that stake left by redelegation in `epoch`; `until`: the last epoch whose fixed sets may hold it. */
export type Source = { validator: Uint8Array; epoch: number; until: number };
/** Former validators that one delegation may be liable for at once. */
export const sourcesMax = 8;

/**
 * `index` is the pool's when `accrued` was counted. `locked` of the shares came by redelegation and stay liable for
 * the `sources` until stake that left those then is released (STK-2, RNG-7).
 */
export type Delegation = {
  shares: bigint;
  index: bigint;
  accrued: bigint;
  locked: bigint;
  sources: Source[];
};
const none: Delegation = { shares: 0n, index: 0n, accrued: 0n, locked: 0n, sources: [] };
const delegationCodec: Codec<Delegation> = codec(
  "delegation",
  new ContainerType({
    shares: u128,
    index: u128,
    accrued: u128,
    locked: u128,
    sources: new ListCompositeType(
      new ContainerType({ validator: b32, epoch: u64, until: u64 }),
      sourcesMax,
    ),
  }),
  128 + 48 * sourcesMax,
);

export type DelegationKey = { readonly validator: Uint8Array; readonly delegator: Uint8Array };
/** By validator || delegator. */
export const delegations: Table<DelegationKey, Delegation> = table(
  modules.staking,
  11,
  ({ validator, delegator }) => concat(validator, delegator),
  delegationCodec,
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
export function movable(at: At, { shares, locked, sources }: Delegation): bigint {
  if (locked === 0n) return shares;
  const isFree = (source: Source): boolean => {
    const release = releaseTime(at.state, at.params, source.until);
    return release !== undefined && release <= at.time && bondedBy(at, source) === undefined;
  };
  return sources.every(isFree) ? shares : shares - locked;
}

/** What `delegation` is liable for once stake of `source` joins it, the newest of each validator. */
export function sourcesWith(at: At, delegation: Delegation, source: Source): Source[] {
  const isLocked = movable(at, delegation) < delegation.shares;
  const others = isLocked ? delegation.sources : [];
  return [...others.filter(({ validator }) => !equal(validator, source.validator)), source];
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
