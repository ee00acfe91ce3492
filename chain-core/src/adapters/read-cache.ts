// What was read or written last, over a store: a transfer is checked, built into a block and applied, and each of
// them reads the same records, and that others are not there. LevelDB takes 10 to 20 us for a random one, a Map half a microsecond.
import type { Put } from "@causeway/primitives";
import { keyOf } from "@causeway/primitives";
import { recentMap } from "../ledger/recent.ts";
import type { StateReader } from "../ledger/state.ts";

/** An output and its key take about 350 bytes: 20 MB at most for outputs. */
const countMax = 65_536;
/** Larger values are few and rarely read, bytes. */
const valueSizeMax = 2_048;

export type ReadCache = StateReader & {
  /** To be called when these writes are in the store, before anything is read again. */
  readonly wrote: (puts: readonly Put[]) => void;
};

/** Stands for no record. */
const absent = new Uint8Array(0);

export function readCache(below: StateReader): ReadCache {
  const recent = recentMap<Uint8Array>(countMax);
  const keep = (name: string, value: Uint8Array | undefined): void => {
    // A large value drives out the one that was here before.
    if (value !== undefined && value.length > valueSizeMax) recent.delete(name);
    else recent.set(name, value ?? absent);
  };
  return {
    get: (key) => {
      const name = keyOf(key);
      const known = recent.get(name);
      if (known !== undefined) return known === absent ? undefined : known;
      const value = below.get(key);
      keep(name, value);
      return value;
    },
    wrote: (puts) => {
      for (const { key, value } of puts) keep(keyOf(key), value);
    },
  };
}
