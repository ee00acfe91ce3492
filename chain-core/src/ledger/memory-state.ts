// State in a Map: for simulations, tests and tools. The node's is LevelDB behind the same shape.
import type { Put } from "@causeway/primitives";
import { keyOf } from "@causeway/primitives";
import type { State } from "./state.ts";

/** `entries` in no order, each with its value; `write` applies a block's puts. */
export type MemoryState = State & {
  readonly write: (puts: Iterable<Put>) => void;
  readonly entries: () => Iterable<Required<Put>>;
};

export function memoryState(puts: Iterable<Put> = []): MemoryState {
  const records = new Map<string, Required<Put>>();
  const state: MemoryState = {
    get: (key) => records.get(keyOf(key))?.value,
    put: (key, value) => {
      records.set(keyOf(key), { key, value });
    },
    delete: (key) => {
      records.delete(keyOf(key));
    },
    write: (changes) => {
      for (const { key, value } of changes)
        if (value === undefined) state.delete(key);
        else state.put(key, value);
    },
    entries: () => records.values(),
  };
  state.write(puts);
  return state;
}
