import { expect, it } from "vitest";
import { memoryState } from "../ledger/memory-state.ts";
import { writeBatch } from "./write-batch.ts";

it("reads what it holds before what is below, also that it is gone", () => {
  const [a, b, c] = [1, 2, 3].map((byte) => Uint8Array.of(byte)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const below = memoryState([
    { key: a, value: a },
    { key: b, value: b },
  ]);
  const batch = writeBatch(below);
  expect(batch.get(a)).toEqual(a);
  batch.add([{ key: a, value: c }, { key: b }]);
  expect([batch.get(a), batch.get(b), batch.get(c)]).toEqual([c, undefined, undefined]);
  batch.add([{ key: b, value: c }]);
  expect(batch.get(b)).toEqual(c);
  below.write(batch.puts());
  expect([below.get(a), below.get(b)]).toEqual([c, c]);
});
