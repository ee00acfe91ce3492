// Who answers with stake for a key of the ring (RNG-7), and whose stake waits for it. Written by liability.ts.
import {
  b32,
  bool,
  ContainerType,
  codec,
  ListBasicType,
  ListCompositeType,
  u32,
  u64,
  u128,
} from "@causeway/primitives";
import { epochOf } from "../epoch/epochs.ts";
import { validatorsMax } from "../epoch/validators.ts";
import type { BlockContext } from "../rule.ts";
import { liableEpochsMax } from "../staking/fixed.ts";
import type { StateReader, Table } from "../state.ts";
import { byBytes, byNumber, modules, single, table } from "../state.ts";

/** Keys that anybody answers for at once: 17 chains with 14 terms each are 238. */
export const liableKeysMax = 1_024;

/** The owner has had a share of the key since `epoch`. */
export type Answer = { keyId: number; epoch: number };
/** By the validator's owner: the keys that all stake behind it answers for. */
export const answers: Table<Uint8Array, { list: Answer[] }> = table(
  modules.ring,
  32,
  byBytes,
  codec(
    "answers",
    new ContainerType({
      list: new ListCompositeType(new ContainerType({ keyId: u32, epoch: u64 }), liableKeysMax),
    }),
    12 * liableKeysMax + 16,
  ),
);

/** By key id: the owners who have, or had, a share of it, in the order in which they got it. */
export const holders: Table<number, { owners: Uint8Array[] }> = table(
  modules.ring,
  33,
  byNumber,
  codec(
    "holders",
    new ContainerType({ owners: new ListCompositeType(b32, validatorsMax) }),
    32 * validatorsMax + 16,
  ),
);

/**
 * By key id. `isLoaded`: it holds credited value now, which only its own term brings: what strangers pay to an older
 * key is credited once it has left that. `emptiedAt`: ledger time (ms) at which it last held none any more, or of its
 * activation. `isForfeited`: its bonds are gone, for good. `heldFrom`: height of its EVM chain from which on the contract
 * is known to hold it; 0 for none.
 */
export type Custody = {
  isLoaded: boolean;
  emptiedAt: number;
  isForfeited: boolean;
  heldFrom: number;
};
export const custodies: Table<number, Custody> = table(
  modules.ring,
  34,
  byNumber,
  codec(
    "custody",
    new ContainerType({ isLoaded: bool, emptiedAt: u64, isForfeited: bool, heldFrom: u64 }),
    24,
  ),
);

/** Key ids that anybody answers for, in the order of their activation. */
export const liableKeys: Table<"only", { keyIds: number[] }> = table(
  modules.ring,
  35,
  single,
  codec(
    "liable keys",
    new ContainerType({ keyIds: new ListBasicType(u32, liableKeysMax) }),
    4 * liableKeysMax + 16,
  ),
);

export const unbounded: bigint = 2n ** 128n - 1n;

/**
 * Of the current Bitcoin key, sats. `custody`: coins of all Bitcoin keys that are credited or will be, as they are its
 * own after the next hand-over; `limit` of that; `loan`: what the bonds allow to be credited before its sweep. A limit of
 * 2^128 - 1 is none.
 */
export type Room = { custody: bigint; limit: bigint; loan: bigint };
/** As it was at the end of the newest block in which value moved: what quotes rest on. */
export const rooms: Table<"only", Room> = table(
  modules.ring,
  36,
  single,
  codec("room", new ContainerType({ custody: u128, limit: u128, loan: u128 }), 48),
);

export function roomOf(state: StateReader): Room {
  return rooms.get(state, "only") ?? { custody: 0n, limit: unbounded, loan: unbounded };
}

/**
 * Of the contract of an EVM chain, BTM units. `custody`: all that its key can take, of every asset that has a price;
 * `limit` of that: 2^128 - 1 is none, and what there is as long as the chain has no key.
 */
export type ContractRoom = { custody: bigint; limit: bigint };
/** By chain, as it was at the end of the newest block in which value moved. */
export const contractRooms: Table<Uint8Array, ContractRoom> = table(
  modules.ring,
  39,
  byBytes,
  codec("contract room", new ContainerType({ custody: u128, limit: u128 }), 32),
);

export function contractRoomOf(state: StateReader, chain: Uint8Array): ContractRoom {
  return contractRooms.get(state, chain) ?? { custody: 0n, limit: unbounded };
}

export function liableKeysOf(state: StateReader): readonly number[] {
  return liableKeys.get(state, "only")?.keyIds ?? [];
}

export function answersOf(state: StateReader, owner: Uint8Array): readonly Answer[] {
  return answers.get(state, owner)?.list ?? [];
}

export function holdersOf(state: StateReader, keyId: number): readonly Uint8Array[] {
  return holders.get(state, keyId)?.owners ?? [];
}

/** What is asked for here of a block; queries have it too. */
export type At = Pick<BlockContext, "params" | "time"> & { readonly state: StateReader };

/** The stake behind the key's holders stays: it holds credited value, or did within the unbonding delay (RNG-7). */
export function isBonded({ state, params, time }: At, keyId: number): boolean {
  const custody = custodies.get(state, keyId);
  if (custody === undefined || custody.isForfeited || params.ringBondBps === 0) return false;
  return custody.isLoaded || time < custody.emptiedAt + params.unbondingMs;
}

/** The first epoch of which a slash for the key still reaches who left: no stake waits longer than it answers. */
export function answersFrom(state: StateReader, { epoch }: Answer): number {
  return Math.max(epoch, epochOf(state).number - liableEpochsMax);
}

/**
 * The key for which stake that left `validator` in `epoch` answers, so that it stays where it is; undefined where there
 * is none. Who left in the epoch before the validator got its share is reached by a slash (punish.ts), and waits, too.
 */
export function bondedBy(
  at: At,
  { validator, epoch }: { readonly validator: Uint8Array; readonly epoch: number },
): number | undefined {
  const { state } = at;
  const binding = answersOf(state, validator).find(
    (answer) => epoch >= answersFrom(state, answer) - 1 && isBonded(at, answer.keyId),
  );
  return binding?.keyId;
}
