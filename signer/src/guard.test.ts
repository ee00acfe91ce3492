import { bigEndian, isRejected } from "@causeway/primitives";
import { expect, test } from "vitest";
import type { Slotted } from "./guard.ts";
import { emptyGuard, restore, take } from "./guard.ts";
import type { Release } from "./journal.ts";

const release = (slot: number, message: number): Release => ({
  keyId: 1,
  plan: new Uint8Array(32),
  coordinator: 0,
  sid: new Uint8Array(32),
  commitment: new Uint8Array(32),
  slots: [{ slot: bigEndian(slot, 8), message: bigEndian(message, 32) }],
});

test("a guard restored from years of releases refuses a second message in any of their slots", () => {
  // Copying the slots once for each release would take minutes here, and the signer would not come back.
  const count = 50_000;
  const guard = restore(emptyGuard, [
    ...Array.from({ length: count }, (_, i) => release(i, i)),
    release(7, 8),
  ]);
  expect(guard.slots.size).toBe(count);
  expect(isRejected(take(guard, release(7, 8).slots))).toBe(true);
  expect(isRejected(take(guard, release(7, 7).slots))).toBe(false);
  expect(isRejected(take(guard, release(count - 1, 0).slots))).toBe(true);
});
