// Peers that nobody named: our own libp2p with another identity, and plain libp2p that opens any protocol and
// writes what it likes.
import { randomBytes as entropy } from "node:crypto";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { startLog } from "@causeway/primitives/adapters/log";
import type { P2p } from "@causeway/primitives/adapters/p2p";
import { startP2p } from "@causeway/primitives/adapters/p2p";
import { generateKeyPair } from "@libp2p/crypto/keys";
import { identify } from "@libp2p/identify";
import { noise } from "@libp2p/noise";
import { peerIdFromString } from "@libp2p/peer-id";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { until } from "../../../deploy/devnet/follow.ts";
import { freshSecret } from "../../../deploy/devnet/keys.ts";

const sizeMax: number = 64 * 1024 * 1024;

export type StrangerOptions = {
  readonly networkId: Uint8Array;
  /** Multiaddrs to dial. */
  readonly peers: readonly string[];
  readonly protocol: string;
  readonly topics?: readonly string[];
  readonly secret?: Uint8Array;
  readonly onDisconnect?: () => void;
};

/** Speaks the same protocols, without our limits on sizes. */
export function stranger(options: StrangerOptions): Promise<P2p> {
  const topic = { maxBytes: sizeMax, onMessage: () => "ignore" as const };
  return startP2p({
    secret: options.secret ?? freshSecret(),
    networkId: options.networkId,
    listen: { host: "127.0.0.1", port: 0 },
    peers: options.peers,
    protocols: [{ name: options.protocol, maxBytes: sizeMax, onMessage: () => undefined }],
    topics: Object.fromEntries((options.topics ?? []).map((name) => [name, topic])),
    onDisconnect: () => options.onDisconnect?.(),
    oneMachine: true,
    log: startLog("stranger", "silent"),
  });
}

/** Connects as a fresh stranger, says one thing, and waits until the peer hangs up. */
export async function sayAndBeHungUp(
  options: Omit<StrangerOptions, "onDisconnect">,
  say: (p2p: P2p) => void,
): Promise<void> {
  let isHungUp = false;
  const onDisconnect = (): void => {
    isHungUp = true;
  };
  const p2p = await stranger({ ...options, onDisconnect });
  try {
    await until("the connection", async () => (p2p.peers().length > 0 ? true : undefined));
    say(p2p);
    const limits = { timeoutMs: 10_000, everyMs: 20 };
    await until("the node to hang up", async () => (isHungUp ? true : undefined), limits);
  } finally {
    await p2p.close();
  }
}

/** Random bytes, without any framing, on every protocol that the peer offers; gives their names. Rejects when it offers none. */
export async function babble(address: string, size: number): Promise<string[]> {
  const node = await createLibp2p({
    privateKey: await generateKeyPair("secp256k1"),
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  });
  try {
    await node.dial(multiaddr(address));
    const peer = peerIdFromString(address.slice(address.lastIndexOf("/") + 1));
    const offered = await until(
      "the peer's protocols",
      async () => {
        const { protocols } = await node.peerStore.get(peer);
        return protocols.length > 0 ? protocols : undefined;
      },
      { timeoutMs: 3_000 },
    );
    for (const protocol of offered) {
      // After the first the peer may have hung up already: then come back.
      const stream = await node.dialProtocol(multiaddr(address), protocol);
      stream.send(entropy(size));
      await sleep(50);
      stream.abort(new Error("gone"));
    }
    return offered;
  } finally {
    await node.stop();
  }
}

/** Bytes on the bare TCP port, before any handshake; resolves when the other side closes. */
export function babbleOnPort(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.setTimeout(5_000, () => socket.destroy());
    socket.on("data", () => undefined);
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
  });
}
