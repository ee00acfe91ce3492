// The mempool: its graph of transactions, clusters and their order of mining. Policy (what may enter)
// is in policy.ts. Mutable state of one owner, no I/O.
import type { Tx } from "./tx.ts";
import { spentOutpoint } from "./tx.ts";

/** `fee` in satoshi, `time` of arrival in Unix seconds, `height` of the tip at arrival. */
export type PoolEntry = {
  readonly tx: Tx;
  readonly fee: bigint;
  readonly time: number;
  readonly height: number;
  readonly parents: Set<string>;
  readonly children: Set<string>;
};

export type Pool = {
  /** By transaction id, in order of arrival. */
  readonly entries: Map<string, PoolEntry>;
  /** Spending transaction by outpoint. */
  readonly spends: Map<string, string>;
  /** Core's mempool_sequence: one more than the additions and removals so far. */
  sequence: number;
};

/** Transactions that are mined together, parents first; rates fall from chunk to chunk of a cluster. */
export type Chunk = {
  readonly entries: readonly PoolEntry[];
  readonly fee: bigint;
  readonly weight: number;
};

export function createPool(): Pool {
  return { entries: new Map(), spends: new Map(), sequence: 1 };
}

/** A copy that can be changed without changing `pool`. */
export function copyPool(pool: Pool): Pool {
  const copy = createPool();
  for (const { tx, fee, time, height } of pool.entries.values()) add(copy, tx, fee, time, height);
  return copy;
}

export function add(pool: Pool, tx: Tx, fee: bigint, time: number, height: number): void {
  const entry: PoolEntry = { tx, fee, time, height, parents: new Set(), children: new Set() };
  for (const input of tx.body.ins) {
    const parent = pool.entries.get(spentId(input.hash, spentOutpoint(input)));
    pool.spends.set(spentOutpoint(input), tx.txid);
    if (parent === undefined) continue;
    entry.parents.add(parent.tx.txid);
    parent.children.add(tx.txid);
  }
  pool.entries.set(tx.txid, entry);
  pool.sequence++;
}

function spentId(hash: Uint8Array, outpoint: string): string {
  return outpoint.slice(0, hash.length * 2);
}

/** Removes one transaction; its children stay. */
export function remove(pool: Pool, txid: string): void {
  const entry = pool.entries.get(txid);
  if (entry === undefined) return;
  for (const input of entry.tx.body.ins) pool.spends.delete(spentOutpoint(input));
  for (const id of entry.parents) pool.entries.get(id)?.children.delete(txid);
  for (const id of entry.children) pool.entries.get(id)?.parents.delete(txid);
  pool.entries.delete(txid);
  pool.sequence++;
}

function removeWithDescendants(pool: Pool, txid: string): void {
  for (const id of descendants(pool, [txid])) remove(pool, id);
}

/** A block was connected: its transactions leave, and whatever conflicts with them. */
export function removeConfirmed(pool: Pool, txs: readonly Tx[]): void {
  for (const tx of txs) {
    remove(pool, tx.txid);
    for (const input of tx.body.ins) {
      const conflict = pool.spends.get(spentOutpoint(input));
      if (conflict !== undefined) removeWithDescendants(pool, conflict);
    }
  }
}

function closure(
  pool: Pool,
  start: Iterable<string>,
  next: (entry: PoolEntry) => Iterable<string>,
): Set<string> {
  const found = new Set<string>();
  const queue = [...start];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const entry = pool.entries.get(id);
    if (entry === undefined || found.has(id)) continue;
    found.add(id);
    queue.push(...next(entry));
  }
  return found;
}

/** These transactions and all that spend from them. */
export function descendants(pool: Pool, ids: Iterable<string>): Set<string> {
  return closure(pool, ids, (entry) => entry.children);
}

/** These transactions and all that they spend from. */
export function ancestors(pool: Pool, ids: Iterable<string>): Set<string> {
  return closure(pool, ids, (entry) => entry.parents);
}

/** All transactions connected with these. */
export function cluster(pool: Pool, ids: Iterable<string>): Set<string> {
  return closure(pool, ids, (entry) => [...entry.parents, ...entry.children]);
}

/** Is rate a strictly above rate b? Exact. */
export function paysMore(
  a: { readonly fee: bigint; readonly weight: number },
  b: { readonly fee: bigint; readonly weight: number },
): boolean {
  return a.fee * BigInt(b.weight) > b.fee * BigInt(a.weight);
}

function chunkOf(entries: readonly PoolEntry[]): Chunk {
  const fee = entries.reduce((sum, entry) => sum + entry.fee, 0n);
  const weight = entries.reduce((sum, entry) => sum + entry.tx.weight, 0);
  return { entries, fee, weight };
}

/** The chunks of one cluster: again and again the set of a transaction and its ancestors that pays most. */
export function linearise(pool: Pool, ids: ReadonlySet<string>): Chunk[] {
  const rest = new Set(ids);
  const chunks: Chunk[] = [];
  while (rest.size > 0) {
    let found: Chunk | undefined;
    for (const id of pool.entries.keys()) {
      if (!rest.has(id)) continue;
      const chunk = chunkOf(ordered(pool, ancestors(pool, [id]).intersection(rest)));
      if (found === undefined || paysMore(chunk, found)) found = chunk;
    }
    if (found === undefined) break;
    for (const entry of found.entries) rest.delete(entry.tx.txid);
    let last = chunks.at(-1);
    while (last !== undefined && paysMore(found, last)) {
      chunks.pop();
      found = chunkOf([...last.entries, ...found.entries]);
      last = chunks.at(-1);
    }
    chunks.push(found);
  }
  return chunks;
}

/** Parents before children. */
function ordered(pool: Pool, ids: ReadonlySet<string>): PoolEntry[] {
  const depth = (id: string): number => ancestors(pool, [id]).size;
  const sorted = [...ids].sort((a, b) => depth(a) - depth(b));
  return sorted.flatMap((id) => pool.entries.get(id) ?? []);
}

/** The chunks of all clusters, best first. */
export function miningOrder(pool: Pool): Chunk[] {
  const seen = new Set<string>();
  const chunks: Chunk[] = [];
  for (const id of pool.entries.keys()) {
    if (seen.has(id)) continue;
    const ids = cluster(pool, [id]);
    for (const member of ids) seen.add(member);
    chunks.push(...linearise(pool, ids));
  }
  // Stable: equal rates keep their order of arrival, so a cluster's chunks stay in order.
  return chunks.sort((a, b) => (paysMore(a, b) ? -1 : paysMore(b, a) ? 1 : 0));
}
