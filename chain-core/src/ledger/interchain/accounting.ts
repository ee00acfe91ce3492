// The accounts of each asset (ACC-1) and the lists that loops visit. Every movement names all the accounts
// that it touches at once; what would leave an account's range halts the asset instead of throwing (CON-5).
import type { Bytes32 } from "@causeway/primitives";
import { amountMax, equal, keyOf, must, toHex } from "@causeway/primitives";
import type { Accounting } from "../../interchain/records.ts";
import { accountings, agenda, listNames, lists } from "../../interchain/records.ts";
import { assetId } from "../assets.ts";
import type { Genesis, RegistryAsset } from "../genesis.ts";
import type { BlockContext } from "../rule.ts";
import type { State, StateReader } from "../state.ts";

const empty: Accounting = {
  coins: 0n,
  deficit: 0n,
  supply: 0n,
  exported: 0n,
  pending: 0n,
  reserve: 0n,
  rewards: 0n,
  unswept: 0n,
  halted: false,
};

export function accountOf(state: StateReader, asset: Uint8Array): Accounting {
  return accountings.get(state, asset) ?? empty;
}

/** Signed changes of accounts, in the asset's unit. */
export type Movement = Partial<Record<Exclude<keyof Accounting, "halted">, bigint>>;

/** Moves value; false, with the asset halted and nothing moved, if an account would leave 0 .. 2^128 - 1. */
export function move(state: State, asset: Uint8Array, movement: Movement): boolean {
  const before = accountOf(state, asset);
  const after = { ...before };
  for (const [name, by] of Object.entries(movement) as [keyof Movement, bigint][])
    after[name] += by;
  // Backing that a reorganisation took is refilled by whatever the reserve gets (WIT-4).
  const refill = after.deficit < after.reserve ? after.deficit : after.reserve;
  if (refill > 0n) {
    after.deficit -= refill;
    after.reserve -= refill;
  }
  const isInRange = Object.values(after).every(
    (value) => typeof value === "boolean" || (value >= 0n && value <= amountMax),
  );
  accountings.put(state, asset, isInRange ? after : { ...before, halted: true });
  return isInRange;
}

/** Coins that are gone, out of the reserve as far as it reaches; the rest is a deficit, which halts the asset. */
export function lose(state: State, asset: Uint8Array, amount: bigint, movement: Movement): boolean {
  const { reserve } = accountOf(state, asset);
  const covered = reserve < amount ? reserve : amount;
  return move(state, asset, {
    ...movement,
    coins: (movement.coins ?? 0n) - amount,
    reserve: (movement.reserve ?? 0n) - covered,
    deficit: amount - covered,
  });
}

export function halt(state: State, asset: Uint8Array): void {
  accountings.put(state, asset, { ...accountOf(state, asset), halted: true });
}

/** No credit and no payment of a halted asset; its sweeps go on (BTC-2). */
export function isHalted(state: StateReader, asset: Uint8Array): boolean {
  const { halted, deficit } = accountOf(state, asset);
  return halted || deficit > 0n;
}

/** ACC-1 to the unit. */
export function isBalanced(account: Accounting): boolean {
  const { coins, deficit, supply, exported, pending, reserve, rewards } = account;
  return coins + deficit === supply + exported + pending + reserve + rewards;
}

/** ACC-1 for every asset; a violation is a state (CON-5). */
export function checkAccounts({ genesis, state }: BlockContext): void {
  for (const { id } of wrappedAssets(genesis)) {
    const account = accountOf(state, id);
    if (!account.halted && !isBalanced(account)) halt(state, id);
  }
}

export type WrappedAsset = { readonly id: Bytes32; readonly registry: RegistryAsset };

/** The assets of the registry, in its order. */
export function wrappedAssets(genesis: Genesis): WrappedAsset[] {
  return genesis.assets.map((registry) => ({
    id: must(assetId(genesis, registry.symbol), "asset id"),
    registry,
  }));
}

/** The asset whose origin is this token of this chain (20 zero bytes: the chain's own coin). */
export function assetFrom(
  genesis: Genesis,
  chain: Uint8Array,
  token: Uint8Array,
): WrappedAsset | undefined {
  return wrappedAssets(genesis).find(
    ({ registry }) => equal(registry.chain, chain) && equal(registry.token, token),
  );
}

/** The asset that is this token where it is exported to. */
export function assetAs(
  genesis: Genesis,
  chain: Uint8Array,
  token: Uint8Array,
): WrappedAsset | undefined {
  return wrappedAssets(genesis).find(({ registry }) =>
    registry.exports.some((one) => equal(one.chain, chain) && equal(one.token, token)),
  );
}

// -------------------------------------------------------------------------------------------- lists

/** Most entries of a list that actions may fill; the rest is room for what follows from them. */
export const listSizeMax = 12_000;

export function listOf(state: StateReader, name: string): Uint8Array[] {
  return lists.get(state, name)?.ids ?? [];
}

export function putList(state: State, name: string, ids: Uint8Array[]): void {
  lists.put(state, name, { ids });
}

export function append(state: State, name: string, ...ids: Uint8Array[]): void {
  if (ids.length > 0) putList(state, name, [...listOf(state, name), ...ids]);
}

/** Takes every one of `ids` out. */
export function removeAll(state: State, name: string, ids: readonly Uint8Array[]): void {
  if (ids.length === 0) return;
  const gone = new Set(ids.map(keyOf));
  putList(
    state,
    name,
    listOf(state, name).filter((id) => !gone.has(keyOf(id))),
  );
}

/** The name of a chain's queue of withdrawals. */
export function queueName(chain: Uint8Array): string {
  return listNames.queue(toHex(chain));
}

/** Says that the end of this block, or of the next, has work. */
export function setDue(state: State, due = true): void {
  agenda.put(state, "only", { due });
}

export function isDue(state: StateReader): boolean {
  return agenda.get(state, "only")?.due ?? false;
}
