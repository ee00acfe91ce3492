// Transactions that wait for a block: bounded, each checked by the ledger once on its way in, dropped when a
// block makes them impossible. When it is full the cheapest leaves; whoever pays enough more replaces what spends the
// same; a transaction may spend outputs of one that still waits.
import type { Rejected } from "@causeway/primitives";
import { concat, isRejected, keyOf, rejected } from "@causeway/primitives";
import type { OutputId } from "../codec/action.ts";
import type { Transaction } from "../codec/transaction.ts";
import { transactionKey } from "../codec/transaction.ts";
import type { Checked } from "../node/port.ts";
import { claimsOf, inputsOf } from "./claims.ts";
import type { Entry, Pool } from "./entry.ts";
import { ancestorsOf, descendantsOf, drop, insert } from "./entry.ts";

export { afterBlock, type FinalTransactions, suspects } from "./after-block.ts";
export { candidates } from "./candidates.ts";
export {
  defaultLimits,
  drop,
  type Entry,
  type Gone,
  type Limits,
  type Pool,
  passedOverMax,
  pool,
} from "./entry.ts";

const refusedMax = 100_000;

export type PoolCode =
  /** The same id, perhaps with other witnesses, waits already. */
  | "known"
  /** Another waiting transaction uses up the same envelope number, or the same output and is not outbid. */
  | "conflict"
  /** Everything that waits pays more. */
  | "mempool-full"
  /** Too many envelopes of this sender wait. */
  | "too-many-envelopes"
  /** Too many transactions of this owner wait. */
  | "too-many-of-owner"
  /** It builds on too many that wait. */
  | "too-long-chain";

/** What is known of `bytes` without asking the ledger: the entry, "refused" at this height or final, or undefined. */
export function find(state: Pool, bytes: Uint8Array): Entry | "refused" | undefined {
  const hash = transactionKey(bytes);
  if (state.refused.has(hash) || state.final.some((block) => block.has(hash))) return "refused";
  return byHash(state, hash);
}

/** The waiting transaction whose bytes have this SHA-256, in hex. */
export function byHash(state: Pool, hash: string): Entry | undefined {
  const key = state.hashes.get(hash);
  return key === undefined ? undefined : state.entries.get(key);
}

/** Not to be asked again before the next block. */
export function refuse(state: Pool, bytes: Uint8Array): void {
  if (state.refused.size < refusedMax) state.refused.add(transactionKey(bytes));
}

/** The waiting transaction `id`. */
export function byId(state: Pool, id: Uint8Array): Entry | undefined {
  return state.entries.get(keyOf(id));
}

/**
 * The waiting transactions on which `tx` builds, each after its own parents: the ledger has to execute them before
 * it can judge `tx`.
 */
export function parentsOf(state: Pool, tx: Transaction): Uint8Array[] | Rejected<PoolCode> {
  const keys = parentKeys(state, inputsOf(tx));
  if (keys.length === 0) return [];
  const ancestors = ancestorsOf(state, keys);
  const { ancestorsMax } = state.limits;
  if (ancestors.length >= ancestorsMax)
    return rejected(
      "too-long-chain",
      `it builds on ${ancestors.length} that wait, at most ${ancestorsMax - 1}`,
    );
  return ancestors.map(({ bytes }) => bytes);
}

/** The same of what waits itself. */
export function parentsOfEntry(state: Pool, entry: Entry): Uint8Array[] {
  if (entry.parents.size === 0) return [];
  return ancestorsOf(state, entry.parents).map(({ bytes }) => bytes);
}

function parentKeys(state: Pool, inputs: readonly OutputId[]): string[] {
  const keys = inputs.map(({ txid }) => keyOf(txid));
  return keys.filter((key) => state.entries.has(key));
}

/**
 * Takes in what the ledger checked, after {@link parentsOf} where it builds on what waits. What it replaces is
 * dropped and named in `gone`.
 */
export function add(
  state: Pool,
  checked: Checked,
  bytes: Uint8Array,
  own: boolean,
  at: number,
): Entry | Rejected<PoolCode> {
  const key = keyOf(checked.id);
  if (state.entries.has(key)) return rejected("known", `transaction ${key} waits already`);
  const entry = entryOf(state, checked, bytes, own, at);
  const replaced = rivalsOf(state, entry);
  if (isRejected(replaced)) return replaced;
  const many = tooMany(state, entry, replaced);
  if (many !== undefined) return many;
  const evicted = victimsOf(state, entry, replaced);
  if (isRejected(evicted)) return evicted;
  for (const rival of replaced) drop(state, rival, { reason: "replaced", by: key });
  // Nothing that it builds on is among them: that pays no less.
  for (const victim of evicted) drop(state, victim, { reason: "evicted" });
  insert(state, entry);
  return entry;
}

