// A validator's pool: the stake behind it as shares, and the rewards of the running epoch, which accrue in ledger time
// to whoever holds shares then (the F1 scheme: Ojha, Goes, "F1 Fee Distribution", Tokenomics 2019).
//
//   tokens / shares   falls when the validator is slashed, for all alike
//   index             reward units per share since the beginning, scaled by 2^64
//   rate              reward units per ms of this epoch, scaled by 2^32; 0 for who is paid nothing
//
// Everything is rounded towards the pool: what nobody can claim stays in the pot.
import { ContainerType, codec, u64, u128 } from "@causeway/primitives";
import { validators } from "../epoch/validators.ts";
import type { State, StateReader, Table } from "../state.ts";
import { byBytes, modules, single, table } from "../state.ts";

/** Amounts in BTM units; `rewards` are accrued to delegators and `commission` to the owner, both not yet claimed. */
export type Pool = {
  tokens: bigint;
  shares: bigint;
  /** Below 2^128: all that can be issued in 1,000 years, below 2^62 units, scaled, to one share. */
  index: bigint;
  rewards: bigint;
  commission: bigint;
  rate: bigint;
  /** Ledger time (ms) up to which rewards have accrued. */
  settledAt: number;
};
export const emptyPool: Pool = {
  tokens: 0n,
  shares: 0n,
  index: 0n,
  rewards: 0n,
  commission: 0n,
  rate: 0n,
  settledAt: 0,
};

/** By the validator's owner. */
export const pools: Table<Uint8Array, Pool> = table(
  modules.staking,
  9,
  byBytes,
  codec(
    "pool",
    new ContainerType({
      tokens: u128,
      shares: u128,
      index: u128,
      rewards: u128,
      commission: u128,
      rate: u128,
      settledAt: u64,
    }),
    128,
  ),
);

/**
 * The rewards of the epoch: `pot` is issued and accrued to nobody yet, `until` (ms of ledger time) is when its rates
 * end. `rest` and `fraction` are what the division of the yearly amounts left over (issuance.ts). `late` is the part of
 * the pot for the proposers of late votes, `beacon` that for contributors to the beacon.
 */
export type Pot = {
  pot: bigint;
  until: number;
  rest: bigint;
  fraction: bigint;
  late: bigint;
  beacon: bigint;
};
export const pots: Table<"only", Pot> = table(
  modules.staking,
  10,
  single,
  codec(
    "pot",
    new ContainerType({
      pot: u128,
      until: u64,
      rest: u128,
      fraction: u128,
      late: u128,
      beacon: u128,
    }),
    128,
  ),
);
const noPot: Pot = { pot: 0n, until: 0, rest: 0n, fraction: 0n, late: 0n, beacon: 0n };

export function potOf(state: StateReader): Pot {
  return pots.get(state, "only") ?? noPot;
}

export function poolOf(state: StateReader, owner: Uint8Array): Pool {
  return pools.get(state, owner) ?? emptyPool;
}

const bps = 10_000n;
export const indexScale = 64n;
export const rateScale = 32n;

/** What the pool is at `time`, and how much of the pot has gone into it since it was settled. */
export function accrued(
  pool: Pool,
  { time, until, commission }: { time: number; until: number; commission: number },
): { readonly pool: Pool; readonly taken: bigint } {
  const end = Math.min(time, until);
  if (end <= pool.settledAt) return { pool, taken: 0n };
  const settled = { ...pool, settledAt: end };
  if (pool.rate === 0n || pool.shares === 0n) return { pool: settled, taken: 0n };
  const taken = (pool.rate * BigInt(end - pool.settledAt)) >> rateScale;
  const own = (taken * BigInt(commission)) / bps;
  const shared = taken - own;
  return {
    pool: {
      ...settled,
      index: pool.index + (shared << indexScale) / pool.shares,
      rewards: pool.rewards + shared,
      commission: pool.commission + own,
    },
    taken,
  };
}

/** Accrues up to `time` and stores it: before any change of shares, rate or commission. */
export function settlePool(state: State, owner: Uint8Array, time: number): Pool {
  const before = poolOf(state, owner);
  const pot = potOf(state);
  const commission = validators.get(state, owner)?.commission ?? 0;
  const { pool, taken } = accrued(before, { time, until: pot.until, commission });
  if (taken > 0n) pots.put(state, "only", { ...pot, pot: pot.pot - taken });
  pools.put(state, owner, pool);
  return pool;
}

/** Tokens and shares of a pool. The former are never more, and none are without the other: a slash leaves a part. */
export type Parts = { readonly tokens: bigint; readonly shares: bigint };

/** Shares for `amount` tokens more: at least as many. */
export function sharesFor({ tokens, shares }: Parts, amount: bigint): bigint {
  return shares === 0n ? amount : (amount * shares) / tokens;
}

/** What `part` of the pool's shares is worth. */
export function worth({ tokens, shares }: Parts, part: bigint): bigint {
  return shares === 0n ? 0n : (part * tokens) / shares;
}

/** The fewest shares that are worth `amount`. */
export function sharesOf({ tokens, shares }: Parts, amount: bigint): bigint {
  return tokens === 0n ? 0n : (amount * shares + tokens - 1n) / tokens;
}

/** The stake behind a validator that counts for seats. */
export function stakeOf(state: StateReader, owner: Uint8Array): bigint {
  return poolOf(state, owner).tokens;
}
