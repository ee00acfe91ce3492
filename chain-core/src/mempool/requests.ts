// Deposit requests that travel by gossip, so that every relay watches the addresses (WIT-1): bounded, expiring,
// each kept once. Nothing on the ledger depends on them, they may be lost and posted again.
import type { BadBytes, Rejected } from "@causeway/primitives";
import { equal, isRejected, keyOf, rejected, sha256 } from "@causeway/primitives";
import { depositRequestCodec } from "../interchain/statement.ts";

export const requestsMax = 20_000;
/** Of these, from one peer: a few that flood do not make the others' users wait. */
export const requestsOfPeerMax: number = requestsMax / 16;

type Entry = {
  readonly cursor: number;
  readonly bytes: Uint8Array;
  readonly expires: number;
  readonly origin: string;
};

/** A resource with one owner, updated in place. Insertion order is cursor order. */
export type Requests = {
  readonly entries: Map<string, Entry>;
  /** Keys by the peer that brought them, {@link own} for those of the own RPC. */
  readonly origins: Map<string, Set<string>>;
  cursor: number;
};

/** Origin of a request of this node's own RPC. */
export const own = "";

export function requests(): Requests {
  return { entries: new Map(), origins: new Map(), cursor: 0 };
}

export type RequestCode = "bad-request" | "expired" | "expires-too-late" | "unknown-chain" | "busy";

export type Terms = {
  /** Ledger time, ms. */
  readonly time: number;
  /** How far ahead a request may expire, ms. */
  readonly ttlMs: number;
  /** The chain on which deposits by request are made (FMT-8). */
  readonly chain: Uint8Array;
  /** The peer that brought it; by default {@link own}. */
  readonly origin?: string;
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
  const origin = terms.origin ?? own;
  if (!makeRoom(state, origin, request.expires))
    return rejected("busy", `${requestsMax} requests are remembered, try again later`);
  state.cursor += 1;
  state.entries.set(key, { cursor: state.cursor, bytes, expires: request.expires, origin });
  const keys = state.origins.get(origin) ?? new Set();
  state.origins.set(origin, keys.add(key));
  return { id, isNew: true };
}

/**
 * A peer at its bound gives up one of its own. When all is full, who has most gives up one: a request that expires
 * last is the one that its sender can best repeat. False where the newcomer is that one itself.
 */
function makeRoom(state: Requests, origin: string, expires: number): boolean {
  const mine = state.origins.get(origin)?.size ?? 0;
  const isAtBound = origin !== own && mine >= requestsOfPeerMax;
  if (state.entries.size < requestsMax && !isAtBound) return true;
  const [from, keys] = isAtBound
    ? ([origin, state.origins.get(origin)] as const)
    : (largest(state) ?? ([origin, undefined] as const));
  let last: readonly [key: string, expires: number] = ["", from === origin ? expires : -1];
  for (const key of keys ?? []) {
    const at = state.entries.get(key)?.expires ?? -1;
    if (at > last[1]) last = [key, at];
  }
  return forget(state, last[0]);
}

function largest(state: Requests): readonly [origin: string, keys: Set<string>] | undefined {
  let found: readonly [string, Set<string>] | undefined;
  for (const one of state.origins)
    if (found === undefined || one[1].size > found[1].size) found = one;
  return found;
}

function forget(state: Requests, key: string): boolean {
  const entry = state.entries.get(key);
  if (entry === undefined) return false;
  state.entries.delete(key);
  const keys = state.origins.get(entry.origin);
  keys?.delete(key);
  if (keys?.size === 0) state.origins.delete(entry.origin);
  return true;
}

function badRequest(reason: BadBytes): Rejected<RequestCode> {
  return rejected("bad-request", reason.message);
}

/** Forgets what has expired at ledger time `time`. */
export function expire(state: Requests, time: number): void {
  for (const [key, { expires }] of state.entries) if (expires <= time) forget(state, key);
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
