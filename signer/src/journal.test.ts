import { expect, test } from "vitest";
import { compacted, decodeRecord, encodeRecord } from "./journal.ts";

const boot = encodeRecord({ kind: "boot", number: 7 });

test("a record that this version cannot read stops the signer: it may be a slot that is taken", () => {
  const unknown = boot.with(0, 99);
  const cut = boot.subarray(0, 3);
  expect(decodeRecord(boot)).toEqual({ kind: "boot", number: 7 });
  for (const bad of [unknown, cut]) {
    expect(() => decodeRecord(bad)).toThrow(/journal/);
    expect(() => compacted([boot, bad])).toThrow(/journal/);
  }
});
