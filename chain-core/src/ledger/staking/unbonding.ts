// Stake on its way out. All that leaves one validator in one epoch is one pool, so that a later slash reaches it whole
// without a list of its owners (STK-2).
import { bigEndian, ContainerType, codec, concat, must, u64, u128 } from "@causeway/primitives";
import { moveEconomy } from "../economy.ts";
import type { State, StateReader, Table } from "../state.ts";
import { modules, table } from "../state.ts";
import { sharesFor, worth } from "./pool.ts";

export type ExitKey = { readonly validator: Uint8Array; readonly epoch: number };
export const exitKey = ({ validator, epoch }: ExitKey): Uint8Array =>
  concat(validator, bigEndian(epoch, 8));

/** `until`: the last epoch whose fixed committee may hold the validator; its end begins the delay. */
export type ExitPool = { tokens: bigint; shares: bigint; until: number };
/** By validator || epoch of the exit. */
export const exitPools: Table<ExitKey, ExitPool> = table(
  modules.staking,
  13,
  exitKey,
  codec("exit pool", new ContainerType({ tokens: u128, shares: u128, until: u64 }), 64),
);

/** Shares of the exit pool by validator || epoch || delegator. */
export const exits: Table<ExitKey & { readonly delegator: Uint8Array }, { shares: bigint }> = table(
  modules.staking,
  14,
  (key) => concat(exitKey(key), key.delegator),
  codec("exit", new ContainerType({ shares: u128 }), 16),
);

/** `tokens` begin to unbond. */
export function leave(
  state: State,
  key: ExitKey & { readonly delegator: Uint8Array },
  { tokens, until }: { readonly tokens: bigint; readonly until: number },
): void {
  const pool = exitPools.get(state, key) ?? { tokens: 0n, shares: 0n, until };
  const shares = sharesFor(pool, tokens);
  exitPools.put(state, key, {
    ...pool,
    tokens: pool.tokens + tokens,
    shares: pool.shares + shares,
  });
  exits.put(state, key, { shares: (exits.get(state, key)?.shares ?? 0n) + shares });
  moveEconomy(state, { unbonding: tokens });
}

/** What the delegator would get of that exit now. */
export function exitValue(
  state: StateReader,
  key: ExitKey & { readonly delegator: Uint8Array },
): bigint {
  const pool = exitPools.get(state, key);
  const exit = exits.get(state, key);
  return pool === undefined || exit === undefined ? 0n : worth(pool, exit.shares);
}

/** Takes the delegator's part out of the exit pool; gives its value, which may be 0 after slashes. */
export function takeExit(state: State, key: ExitKey & { readonly delegator: Uint8Array }): bigint {
  const pool = must(exitPools.get(state, key), "exit pool");
  const { shares } = must(exits.get(state, key), "exit");
  const value = worth(pool, shares);
  exits.delete(state, key);
  if (pool.shares === shares) exitPools.delete(state, key);
  else
    exitPools.put(state, key, {
      ...pool,
      tokens: pool.tokens - value,
      shares: pool.shares - shares,
    });
  moveEconomy(state, { unbonding: -value });
  return value;
}
