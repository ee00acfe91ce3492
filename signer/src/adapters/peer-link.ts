// The ring's private network: direct streams among the signers that the vault names (`peers`), and nobody else. The
// configured addresses are dialled for ever, those of all others are learned (peer-exchange.ts); who connects by itself
// is known by its identity, wherever it is.
import type { HealthState } from "@causeway/chain-core/foreign";
import type { Genesis } from "@causeway/chain-core/interchain";
import type { Log } from "@causeway/primitives";
import { peerIdOfKey, startP2p } from "@causeway/primitives/adapters/p2p";
import type { Event } from "../machine.ts";
import { messageSizeMax } from "../wire.ts";
import type { Peer } from "../world.ts";
import type { SignerConfig } from "./config.ts";
import { peerExchange } from "./peer-exchange.ts";

const protocol = "ring";
/** How long who is no peer any more is refused at least; the closed port does the rest. */
const goneMs = 1_000;

/** Who of those that this signer talks with is there: validators by number. */
export type Reach = {
  /** Addresses at which others are told to dial this signer. */
  readonly announced: readonly string[];
  readonly connected: readonly number[];
  /** With the addresses that are dialled, as far as any is known. */
  readonly away: readonly { readonly validator: number; readonly addresses: readonly string[] }[];
};

export type PeerLink = {
  /** Whom to hear from now on; connections of others are closed. */
  readonly allow: (peers: readonly Peer[]) => void;
  /** To validator `number`; lost when it is not connected. */
  readonly send: (number: number, bytes: Uint8Array) => void;
  readonly reach: () => Reach;
  /** Where others find this signer, with its peer id. */
  readonly address: string;
  readonly close: () => Promise<void>;
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
  const connected = new Set<string>();
  const { announce, oneMachine } = config;
  const exchange = peerExchange({ secret, announce, oneMachine, log });
  const tell = (): void => health.up(`${connected.size} of ${peerIds.size} signers connected`);
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
      exchange.protocol,
    ],
    topics: {},
    onConnect: (peer) => {
      connected.add(peer);
      exchange.connected(peer);
      tell();
    },
    onDisconnect: (peer) => {
      connected.delete(peer);
      tell();
    },
    oneMachine,
    log,
  });
  const announced = await exchange.start(p2p);
  if (announced.length === 0)
    log.warn("no address that others reach: they cannot dial this signer", {
      key: "CAUSEWAY_ANNOUNCE",
    });
  return {
    address: p2p.address,
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
      exchange.allow(peers.map(({ peerKey }) => peerKey));
      for (const peer of p2p.peers()) if (!allowed.has(peer)) p2p.ban(peer, goneMs);
      tell();
    },
    send: (number, bytes) => {
      const peer = peerIds.get(number);
      if (peer !== undefined) p2p.send(peer, protocol, bytes);
    },
    reach: () => {
      const all = [...peerIds];
      const away = all.filter(([, peer]) => !connected.has(peer));
      const dialled = (peer: string): string[] => [
        ...config.peers.filter((address) => address.endsWith(`/${peer}`)),
        ...exchange.addressesOf(peer),
      ];
      return {
        announced,
        connected: all.filter(([, peer]) => connected.has(peer)).map(([number]) => number),
        away: away.map(([validator, peer]) => ({ validator, addresses: dialled(peer) })),
      };
    },
    close: async () => {
      exchange.stop();
      await p2p.close();
    },
  };
}
