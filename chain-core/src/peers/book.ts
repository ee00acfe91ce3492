// The address book: who else is on the network, as far as this node heard or saw. It is bounded, by whole and by
// network range, so that one host that invents peers fills only its own corner of it.
import type { Codec, NetworkId, Random, Rejected } from "@causeway/primitives";
import {
  ByteListType,
  b32,
  ContainerType,
  codec,
  concat,
  equal,
  isPublicHost,
  isRejected,
  ListCompositeType,
  rejected,
  sha256,
  toHex,
  u64,
} from "@causeway/primitives";
import type { Address, PeerKey } from "./address.ts";
import { addressSize, encodeAddress, groupOf, parseAddress } from "./address.ts";

export const entriesMax = 1_024;
/** Of one range of hosts, of one host, and untried ones by the word of one range. */
export const perGroupMax = 32;
export const perHostMax = 4;
export const perSourceMax = 64;

/** After a dial that failed, ms; twice as long after each further one. */
const retryMsMin = 5_000;
const retryMsMax: number = 3_600_000;
/** What was never reached is forgotten after so many dials, what was, after so many and so long, ms. */
const failuresMax = 6;
const forgetMs: number = 7 * 24 * 3_600_000;

export type Entry = {
  readonly address: Address;
  /** The range of hosts of who told; empty: the peer itself, or the own file. */
  readonly source: string;
  /** Own clock of the newest dial, ms; 0: none. */
  readonly triedAt: number;
  /** Dials in a row that failed. */
  readonly failures: number;
  /** Own clock of the newest connection that this node made, ms; 0: none yet. */
  readonly reachedAt: number;
};

/** A resource with one owner, updated in place. */
export type Book = {
  readonly self: PeerKey;
  /** Many nodes behind one address: private hosts count, limits per host and range do not. */
  readonly oneMachine: boolean;
  readonly entries: Map<PeerKey, Entry>;
};

/** Who says so: the peer itself, on its own connection, or another, at a host of that range. */
export type Source = { readonly by: "itself" } | { readonly by: "other"; readonly group: string };

/** Takes the address into the book; false when it is not new or there is no place for it. */
export function learn(book: Book, address: Address, source: Source): boolean {
  const { entries } = book;
  if (address.key === book.self || !(book.oneMachine || isPublicHost(address.host))) return false;
  const known = entries.get(address.key);
  if (known !== undefined) {
    // Others may correct only what does not work.
    if (source.by === "other" && known.failures === 0) return false;
    if (isSame(known.address, address)) return false;
  }
  const group = source.by === "other" ? source.group : "";
  if (!isRoom(book, address, group) || !makeRoom(book)) return false;
  entries.set(address.key, { address, source: group, triedAt: 0, failures: 0, reachedAt: 0 });
  return true;
}

function isSame(a: Address, b: Address): boolean {
  return a.port === b.port && equal(a.host, b.host);
}

function isRoom(book: Book, { key, host }: Address, source: string): boolean {
  if (book.oneMachine) return true;
  const group = groupOf(host);
  const counts = { group: 0, host: 0, source: 0 };
  for (const entry of book.entries.values()) {
    if (entry.address.key === key) continue;
    if (groupOf(entry.address.host) === group) counts.group += 1;
    if (equal(entry.address.host, host)) counts.host += 1;
    if (source !== "" && entry.source === source && entry.reachedAt === 0) counts.source += 1;
  }
  return counts.group < perGroupMax && counts.host < perHostMax && counts.source < perSourceMax;
}

/** Who was never reached gives way first, then who is out of reach for longest; never who works. */
function makeRoom({ entries }: Book): boolean {
  if (entries.size < entriesMax) return true;
  let worst: Entry | undefined;
  for (const entry of entries.values()) {
    if (entry.reachedAt > 0 && entry.failures === 0) continue;
    if (worst === undefined || worth(entry) < worth(worst)) worst = entry;
  }
  if (worst !== undefined) entries.delete(worst.address.key);
  return worst !== undefined;
}

