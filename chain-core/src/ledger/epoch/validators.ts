// The register of validators (STK-1): who they are, their keys, and who is jailed or tombstoned. The genesis begins
// it; from then on everything that asks for a validator's key reads it here. Their stake is in staking/pool.ts.
import type { Codec } from "@causeway/primitives";
import {
  b32,
  ContainerType,
  codec,
  equal,
  ListCompositeType,
  must,
  u8,
  u64,
} from "@causeway/primitives";
import type { Committee } from "../../codec/block.ts";
import type { Profile, ValidatorKeys } from "../../codec/stake.ts";
import { keyFields, profileFields } from "../../codec/stake.ts";
import type { Genesis } from "../genesis.ts";
import type { State, StateReader, Table } from "../state.ts";
import { byBytes, modules, single, table } from "../state.ts";

/** `tombstoned` and `exited` are for good: the owner never votes again under this registration. */
export const validatorStatus = { active: 0, tombstoned: 1, jailed: 2, exited: 3 } as const;

/** `since`: the epoch in which the status began; `jailedUntil`: ledger time in ms, 0 for who is not jailed. */
export type Validator = ValidatorKeys &
  Profile & { status: number; since: number; jailedUntil: number };

/** By the owner's lock. */
export const validators: Table<Uint8Array, Validator> = table(
  modules.staking,
  3,
  byBytes,
  codec(
    "validator",
    new ContainerType({
      ...keyFields,
      ...profileFields,
      status: u8,
      since: u64,
      jailedUntil: u64,
    }),
    512,
  ),
);

/** Registered validators at most. */
export const validatorsMax = 4_096;

type Owners = { owners: Uint8Array[] };
const ownersCodec: Codec<Owners> = codec(
  "owners",
  new ContainerType({ owners: new ListCompositeType(b32, validatorsMax) }),
  32 * validatorsMax + 16,
);
/** Every owner in order of registration, which is the order of seats. */
export const registered: Table<"only", Owners> = table(modules.staking, 4, single, ownersCodec);
/** Those of them that are tombstoned, each with the block that did it. */
type Tombstones = { list: { owner: Uint8Array; height: number }[] };
const tombstones: Table<"only", Tombstones> = table(
  modules.staking,
  5,
  single,
  codec(
    "tombstones",
    new ContainerType({
      list: new ListCompositeType(new ContainerType({ owner: b32, height: u64 }), validatorsMax),
    }),
    40 * validatorsMax + 16,
  ),
);

export function ownersOf(state: StateReader): readonly Uint8Array[] {
  return must(registered.get(state, "only"), "register").owners;
}

/** Keys that were ever registered: none comes again, for any owner. By the key's bytes. */
export const usedKeys: Table<Uint8Array, { owner: Uint8Array }> = table(
  modules.staking,
  17,
  byBytes,
  codec("used key", new ContainerType({ owner: b32 }), 32),
);

/** Enters a validator into the register; its keys are proved and new. */
export function enter(
  state: State,
  owner: Uint8Array,
  of: { readonly keys: ValidatorKeys; readonly profile: Profile; readonly epoch: number },
): void {
  const owners = registered.get(state, "only")?.owners ?? [];
  registered.put(state, "only", { owners: [...owners, owner] });
  validators.put(state, owner, {
    ...of.keys,
    ...of.profile,
    status: validatorStatus.active,
    since: of.epoch,
    jailedUntil: 0,
  });
  takeKeys(state, owner, of.keys);
}

export function takeKeys(state: State, owner: Uint8Array, keys: ValidatorKeys): void {
  for (const key of Object.values(keys)) usedKeys.put(state, key, { owner });
}

/** Writes of height 0. */
export function validatorsGenesis(state: State, genesis: Genesis): void {
  const profile = { name: new Uint8Array(0), site: new Uint8Array(0), commission: 0 };
  for (const { owner, stake: _, ...keys } of genesis.validators)
    enter(state, owner, { keys, profile, epoch: 0 });
}

function tombstoned(state: StateReader): Tombstones["list"] {
  return tombstones.get(state, "only")?.list ?? [];
}

export function isTombstoned(state: StateReader, owner: Uint8Array): boolean {
  return tombstoned(state).some((one) => equal(one.owner, owner));
}

/** CON-3: from the block after `height` on the owner's votes do not count, and no later committee holds it. */
export function tombstone(
  state: State,
  owner: Uint8Array,
  at: { readonly epoch: number; readonly height: number },
): void {
  const validator = must(validators.get(state, owner), "validator");
  const { epoch, height } = at;
  validators.put(state, owner, {
    ...validator,
    status: validatorStatus.tombstoned,
    since: epoch,
  });
  tombstones.put(state, "only", { list: [...tombstoned(state), { owner, height }] });
}

/**
 * CON-3: the seats of `committee` whose votes and statements do not count, ascending: now, or where `height` is given
 * when that block was decided. Their power stays in the denominator. Nearly always empty, at the cost of one read.
 */
export function suspendedSeats(
  state: StateReader,
  committee: Committee,
  height: number = Number.POSITIVE_INFINITY,
): number[] {
  const list = tombstoned(state).filter((one) => one.height < height);
  if (list.length === 0) return [];
  return committee.members.flatMap(({ validator }, seat) =>
    list.some(({ owner }) => equal(owner, validator)) ? [seat] : [],
  );
}
