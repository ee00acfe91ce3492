// The double-sign guard: what each slot was signed for, remembered durably before the first share of it leaves.
// A slot is one place on a foreign chain that at most one message may take (BTC-3, ETH-1): a second, different
// message in it is refused for ever, whatever the ledger says.
import { isEvmPlan, planKinds } from "@causeway/chain-core/interchain";
import type { Rejected } from "@causeway/primitives";
import { bigEndian, concat, equal, must, rejected, toHex } from "@causeway/primitives";
import type { SlotUse } from "./journal.ts";

/** By the hex of a slot's name: the message that it was signed for. */
export type Guard = { readonly slots: ReadonlyMap<string, Uint8Array> };

export const emptyGuard: Guard = { slots: new Map() };

/** The fields of a plan that its slots are made of. */
export type Slotted = {
  readonly kind: number;
  readonly keyId: number;
  readonly chain: Uint8Array;
  readonly anchor: Uint8Array;
  readonly attempt: number;
  readonly nonce: number;
};

/**
 * One slot a message, in order: (key, anchor, attempt, input) on Bitcoin, (key, chain, nonce) on an EVM chain
 * (the next key signs a nonce again, with identical content: ETH-1), (key, attempt) for the canary of a
 * key generation, whose attempts make different keys.
 */
export function slotsOf(plan: Slotted, messages: readonly Uint8Array[]): SlotUse[] {
  const names = slotNames(plan, messages.length);
  return messages.map((message, i) => ({ slot: must(names[i], "slot"), message }));
}

/** The names alone, of a plan with `count` messages. */
export function slotNames(plan: Slotted, count: number): Uint8Array[] {
  const key = bigEndian(plan.keyId, 4);
  return Array.from({ length: count }, (_, i) => {
    if (isEvmPlan(plan)) return concat(Uint8Array.of(2), key, plan.chain, bigEndian(plan.nonce, 8));
    const attempt = bigEndian(plan.attempt, 2);
    if (plan.kind === planKinds.canary) return concat(Uint8Array.of(3), key, attempt);
    const place = concat(plan.anchor, attempt, bigEndian(i, 2));
    return concat(Uint8Array.of(1), key, place);
  });
}

/** The guard with these slots taken, or refused when one is taken for another message. */
export function take(guard: Guard, uses: readonly SlotUse[]): Guard | Rejected<"slot-taken"> {
  const isTaken = uses.every(({ slot, message }) => {
    const before = guard.slots.get(toHex(slot));
    return before !== undefined && equal(before, message);
  });
  // The slots are of years: another session or seat of the same plan copies none.
  if (isTaken) return guard;
  const slots = new Map(guard.slots);
  for (const { slot, message } of uses) {
    const key = toHex(slot);
    const before = slots.get(key);
    if (before !== undefined && !equal(before, message))
      return rejected("slot-taken", `slot ${key} is signed for another message`);
    slots.set(key, message);
  }
  return { slots };
}

/** The guard after a restart: every journaled release and bar holds, of years. The first use of a slot counts. */
export function restore(
  guard: Guard,
  releases: readonly { readonly slots: readonly SlotUse[] }[],
): Guard {
  const slots = new Map(guard.slots);
  for (const release of releases)
    for (const { slot, message } of release.slots) {
      const key = toHex(slot);
      if (!slots.has(key)) slots.set(key, message);
    }
  return { slots };
}
