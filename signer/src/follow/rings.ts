// The rings that the proven ledger names: keys and ceremonies, read once for as long as their bytes stay the same. A
// record of 150 seats takes a millisecond to decode, and every plan, share and event asks for one.
import type { Ceremony, Genesis, Key, StateReader, Table } from "@causeway/chain-core/interchain";
import {
  activeKeys,
  ceremonies,
  currentKeys,
  keys,
  nextKeys,
  openCeremonies,
  reshares,
} from "@causeway/chain-core/interchain";
import { keyOf } from "@causeway/primitives";

/** Reads a table's records; a pure function's results, kept for as long as the bytes are. */
function remembering<V>(table: Table<number, V>): (view: StateReader, id: number) => V | undefined {
  const known = new WeakMap<Uint8Array, { readonly value: V }>();
  return (view, id) => {
    const bytes = view.get(table.key(id));
    if (bytes === undefined) return undefined;
    const before = known.get(bytes);
    if (before !== undefined) return before.value;
    const value = table.codec.decode(bytes);
    known.set(bytes, { value });
    return value;
  };
}

export const readKey: (view: StateReader, keyId: number) => Key | undefined = remembering(keys);
export const readCeremony: (view: StateReader, keyId: number) => Ceremony | undefined =
  remembering(ceremonies);
const readReshare = remembering(reshares);

/** The ceremony of a key that is under way; a resharing comes first ({@link reshares}). */
export function ceremonyUnderWay(view: StateReader, keyId: number): Ceremony | undefined {
  return readReshare(view, keyId) ?? readCeremony(view, keyId);
}

/** The ceremony of this epoch of a key's shares: under way, or the one in use. */
export function ceremonyOfEpoch(
  view: StateReader,
  { keyId, attempt }: { readonly keyId: number; readonly attempt: number },
): Ceremony | undefined {
  const both = [readReshare(view, keyId), readCeremony(view, keyId)];
  return both.find((one) => one?.attempt === attempt);
}

export function openKeyIds(view: StateReader): readonly number[] {
  return openCeremonies.get(view, "only")?.keyIds ?? [];
}

function chainsOf(genesis: Genesis): Uint8Array[] {
  return [genesis.bitcoin.chain, ...genesis.evm.map(({ chain }) => chain)];
}

/** Records that name the keys in use. */
export function keyNames(genesis: Genesis): Uint8Array[] {
  const chains = chainsOf(genesis);
  const next = genesis.evm.map(({ chain }) => nextKeys.key(chain));
  const lists = [openCeremonies.key("only"), activeKeys.key("only")];
  return [...lists, ...chains.map((chain) => currentKeys.key(chain)), ...next];
}

/** Keys that are active and not retired; undefined: not read. */
export function activeKeyIds(view: StateReader): readonly number[] | undefined {
  return activeKeys.get(view, "only")?.keyIds;
}

/** Keys in use by their chains: the current ones, and those that wait for their contract. */
export function namedKeyIds(genesis: Genesis, view: StateReader): number[] {
  const chains = chainsOf(genesis);
  const of = (table: typeof currentKeys): number[] =>
    chains.flatMap((chain) => table.get(view, chain)?.keyId ?? []);
  return [...new Set([...of(currentKeys), ...of(nextKeys)])];
}

/** Every key that may be in use: ids count up, and a retired one stays where it was. */
export function keyIdsUpTo(genesis: Genesis, view: StateReader): number[] {
  const newest = Math.max(0, ...namedKeyIds(genesis, view), ...(activeKeyIds(view) ?? []));
  return Array.from({ length: newest }, (_, i) => i + 1);
}

type Seated = Pick<Ceremony, "seats">;
const counts = new WeakMap<Seated["seats"], ReadonlyMap<string, number>>();

/** How many seats each owner has, by hex. */
export function seatCounts(ring: Seated): ReadonlyMap<string, number> {
  const known = counts.get(ring.seats);
  if (known !== undefined) return known;
  const made = new Map<string, number>();
  for (const owner of ownersOfSeats(ring)) made.set(owner, 1 + (made.get(owner) ?? 0));
  counts.set(ring.seats, made);
  return made;
}

const names = new WeakMap<Seated["seats"], readonly string[]>();

/** The hex of each seat's owner. */
export function ownersOfSeats({ seats }: Seated): readonly string[] {
  const known = names.get(seats);
  if (known !== undefined) return known;
  const made = seats.map(({ validator }) => keyOf(validator));
  names.set(seats, made);
  return made;
}

/** Everything with seats that is in use or under way. */
export function ringsOf(genesis: Genesis, view: StateReader): Seated[] {
  const held = keyIdsUpTo(genesis, view).flatMap((keyId) => {
    const key = readKey(view, keyId);
    return key?.active === true ? [key] : [];
  });
  return [...held, ...openKeyIds(view).flatMap((keyId) => ceremonyUnderWay(view, keyId) ?? [])];
}
