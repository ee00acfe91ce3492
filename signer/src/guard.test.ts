import { planKinds } from "@causeway/chain-core/interchain";
import { bigEndian, isRejected, sha256, utf8, zero32 } from "@causeway/primitives";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Slotted } from "./guard.ts";
import { emptyGuard, restore, slotsOf, take } from "./guard.ts";
import type { Release } from "./journal.ts";
import { compacted, decodeRecord, encodeRecord, sentSpan } from "./journal.ts";

const release = (slot: number, message: number): Release => ({
  keyId: 1,
  attempt: 0,
  seat: 0,
  plan: new Uint8Array(32),
  coordinator: 0,
  sid: new Uint8Array(32),
  commitment: new Uint8Array(32),
  slots: [{ slot: bigEndian(slot, 8), message: bigEndian(message, 32) }],
});

test("a guard restored from years of releases refuses a second message in any of their slots", () => {
  // Copying the slots once for each release would take minutes here, and the signer would not come back.
  const count = 20_000;
  const guard = restore(emptyGuard, [
    ...Array.from({ length: count }, (_, i) => release(i, i)),
    release(7, 8),
  ]);
  expect(guard.slots.size).toBe(count);
  expect(isRejected(take(guard, release(7, 8).slots))).toBe(true);
  expect(isRejected(take(guard, release(7, 7).slots))).toBe(false);
  expect(isRejected(take(guard, release(count - 1, 0).slots))).toBe(true);
});

const plan: Slotted = {
  kind: planKinds.withdrawal,
  keyId: 1,
  chain: zero32,
  anchor: new Uint8Array(36).fill(3),
  attempt: 0,
  nonce: 5,
};
const named = (name: string): Uint8Array => sha256(utf8(name));

test("attempts, inputs, keys and nonces are slots of their own, fields of the others are not", () => {
  const slot = (change: Partial<Slotted>, count = 1): string[] =>
    slotsOf(
      { ...plan, ...change },
      Array.from({ length: count }, () => zero32),
    ).map((use) => String(use.slot));
  const base = slot({})[0];
  expect(new Set(slot({}, 3)).size).toBe(3);
  for (const change of [{ attempt: 1 }, { keyId: 2 }, { anchor: new Uint8Array(36) }])
    expect(slot(change)[0]).not.toBe(base);
  expect(slot({ nonce: 6 })[0]).toBe(base);
  const batch = { kind: planKinds.evmBatch };
  expect(slot({ ...batch, nonce: 6 })[0]).not.toBe(slot(batch)[0]);
  expect(slot({ ...batch, attempt: 1 })[0]).toBe(slot(batch)[0]);
});

test("a slot takes its message again and no other, whatever came between and after any restart", () => {
  const use = fc.record({ attempt: fc.nat(2), name: fc.constantFrom("a", "b", "c") });
  fc.assert(
    fc.property(fc.array(use, { maxLength: 30 }), fc.nat(30), (uses, restartAt) => {
      let guard = emptyGuard;
      let journal: Release[] = [];
      const first = new Map<number, string>();
      for (const [i, { attempt, name }] of uses.entries()) {
        if (i === restartAt) guard = restore(emptyGuard, journal);
        const slots = slotsOf({ ...plan, attempt }, [named(name)]);
        const taken = take(guard, slots);
        const before = first.get(attempt);
        expect(isRejected(taken)).toBe(before !== undefined && before !== name);
        if (isRejected(taken)) continue;
        guard = taken;
        first.set(attempt, name);
        journal = [...journal, { ...release(0, 0), slots }];
      }
    }),
  );
});

test("a plan with one slot taken for another message takes none of its others", () => {
  const guard = take(emptyGuard, slotsOf(plan, [named("a")]));
  if (isRejected(guard)) throw new Error(guard.message);
  const both = slotsOf(plan, [named("x"), named("y")]);
  expect(take(guard, both)).toMatchObject({ code: "slot-taken" });
  expect(isRejected(take(guard, slotsOf(plan, [named("a"), named("y")])))).toBe(false);
});

test("journal records come back as they were, and compaction keeps every release and deal", () => {
  const records = [
    { kind: "boot", number: 1 },
    { kind: "trust", trust: { height: 1, header: new Uint8Array(3) } },
    { kind: "release", release: release(1, 2) },
    { kind: "deal", deal: { keyId: 1, attempt: 0, seat: 0, body: new Uint8Array(9) } },
    { kind: "boot", number: 2 },
    { kind: "trust", trust: { height: 2, header: new Uint8Array(4) } },
  ] as const;
  const bytes = records.map(encodeRecord);
  expect(bytes.map(decodeRecord)).toEqual(records);
  expect(compacted(bytes).map(decodeRecord)).toEqual(records.slice(2));
  expect(() => decodeRecord(new Uint8Array(7))).toThrow("damaged");
});

test("compaction keeps the newest numbers sent, as many as tell own from another's", () => {
  const sent = (sequence: number) => encodeRecord({ kind: "sent", sequence });
  const kept = compacted([...Array.from({ length: 1_000 }, (_, i) => sent(i)), sent(998)]);
  expect(kept.length).toBe(sentSpan + 1);
  expect(kept.map(decodeRecord)[0]).toEqual({ kind: "sent", sequence: 1_000 - sentSpan });
});
