// Collective liability (RNG-7): a signature of a ring names nobody, so all stake behind all who could have made it
// answers for it. Evidence is what the ledger itself saw at final depth; nobody accuses by word. ADR 0015.
import { equal, keyOf, must } from "@causeway/primitives";
import type { Seat } from "../../ring/records.ts";
import { currentKeys, keys, nextKeys } from "../../ring/records.ts";
import { moveEconomy } from "../economy.ts";
import { epochOf } from "../epoch/epochs.ts";
import type { BlockContext } from "../rule.ts";
import { poolOf } from "../staking/pool.ts";
import { causes, slash } from "../staking/punish.ts";
import type { State, StateReader } from "../state.ts";
import {
  answers,
  answersFrom,
  answersOf,
  custodies,
  holders,
  holdersOf,
  isBonded,
  liableKeys,
  liableKeysMax,
  liableKeysOf,
} from "./liability-records.ts";

/** The validators of `seats` have shares of the key from now on: by its generation, or by a resharing. */
export function answerFor(
  { state, time }: Pick<BlockContext, "state" | "time">,
  keyId: number,
  seats: readonly Seat[],
): void {
  const { number: epoch } = epochOf(state);
  const known = new Map(holdersOf(state, keyId).map((owner) => [keyOf(owner), owner]));
  for (const { validator } of seats) {
    if (known.has(keyOf(validator))) continue;
    known.set(keyOf(validator), validator);
    const list = [...answersOf(state, validator), { keyId, epoch }];
    answers.put(state, validator, { list: list.slice(-liableKeysMax) });
  }
  holders.put(state, keyId, { owners: [...known.values()] });
  if (custodies.get(state, keyId) !== undefined) return;
  const empty = { isLoaded: false, emptiedAt: time, isForfeited: false, heldFrom: 0 };
  custodies.put(state, keyId, empty);
  const keyIds = [...liableKeysOf(state), keyId];
  liableKeys.put(state, "only", { keyIds: keyIds.slice(-liableKeysMax) });
}

/** At the end of a block in which value moved: the keys that hold some now are `loaded`. */
export function noteCustody(
  { state, time }: Pick<BlockContext, "state" | "time">,
  loaded: ReadonlySet<number>,
): void {
  for (const keyId of liableKeysOf(state)) {
    const before = must(custodies.get(state, keyId), "custody");
    const isLoaded = loaded.has(keyId);
    if (before.isLoaded === isLoaded) continue;
    const emptiedAt = isLoaded ? before.emptiedAt : time;
    custodies.put(state, keyId, { ...before, isLoaded, emptiedAt });
  }
}

/**
 * At the turn of an epoch: who has no share of a key any more answers for it no longer once no stake waits for it, and
 * none will: only its chain's current key is loaded anew.
 */
export function releaseHolders(block: BlockContext): void {
  const { state } = block;
  for (const keyId of liableKeysOf(state)) {
    const key = keys.get(state, keyId);
    const isCurrent = key && currentKeys.get(state, key.chain)?.keyId === keyId;
    if (isCurrent || isBonded(block, keyId)) continue;
    const seats = key?.active ? key.seats : [];
    const isThere = (owner: Uint8Array): boolean =>
      seats.some(({ validator }) => equal(validator, owner));
    const before = holdersOf(state, keyId);
    const stay = before.filter(isThere);
    if (stay.length < before.length) holders.put(state, keyId, { owners: stay });
    for (const owner of before) if (!isThere(owner)) release(state, owner, keyId);
    if (stay.length === 0) forget(state, keyId);
  }
}

function release(state: State, owner: Uint8Array, keyId: number): void {
  const list = answersOf(state, owner).filter((answer) => answer.keyId !== keyId);
  if (list.length === 0) answers.delete(state, owner);
  else answers.put(state, owner, { list });
}

function forget(state: State, keyId: number): void {
  holders.delete(state, keyId);
  custodies.delete(state, keyId);
  liableKeys.put(state, "only", { keyIds: liableKeysOf(state).filter((other) => other !== keyId) });
}

/**
 * A theft under the key, seen at final depth: the bonds of all who have or had a share of it go to the restitution pool,
 * once for each key. Gives what was forfeited, BTM units.
 */
export function forfeit(block: BlockContext, keyId: number): bigint {
  const { state, params } = block;
  const custody = custodies.get(state, keyId);
  if (custody === undefined || custody.isForfeited || params.ringBondBps === 0) return 0n;
  custodies.put(state, keyId, { ...custody, isForfeited: true });
  let taken = 0n;
  for (const owner of holdersOf(state, keyId)) {
    const answer = answersOf(state, owner).find((one) => one.keyId === keyId);
    if (answer === undefined) continue;
    const epoch = answersFrom(state, answer);
    taken += slash(block, owner, { epoch, cause: causes.theft, bps: params.ringBondBps });
  }
  moveEconomy(state, { restitution: taken });
  return taken;
}

/** The committee has stated that an EVM contract holds the key, at this height of its chain. */
export function noteContract(state: State, keyId: number, height: number): void {
  const custody = custodies.get(state, keyId);
  if (custody?.heldFrom === 0) custodies.put(state, keyId, { ...custody, heldFrom: height });
}

/**
 * A contract obeyed a message that no plan contains, at `height` of its chain. The key id that the message names is its
 * signers' own word, so who signed follows from what the contract held; while it may have taken its next key already,
 * or not yet this one, nobody's bond is taken.
 */
export function forfeitContract(block: BlockContext, chain: Uint8Array, height: number): bigint {
  const { state } = block;
  const keyId = currentKeys.get(state, chain)?.keyId;
  const custody = keyId === undefined ? undefined : custodies.get(state, keyId);
  if (keyId === undefined || custody === undefined || nextKeys.get(state, chain) !== undefined)
    return 0n;
  return custody.heldFrom > 0 && height > custody.heldFrom ? forfeit(block, keyId) : 0n;
}

/** The bond of a key, BTM units: what its forfeit would take of the stake that is bonded now, at least. */
export function bondOf(
  { state, params }: Pick<BlockContext, "params"> & { readonly state: StateReader },
  keyId: number,
): bigint {
  if (custodies.get(state, keyId)?.isForfeited !== false) return 0n;
  return holdersOf(state, keyId).reduce(
    (sum, owner) => sum + (poolOf(state, owner).tokens * BigInt(params.ringBondBps)) / 10_000n,
    0n,
  );
}
