// Buffered writes over a reader: what a block or one transaction changes, before anything is stored.
import type { Put } from "@causeway/primitives";
import { keyOf } from "@causeway/primitives";
import type { State, StateReader } from "./state.ts";

/** `changes` by hex of the key, the last write of each; a put without value deletes. */
export type Overlay = State & { readonly changes: () => ReadonlyMap<string, Put> };

export function overlay(reader: StateReader): Overlay {
  const changes = new Map<string, Put>();
  return {
    get: (key) => {
      const change = changes.get(keyOf(key));
      return change === undefined ? reader.get(key) : change.value;
    },
    put: (key, value) => {
      changes.set(keyOf(key), { key, value });
    },
    delete: (key) => {
      changes.set(keyOf(key), { key });
    },
    changes: () => changes,
  };
}

/** Writes what `from` changed to the state below it. */
export function commit(from: Overlay, to: State): void {
  for (const { key, value } of from.changes().values())
    if (value === undefined) to.delete(key);
    else to.put(key, value);
}
