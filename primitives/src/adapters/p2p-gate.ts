// Who may connect: nobody who is banned, on a closed port only those who are named, and of strangers so many that they
// leave room for others: a host that opens all connections it can must not keep the network out (eclipse).
import { getNetConfig, isNetworkAddress } from "@libp2p/utils";
import type { Libp2p, Libp2pOptions } from "libp2p";

type Connection = ReturnType<Libp2p["getConnections"]>[number];

/** Inbound connections of strangers, in all and from one host; the transport takes 300 connections in all. */
export const strangersMax = 128;
export const strangersPerHostMax = 8;
/** With many nodes behind one address. */
const strangersMaxOneMachine = 400;
/** Peers that are refused at one time. */
const bansMax = 10_000;

export type GateOptions = {
  readonly allow?: ReadonlySet<string>;
  readonly isPreferred: (peer: string) => boolean;
  readonly oneMachine: boolean;
};

export type Gate = {
  readonly gater: NonNullable<Libp2pOptions["connectionGater"]>;
  readonly ban: (peer: string, ms: number) => void;
  /** Once, with the host's open connections. */
  readonly watch: (connections: () => readonly Connection[]) => void;
};

export function gate({ allow, isPreferred, oneMachine }: GateOptions): Gate {
  const until = new Map<string, number>();
  let connections: () => readonly Connection[] = () => [];
  const isBanned = (peer: string): boolean => {
    const end = until.get(peer);
    if (end !== undefined && end <= performance.now()) until.delete(peer);
    return until.has(peer);
  };
  const denied = (id: { toString: () => string }): boolean => {
    const peer = id.toString();
    return (allow !== undefined && !allow.has(peer)) || isBanned(peer);
  };
  const isRoom = (peer: string, host: string): boolean => {
    if (allow !== undefined || isPreferred(peer)) return true;
    const strangers = connections().filter(
      ({ direction, remotePeer }) => direction === "inbound" && !isPreferred(remotePeer.toString()),
    );
    if (oneMachine) return strangers.length < strangersMaxOneMachine;
    const same = strangers.filter(({ remoteAddr }) => hostOf(remoteAddr) === host);
    return strangers.length < strangersMax && same.length < strangersPerHostMax;
  };
  return {
    gater: {
      denyDialPeer: denied,
      denyInboundEncryptedConnection: (peer, { remoteAddr }) =>
        denied(peer) || !isRoom(peer.toString(), hostOf(remoteAddr)),
      denyDialMultiaddr: () => false,
    },
    ban: (peer, ms) => {
      if (until.size >= bansMax) until.clear();
      until.set(peer, performance.now() + ms);
    },
    watch: (of) => {
      connections = of;
    },
  };
}

/** The host of a connection's other end, as text. */
export function hostOf(address: Connection["remoteAddr"]): string {
  return isNetworkAddress(address) ? getNetConfig(address).host : address.toString();
}
