// One foreign event that somebody says happened, and what this signer's own nodes say of it (WIT-3).
import type { ForeignEvent } from "@causeway/chain-core/interchain";
import type { Bytes32 } from "@causeway/primitives";
import { keyOf } from "@causeway/primitives";

export type Verdict =
  /** Nobody has looked yet, or a look failed. */
  | { readonly kind: "unread" }
  | { readonly kind: "true"; readonly atMs: number }
  /** Own nodes do not show it, and may later (WIT-1). */
  | { readonly kind: "not-yet"; readonly atMs: number }
  | {
      readonly kind: "refused";
      readonly atMs: number;
      readonly code: string;
      readonly message: string;
    };

export type Item = {
  readonly key: string;
  /** FMT-5. */
  readonly id: Bytes32;
  readonly chain: Uint8Array;
  readonly event: ForeignEvent;
  readonly verdict: Verdict;
  /** A read is under way. */
  readonly reading: boolean;
  /** Reads that gave no decision, in a row: they come later and later. */
  readonly attempts: number;
  readonly nextReadMs: number;
  readonly seenAtMs: number;
  /** Own relay hinted at it: this seat proposes it at this time, unless the ledger has it (WIT-1). */
  readonly proposeAtMs?: number;
  /** Refused together with others: it is proposed by itself. */
  readonly alone?: boolean;
};

/** WIT-1: how long "not yet" is kept. */
export const keepMs: number = 10 * 60_000;
/** A decision older than this is read again before it is relied on: blocks may have been reorganised. */
export const freshMs = 10_000;
const backoffMs = { first: 500, most: 20_000 } as const;

/** A statement names an event in one block; another block makes another statement of it (WIT-4). */
export function itemKey(id: Bytes32, event: ForeignEvent): string {
  return `${keyOf(id)}:${keyOf(event.blockHash)}:${keyOf(event.body)}`;
}

export function newItem(id: Bytes32, chain: Uint8Array, event: ForeignEvent, nowMs: number): Item {
  return {
    key: itemKey(id, event),
    id,
    chain,
    event,
    verdict: { kind: "unread" },
    reading: false,
    attempts: 0,
    nextReadMs: nowMs,
    seenAtMs: nowMs,
  };
}

/** Whether a read should be ordered now. */
export function isDue(item: Item, nowMs: number): boolean {
  if (item.reading) return false;
  const open = item.verdict.kind === "unread" || item.verdict.kind === "not-yet";
  return open && item.nextReadMs <= nowMs;
}

/** The item after a read without a decision. */
export function undecided(item: Item, verdict: Verdict, nowMs: number): Item {
  const attempts = item.attempts + 1;
  const delayMs = Math.min(backoffMs.most, backoffMs.first * 2 ** Math.min(attempts - 1, 10));
  return { ...item, verdict, reading: false, attempts, nextReadMs: nowMs + delayMs };
}

/** Forgets a decision that is too old to rely on. */
export function refreshed(item: Item, nowMs: number): Item {
  const { verdict } = item;
  if (verdict.kind !== "true" && verdict.kind !== "refused") return item;
  if (nowMs - verdict.atMs < freshMs) return item;
  return { ...item, verdict: { kind: "unread" }, attempts: 0, nextReadMs: nowMs };
}

/** A block of the chain came: what was undecided is read at once (WIT-1). */
export function woken(item: Item, nowMs: number): Item {
  if (item.verdict.kind !== "not-yet" && item.verdict.kind !== "unread") return item;
  return { ...item, attempts: 0, nextReadMs: nowMs };
}
