// libp2p as node and signer use it: lasting direct streams among known peers, gossip for the rest. The
// settings and their reasons are in building-blocks 1. Import it from main files only: the libraries are
// most of a process's memory.
import { privateKeyFromRaw } from "@libp2p/crypto/keys";
import type { GossipSub } from "@libp2p/gossipsub";
import { gossipsub, StrictNoSign, TopicValidatorResult } from "@libp2p/gossipsub";
import { identify } from "@libp2p/identify";
import { noise } from "@libp2p/noise";
import { peerIdFromString } from "@libp2p/peer-id";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import type { Libp2p, Libp2pOptions } from "libp2p";
import { createLibp2p } from "libp2p";
import { toHex } from "../bytes.ts";
import { Failure } from "../failure.ts";
import { sha256 } from "../hash.ts";
import type { Log } from "../ports.ts";
import { dialler, dialMsMax, parsePeer } from "./p2p-dial.ts";
import type { Gate } from "./p2p-gate.ts";
import { gate, hostOf } from "./p2p-gate.ts";
import { directStreams } from "./p2p-streams.ts";

export { hostAddress, hostBytes, keyOfPeerId, peerIdOfKey } from "./p2p-address.ts";
export type { Place, SignedRecord } from "./p2p-records.ts";
export {
  placeOf,
  readRecord,
  recordAddressesMax,
  recordSizeMax,
  sealRecord,
} from "./p2p-records.ts";

/** A kind of direct message. `onMessage` must not throw; what it throws is logged and ends the stream. */
export type Protocol = {
  readonly name: string;
  /** Largest message, bytes; a longer one ends the stream before it is read. */
  readonly maxBytes: number;
  readonly onMessage: (peer: string, message: Uint8Array) => void;
};

/** A gossip topic. Only what `onMessage` accepts is forwarded, and its sender kept in good standing. */
export type Topic = {
  readonly maxBytes: number;
  readonly onMessage: (peer: string, message: Uint8Array) => Verdict | Promise<Verdict>;
};
/** reject: nobody honest sends that. ignore: neither forwarded nor held against the sender. */
export type Verdict = "accept" | "ignore" | "reject";

export type P2pOptions = {
  /** secp256k1, 32 bytes: the identity. */
  readonly secret: Uint8Array;
  readonly networkId: Uint8Array;
  readonly listen: { readonly host: string; readonly port: number };
  /** Multiaddrs that end in /p2p/<peer id>; dialled for ever. Our own is left out. */
  readonly peers: readonly string[];
  /** A closed port: only these peer ids may connect or be dialled (building-blocks 1). */
  readonly allow?: ReadonlySet<string>;
  readonly protocols: readonly Protocol[];
  readonly topics: Readonly<Record<string, Topic>>;
  /** Peers that an inbound connection is always free for, besides those of `peers`. */
  readonly isPreferred?: (peer: string) => boolean;
  readonly onConnect?: (peer: string, link: Link) => void;
  readonly onDisconnect?: (peer: string) => void;
  /** Many nodes behind one address: lifts libp2p's limits per address. Never in production. */
  readonly oneMachine: boolean;
  readonly log: Log;
};

/** Who dialled, and the other end's host as the connection shows it. */
export type Link = { readonly isOutbound: boolean; readonly host: string };

export type P2p = {
  readonly peerId: string;
  /** Port that we listen on, also when 0 was asked for. */
  readonly port: number;
  /** Our own multiaddr with the peer id, for others' `peers`. */
  readonly address: string;
  /** Where we listen, each address of this machine, without the peer id. */
  readonly addresses: readonly string[];
  /**
   * Queues for the peer's direct stream; false when it is not connected. Messages arrive in order; what a
   * broken connection or a peer that does not read leaves behind is dropped, oldest first.
   */
  readonly send: (peer: string, protocol: string, message: Uint8Array) => boolean;
  /** To every connected peer; gives how many. */
  readonly broadcast: (protocol: string, message: Uint8Array) => number;
  readonly publish: (topic: string, message: Uint8Array) => void;
  readonly peers: () => string[];
  /** Once, at a multiaddr that ends in /p2p/<peer id>; whether the peer is connected then. Never rejects. */
  readonly dial: (address: string) => Promise<boolean>;
  /**
   * Dials the peer at these multiaddrs, which need no peer id, for ever, until this is called again; with none at those
   * of `P2pOptions.peers` alone.
   */
  readonly keep: (peer: string, addresses: readonly string[]) => void;
  /** Hangs up and refuses the peer for `ms`. */
  readonly ban: (peer: string, ms: number) => void;
  readonly close: () => Promise<void>;
};

