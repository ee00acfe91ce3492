// Transactions that wait for a block: bounded, each checked by the ledger once on its way in, dropped when a
// block makes them impossible. A pool is a resource with one owner, updated in place; what it does depends on
// its arguments alone.
import type { Rejected } from "@causeway/primitives";
import { concat, isRejected, keyOf, rejected, sha256 } from "@causeway/primitives";
import { kinds, outputIdType, spendCodec } from "../codec/action.ts";
import type { Transaction } from "../codec/transaction.ts";
import { transactionCodec } from "../codec/transaction.ts";
import type { Checked } from "../node/port.ts";

export type Limits = {
  readonly countMax: number;
  /** Bytes of all transactions. */
  readonly sizeMax: number;
  /** Envelopes waiting per (validator, role): their sequence numbers' window (CON-7). */
  readonly envelopesMax: number;
};
export const defaultLimits: Limits = {
  countMax: 50_000,
  sizeMax: 64 * 1024 * 1024,
  envelopesMax: 128,
};

/** One waiting transaction. */
export type Entry = {
  /** Hex of the id; the id leaves the witnesses out (FMT-4). */
  readonly key: string;
  readonly id: Uint8Array;
  readonly bytes: Uint8Array;
  /** Hex of the SHA-256 of `bytes`. */
  readonly hash: string;
  /** BTM units per byte of weight; 0 for an envelope. */
  readonly rate: number;
  /** Ledger time, ms. */
  readonly expires: number;
  /** What only one transaction can use up: outputs, and an envelope's number. */
  readonly claims: readonly string[];
  /** Of the envelope: hex of validator || role, and its number. */
  readonly sender?: { readonly key: string; readonly sequence: number };
  /** In order of arrival. */
  readonly order: number;
  /** Came in by this node's own RPC. */
  readonly own: boolean;
  /** Blocks with room that left it out. */
  passedOver: number;
  /** Own clock when it was last given to peers, ms. */
  sentAt: number;
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
  /** Keys of the own entries. */
  readonly own: Set<string>;
  readonly senders: Map<string, number>;
  size: number;
  order: number;
  /** Entries that count as work (CON-1). */
  work: number;
};

/** A transaction that so many blocks with room left out is no reason for another block. */
export const passedOverMax = 8;
const refusedMax = 100_000;

export function pool(limits: Limits = defaultLimits): Pool {
  return {
    limits,
    entries: new Map(),
    claims: new Map(),
    hashes: new Map(),
    refused: new Set(),
    own: new Set(),
    senders: new Map(),
    size: 0,
    order: 0,
    work: 0,
  };
}

export type PoolCode =
  /** The same id, perhaps with other witnesses, waits already. */
  | "known"
  /** Another waiting transaction uses up the same output or envelope number. */
  | "conflict"
  /** Everything that waits pays more. */
  | "mempool-full"
  /** Too many envelopes of this sender wait. */
  | "too-many-envelopes";

/** What is known of `bytes` without asking the ledger: the entry, "refused" at this height, or undefined. */
export function find(state: Pool, bytes: Uint8Array): Entry | "refused" | undefined {
  const hash = keyOf(sha256(bytes));
  if (state.refused.has(hash)) return "refused";
  const key = state.hashes.get(hash);
  return key === undefined ? undefined : state.entries.get(key);
}

/** Not to be asked again before the next block. */
export function refuse(state: Pool, bytes: Uint8Array): void {
  if (state.refused.size < refusedMax) state.refused.add(keyOf(sha256(bytes)));
}

/** Takes in what the ledger checked. */
export function add(
  state: Pool,
  checked: Checked,
  bytes: Uint8Array,
  own: boolean,
  at: number,
): Entry | Rejected<PoolCode> {
  const key = keyOf(checked.id);
  if (state.entries.has(key)) return rejected("known", `transaction ${key} waits already`);
  const claims = claimsOf(checked.tx);
  const rival = claims.map((claim) => state.claims.get(claim)).find((found) => found !== undefined);
  if (rival !== undefined) return rejected("conflict", `transaction ${rival} spends the same`);
  const [envelope] = checked.tx.envelope;
  const sender = envelope && {
    key: keyOf(concat(envelope.validator, Uint8Array.of(envelope.role))),
    sequence: envelope.sequence,
  };
  const rate = Number(checked.fee) / checked.weight;
  const full = makeRoom(state, sender?.key, rate, bytes.length);
  if (full !== undefined) return full;
  const entry: Entry = {
    key,
    id: checked.id,
    bytes,
    hash: keyOf(sha256(bytes)),
    rate,
    expires: checked.tx.expires,
    claims,
    ...(sender && { sender }),
    order: state.order++,
    own,
    passedOver: 0,
    sentAt: at,
  };
  state.entries.set(key, entry);
  for (const claim of claims) state.claims.set(claim, key);
  if (sender !== undefined) state.senders.set(sender.key, (state.senders.get(sender.key) ?? 0) + 1);
  state.size += bytes.length;
  state.work += 1;
  state.hashes.set(entry.hash, key);
  if (own) state.own.add(key);
  return entry;
}

/** What only one transaction can use up. */
function claimsOf(tx: Transaction): string[] {
  const claims: string[] = [];
  for (const { kind, body } of tx.actions) {
    if (kind !== kinds.spend) continue;
    const spend = spendCodec.parse(body);
    if (isRejected(spend)) continue;
    for (const input of spend.inputs) claims.push(keyOf(outputIdType.serialize(input)));
  }
  for (const { validator, role, sequence } of tx.envelope)
    claims.push(`${keyOf(validator)}/${role}/${sequence}`);
  return claims;
}

