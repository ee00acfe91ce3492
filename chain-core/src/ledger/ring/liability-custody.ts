// How much the ring may hold, by what its bonds are worth (RNG-7, BTC-2), and which keys hold credited value.
import { ContainerType, codec, equal, u128 } from "@causeway/primitives";
import { currentKeys } from "../../ring/records.ts";
import { accountOf, wrappedAssets } from "../interchain/accounting.ts";
import type { BlockContext } from "../rule.ts";
import type { State, StateReader, Table } from "../state.ts";
import { modules, single, table } from "../state.ts";
import { bondOf } from "./liability.ts";

/** 10^8 units of Bitcoin's asset: what `ringBondPrice` is the price of. */
const bitcoin = 100_000_000n;
const unbounded: bigint = 2n ** 128n - 1n;

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

/** What the bond of the key allows: at most `ringCustodyBps` of its value in custody, a tenth of it on loan. */
export function allowance(
  { state, params }: Pick<BlockContext, "params"> & { readonly state: StateReader },
  keyId: number | undefined,
): Omit<Room, "custody"> {
  const { ringBondPrice, ringCustodyBps } = params;
  if (ringBondPrice === 0n) return { limit: unbounded, loan: unbounded };
  const bond = keyId === undefined ? 0n : bondOf({ state, params }, keyId);
  const value = (bond * bitcoin) / ringBondPrice;
  return { limit: (value * BigInt(ringCustodyBps)) / 10_000n, loan: value / 10n };
}

export function putRoom(state: State, room: Room): void {
  const before = roomOf(state);
  const { custody, limit, loan } = room;
  if (before.custody === custody && before.limit === limit && before.loan === loan) return;
  rooms.put(state, "only", room);
}

/** The key of each EVM contract that holds value, or where wrapped value is that comes back. */
export function loadedContracts({ genesis, state }: BlockContext): number[] {
  return genesis.evm.flatMap(({ chain }) => {
    const holds = wrappedAssets(genesis).some(({ id, registry }) => {
      const { coins, exported } = accountOf(state, id);
      const isOf = (place: Uint8Array): boolean => equal(place, chain);
      const isExported = exported > 0n && registry.exports.some((one) => isOf(one.chain));
      return isExported || (coins > 0n && isOf(registry.chain));
    });
    const key = holds ? currentKeys.get(state, chain) : undefined;
    return key === undefined ? [] : [key.keyId];
  });
}
