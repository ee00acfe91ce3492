// Deposit requests that travel by gossip, so that every relay watches the addresses (WIT-1): bounded, expiring,
// each kept once. Nothing on the ledger depends on them, they may be lost and posted again.
import type { BadBytes, Rejected } from "@causeway/primitives";
import { equal, isRejected, keyOf, rejected, sha256 } from "@causeway/primitives";
import { depositRequestCodec } from "../interchain/statement.ts";

export const requestsMax = 20_000;

type Entry = { readonly cursor: number; readonly bytes: Uint8Array; readonly expires: number };

/** A resource with one owner, updated in place. Insertion order is cursor order. */
export type Requests = { readonly entries: Map<string, Entry>; cursor: number };

export function requests(): Requests {
  return { entries: new Map(), cursor: 0 };
}

export type RequestCode = "bad-request" | "expired" | "expires-too-late" | "unknown-chain" | "busy";

export type Terms = {
  /** Ledger time, ms. */
  readonly time: number;
  /** How far ahead a request may expire, ms. */
  readonly ttlMs: number;
  /** The chain on which deposits by request are made (FMT-8). */
  readonly chain: Uint8Array;
};

/** Keeps a request's canonical bytes. `isNew` is false for one that is here already. */
export function add(
  state: Requests,
  bytes: Uint8Array,
  terms: Terms,
): { readonly id: Uint8Array; readonly isNew: boolean } | Rejected<RequestCode> {
  const id = sha256(bytes);
  const key = keyOf(id);
  if (state.entries.has(key)) return { id, isNew: false };
  const request = depositRequestCodec.parse(bytes);
  if (isRejected(request)) return badRequest(request);
  if (!equal(request.chain, terms.chain))
    return rejected("unknown-chain", "no deposits by request on that chain");
  if (request.expires <= terms.time)
    return rejected("expired", `expired at ${request.expires}, ledger time is ${terms.time}`);
  if (request.expires > terms.time + terms.ttlMs)
    return rejected("expires-too-late", `expires more than ${terms.ttlMs} ms ahead`);
  if (state.entries.size >= requestsMax)
    return rejected("busy", `${requestsMax} requests are remembered, try again later`);
  state.cursor += 1;
  state.entries.set(key, { cursor: state.cursor, bytes, expires: request.expires });
  return { id, isNew: true };
}

function badRequest(reason: BadBytes): Rejected<RequestCode> {
  return rejected("bad-request", reason.message);
}

/** Forgets what has expired at ledger time `time`. */
export function expire(state: Requests, time: number): void {
  for (const [key, { expires }] of state.entries) if (expires <= time) state.entries.delete(key);
}

/** At most `limit` requests after `cursor` (0: from the start), oldest first, and the cursor to go on from. */
export function after(
  state: Requests,
  cursor: number,
  limit: number,
): { readonly requests: Uint8Array[]; readonly next: number } {
  const found: Uint8Array[] = [];
  let next = cursor;
  for (const entry of state.entries.values()) {
    if (entry.cursor <= cursor) continue;
    if (found.length === limit) break;
    found.push(entry.bytes);
    next = entry.cursor;
  }
  return { requests: found, next };
}

/** The newest `limit`, for a peer that just came. */
export function newest(state: Requests, limit: number): Uint8Array[] {
  return [...state.entries.values()].slice(-limit).map(({ bytes }) => bytes);
}
