// Changes of a validator's profile and keys, which take effect two epochs later (STK-1): the committee of that epoch is
// fixed with the new keys, everything else changes when it begins.
import type { Codec } from "@causeway/primitives";
import { b32, ContainerType, codec, ListCompositeType, must, u64 } from "@causeway/primitives";
import type { Profile, ValidatorKeys } from "../../codec/stake.ts";
import { keyFields, profileFields } from "../../codec/stake.ts";
import { validators, validatorsMax } from "../epoch/validators.ts";
import type { State, Table } from "../state.ts";
import { byBytes, byNumber, modules, table } from "../state.ts";

/** `keys` has one entry or none; `epoch` is the first in which it holds. */
export type PendingUpdate = { epoch: number; profile: Profile; keys: ValidatorKeys[] };
/** By the owner's lock; one at a time. */
export const pendingUpdates: Table<Uint8Array, PendingUpdate> = table(
  modules.staking,
  19,
  byBytes,
  codec(
    "pending update",
    new ContainerType({
      epoch: u64,
      profile: new ContainerType(profileFields),
      keys: new ListCompositeType(new ContainerType(keyFields), 1),
    }),
    1_024,
  ),
);

type Owners = { owners: Uint8Array[] };
const ownersCodec: Codec<Owners> = codec(
  "updates of an epoch",
  new ContainerType({ owners: new ListCompositeType(b32, validatorsMax) }),
  32 * validatorsMax + 16,
);
/** By the epoch in which they take effect. */
const updatesOf: Table<number, Owners> = table(modules.staking, 20, byNumber, ownersCodec);

export function putUpdate(state: State, owner: Uint8Array, update: PendingUpdate): void {
  const owners = updatesOf.get(state, update.epoch)?.owners ?? [];
  updatesOf.put(state, update.epoch, { owners: [...owners, owner] });
  pendingUpdates.put(state, owner, update);
}

/** At the end of the last block before `epoch`. */
export function takeUpdates(state: State, epoch: number): void {
  const due = updatesOf.get(state, epoch)?.owners ?? [];
  for (const owner of due) {
    const { profile, keys } = must(pendingUpdates.get(state, owner), "pending update");
    const validator = must(validators.get(state, owner), "validator");
    validators.put(state, owner, { ...validator, ...keys[0], ...profile });
    pendingUpdates.delete(state, owner);
  }
  if (due.length > 0) updatesOf.delete(state, epoch);
}
