// A store in memory. Its map outlives close, as a disk does.
import { compare, fromHex, toHex } from "../bytes.ts";
import { Failure } from "../failure.ts";
import type { Store } from "../ports.ts";

/** `entries` is the disk: hex of the key to the value. */
export function memoryStore(entries: Map<string, Uint8Array> = new Map()): Store {
  let closed = false;
  const check = (): void => {
    if (closed) throw new Failure("disk", "store is closed");
  };
  return {
    get: (key) => {
      check();
      const value = entries.get(toHex(key));
      return value === undefined ? undefined : Uint8Array.from(value);
    },
    write: async (puts) => {
      check();
      for (const { key, value } of puts)
        if (value === undefined) entries.delete(toHex(key));
        else entries.set(toHex(key), Uint8Array.from(value));
    },
    async *scan(from, to) {
      check();
      const found = [...entries].map(([key, value]) => [fromHex(key), value] as const);
      found.sort(([a], [b]) => compare(a, b));
      for (const [key, value] of found)
        if (compare(key, from) >= 0 && compare(key, to) < 0) yield [key, Uint8Array.from(value)];
    },
    close: async () => {
      closed = true;
    },
  };
}
