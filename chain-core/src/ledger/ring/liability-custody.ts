// How much the ring may hold, by what its bonds are worth (RNG-7, BTC-2), and which keys hold credited value.
import { equal, keyOf } from "@causeway/primitives";
import { currentKeys } from "../../ring/records.ts";
import type { Genesis } from "../genesis.ts";
import type { WrappedAsset } from "../interchain/accounting.ts";
import { accountOf, wrappedAssets } from "../interchain/accounting.ts";
import type { UnderWay } from "../interchain/under-way.ts";
import { priceOf } from "../prices.ts";
import type { BlockContext } from "../rule.ts";
import type { State, StateReader } from "../state.ts";
import { bondOf } from "./liability.ts";
import type { ContractRoom, Room } from "./liability-records.ts";
import { contractRoomOf, contractRooms, roomOf, rooms, unbounded } from "./liability-records.ts";

/** What is asked for here of a block; queries have it too. */
type At = Pick<BlockContext, "genesis" | "params"> & { readonly state: StateReader };

/**
 * What the bond of Bitcoin's key allows, in units of its asset: at most `ringCustodyBps` of its value in custody, a tenth
 * of it on loan.
 */
export function allowance(
  at: At,
  asset: Uint8Array | undefined,
  keyId: number | undefined,
): Omit<Room, "custody"> {
  const { state, params, genesis } = at;
  const price = asset && priceOf(state, genesis, asset);
  if (params.ringBondBps === 0 || price === undefined) return { limit: unbounded, loan: unbounded };
  const bond = keyId === undefined ? 0n : bondOf(at, keyId);
  const value = (bond * price.units) / price.btm;
  const limit = (value * BigInt(params.ringCustodyBps)) / 10_000n;
  return { limit: bounded(limit), loan: bounded(value / 10n) };
}

/** Whatever prices say: a record holds no more (CON-5). */
function bounded(value: bigint): bigint {
  return value < unbounded ? value : unbounded;
}

export function putRoom(state: State, room: Room): void {
  const before = roomOf(state);
  const { custody, limit, loan } = room;
  if (before.custody === custody && before.limit === limit && before.loan === loan) return;
  rooms.put(state, "only", room);
}

/** Of a block; they grow by what it admits. */
export type Custodies = (chain: Uint8Array) => ContractRoom;

/** At the end of a block in which value moved: what quotes and burns rest on until the next. */
export function putContractRooms(block: BlockContext, underWay: UnderWay): void {
  const { genesis, state } = block;
  for (const { chain } of genesis.evm) {
    const before = contractRoomOf(state, chain);
    const { custody, limit } = contractRoom(block, underWay, chain);
    const room = { custody: bounded(custody), limit: bounded(limit) };
    if (room.custody === before.custody && room.limit === before.limit) continue;
    contractRooms.put(state, chain, room);
  }
}

/** What of an asset may still be minted on an EVM chain, in its unit; undefined: any amount. */
export function mintable(
  state: StateReader,
  genesis: Genesis,
  { asset, chain }: { readonly asset: Uint8Array; readonly chain: Uint8Array },
): bigint | undefined {
  const { custody, limit } = contractRoomOf(state, chain);
  const price = limit === unbounded ? undefined : priceOf(state, genesis, asset);
  if (price === undefined) return undefined;
  return custody < limit ? ((limit - custody) * price.units) / price.btm : 0n;
}

/** Reads each chain's once, when first asked. */
export function custodiesIn(at: At, underWay: UnderWay): Custodies {
  const known = new Map<string, ContractRoom>();
  return (chain) => {
    const room = known.get(keyOf(chain)) ?? contractRoom(at, underWay, chain);
    known.set(keyOf(chain), room);
    return room;
  };
}

function contractRoom(at: At, underWay: UnderWay, chain: Uint8Array): ContractRoom {
  const { genesis, state, params } = at;
  let custody = 0n;
  for (const asset of wrappedAssets(genesis))
    custody += worthOf(at, { asset: asset.id, amount: atStake(state, asset, chain, underWay) });
  const keyId = currentKeys.get(state, chain)?.keyId;
  if (params.ringBondBps === 0 || keyId === undefined) return { custody, limit: unbounded };
  return { custody, limit: (bondOf(at, keyId) * BigInt(params.ringCustodyBps)) / 10_000n };
}

/**
 * What the key of the chain's contract can take of an asset: the coins that are there, or what is exported, as forged
 * tokens come home like good ones. An asset's exports to several chains are one account, so each of them counts all.
 */
function atStake(
  state: StateReader,
  { id, registry }: WrappedAsset,
  chain: Uint8Array,
  underWay: UnderWay,
): bigint {
  const { coins, exported } = accountOf(state, id);
  if (equal(registry.chain, chain)) return coins;
  const isThere = registry.exports.some((one) => equal(one.chain, chain));
  return isThere ? exported + underWay(chain, id) : 0n;
}

type Value = { readonly asset: Uint8Array; readonly amount: bigint };

/** In BTM units, rounded up; an asset without a price counts as nothing. */
function worthOf({ state, genesis }: At, { asset, amount }: Value): bigint {
  const price = amount === 0n ? undefined : priceOf(state, genesis, asset);
  return price === undefined ? 0n : (amount * price.btm + price.units - 1n) / price.units;
}

/** Takes its room, if there is as much (RNG-7). */
export function isAdmitted(at: At, room: ContractRoom, of: Value): boolean {
  const value = worthOf(at, of);
  if (value > 0n && room.custody + value > room.limit) return false;
  room.custody += value;
  return true;
}

const nothing: UnderWay = () => 0n;

/** The key of each EVM contract that holds value, or where wrapped value is that comes back. */
export function loadedContracts({ genesis, state }: BlockContext): number[] {
  return genesis.evm.flatMap(({ chain }) => {
    const holds = wrappedAssets(genesis).some(
      (asset) => atStake(state, asset, chain, nothing) > 0n,
    );
    const key = holds ? currentKeys.get(state, chain) : undefined;
    return key === undefined ? [] : [key.keyId];
  });
}
