// The register of validators (STK-1): who they are, their keys and stake, and who is tombstoned. The genesis
// begins it; from then on everything that asks for a validator's key or stake reads it here.
import type { Codec } from "@causeway/primitives";
import {
  b32,
  b33,
  b48,
  ContainerType,
  codec,
  equal,
  ListCompositeType,
  must,
  u8,
  u64,
  u128,
} from "@causeway/primitives";
import type { Committee } from "../../codec/block.ts";
import type { Genesis } from "../genesis.ts";
import type { State, StateReader, Table } from "../state.ts";
import { byBytes, modules, single, table } from "../state.ts";

/** `tombstoned` is for good: the owner never votes again under this registration. */
export const validatorStatus = { active: 0, tombstoned: 1 } as const;

/** `since`: the epoch in which the status began; stake in BTM units. Keys as in the genesis (STK-1). */
export type Validator = {
  consensusKey: Uint8Array;
  attestKey: Uint8Array;
  relayKey: Uint8Array;
  hostKey: Uint8Array;
  nodePeerKey: Uint8Array;
  signerPeerKey: Uint8Array;
  stake: bigint;
  status: number;
  since: number;
};

/** By the owner's lock. */
export const validators: Table<Uint8Array, Validator> = table(
  modules.staking,
  3,
  byBytes,
  codec(
    "validator",
    new ContainerType({
      consensusKey: b48,
      attestKey: b48,
      relayKey: b33,
      hostKey: b33,
      nodePeerKey: b33,
      signerPeerKey: b33,
      stake: u128,
      status: u8,
      since: u64,
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
export const tombstones: Table<"only", Tombstones> = table(
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

/** Writes of height 0. */
export function validatorsGenesis(state: State, genesis: Genesis): void {
  registered.put(state, "only", { owners: genesis.validators.map(({ owner }) => owner) });
  for (const { owner, ...validator } of genesis.validators)
    validators.put(state, owner, { ...validator, status: validatorStatus.active, since: 0 });
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

/** Who may have a seat in a committee that is fixed now, in the order of seats. */
export function candidates(state: StateReader): (Validator & { readonly owner: Uint8Array })[] {
  const { owners } = must(registered.get(state, "only"), "register");
  return owners.flatMap((owner) => {
    const validator = must(validators.get(state, owner), "validator");
    return validator.status === validatorStatus.active ? [{ ...validator, owner }] : [];
  });
}
