// What the ring's seats earn: a part of every fee in kind (ACC-2). At the end of each epoch what came in is shared among
// the seats that have confirmed and live, equally (RNG-3); their validators' owners get it with their other rewards, by
// `claim`.
import {
  b32,
  ContainerType,
  codec,
  equal,
  isZero,
  keyOf,
  ListCompositeType,
  u128,
} from "@causeway/primitives";
import { currentKeys, keys } from "../../ring/records.ts";
import { accountOf, isHalted, move, wrappedAssets } from "../interchain/accounting.ts";
import type { BlockContext } from "../rule.ts";
import type { State, StateReader, Table } from "../state.ts";
import { byBytes, modules, table } from "../state.ts";
import { isLive } from "./early.ts";
import { isGone } from "./redraw.ts";

/** `amount` of a wrapped asset, in its unit. */
export type Earned = { asset: Uint8Array; amount: bigint };

/** Assets of the registry, at most. */
const assetsMax = 128;
/** By owner: what its seats have earned and it has not claimed; each asset once. */
const earnings: Table<Uint8Array, { list: Earned[] }> = table(
  modules.ring,
  37,
  byBytes,
  codec(
    "earnings",
    new ContainerType({
      list: new ListCompositeType(new ContainerType({ asset: b32, amount: u128 }), assetsMax),
    }),
    48 * assetsMax + 16,
  ),
);

/** By asset: all that owners have earned and not claimed; the rest of the asset's `rewards` is nobody's yet. */
export const shared: Table<Uint8Array, { amount: bigint }> = table(
  modules.ring,
  38,
  byBytes,
  codec("shared rewards", new ContainerType({ amount: u128 }), 16),
);

export function earnedBy(state: StateReader, owner: Uint8Array): readonly Earned[] {
  return earnings.get(state, owner)?.list ?? [];
}

function sharedOf(state: StateReader, asset: Uint8Array): bigint {
  return shared.get(state, asset)?.amount ?? 0n;
}

/** At the end of an epoch. What does not divide is shared with what the next one brings. */
export function paySeats(block: BlockContext): void {
  const { genesis, state } = block;
  const seats = paidSeats(block);
  if (seats.length === 0) return;
  const each: Earned[] = [];
  for (const { id: asset } of wrappedAssets(genesis)) {
    const fresh = accountOf(state, asset).rewards - sharedOf(state, asset);
    const amount = fresh / BigInt(seats.length);
    if (amount === 0n) continue;
    each.push({ asset, amount });
    const sum = amount * BigInt(seats.length);
    shared.put(state, asset, { amount: sharedOf(state, asset) + sum });
  }
  if (each.length === 0) return;
  const owners = new Map<string, { readonly owner: Uint8Array; count: bigint }>();
  for (const owner of seats) {
    const known = owners.get(keyOf(owner));
    if (known === undefined) owners.set(keyOf(owner), { owner, count: 1n });
    else known.count += 1n;
  }
  for (const { owner, count } of owners.values()) credit(state, owner, each, count);
}

/** The owner of each seat of the chains' keys in use, once for each seat, that has its share and shows life (RNG-2). */
function paidSeats(block: BlockContext): Uint8Array[] {
  const { genesis, state, params } = block;
  const isThere = (owner: Uint8Array): boolean =>
    params.ringTermEpochs === 0 ? !isGone(state, owner) : isLive(block, owner);
  return [genesis.bitcoin, ...genesis.evm].flatMap(({ chain }) => {
    const current = currentKeys.get(state, chain);
    const key = current && keys.get(state, current.keyId);
    if (key === undefined) return [];
    const confirmed = key.seats.filter((_, seat) => !isZero(key.shares[seat] ?? zeroPoint));
    return confirmed.map(({ validator }) => validator).filter(isThere);
  });
}
const zeroPoint = new Uint8Array(33);

function credit(state: State, owner: Uint8Array, each: readonly Earned[], seats: bigint): void {
  const list = earnedBy(state, owner).map((one) => ({ ...one }));
  for (const { asset, amount } of each) {
    const known = list.find((one) => equal(one.asset, asset));
    if (known === undefined) list.push({ asset, amount: amount * seats });
    else known.amount += amount * seats;
  }
  earnings.put(state, owner, { list });
}

/** Of one claim. */
const payoutsMax = 16;

/** What a claim pays now; a halted asset's waits (ACC-1). */
export function payable(state: StateReader, owner: Uint8Array): readonly Earned[] {
  return earnedBy(state, owner)
    .filter(({ asset }) => !isHalted(state, asset))
    .slice(0, payoutsMax);
}

/** Moves what is payable to the supply; the caller makes the outputs. */
export function takeEarned(state: State, owner: Uint8Array): readonly Earned[] {
  const paid = payable(state, owner);
  if (paid.length === 0) return [];
  const left = earnedBy(state, owner).filter(
    ({ asset }) => !paid.some((one) => equal(one.asset, asset)),
  );
  if (left.length === 0) earnings.delete(state, owner);
  else earnings.put(state, owner, { list: left });
  for (const { asset, amount } of paid) {
    shared.put(state, asset, { amount: sharedOf(state, asset) - amount });
    move(state, asset, { rewards: -amount, supply: amount });
  }
  return paid;
}