/** Evicts the cheapest twentieth when full, unless the newcomer is among them; envelopes have their own bound. */
function makeRoom(
  state: Pool,
  sender: string | undefined,
  rate: number,
  size: number,
): Rejected<PoolCode> | undefined {
  const { countMax, sizeMax, envelopesMax } = state.limits;
  if (sender !== undefined && (state.senders.get(sender) ?? 0) >= envelopesMax)
    return rejected("too-many-envelopes", `${envelopesMax} envelopes of this sender wait`);
  if (state.entries.size < countMax && state.size + size <= sizeMax) return undefined;
  // Sorting 50,000 takes 50 ms: not for each newcomer that is refused anyway.
  if (sender === undefined && !isAnyCheaper(state, rate))
    return rejected("mempool-full", "every waiting transaction pays more");
  const paid = [...state.entries.values()].filter((entry) => entry.sender === undefined);
  paid.sort((a, b) => a.rate - b.rate || b.order - a.order);
  const countGoal = countMax - Math.ceil(countMax / 20);
  const sizeGoal = sizeMax - Math.max(size, Math.ceil(sizeMax / 20));
  for (const entry of paid) {
    if (state.entries.size <= countGoal && state.size <= sizeGoal) break;
    if (sender === undefined && entry.rate >= rate) break;
    drop(state, entry);
  }
  if (state.entries.size < countMax && state.size + size <= sizeMax) return undefined;
  return rejected("mempool-full", "every waiting transaction pays more");
}

function isAnyCheaper(state: Pool, rate: number): boolean {
  for (const entry of state.entries.values())
    if (entry.sender === undefined && entry.rate < rate) return true;
  return false;
}

export function drop(state: Pool, entry: Entry): void {
  if (!state.entries.delete(entry.key)) return;
  for (const claim of entry.claims) state.claims.delete(claim);
  state.hashes.delete(entry.hash);
  state.own.delete(entry.key);
  state.size -= entry.bytes.length;
  if (entry.passedOver < passedOverMax) state.work -= 1;
  if (entry.sender === undefined) return;
  const left = (state.senders.get(entry.sender.key) ?? 1) - 1;
  if (left === 0) state.senders.delete(entry.sender.key);
  else state.senders.set(entry.sender.key, left);
}

/**
 * For a proposer: envelopes by sender and number, then the rest by what they pay, older first; about `sizeMax`
 * bytes of each, since a block takes no more.
 */
export function candidates(state: Pool, sizeMax: number): Uint8Array[] {
  const envelopes: Entry[] = [];
  const paid: Entry[] = [];
  for (const entry of state.entries.values())
    (entry.sender === undefined ? paid : envelopes).push(entry);
  envelopes.sort(
    (a, b) => (a.sender?.sequence ?? 0) - (b.sender?.sequence ?? 0) || a.order - b.order,
  );
  paid.sort((a, b) => b.rate - a.rate || a.order - b.order);
  return [...upTo(envelopes, sizeMax), ...upTo(paid, sizeMax)];
}

function upTo(entries: readonly Entry[], sizeMax: number): Uint8Array[] {
  const chosen: Uint8Array[] = [];
  let size = 0;
  for (const { bytes } of entries) {
    size += bytes.length;
    if (size > sizeMax) break;
    chosen.push(bytes);
  }
  return chosen;
}

export type FinalTransactions = {
  readonly transactions: readonly Uint8Array[];
  readonly ids: readonly Uint8Array[];
  /** Ledger time of the block, ms. */
  readonly time: number;
  /** The block left no room: what it left out may still be good. */
  readonly isFull: boolean;
};

/** Drops what the block included, made impossible or outlived. What else may have changed: {@link suspects}. */
export function afterBlock(state: Pool, block: FinalTransactions): void {
  state.refused.clear();
  for (const id of block.ids) {
    const entry = state.entries.get(keyOf(id));
    if (entry !== undefined) drop(state, entry);
  }
  if (state.entries.size > 0)
    for (const bytes of block.transactions)
      for (const claim of claimsOf(transactionCodec.decode(bytes))) {
        const rival = state.entries.get(state.claims.get(claim) ?? "");
        if (rival !== undefined) drop(state, rival);
      }
  for (const entry of [...state.entries.values()]) {
    if (entry.expires < block.time) drop(state, entry);
    else if (!block.isFull && ++entry.passedOver === passedOverMax) state.work -= 1;
  }
}

/** At most so many user transactions are asked about again per block. */
const suspectsMax = 64;

/**
 * What the ledger should be asked about again after a block: what blocks with room left out, and, when the
 * block changed interchain or ring state, every envelope.
 */
export function suspects(state: Pool, changed: boolean): Entry[] {
  const found: Entry[] = [];
  let users = 0;
  for (const entry of state.entries.values()) {
    const isEnvelope = entry.sender !== undefined;
    if (isEnvelope && changed) found.push(entry);
    else if (entry.passedOver > 0 && (isEnvelope || users++ < suspectsMax)) found.push(entry);
  }
  return found;
}

/** The waiting transaction `id`. */
export function byId(state: Pool, id: Uint8Array): Entry | undefined {
  return state.entries.get(keyOf(id));
}
