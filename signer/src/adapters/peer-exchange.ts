// How signers that know one of them find all others (RNG-2: a ring is drawn of whoever is registered, at any time). Each
// tells who connects where it is itself, in a record that it signed; who misses somebody of the roster asks a peer that
// it has, again and again, for a newer record. What is told of strangers to the roster is not kept.
import type { Codec, Log, Rejected } from "@causeway/primitives";
import {
  ByteListType,
  b33,
  ContainerType,
  codec,
  Failure,
  isPublicHost,
  isRejected,
  keyOf,
  ListCompositeType,
  rejected,
  u64,
} from "@causeway/primitives";
import { systemClock } from "@causeway/primitives/adapters/clock";
import type { P2p, Place, Protocol } from "@causeway/primitives/adapters/p2p";
import {
  hostAddress,
  peerIdOfKey,
  placeOf,
  readRecord,
  recordAddressesMax,
  recordSizeMax,
  sealRecord,
} from "@causeway/primitives/adapters/p2p";

const protocol = "addresses";
/** Peers asked for, and records, in one message. */
const countMax = 64;
/** How often who misses somebody asks one of its peers, ms. */
const askMs = 2_000;
/** Messages of one peer that are read: so many at once, and so many a second. */
const burst = 10;
const perSecond = 2;
/** How long who sends what no honest signer does is refused, ms. */
const banMs = 60_000;

/** `wanted`: of whom a record after `sequence` is missed (0: any). Either list may be empty. */
export type AddressMessage = {
  wanted: { key: Uint8Array; sequence: number }[];
  records: Uint8Array[];
};
export const addressMessageCodec: Codec<AddressMessage> = codec(
  "addresses of signers",
  new ContainerType({
    wanted: new ListCompositeType(new ContainerType({ key: b33, sequence: u64 }), countMax),
    records: new ListCompositeType(new ByteListType(recordSizeMax), countMax),
  }),
  8 + countMax * (33 + 8) + countMax * (4 + recordSizeMax),
);

export type ExchangeOptions = {
  /** The identity, 32 bytes. */
  readonly secret: Uint8Array;
  /** Multiaddrs /ip4/<address>/tcp/<port>; none: those that the host listens on, as far as others reach them. */
  readonly announce: readonly string[];
  /** Private addresses count, too. */
  readonly oneMachine: boolean;
  readonly log: Log;
};

/** Peers by peer id. */
export type PeerExchange = {
  readonly protocol: Protocol;
  /** Tells and asks from now on; gives the addresses that are told of this signer. */
  readonly start: (p2p: P2p) => Promise<readonly string[]>;
  readonly connected: (peer: string) => void;
  /** Identities, 33 bytes, of whom addresses are believed, told and dialled from now on. */
  readonly allow: (keys: readonly Uint8Array[]) => void;
  /** What the peer signed. */
  readonly addressesOf: (peer: string) => readonly string[];
  readonly stop: () => void;
};

type Known = {
  readonly key: Uint8Array;
  /** 0: no record. */
  readonly sequence: number;
  readonly record: Uint8Array;
  readonly addresses: readonly string[];
};
/** The roster by peer id. A resource with one owner, updated in place. */
type Book = Map<string, Known>;
type Heard = { readonly left: number; readonly atMs: number };
type Wanted = AddressMessage["wanted"];