function worth({ reachedAt, failures }: Entry): number {
  return reachedAt > 0 ? reachedAt : -failures;
}

/** A dial came to its end. */
export function dialled(book: Book, key: PeerKey, isReached: boolean, at: number): void {
  const entry = book.entries.get(key);
  if (entry === undefined) return;
  const failures = isReached ? 0 : entry.failures + 1;
  const reachedAt = isReached ? at : entry.reachedAt;
  const isLost = reachedAt === 0 || at - reachedAt > forgetMs;
  const isHopeless = failures >= failuresMax && isLost;
  if (isHopeless) book.entries.delete(key);
  else book.entries.set(key, { ...entry, triedAt: at, failures, reachedAt });
}

/** When the entry may be dialled next, own clock, ms. */
export function dueAt({ triedAt, failures }: Entry): number {
  if (triedAt === 0) return 0;
  return triedAt + Math.min(retryMsMax, retryMsMin * 2 ** Math.min(failures, 20));
}

/**
 * At most `count` addresses to tell another, any of those that this node reached or heard of from themselves: hearsay
 * goes no further.
 */
export function sample(book: Book, count: number, random: Random): Address[] {
  const known = [...book.entries.values()].filter(
    ({ source, reachedAt, failures }) => failures === 0 && (reachedAt > 0 || source === ""),
  );
  for (let i = known.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [known[i], known[j]] = [known[j] as Entry, known[i] as Entry];
  }
  return known.slice(0, count).map(({ address }) => address);
}

/** The own clock went by so much, ms. */
export function shift({ entries }: Book, by: number): void {
  const moved = (time: number): number => (time === 0 ? 0 : Math.max(1, time + by));
  for (const [key, entry] of entries) {
    const { triedAt, reachedAt } = entry;
    entries.set(key, { ...entry, triedAt: moved(triedAt), reachedAt: moved(reachedAt) });
  }
}

// ---------------------------------------------------------------- as a file

type Stored = { network: Uint8Array; entries: { address: Uint8Array; reachedAt: number }[] };

const storedCodec: Codec<Stored> = codec(
  "address book",
  new ContainerType({
    network: b32,
    entries: new ListCompositeType(
      new ContainerType({ address: new ByteListType(addressSize), reachedAt: u64 }),
      entriesMax,
    ),
  }),
  64 + entriesMax * (addressSize + 24),
);

/** Largest file, bytes. */
const bookSizeMax: number = storedCodec.sizeMax + 32;

/** SSZ in the order of the keys, then its SHA-256. */
export function encodeBook(network: NetworkId, book: Book): Uint8Array {
  const entries = [...book.entries.values()]
    .map(({ address, reachedAt }) => ({ address: encodeAddress(address), reachedAt }))
    .sort((a, b) => (toHex(a.address) < toHex(b.address) ? -1 : 1));
  const bytes = storedCodec.encode({ network, entries });
  return concat(bytes, sha256(bytes));
}

/** Fills an empty book; "bad-book" when the bytes are damaged or of another network, the book is empty then. */
export function readBook(
  network: NetworkId,
  book: Book,
  bytes: Uint8Array,
): Rejected<"bad-book"> | undefined {
  const end = Math.max(0, bytes.length - 32);
  const body = bytes.subarray(0, end);
  const bad = (why: string): Rejected<"bad-book"> => rejected("bad-book", why);
  if (bytes.length > bookSizeMax || !equal(sha256(body), bytes.subarray(end)))
    return bad("the address book is damaged");
  const stored = storedCodec.parse(body);
  if (isRejected(stored)) return bad(stored.message);
  if (!equal(stored.network, network)) return bad("the address book is of another network");
  for (const { address: one, reachedAt } of stored.entries) {
    const address = parseAddress(one);
    if (isRejected(address)) continue;
    if (!learn(book, address, { by: "itself" })) continue;
    book.entries.set(address.key, { address, source: "", triedAt: 0, failures: 0, reachedAt });
  }
  return undefined;
}