/** Gossip that waits for a first listener, messages. */
const waitingMax = 256;

/** SEAMS: `/causeway/<first 8 hex of networkId>/<name>/1`. */
export function protocolName(networkId: Uint8Array, name: string): string {
  return `/causeway/${toHex(networkId.subarray(0, 4))}/${name}/1`;
}

/** Throws Failure "port-in-use" or "bad-address"; unreachable peers are dialled for ever, without an error. */
export async function startP2p(options: P2pOptions): Promise<P2p> {
  const { log } = options;
  const targets = options.peers.map(parsePeer);
  const fixed = new Set(targets.map(({ peerId }) => peerId));
  const door = gate({
    ...options,
    isPreferred: (peer) => fixed.has(peer) || options.isPreferred?.(peer) === true,
  });
  const node = await createLibp2p(settings(options, door));
  door.watch(() => node.getConnections());
  const self = node.peerId.toString();
  const direct = options.protocols.map(
    (protocol) =>
      [
        protocol.name,
        { ...protocol, fullName: protocolName(options.networkId, protocol.name) },
      ] as const,
  );
  // To ask libp2p takes a peer id, and to make one from its text the square root of a curve point.
  const connected = new Set<string>();
  const streams = await directStreams(node, new Map(direct), connected, log);
  node.addEventListener("peer:connect", ({ detail }) => {
    const peer = detail.toString();
    connected.add(peer);
    log.debug("peer connected", { peer });
    const [connection] = node.getConnections(detail);
    const host = connection === undefined ? "" : hostOf(connection.remoteAddr);
    options.onConnect?.(peer, { isOutbound: connection?.direction === "outbound", host });
  });
  node.addEventListener("peer:disconnect", ({ detail }) => {
    const peer = detail.toString();
    connected.delete(peer);
    streams.forget(peer);
    log.debug("peer disconnected", { peer });
    options.onDisconnect?.(peer);
  });
  await listen(node, options);
  subscribe(node, options);
  const gossip = publisher(node, options);
  const dialling = dialler(
    node,
    targets.filter(({ peerId }) => peerId !== self),
    log,
  );
  const addresses = node.getMultiaddrs().map((address) => `${address}`.replace(/\/p2p\/.*$/, ""));
  const port = addresses.map(portOf).find((found) => found !== undefined) ?? 0;
  return {
    peerId: self,
    port,
    address: `${addressOf(options.listen.host, port)}/p2p/${self}`,
    addresses,
    send: streams.send,
    broadcast: (protocol, message) =>
      [...connected].filter((peer) => streams.send(peer, protocol, message)).length,
    publish: gossip,
    peers: () => [...connected],
    dial: (address) =>
      node.dial(multiaddr(address), { signal: AbortSignal.timeout(dialMsMax) }).then(
        () => true,
        (error: unknown) => {
          log.debug("dial failed", { address, error });
          return false;
        },
      ),
    keep: dialling.keep,
    ban: (peer, ms) => {
      door.ban(peer, ms);
      node
        .hangUp(peerIdFromString(peer))
        .catch((error: unknown) => log.debug("hang-up failed", { peer, error }));
    },
    close: async () => {
      dialling.stop();
      streams.close();
      await node.stop();
    },
  };
}

function addressOf(host: string, port: number): string {
  return `/${host.includes(":") ? "ip6" : "ip4"}/${host}/tcp/${port}`;
}

function portOf(address: string): number | undefined {
  const match = /\/tcp\/(\d+)/.exec(address);
  return match === null ? undefined : Number(match[1]);
}

async function listen(node: Libp2p, options: P2pOptions): Promise<void> {
  const { host, port } = options.listen;
  try {
    await node.start();
  } catch (cause) {
    await node.stop();
    if (/EADDRINUSE/.test(reasons(cause)))
      throw new Failure("port-in-use", `p2p port ${port} on ${host} is in use`, { cause });
    throw new Failure("bad-address", `cannot listen on ${host} port ${port}`, { cause });
  }
}

function reasons(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const more = cause instanceof AggregateError ? cause.errors.map(reasons) : [];
  return [cause.message, String(cause.stack), reasons(cause.cause ?? ""), ...more].join(" ");
}

