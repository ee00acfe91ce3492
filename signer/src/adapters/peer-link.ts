// The ring's private network: direct streams among the signers that the genesis names, and nobody else.
import type { HealthState } from "@causeway/chain-core/foreign";
import type { Genesis } from "@causeway/chain-core/interchain";
import type { Log } from "@causeway/primitives";
import type { P2p } from "@causeway/primitives/adapters/p2p";
import { peerIdOfKey, startP2p } from "@causeway/primitives/adapters/p2p";
import type { Event } from "../machine.ts";
import { messageSizeMax } from "../wire.ts";
import type { SignerConfig } from "./config.ts";

const protocol = "ring";

export type PeerLink = {
  /** Lost when the seat is not connected. */
  readonly send: (seat: number, bytes: Uint8Array) => void;
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
  const peerIds = genesis.validators.map(({ signerPeerKey }) => peerIdOfKey(signerPeerKey));
  const seats = new Map(peerIds.map((peer, seat) => [peer, seat]));
  let connected = 0;
  const tell = (): void => health.up(`${connected} of ${peerIds.length - 1} signers connected`);
  tell();
  const p2p = await startP2p({
    secret,
    networkId: genesis.networkId,
    listen: { host: config.listenHost, port: config.p2pPort },
    peers: config.peers,
    allow: new Set(peerIds),
    protocols: [
      {
        name: protocol,
        maxBytes: messageSizeMax,
        onMessage: (peer, bytes) => {
          const from = seats.get(peer);
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
    send: (seat, bytes) => {
      const peer = peerIds[seat];
      if (peer !== undefined) p2p.send(peer, protocol, bytes);
    },
  };
}
