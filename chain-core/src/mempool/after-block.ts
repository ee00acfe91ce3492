// What a final block does to what waits.
import { isRejected, keyOf } from "@causeway/primitives";
import { transactionCodec, transactionKey } from "../codec/transaction.ts";
import { claimsOf } from "./claims.ts";
import type { Entry, Pool } from "./entry.ts";
import { descendantsOf, drop, passedOverMax, remove } from "./entry.ts";
import { rememberOffers } from "./offers.ts";

export type FinalTransactions = {
  readonly transactions: readonly Uint8Array[];
  /** One for each of `transactions`. */
  readonly ids: readonly Uint8Array[];
  /** Ledger time of the block, ms. */
  readonly time: number;
  /** The block left no room: what it left out may still be good. */
  readonly isFull: boolean;
};

/** Drops what the block included, made impossible or outlived. What else may have changed: {@link suspects}. */
export function afterBlock(state: Pool, block: FinalTransactions): void {
  state.refused.clear();
  const hashes = block.transactions.map(transactionKey);
  state.final = [new Set(hashes), ...state.final.slice(0, 1)];
  const paid: number[] = [];
  for (const [i, id] of block.ids.entries()) {
    const key = keyOf(id);
    const entry = state.entries.get(key);
    if (entry !== undefined) {
      if (entry.sender === undefined) paid.push(entry.ownRate);
      include(state, entry);
    } else if (state.entries.size > 0) dropRivals(state, key, block.transactions[i]);
  }
  rememberOffers(state, paid);
  for (const entry of state.entries.values()) {
    if (entry.expires < block.time) drop(state, entry, { reason: "expired" });
    else if (!block.isFull && ++entry.passedOver === passedOverMax) state.work -= 1;
  }
}

/** An entry that is final: what builds on it has one parent less to wait for. */
function include(state: Pool, entry: Entry): void {
  const freed = descendantsOf(state, entry);
  remove(state, entry);
  for (const one of freed) {
    const rates = [...one.parents].map((key) => state.entries.get(key)?.rate ?? one.ownRate);
    const rate = Math.min(one.ownRate, ...rates);
    if (rate === one.rate) continue;
    one.rate = rate;
    state.cheapest.push(one);
  }
}

/** A transaction that never waited here may have used up what others need. */
function dropRivals(state: Pool, key: string, bytes: Uint8Array | undefined): void {
  const tx = transactionCodec.parse(bytes ?? new Uint8Array(0));
  if (isRejected(tx)) return;
  for (const claim of claimsOf(tx)) {
    const rival = state.entries.get(state.claims.get(claim) ?? "");
    if (rival !== undefined) drop(state, rival, { reason: "conflict", by: key });
  }
}

/** So many of either kind are asked about again per block. */
const suspectsMax = 128;

/**
 * What the ledger should be asked about again after a block, in turns: what blocks with room left out, and, when
 * the block changed interchain or ring state, envelopes.
 */
export function suspects(state: Pool, changed: boolean): Entry[] {
  const found: Entry[] = [];
  const counts = { envelope: 0, user: 0 };
  const take = (entry: Entry): void => {
    const kind = entry.sender === undefined ? "user" : "envelope";
    const isSuspect = entry.passedOver > 0 || (kind === "envelope" && changed);
    if (isSuspect && counts[kind]++ < suspectsMax) found.push(entry);
  };
  const all = [...state.entries.values()];
  for (const entry of all) if (entry.order > state.suspected) take(entry);
  for (const entry of all) if (entry.order <= state.suspected) take(entry);
  const isComplete = counts.user <= suspectsMax && counts.envelope <= suspectsMax;
  state.suspected = isComplete ? -1 : (found.at(-1)?.order ?? -1);
  return found;
}
