// Who may have a seat in a set that is fixed now, and who stands by.
import { b32, ContainerType, codec, ListCompositeType, must } from "@causeway/primitives";
import { committeeMax } from "../../codec/block.ts";
import type { Candidate } from "../committee.ts";
import { ownersOf, validatorStatus, validators } from "../epoch/validators.ts";
import type { Params } from "../genesis.ts";
import type { StateReader, Table } from "../state.ts";
import { byNumber, modules, table } from "../state.ts";
import { delegationOf } from "./delegation.ts";
import { poolOf, worth } from "./pool.ts";
import { pendingUpdates } from "./updates.ts";

/** By epoch, with the committees: who stands by then, the one of most stake first. */
export const standbys: Table<number, { owners: Uint8Array[] }> = table(
  modules.staking,
  18,
  byNumber,
  codec(
    "standby",
    new ContainerType({ owners: new ListCompositeType(b32, committeeMax) }),
    32 * committeeMax + 16,
  ),
);

/** What the owner itself has behind its validator, BTM units. */
export function selfStakeOf(state: StateReader, owner: Uint8Array): bigint {
  const { shares } = delegationOf(state, { validator: owner, delegator: owner });
  return worth(poolOf(state, owner), shares);
}

/**
 * Active validators with enough of their own at stake, in the order of the register, with the keys that they will have
 * in `epoch` (STK-1).
 */
export function candidates(
  state: StateReader,
  { selfStakeMin }: Pick<Params, "selfStakeMin">,
  epoch: number,
): Candidate[] {
  return ownersOf(state).flatMap((owner) => {
    const validator = must(validators.get(state, owner), "validator");
    if (validator.status !== validatorStatus.active) return [];
    if (selfStakeOf(state, owner) < selfStakeMin) return [];
    const update = pendingUpdates.get(state, owner);
    const [fresh] = update !== undefined && update.epoch <= epoch ? update.keys : [];
    const { consensusKey, attestKey } = fresh ?? validator;
    return [{ owner, consensusKey, attestKey, stake: poolOf(state, owner).tokens }];
  });
}
