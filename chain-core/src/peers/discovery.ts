// Which peers a node looks for, as a machine: a few configured addresses lead to all others. It asks those that it
// dialled itself, tells who asks, and keeps a number of connections that it chose, spread over network ranges.
import type { NetworkId, Random, Rejected, Step } from "@causeway/primitives";
import { assert, isRejected, seeded, unreachable } from "@causeway/primitives";
import type { Address, PeerKey } from "./address.ts";
import { addressesMax, encodeAddress, groupOf, parseAddress } from "./address.ts";
import type { Book } from "./book.ts";
import { dialled, dueAt, encodeBook, learn, readBook, sample, shift } from "./book.ts";

/** Connections that a node makes itself, besides those to configured peers and, as a validator, to validators. */
export const outboundTarget = 12;
/** Of these to one range of hosts. */
const perGroupMax = 2;
const dialsMax = 4;
/** A peer is asked again after so long: while connections are missing, and when they are not, ms. */
export const askMs = 10_000;
const restAskMs: number = 10 * 60_000;
/** A peer gets one answer in so long, ms. */
export const tellMs = 5_000;
const saveMs = 60_000;

export type DiscoveryConfig = {
  readonly network: NetworkId;
  readonly self: PeerKey;
  readonly oneMachine: boolean;
  /** Entropy: nobody else should guess whom this node dials. */
  readonly seed: number;
};

type Peer = {
  readonly isOutbound: boolean;
  readonly host: Uint8Array;
  askedAt: number | undefined;
  isAnswerAwaited: boolean;
  toldAt: number | undefined;
};

/** A resource with one owner, updated in place. */
export type Discovery = {
  readonly config: DiscoveryConfig;
  readonly book: Book;
  readonly random: Random;
  readonly peers: Map<PeerKey, Peer>;
  readonly dialling: Set<PeerKey>;
  /** Peer keys of the validators' nodes; preferred. */
  validators: ReadonlySet<PeerKey>;
  changed: boolean;
  savedAt: number;
  lastAt: number;
};

export type Happening =
  | { readonly kind: "woke" }
  | {
      readonly kind: "connected";
      readonly peer: PeerKey;
      readonly isOutbound: boolean;
      /** As the connection shows it, 16 bytes. */
      readonly host: Uint8Array;
    }
  | { readonly kind: "disconnected"; readonly peer: PeerKey }
  /** The peer wants addresses, and listens on `port` itself; 0: not at all. */
  | { readonly kind: "asked"; readonly peer: PeerKey; readonly port: number }
  | {
      readonly kind: "told";
      readonly peer: PeerKey;
      readonly addresses: readonly Uint8Array[];
    }
  | { readonly kind: "dialled"; readonly peer: PeerKey; readonly isReached: boolean }
  | { readonly kind: "banned"; readonly peer: PeerKey }
  | { readonly kind: "validators"; readonly keys: readonly PeerKey[] };

/** `at` is the node's own clock in ms. */
export type DiscoveryEvent = Happening & { readonly at: number };

export type DiscoveryEffect =
  /** To be answered by one event `dialled`. */
  | { readonly kind: "dial"; readonly address: Address }
  | { readonly kind: "ask"; readonly peer: PeerKey }
  | {
      readonly kind: "tell";
      readonly peer: PeerKey;
      readonly addresses: readonly Uint8Array[];
    }
  | { readonly kind: "ban"; readonly peer: PeerKey; readonly reason: string }
  /** Replaces the file. */
  | { readonly kind: "save"; readonly bytes: Uint8Array }
  /** Give `woke` at this time; replaces the earlier order. */
  | { readonly kind: "wake"; readonly at: number };

