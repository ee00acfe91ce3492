// The ring's private network: direct streams among the signers that the vault names (`peers`), and nobody else. The
// configured addresses are dialled for ever; who connects by itself is known by its identity, wherever it is.
import type { HealthState } from "@causeway/chain-core/foreign";
import type { Genesis } from "@causeway/chain-core/interchain";
import type { Log } from "@causeway/primitives";
import type { P2p } from "@causeway/primitives/adapters/p2p";
import { peerIdOfKey, startP2p } from "@causeway/primitives/adapters/p2p";
import type { Event } from "../machine.ts";
import { messageSizeMax } from "../wire.ts";
import type { Peer } from "../world.ts";
import type { SignerConfig } from "./config.ts";

const protocol = "ring";
/** How long who is no peer any more is refused at least; the closed port does the rest. */
const goneMs = 1_000;

export type PeerLink = {
  /** Whom to hear from now on; connections of others are closed. */
  readonly allow: (peers: readonly Peer[]) => void;
  /** To validator `number`; lost when it is not connected. */
  readonly send: (number: number, bytes: Uint8Array) => void;
  readonly p2p: P2p;
};

/** Throws Failure "port-in-use" or "bad-address". */
export async function peerLink(
  config: SignerConfig,
  genesis: Genesis,
  secret: Uint8Array,
  emit: (event: Event) => void,
  health: HealthState,
  log: Log,
): Promise<PeerLink> {
  const numbers = new Map<string, number>();
  const peerIds = new Map<number, string>();
  const allowed = new Set<string>();
  let connected = 0;
  const tell = (): void => health.up(`${connected} of ${peerIds.size} signers connected`);
  tell();
  const p2p = await startP2p({
    secret,
    networkId: genesis.networkId,
    listen: { host: config.listenHost, port: config.p2pPort },
    peers: config.peers,
    allow: allowed,
    protocols: [
      {
        name: protocol,
        maxBytes: messageSizeMax,
        onMessage: (peer, bytes) => {
          const from = numbers.get(peer);
          if (from !== undefined) emit({ kind: "message", from, bytes });
        },
      },
    ],
    topics: {},
    onConnect: () => {
      connected += 1;
      tell();
    },
    onDisconnect: () => {
      connected -= 1;
      tell();
    },
    oneMachine: config.oneMachine,
    log,
  });
  return {
    p2p,
    allow: (peers) => {
      peerIds.clear();
      numbers.clear();
      allowed.clear();
      for (const { number, peerKey } of peers) {
        const peer = peerIdOfKey(peerKey);
        peerIds.set(number, peer);
        numbers.set(peer, number);
        allowed.add(peer);
      }
      for (const peer of p2p.peers()) if (!allowed.has(peer)) p2p.ban(peer, goneMs);
      tell();
    },
    send: (number, bytes) => {
      const peer = peerIds.get(number);
      if (peer !== undefined) p2p.send(peer, protocol, bytes);
    },
  };
}
