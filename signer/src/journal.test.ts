import { expect, test } from "vitest";
import { compacted, decodeRecord, encodeRecord } from "./journal.ts";
import { messagesMax } from "./roast/message.ts";

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

test("the largest plan's slots fit into one release, and into one bar", () => {
  const bytes = (size: number): Uint8Array => new Uint8Array(size);
  const slots = Array.from({ length: messagesMax }, () => ({
    slot: bytes(64),
    message: bytes(32),
  }));
  const hashes = { plan: bytes(32), sid: bytes(32), commitment: bytes(32) };
  const release = { keyId: 1, attempt: 0, seat: 0, coordinator: 0, ...hashes, slots };
  for (const record of [{ kind: "release", release } as const, { kind: "bar", slots } as const])
    expect(decodeRecord(encodeRecord(record))).toEqual(record);
});