function settings(options: P2pOptions, door: Gate): Libp2pOptions {
  const { oneMachine } = options;
  // Only gossip needs identify, which tells every peer all addresses of this machine.
  const services: Services =
    Object.keys(options.topics).length > 0 ? { identify: identify(), pubsub: pubsub(options) } : {};
  return {
    start: false,
    privateKey: privateKeyFromRaw(options.secret),
    addresses: { listen: [addressOf(options.listen.host, options.listen.port)] },
    transports: [tcp({ outboundSocketInactivityTimeout: 60_000 })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: oneMachine
      ? {
          inboundConnectionThreshold: 1e5,
          maxIncomingPendingConnections: 1_000,
          maxConnections: 500,
          maxParallelDials: 50,
        }
      : { maxConnections: 300 },
    connectionMonitor: { pingInterval: 10_000 },
    connectionGater: door.gater,
    services,
  };
}

type Services = NonNullable<Libp2pOptions["services"]>;

function pubsub(options: P2pOptions): Services[string] {
  const sizes = Object.values(options.topics).map(({ maxBytes }) => maxBytes);
  const sizeMax = Math.max(...sizes);
  return gossipsub({
    globalSignaturePolicy: StrictNoSign,
    // Without an author the content is the identity, so that one message travels once.
    msgIdFn: ({ topic, data }) =>
      sha256(new Uint8Array([...sha256(Buffer.from(topic)), ...sha256(data)])),
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    emitSelf: false,
    // How long a repetition is not sent again.
    seenTTL: 30_000,
    maxInboundDataLength: sizeMax + 64 * 1024,
    maxOutboundBufferSize: 16 * 1024 * 1024,
    allowedTopics: Object.keys(options.topics).map((name) => protocolName(options.networkId, name)),
    ...(options.oneMachine ? { scoreParams: { IPColocationFactorWeight: 0 } } : {}),
  }) as unknown as Services[string];
}

function pubsubOf(node: Libp2p): GossipSub {
  return (node.services as unknown as { pubsub: GossipSub }).pubsub;
}

/**
 * A message is known by its content, so one that was published to nobody could never be published again:
 * while nobody listens, messages wait, the newest ones up to a bound.
 */
function publisher(node: Libp2p, options: P2pOptions): P2p["publish"] {
  if (Object.keys(options.topics).length === 0)
    return () => {
      throw new RangeError("no topics");
    };
  const pubsub = pubsubOf(node) as GossipSub & { streamsOutbound: ReadonlyMap<string, unknown> };
  const waiting: { topic: string; message: Uint8Array }[] = [];
  // A peer's subscription may arrive before our stream to it is open, and what is sent then is lost.
  const hasListener = (topic: string): boolean =>
    pubsub.getSubscribers(topic).some((peer) => pubsub.streamsOutbound.has(peer.toString()));
  const publish = (topic: string, message: Uint8Array): void => {
    pubsub
      .publish(topic, message)
      .catch((error: unknown) => options.log.debug("gossip failed", { topic, error }));
  };
  let retrying = false;
  const retryLater = (): void => {
    if (retrying || node.status === "stopped") return;
    retrying = true;
    setTimeout(retry, 100).unref();
  };
  const retry = (): void => {
    retrying = false;
    for (const { topic, message } of waiting.splice(0))
      if (hasListener(topic)) publish(topic, message);
      else waiting.push({ topic, message });
    if (waiting.length > 0) retryLater();
  };
  return (name, message) => {
    const topic = protocolName(options.networkId, name);
    if (hasListener(topic)) return publish(topic, message);
    waiting.push({ topic, message });
    if (waiting.length > waitingMax) waiting.shift();
    retryLater();
  };
}

/** The validator is the delivery: libp2p calls it once per message, before it forwards. */
function subscribe(node: Libp2p, options: P2pOptions): void {
  const verdicts = {
    accept: TopicValidatorResult.Accept,
    ignore: TopicValidatorResult.Ignore,
    reject: TopicValidatorResult.Reject,
  } as const;
  for (const [name, topic] of Object.entries(options.topics)) {
    const full = protocolName(options.networkId, name);
    const pubsub = pubsubOf(node);
    pubsub.topicValidators.set(full, async (peer, { data }) => {
      if (data.length > topic.maxBytes) return TopicValidatorResult.Reject;
      return verdicts[await topic.onMessage(peer.toString(), data)];
    });
    pubsub.subscribe(full);
  }
}
