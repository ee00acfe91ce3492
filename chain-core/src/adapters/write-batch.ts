// Several blocks' writes as one: what is in the batch already is read as if it were written.
import type { Put } from "@causeway/primitives";
import { keyOf } from "@causeway/primitives";
import type { StateReader } from "../ledger/state.ts";

export type WriteBatch = StateReader & {
  readonly add: (puts: readonly Put[]) => void;
  /** In order: of a key the last one counts. */
  readonly puts: () => readonly Put[];
};

export function writeBatch(below: StateReader): WriteBatch {
  const all: Put[] = [];
  const newest = new Map<string, Put>();
  /** How many of `all` are in `newest`: nobody reads behind the only block of a batch. */
  let known = 0;
  return {
    get: (key) => {
      for (; known < all.length; known++) {
        const put = all[known];
        if (put !== undefined) newest.set(keyOf(put.key), put);
      }
      const put = newest.size > 0 ? newest.get(keyOf(key)) : undefined;
      return put === undefined ? below.get(key) : put.value;
    },
    add: (puts) => {
      for (const put of puts) all.push(put);
    },
    puts: () => all,
  };
}
