// The cache is never seen: a reader through it gives what the store has, whatever is read and written.
import type { Put } from "@causeway/primitives";
import fc from "fast-check";
import { expect, it } from "vitest";
import { memoryState } from "../ledger/memory-state.ts";
import { readCache } from "./read-cache.ts";

const key = fc.nat(5).map((n) => Uint8Array.of(1, n));
const value = fc.option(
  fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.constant(new Uint8Array(2_049))),
);

it("gives what the store below gives, across reads, writes and deletions", () => {
  const action = fc.oneof(
    fc.record({ read: key }),
    fc.record({ write: fc.array(fc.record({ key, value }), { maxLength: 3 }) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      const store = memoryState();
      const cached = readCache(store);
      for (const of of actions)
        if ("read" in of) expect(cached.get(of.read)).toEqual(store.get(of.read));
        else {
          const puts: Put[] = of.write.map((put) =>
            put.value === null ? { key: put.key } : { key: put.key, value: put.value },
          );
          store.write(puts);
          cached.wrote(puts);
        }
    }),
  );
});

it.each([Uint8Array.of(1), undefined])("reads once what is there or is not", (record) => {
  let reads = 0;
  const cached = readCache({
    get: () => {
      reads += 1;
      return record;
    },
  });
  for (let i = 0; i < 3; i++) cached.get(Uint8Array.of(7));
  expect(reads).toBe(1);
});
