// What became of the ledger's own coin, to the unit: what was issued is in unspent outputs, in the accounts of staking,
// or burnt.
import { assert, ContainerType, codec, u128 } from "@causeway/primitives";
import type { State, StateReader, Table } from "./state.ts";
import { modules, single, table } from "./state.ts";

/**
 * BTM in units of 10^-8. `staked` is bonded to validators; `unbonding` waits for its delay; `rewards` are issued and
 * not claimed; `foundation` is issued and not vested; `unclaimed` are balances of an older chain that nobody brought yet;
 * `restitution` are forfeited bonds of the ring, for those whom a theft cost something (RNG-7).
 * Unspent outputs of BTM add up to `issued` less all the others.
 */
export type Economy = {
  issued: bigint;
  burnt: bigint;
  staked: bigint;
  unbonding: bigint;
  rewards: bigint;
  foundation: bigint;
  unclaimed: bigint;
  restitution: bigint;
};
const fields = {
  issued: u128,
  burnt: u128,
  staked: u128,
  unbonding: u128,
  rewards: u128,
  foundation: u128,
  unclaimed: u128,
  restitution: u128,
};
const nothing: Economy = {
  issued: 0n,
  burnt: 0n,
  staked: 0n,
  unbonding: 0n,
  rewards: 0n,
  foundation: 0n,
  unclaimed: 0n,
  restitution: 0n,
};

export const economy: Table<"only", Economy> = table(
  modules.system,
  1,
  single,
  codec("economy", new ContainerType(fields), 128),
);

export function economyOf(state: StateReader): Economy {
  return economy.get(state, "only") ?? nothing;
}

/** BTM that exists. */
export function supplyOf({ issued, burnt }: Economy): bigint {
  return issued - burnt;
}

/** Adds each given difference; none of the sums falls below 0. */
export function moveEconomy(state: State, difference: Partial<Economy>): void {
  const after = { ...economyOf(state) };
  for (const [name, value] of Object.entries(difference) as [keyof Economy, bigint][]) {
    after[name] += value;
    assert(after[name] >= 0n, `${name} of ${after[name]}`);
  }
  economy.put(state, "only", after);
}
