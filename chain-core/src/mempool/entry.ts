// What waits in the mempool, and its indices. A pool is a resource with one owner, updated in place; what it does
// depends on its arguments alone.
import type { CheapestFirst } from "./cheapest.ts";
import { cheapestFirst } from "./cheapest.ts";

export type Limits = {
  readonly countMax: number;
  /** Bytes of all transactions. */
  readonly sizeMax: number;
  /** Envelopes waiting per (validator, role): their sequence numbers' window (CON-7). */
  readonly envelopesMax: number;
  /** Waiting transactions whose first input one lock owns: one wallet does not fill the pool. */
  readonly ownerMax: number;
  /** Waiting transactions that one may build on, itself included; checking it executes them again. */
  readonly ancestorsMax: number;
  /** Waiting transactions that one newcomer may replace, what builds on them included. */
  readonly replacedMax: number;
};
export const defaultLimits: Limits = {
  countMax: 50_000,
  sizeMax: 64 * 1024 * 1024,
  envelopesMax: 128,
  ownerMax: 256,
  ancestorsMax: 25,
  replacedMax: 25,
};

/** One waiting transaction. */
export type Entry = {
  /** Hex of the id; the id leaves the witnesses out (FMT-4). */
  readonly key: string;
  readonly id: Uint8Array;
  readonly bytes: Uint8Array;
  /** Hex of the SHA-256 of `bytes`. */
  readonly hash: string;
  /** BTM units; 0 for an envelope. */
  readonly fee: bigint;
  /** BTM units per byte of weight; 0 for an envelope. */
  readonly ownRate: number;
  /** The least of the own rate and those of the waiting transactions that it builds on: its place in every order. */
  rate: number;
  /** Ledger time, ms. */
  readonly expires: number;
  /** What only one transaction can use up: outputs, and an envelope's number. */
  readonly claims: readonly string[];
  /** Keys of waiting transactions whose outputs it spends, and of those that spend its own. */
  readonly parents: Set<string>;
  readonly children: Set<string>;
  /** Of the envelope: hex of validator || role, and its number. */
  readonly sender?: { readonly key: string; readonly sequence: number };
  /** Hex of the lock of the first input's output. */
  readonly owner?: string;
  /** In order of arrival: of a parent less than of its children. */
  readonly order: number;
  /** Came in by this node's own RPC. */
  readonly own: boolean;
  /** Blocks with room that left it out. */
  passedOver: number;
  /** Own clock when it was last given to peers, ms. */
  sentAt: number;
};

/** Why a transaction waits no more, without being in a block. */
export type Gone = {
  readonly reason: "replaced" | "evicted" | "expired" | "conflict" | "invalid";
  /** Hex of the id of the transaction in whose favour. */
  readonly by?: string;
};

export type Pool = {
  readonly limits: Limits;
  readonly entries: Map<string, Entry>;
  /** Claim to the entry's key. */
  readonly claims: Map<string, string>;
  /** Hash of an entry's bytes to its key. */
  readonly hashes: Map<string, string>;
  /** Hashes of bytes that the present state refused. */
  readonly refused: Set<string>;
  /** Hashes of the bytes in the newest two blocks: peers may send them still. */
  final: readonly ReadonlySet<string>[];
  /** Keys of the own entries. */
  readonly own: Set<string>;
  /** Envelopes by sender, and others by owner: how many wait. */
  readonly senders: Map<string, number>;
  readonly owners: Map<string, number>;
  /** All but envelopes. */
  readonly cheapest: CheapestFirst<Entry>;
  /** Rates of payments that left for a block, the newest block's first (offers.ts). */
  offers: readonly (readonly number[])[];
  /** By hex of the id: the newest {@link goneMax} that left. */
  readonly gone: Map<string, Gone>;
  size: number;
  order: number;
  /** Entries that count as work (CON-1). */
  work: number;
  /** `order` up to which entries were asked about again. */
  suspected: number;
};

/** A transaction that so many blocks with room left out is no reason for another block. */
export const passedOverMax = 8;
const goneMax = 4_096;

export function pool(limits: Limits = defaultLimits): Pool {
  const entries = new Map<string, Entry>();
  return {
    limits,
    entries,
    claims: new Map(),
    hashes: new Map(),
    refused: new Set(),
    final: [],
    own: new Set(),
    senders: new Map(),
    owners: new Map(),
    cheapest: cheapestFirst((entry) => entries.get(entry.key) === entry),
    offers: [],
    gone: new Map(),
    size: 0,
    order: 0,
    work: 0,
    suspected: -1,
  };
}

/** Puts a new entry into every index. */
export function insert(state: Pool, entry: Entry): void {
  state.entries.set(entry.key, entry);
  for (const claim of entry.claims) state.claims.set(claim, entry.key);
  for (const parent of entry.parents) state.entries.get(parent)?.children.add(entry.key);
  if (entry.sender === undefined) state.cheapest.push(entry);
  count(state.senders, entry.sender?.key, 1);
  count(state.owners, entry.owner, 1);
  state.size += entry.bytes.length;
  state.work += 1;
  state.hashes.set(entry.hash, entry.key);
  state.gone.delete(entry.key);
  if (entry.own) state.own.add(entry.key);
}

/** Takes one entry out of every index; what builds on it stays and does so no more. False: it was not there. */
export function remove(state: Pool, entry: Entry): boolean {
  if (!state.entries.delete(entry.key)) return false;
  for (const claim of entry.claims) state.claims.delete(claim);
  for (const parent of entry.parents) state.entries.get(parent)?.children.delete(entry.key);
  for (const child of entry.children) state.entries.get(child)?.parents.delete(entry.key);
  count(state.senders, entry.sender?.key, -1);
  count(state.owners, entry.owner, -1);
  state.hashes.delete(entry.hash);
  state.own.delete(entry.key);
  state.size -= entry.bytes.length;
  if (entry.passedOver < passedOverMax) state.work -= 1;
  return true;
}

function count(counts: Map<string, number>, key: string | undefined, by: 1 | -1): void {
  if (key === undefined) return;
  const next = (counts.get(key) ?? 0) + by;
  if (next === 0) counts.delete(key);
  else counts.set(key, next);
}

/** Drops an entry and all that builds on it. */
export function drop(state: Pool, entry: Entry, gone: Gone = { reason: "invalid" }): void {
  for (const one of [...descendantsOf(state, entry), entry]) {
    if (!remove(state, one)) continue;
    const [oldest] = state.gone.keys();
    if (state.gone.size >= goneMax && oldest !== undefined) state.gone.delete(oldest);
    state.gone.set(one.key, gone);
  }
}

/** All that builds on an entry, directly or not, in order of arrival. */
export function descendantsOf(state: Pool, entry: Entry): Entry[] {
  return related(state, [...entry.children], ({ children }) => children);
}

/** The entries `keys` and all that they build on, in order of arrival: each after its parents. */
export function ancestorsOf(state: Pool, keys: Iterable<string>): Entry[] {
  return related(state, [...keys], ({ parents }) => parents);
}

function related(state: Pool, keys: string[], next: (entry: Entry) => Iterable<string>): Entry[] {
  const found = new Map<string, Entry>();
  for (const queue = keys; queue.length > 0; ) {
    const key = queue.pop() ?? "";
    const entry = state.entries.get(key);
    if (entry === undefined || found.has(key)) continue;
    found.set(key, entry);
    queue.push(...next(entry));
  }
  return [...found.values()].sort((a, b) => a.order - b.order);
}