/** `stored`: the file that was saved last; what is wrong with it is no more than a loss, and told. */
export function discovery(
  config: DiscoveryConfig,
  stored: Uint8Array | undefined,
  at: number,
): { readonly state: Discovery; readonly bad: Rejected<"bad-book"> | undefined } {
  const { self, oneMachine } = config;
  const book: Book = { self, oneMachine, entries: new Map() };
  const bad = stored && readBook(config.network, book, stored);
  const state: Discovery = {
    config,
    book,
    random: seeded(config.seed),
    peers: new Map(),
    dialling: new Set(),
    validators: new Set(),
    changed: false,
    savedAt: at,
    lastAt: at,
  };
  return { state, bad };
}

/** The book as a file. */
export function bookOf({ config, book }: Discovery): Uint8Array {
  return encodeBook(config.network, book);
}

/** State is updated in place, see {@link Discovery}. */
export function step(state: Discovery, event: DiscoveryEvent): Step<Discovery, DiscoveryEffect> {
  const out: DiscoveryEffect[] = [];
  const { at } = event;
  if (at < state.lastAt) shiftClocks(state, at - state.lastAt);
  state.lastAt = at;
  happen(state, event, out);
  ask(state, at, out);
  dial(state, at, out);
  save(state, at, out);
  out.push({ kind: "wake", at: wakeAt(state, at) });
  return [state, out];
}

function happen(state: Discovery, event: DiscoveryEvent, out: DiscoveryEffect[]): void {
  const { at } = event;
  switch (event.kind) {
    case "woke":
      break;
    case "connected": {
      const { peer, isOutbound, host } = event;
      const unknown = { askedAt: undefined, isAnswerAwaited: false, toldAt: undefined };
      state.peers.set(peer, { isOutbound, host, ...unknown });
      break;
    }
    case "disconnected":
      state.peers.delete(event.peer);
      break;
    case "asked":
      tell(state, event.peer, event.port, at, out);
      break;
    case "told":
      hear(state, event.peer, event.addresses, out);
      break;
    case "dialled":
      state.dialling.delete(event.peer);
      dialled(state.book, event.peer, event.isReached, at);
      state.changed = true;
      break;
    case "banned":
      state.changed = state.book.entries.delete(event.peer) || state.changed;
      break;
    case "validators":
      state.validators = new Set(event.keys);
      break;
    default:
      unreachable(event);
  }
}

/** The peer is known from now on by the host that its connection shows, whatever it says of its port. */
function tell(
  state: Discovery,
  key: PeerKey,
  port: number,
  at: number,
  out: DiscoveryEffect[],
): void {
  const peer = state.peers.get(key);
  if (peer === undefined || (peer.toldAt !== undefined && at < peer.toldAt + tellMs)) return;
  peer.toldAt = at;
  const { book, random } = state;
  const addresses = sample(book, addressesMax, random).filter((one) => one.key !== key);
  out.push({ kind: "tell", peer: key, addresses: addresses.map(encodeAddress) });
  if (port < 1 || port > 0xffff) return;
  if (learn(book, { key, host: peer.host, port }, { by: "itself" })) state.changed = true;
}

/** Only who was asked may tell, and only this node chooses whom it asks. */
function hear(
  state: Discovery,
  key: PeerKey,
  addresses: readonly Uint8Array[],
  out: DiscoveryEffect[],
): void {
  const peer = state.peers.get(key);
  if (peer === undefined || !peer.isAnswerAwaited) return;
  peer.isAnswerAwaited = false;
  const source = { by: "other", group: groupOf(peer.host) } as const;
  for (const bytes of addresses) {
    const address = parseAddress(bytes);
    if (isRejected(address)) {
      out.push({ kind: "ban", peer: key, reason: address.message });
      return;
    }
    if (learn(state.book, address, source)) state.changed = true;
  }
}

const outboundOf = ({ peers }: Discovery): [PeerKey, Peer][] =>
  [...peers].filter(([, { isOutbound }]) => isOutbound);

function isShort(state: Discovery): boolean {
  return outboundOf(state).length < outboundTarget;
}

