// Buffered writes over a reader: what a block or one transaction changes, before anything is stored.
import { equal, keyOf } from "@causeway/primitives";
import type { Change, State, StateReader } from "./state.ts";

type Write = { readonly key: Uint8Array; readonly value?: Uint8Array; readonly isNew: boolean };

/** `changes` by `keyOf` the key, the last write of each; a put without value deletes. */
export type Overlay = State & {
  readonly changes: () => ReadonlyMap<string, Write>;
  /** Takes over the changes of another. */
  readonly adopt: (changes: ReadonlyMap<string, Write>) => void;
  /** What differs from the reader below; without the writes that change nothing. */
  readonly differences: () => Change[];
};

/** `reader` must not change meanwhile: what was read once is remembered, unless it is an overlay itself. */
export function overlay(reader: StateReader): Overlay {
  const writes = new Map<string, Write>();
  const below = "differences" in reader ? undefined : new Map<string, Uint8Array | undefined>();
  const read = (name: string, key: Uint8Array): Uint8Array | undefined => {
    if (below === undefined) return reader.get(key);
    const known = below.get(name);
    if (known !== undefined || below.has(name)) return known;
    const value = reader.get(key);
    below.set(name, value);
    return value;
  };
  const set = (name: string, write: Write): void => {
    const before = writes.get(name);
    writes.set(name, before === undefined ? write : { ...write, isNew: before.isNew });
  };
  return {
    get: (key) => {
      const name = keyOf(key);
      const write = writes.get(name);
      return write === undefined ? read(name, key) : write.value;
    },
    put: (key, value, isNew = false) => set(keyOf(key), { key, value, isNew }),
    delete: (key) => set(keyOf(key), { key, isNew: false }),
    adopt: (changes) => {
      for (const [name, write] of changes) set(name, write);
    },
    changes: () => writes,
    differences: () => {
      const changes: Change[] = [];
      for (const [name, { key, value, isNew }] of writes) {
        const before = isNew ? undefined : read(name, key);
        if (isSame(before, value)) continue;
        changes.push(value === undefined ? { key, before } : { key, value, before });
      }
      return changes;
    },
  };
}

function isSame(before: Uint8Array | undefined, after: Uint8Array | undefined): boolean {
  return before === undefined || after === undefined ? before === after : equal(before, after);
}

/** Writes what `from` changed to the state below it. */
export function commit(from: Overlay, to: State): void {
  if ("adopt" in to) (to as Overlay).adopt(from.changes());
  else
    for (const { key, value, isNew } of from.changes().values())
      if (value === undefined) to.delete(key);
      else to.put(key, value, isNew);
}