/** Throws Failure "bad-address" for what cannot be announced. */
export function peerExchange(options: ExchangeOptions): PeerExchange {
  const { secret, log } = options;
  const announced = options.announce.map(placeIn);
  // Who announces a private address itself is in a private network with the others.
  const isPrivate = options.oneMachine || announced.some(({ host }) => !isPublicHost(host));
  const isReachable = ({ host }: Place): boolean => isPrivate || isPublicHost(host);
  const book: Book = new Map();
  const heard = new Map<string, Heard>();
  let running: { readonly p2p: P2p; readonly own: readonly Uint8Array[] } | undefined;
  let timer: NodeJS.Timeout | undefined;

  const send = (peer: string | undefined, wanted: Wanted, records: readonly Uint8Array[]): void => {
    if (peer === undefined || wanted.length + records.length === 0) return;
    const message = addressMessageCodec.encode({ wanted, records: [...records] });
    running?.p2p.send(peer, protocol, message);
  };
  const peers = (): string[] => running?.p2p.peers() ?? [];
  const greet = (peer: string): void => send(peer, missedOf(book, peers()), running?.own ?? []);
  const ask = (): void => send(someOf(peers(), 1)[0], missedOf(book, peers()), []);
  const follow = (peer: string, places: readonly Place[]): readonly string[] => {
    const addresses = places.filter(isReachable).map(textOf);
    running?.p2p.keep(peer, addresses);
    return addresses;
  };
  const receive = async (peer: string, bytes: Uint8Array): Promise<void> => {
    if (!book.has(peer) || !mayBeRead(heard, peer)) return;
    const message = addressMessageCodec.parse(bytes);
    const wrong = isRejected(message) ? message : await learn(book, message.records, follow);
    if (wrong !== undefined) {
      log.warn("signer refused for a minute", { peer, ...wrong });
      running?.p2p.ban(peer, banMs);
    } else if (!isRejected(message)) send(peer, [], answerTo(book, message.wanted));
  };
  return {
    protocol: {
      name: protocol,
      maxBytes: addressMessageCodec.sizeMax,
      onMessage: (peer, bytes) => {
        receive(peer, bytes).catch((error: unknown) =>
          log.error("address exchange failed", { peer, error }),
        );
      },
    },
    start: async (p2p) => {
      const listened = p2p.addresses.flatMap((text) => {
        const place = placeOf(text);
        return isRejected(place) || !isReachable(place) ? [] : place;
      });
      const places = announced.length > 0 ? announced : listened.slice(0, recordAddressesMax);
      const record = await sealRecord(secret, places, systemClock.nowMs());
      running = { p2p, own: places.length > 0 ? [record] : [] };
      for (const peer of p2p.peers()) greet(peer);
      timer = setInterval(ask, askMs);
      timer.unref();
      return places.map(textOf);
    },
    connected: greet,
    allow: (keys) => {
      const named = new Map(keys.map((key) => [peerIdOfKey(key), key]));
      for (const peer of book.keys())
        if (!named.has(peer)) {
          book.delete(peer);
          heard.delete(peer);
          running?.p2p.keep(peer, []);
        }
      const nothing = { sequence: 0, record: new Uint8Array(0), addresses: [] };
      for (const [peer, key] of named) if (!book.has(peer)) book.set(peer, { key, ...nothing });
    },
    addressesOf: (peer) => book.get(peer)?.addresses ?? [],
    stop: () => clearInterval(timer),
  };
}

function missedOf(book: Book, connected: readonly string[]): Wanted {
  const here = new Set(connected);
  const away = [...book].filter(([peer]) => !here.has(peer)).map(([, known]) => known);
  return someOf(away, countMax).map(({ key, sequence }) => ({ key, sequence }));
}

function answerTo(book: Book, wanted: Wanted): Uint8Array[] {
  const after = new Map(wanted.map(({ key, sequence }) => [keyOf(key), sequence]));
  return [...book.values()]
    .filter(({ key, sequence }) => sequence > (after.get(keyOf(key)) ?? Infinity))
    .map(({ record }) => record);
}

/** Takes up what is newer, of the roster; `follow` gives the addresses that count. Refuses what no honest signer sends. */
async function learn(
  book: Book,
  records: readonly Uint8Array[],
  follow: (peer: string, places: readonly Place[]) => readonly string[],
): Promise<Rejected<"bad-record"> | undefined> {
  const learned = new Set<string>();
  for (const bytes of records) {
    const record = readRecord(bytes);
    if (isRejected(record)) return record;
    const { peer, sequence, places } = record;
    const isNewer = (): boolean => sequence > (book.get(peer)?.sequence ?? Infinity);
    // A signature costs a millisecond: for what would be kept alone, and once a peer and message.
    if (!isNewer() || learned.has(peer)) continue;
    if (!(await record.isSigned())) return rejected("bad-record", "addresses of another's making");
    const before = book.get(peer);
    if (before === undefined || !isNewer()) continue;
    const { key } = before;
    // A copy: the bytes are a part of the whole message.
    const kept = Uint8Array.from(bytes);
    book.set(peer, { key, sequence, record: kept, addresses: follow(peer, places) });
    learned.add(peer);
  }
  return undefined;
}

const textOf = ({ host, port }: Place): string => hostAddress(host, port);

function placeIn(text: string): Place {
  const place = placeOf(text);
  if (isRejected(place)) throw new Failure(place.code, place.message);
  return place;
}

/** At most `count`, any of them. */
function someOf<T>(all: readonly T[], count: number): T[] {
  const start = Math.floor(Math.random() * all.length);
  return [...all.slice(start), ...all.slice(0, start)].slice(0, count);
}

function mayBeRead(heard: Map<string, Heard>, peer: string): boolean {
  const nowMs = performance.now();
  const { left, atMs } = heard.get(peer) ?? { left: burst, atMs: nowMs };
  const filled = Math.min(burst, left + ((nowMs - atMs) * perSecond) / 1000);
  const isRead = filled >= 1;
  heard.set(peer, { left: isRead ? filled - 1 : filled, atMs: nowMs });
  return isRead;
}
