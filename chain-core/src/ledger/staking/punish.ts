// What an offence costs (STK-2): a part of all stake that backed the validator when it offended, wherever that is now.
// Absence costs no stake, only the seat and its pay (CON-4).
import type { Codec } from "@causeway/primitives";
import {
  ContainerType,
  codec,
  ListCompositeType,
  must,
  u8,
  u16,
  u64,
  u128,
} from "@causeway/primitives";
import { moveEconomy } from "../economy.ts";
import { epochOf } from "../epoch/epochs.ts";
import { validatorStatus, validators } from "../epoch/validators.ts";
import type { BlockContext } from "../rule.ts";
import type { State, StateReader, Table } from "../state.ts";
import { byBytes, modules, table } from "../state.ts";
import { delegationOf, unbond } from "./delegation.ts";
import type { Parts } from "./pool.ts";
import { pools, settlePool } from "./pool.ts";
import { moves, movesOf } from "./redelegation.ts";
import { exitPools } from "./unbonding.ts";

/** Why stake was taken: burnt, or for a theft under a key of the ring forfeited (RNG-7). Numbers are final. */
export const causes = { doubleSign: 1, ring: 2, beacon: 3, theft: 4 } as const;

/** `height` and `time` of the block that did it; `epoch` of the offence; `bps` of what backed it, `amount` burnt. */
export type Slash = {
  height: number;
  time: number;
  epoch: number;
  cause: number;
  bps: number;
  amount: bigint;
};
const slashesMax = 64;
type Slashes = { list: Slash[] };
const slashesCodec: Codec<Slashes> = codec(
  "slashes",
  new ContainerType({
    list: new ListCompositeType(
      new ContainerType({ height: u64, time: u64, epoch: u64, cause: u8, bps: u16, amount: u128 }),
      slashesMax,
    ),
  }),
  64 * slashesMax + 16,
);
/** By the validator's owner: its newest slashes, which every delegator of it can read (STK-2). */
export const slashes: Table<Uint8Array, Slashes> = table(
  modules.staking,
  16,
  byBytes,
  slashesCodec,
);

export function slashesOf(state: StateReader, owner: Uint8Array): readonly Slash[] {
  return slashes.get(state, owner)?.list ?? [];
}

/** Rounded down, so that a pool of any stake keeps some (pool.ts). */
function partOf({ tokens }: Parts, bps: number): bigint {
  return (tokens * BigInt(bps)) / 10_000n;
}

/**
 * Takes `bps` of all stake that backed `owner` in `epoch` or later: bonded, unbonding, redelegated. The result is out
 * of every account and not yet burnt: the caller burns or pays it.
 */
export function slash(
  context: BlockContext,
  owner: Uint8Array,
  offence: { readonly epoch: number; readonly cause: number; readonly bps: number },
): bigint {
  const { state, time, height } = context;
  const { epoch, cause, bps } = offence;
  const pool = settlePool(state, owner, time);
  const bonded = partOf(pool, bps);
  pools.put(state, owner, { ...pool, tokens: pool.tokens - bonded });
  moveEconomy(state, { staked: -bonded });
  let amount = bonded;
  // Who left in the epoch before the offence was still counted in its committee (CON-3).
  const running = epochOf(state).number;
  for (let left = Math.max(0, epoch - 1); left <= running; left++)
    amount += slashExits(state, owner, left, bps) + slashMoves(context, owner, left, bps);
  const list = [...slashesOf(state, owner), { height, time, epoch, cause, bps, amount }];
  slashes.put(state, owner, { list: list.slice(-slashesMax) });
  return amount;
}

function slashExits(state: State, validator: Uint8Array, epoch: number, bps: number): bigint {
  const pool = exitPools.get(state, { validator, epoch });
  if (pool === undefined) return 0n;
  const burnt = partOf(pool, bps);
  exitPools.put(state, { validator, epoch }, { ...pool, tokens: pool.tokens - burnt });
  moveEconomy(state, { unbonding: -burnt });
  return burnt;
}

/** The same part of the shares that they got elsewhere, of what is still theirs. */
function slashMoves(context: BlockContext, from: Uint8Array, epoch: number, bps: number): bigint {
  const { state } = context;
  const list = movesOf(state, { validator: from, epoch });
  if (list.length === 0) return 0n;
  let burnt = 0n;
  const left = list.map((move) => {
    const key = { validator: move.to, delegator: move.delegator };
    const held = delegationOf(state, key).shares;
    const shares = move.shares < held ? move.shares : held;
    const part = (shares * BigInt(bps)) / 10_000n;
    if (part > 0n) burnt += unbond(context, key, part);
    return { ...move, shares: shares - part };
  });
  moves.put(state, { validator: from, epoch }, { list: left });
  return burnt;
}

/** CON-4: no seat in a committee that is fixed later and no reward, until the owner asks after `jailMs`. */
export function jail({ state, params, time }: BlockContext, owner: Uint8Array): void {
  const validator = must(validators.get(state, owner), "validator");
  if (validator.status !== validatorStatus.active) return;
  stopRewards(state, owner, time);
  const { number } = epochOf(state);
  const jailedUntil = time + params.jailMs;
  validators.put(state, owner, {
    ...validator,
    status: validatorStatus.jailed,
    since: number,
    jailedUntil,
  });
}

/** The validator and its delegators earn nothing from this block on. */
export function stopRewards(state: State, owner: Uint8Array, time: number): void {
  const pool = settlePool(state, owner, time);
  if (pool.rate > 0n) pools.put(state, owner, { ...pool, rate: 0n });
}