function entryOf(
  state: Pool,
  checked: Checked,
  bytes: Uint8Array,
  own: boolean,
  at: number,
): Entry {
  const { id, tx, fee, weight, owner } = checked;
  const [envelope] = tx.envelope;
  const sender = envelope && {
    key: keyOf(concat(envelope.validator, Uint8Array.of(envelope.role))),
    sequence: envelope.sequence,
  };
  const inputs = inputsOf(tx);
  const parents = new Set(parentKeys(state, inputs));
  const ownRate = Number(fee) / weight;
  const rates = [...parents].map((parent) => state.entries.get(parent)?.rate ?? ownRate);
  return {
    key: keyOf(id),
    id,
    bytes,
    hash: transactionKey(bytes),
    fee,
    ownRate,
    rate: Math.min(ownRate, ...rates),
    expires: tx.expires,
    claims: claimsOf(tx, inputs),
    parents,
    children: new Set(),
    ...(sender && { sender }),
    ...(owner && !sender && { owner: keyOf(owner) }),
    order: state.order++,
    own,
    passedOver: 0,
    sentAt: at,
  };
}

/** To replace, a newcomer pays at least so many per cent of what it replaces, in sum and by the byte. */
const replacePercent = 110n;

/**
 * What a newcomer replaces: those that claim the same, and all that builds on them. Each replacement pays for the
 * work and the traffic of what it throws away, so that outbidding oneself is no free flood.
 */
function rivalsOf(state: Pool, entry: Entry): Entry[] | Rejected<PoolCode> {
  if (!entry.claims.some((claim) => state.claims.has(claim))) return [];
  const found = new Set<Entry>();
  for (const claim of entry.claims) {
    const rival = state.entries.get(state.claims.get(claim) ?? "");
    if (rival === undefined || found.has(rival)) continue;
    for (const one of [rival, ...descendantsOf(state, rival)]) found.add(one);
    if (found.size > state.limits.replacedMax)
      return rejected(
        "conflict",
        `more than ${state.limits.replacedMax} wait that spend the same or build on it`,
      );
  }
  let fees = 0n;
  for (const rival of found) {
    if (rival.sender !== undefined || entry.sender !== undefined || entry.parents.has(rival.key))
      return rejected("conflict", `transaction ${rival.key} uses up the same`);
    fees += rival.fee;
    if (entry.rate * 100 < rival.ownRate * Number(replacePercent))
      return rejected(
        "conflict",
        `transaction ${rival.key} spends the same and pays as much a byte`,
      );
  }
  if (entry.fee * 100n < fees * replacePercent)
    return rejected(
      "conflict",
      `what spends the same pays ${fees} in all, to replace it pay a tenth more`,
    );
  return [...found];
}

function tooMany(
  { senders, owners, limits }: Pool,
  { sender, owner }: Entry,
  replaced: readonly Entry[],
): Rejected<PoolCode> | undefined {
  const { envelopesMax, ownerMax } = limits;
  if (sender !== undefined && (senders.get(sender.key) ?? 0) >= envelopesMax)
    return rejected("too-many-envelopes", `${envelopesMax} envelopes of this sender wait`);
  const leaving = replaced.filter((rival) => rival.owner === owner).length;
  if (owner !== undefined && (owners.get(owner) ?? 0) - leaving >= ownerMax)
    return rejected("too-many-of-owner", `${ownerMax} transactions of this owner wait`);
  return undefined;
}

/** What pays least, as much as a full pool must evict; refused when the newcomer pays no more. */
function victimsOf(
  state: Pool,
  { rate, sender, bytes }: Entry,
  replaced: readonly Entry[],
): Entry[] | Rejected<PoolCode> {
  const { countMax, sizeMax } = state.limits;
  const leaving = new Set(replaced);
  let count = state.entries.size - leaving.size + 1;
  let size = state.size + bytes.length;
  for (const rival of leaving) size -= rival.bytes.length;
  const victims: Entry[] = [];
  while (count > countMax || size > sizeMax) {
    const cheapest = state.cheapest.pop();
    if (cheapest !== undefined) victims.push(cheapest);
    if (cheapest === undefined || (sender === undefined && cheapest.rate >= rate)) {
      for (const spared of victims) state.cheapest.push(spared);
      return rejected("mempool-full", "every waiting transaction pays more");
    }
    if (leaving.has(cheapest)) continue;
    // What builds on it pays no more and is newer, so it is among the victims already.
    count -= 1;
    size -= cheapest.bytes.length;
  }
  return victims;
}
