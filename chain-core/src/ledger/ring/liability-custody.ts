// How much the ring may hold, by what its bonds are worth (RNG-7, BTC-2), and which keys hold credited value.
import { equal } from "@causeway/primitives";
import { currentKeys } from "../../ring/records.ts";
import { accountOf, wrappedAssets } from "../interchain/accounting.ts";
import type { BlockContext } from "../rule.ts";
import type { State, StateReader } from "../state.ts";
import { bondOf } from "./liability.ts";
import type { Room } from "./liability-records.ts";
import { roomOf, rooms, unbounded } from "./liability-records.ts";

/** 10^8 units of Bitcoin's asset: what `ringBondPrice` is the price of. */
const bitcoin = 100_000_000n;

/** What the bond of the key allows: at most `ringCustodyBps` of its value in custody, a tenth of it on loan. */
export function allowance(
  { state, params }: Pick<BlockContext, "params"> & { readonly state: StateReader },
  keyId: number | undefined,
): Omit<Room, "custody"> {
  const { ringBondBps, ringBondPrice, ringCustodyBps } = params;
  if (ringBondBps === 0 || ringBondPrice === 0n) return { limit: unbounded, loan: unbounded };
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
