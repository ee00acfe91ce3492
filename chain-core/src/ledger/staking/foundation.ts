// The foundation's part of the issuance (STK-3): each epoch's grant vests in equal parts over the next `vestingEpochs`
// epochs, this one included, to the lock that the genesis names.
import type { Bytes32 } from "@causeway/primitives";
import { assert, ContainerType, codec, isRejected, u128 } from "@causeway/primitives";
import { economyOf } from "../economy.ts";
import type { Genesis } from "../genesis.ts";
import { lockOf, lockTerms } from "../locks.ts";
import type { State, Table } from "../state.ts";
import { byNumber, modules, single, table } from "../state.ts";

/** The lock that the foundation's BTM is paid to. */
export function foundationLock({ networkId, foundation }: Genesis): Bytes32 {
  const terms = lockTerms(foundation.keys, foundation.threshold);
  assert(!isRejected(terms), "the foundation's terms were checked with the genesis");
  return lockOf(networkId, terms);
}

/** By epoch: the grants that have not vested whole. */
const grants: Table<number, { amount: bigint }> = table(
  modules.staking,
  21,
  byNumber,
  codec("grant", new ContainerType({ amount: u128 }), 16),
);
/** `vesting` is the sum of those grants; `rest` what the division of the epoch before left over. */
const vestings: Table<"only", { vesting: bigint; rest: bigint }> = table(
  modules.staking,
  22,
  single,
  codec("vesting", new ContainerType({ vesting: u128, rest: u128 }), 32),
);

/** Adds the grant of `epoch`; gives what vests at its start. Over all epochs each grant vests to the unit. */
export function vest(state: State, { foundation }: Genesis, epoch: number, grant: bigint): bigint {
  const over = BigInt(foundation.vestingEpochs);
  const { vesting, rest } = vestings.get(state, "only") ?? { vesting: 0n, rest: 0n };
  if (grant > 0n) grants.put(state, epoch, { amount: grant });
  const due = vesting + grant + rest;
  const last = epoch - foundation.vestingEpochs + 1;
  const ended = last < 0 ? 0n : (grants.get(state, last)?.amount ?? 0n);
  if (ended > 0n) grants.delete(state, last);
  vestings.put(state, "only", { vesting: vesting + grant - ended, rest: due % over });
  const held = economyOf(state).foundation;
  const vested = due / over;
  return vested < held ? vested : held;
}