/** A new outbound peer at once, the others when their time comes. */
function ask(state: Discovery, at: number, out: DiscoveryEffect[]): void {
  for (const [key, peer] of outboundOf(state)) {
    if (peer.askedAt !== undefined && at < nextAskAt(state, peer.askedAt)) continue;
    peer.askedAt = at;
    peer.isAnswerAwaited = true;
    out.push({ kind: "ask", peer: key });
  }
}

function nextAskAt(state: Discovery, askedAt: number): number {
  return askedAt + (isShort(state) ? askMs : restAskMs);
}

function dial(state: Discovery, at: number, out: DiscoveryEffect[]): void {
  while (state.dialling.size < dialsMax) {
    const address = choose(state, at);
    if (address === undefined) return;
    assert(!state.dialling.has(address.key), "dialled twice");
    state.dialling.add(address.key);
    out.push({ kind: "dial", address });
  }
}

/** Validators before others; of these as often one that was reached before as a new one. */
function choose(state: Discovery, at: number): Address | undefined {
  const { book, validators, random, config } = state;
  const open = [...book.entries.values()].filter(
    (entry) => isFree(state, entry.address.key) && dueAt(entry) <= at,
  );
  const isPreferred = ({ address }: { address: Address }): boolean => validators.has(address.key);
  const room = outboundTarget - outboundOf(state).length - state.dialling.size;
  const preferred = open.filter(isPreferred);
  // Validators find all others; who only follows leaves half of its places to others.
  const taken = outboundOf(state).filter(([key]) => validators.has(key)).length;
  const mayPrefer = validators.has(config.self) || (room > 0 && taken < outboundTarget / 2);
  if (preferred.length > 0 && mayPrefer) return random.pick(preferred).address;
  if (room <= 0) return undefined;
  const groups = crowdedGroups(state);
  const others = open.filter(
    (entry) => !isPreferred(entry) && !groups.has(groupOf(entry.address.host)),
  );
  const reached = others.filter(({ reachedAt }) => reachedAt > 0);
  const untried = others.filter(({ reachedAt }) => reachedAt === 0);
  const [first, second] = random.chance(0.5) ? [reached, untried] : [untried, reached];
  const pool = first.length > 0 ? first : second;
  return pool.length === 0 ? undefined : random.pick(pool).address;
}

function isFree({ peers, dialling }: Discovery, key: PeerKey): boolean {
  return !peers.has(key) && !dialling.has(key);
}

/** Ranges of hosts to which enough connections were made. */
function crowdedGroups(state: Discovery): Set<string> {
  const counts = new Map<string, number>();
  if (state.config.oneMachine) return new Set();
  const dialling = [...state.dialling].flatMap((key) => state.book.entries.get(key)?.address ?? []);
  for (const { host } of [...outboundOf(state).map(([, peer]) => peer), ...dialling])
    counts.set(groupOf(host), (counts.get(groupOf(host)) ?? 0) + 1);
  return new Set([...counts].filter(([, count]) => count >= perGroupMax).map(([group]) => group));
}

function save(state: Discovery, at: number, out: DiscoveryEffect[]): void {
  if (!state.changed || at < state.savedAt + saveMs) return;
  state.changed = false;
  state.savedAt = at;
  out.push({ kind: "save", bytes: bookOf(state) });
}

function wakeAt(state: Discovery, at: number): number {
  const due = [at + restAskMs];
  for (const [, { askedAt }] of outboundOf(state))
    if (askedAt !== undefined) due.push(nextAskAt(state, askedAt));
  for (const entry of state.book.entries.values())
    if (isFree(state, entry.address.key) && dueAt(entry) > at) due.push(dueAt(entry));
  if (state.changed) due.push(state.savedAt + saveMs);
  return Math.max(at + 1, Math.min(...due));
}

/** The own clock went back: durations stay what they were. */
function shiftClocks(state: Discovery, by: number): void {
  state.savedAt += by;
  shift(state.book, by);
  for (const peer of state.peers.values()) {
    if (peer.askedAt !== undefined) peer.askedAt += by;
    if (peer.toldAt !== undefined) peer.toldAt += by;
  }
}
