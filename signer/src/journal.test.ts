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

test("of a key's deals those of its newest attempt are kept, of every seat", () => {
  const body = new Uint8Array(9);
  const deal = (keyId: number, attempt: number, seat: number): Uint8Array =>
    encodeRecord({ kind: "deal", deal: { keyId, attempt, seat, body } });
  const [old, other] = [deal(1, 0, 2), deal(2, 0, 2)];
  const kept = [deal(1, 1, 2), deal(1, 1, 3)];
  expect(compacted([old, other, ...kept])).toEqual([other, ...kept]);
});
