// Drives the machine that finds peers (peers/discovery.ts): its questions over the stream `sync`, its dials by libp2p,
// its address book a file in the node's folder.
import { existsSync, readFileSync } from "node:fs";
import type { Clock, Entropy, Log, NetworkId } from "@causeway/primitives";
import { fromBigEndian, fromHex, toHex } from "@causeway/primitives";
import { replaceFile } from "@causeway/primitives/adapters/journal";
import type { Link, P2p } from "@causeway/primitives/adapters/p2p";
import {
  hostAddress,
  hostBytes,
  keyOfPeerId,
  peerIdOfKey,
} from "@causeway/primitives/adapters/p2p";
import type { Address } from "../peers/address.ts";
import type { Discovery, DiscoveryEffect, Happening } from "../peers/discovery.ts";
import { bookOf, discovery, step } from "../peers/discovery.ts";
import type { SyncService } from "./sync-service.ts";

export type FinderOptions = {
  readonly networkId: NetworkId;
  /** The address book's file. */
  readonly file: string;
  readonly oneMachine: boolean;
  readonly service: SyncService;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
};

/** Peers by peer id. */
export type Finder = {
  /** From now on it looks for peers. */
  readonly start: (p2p: P2p) => void;
  readonly connected: (peer: string, link: Link) => void;
  readonly disconnected: (peer: string) => void;
  readonly banned: (peer: string) => void;
  /** Peer keys of 33 bytes of the validators' nodes: preferred, here and at the door. */
  readonly prefer: (keys: readonly Uint8Array[]) => void;
  readonly isPreferred: (peer: string) => boolean;
  /** Writes the book. */
  readonly stop: () => void;
};

export function finder(options: FinderOptions): Finder {
  const { service, clock, log, file } = options;
  const links = new Map<string, Link>();
  let preferred: ReadonlySet<string> = new Set();
  let validators: readonly string[] = [];
  let running: { readonly state: Discovery; readonly p2p: P2p } | undefined;
  let timer: NodeJS.Timeout | undefined;
  const happen = (event: Happening): void => {
    if (running === undefined) return;
    const at = clock.nowMs();
    for (const effect of step(running.state, { ...event, at })[1])
      if (effect.kind === "wake") wake(effect.at);
      else perform(options, running.p2p, effect, happen);
  };
  const wake = (at: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => happen({ kind: "woke" }), Math.max(1, at - clock.nowMs()));
    timer.unref();
  };
  const connect = (id: string, { isOutbound, host: text }: Link): void => {
    const [peer, host] = [keyOf(id), hostBytes(text)];
    if (peer !== undefined && host !== undefined)
      happen({ kind: "connected", peer, isOutbound, host });
  };
  /** An event of a peer that has a name here. */
  const happenTo = (id: string, event: (peer: string) => Happening): void => {
    const peer = keyOf(id);
    if (peer !== undefined) happen(event(peer));
  };
  return {
    start: (p2p) => {
      const self = keyOf(p2p.peerId) ?? "";
      running = { p2p, state: begin(options, self) };
      happen({ kind: "validators", keys: validators });
      for (const [id, link] of links) connect(id, link);
      service.exchange({
        asked: (id, port) => happenTo(id, (peer) => ({ kind: "asked", peer, port })),
        told: (id, addresses) => happenTo(id, (peer) => ({ kind: "told", peer, addresses })),
      });
    },
    connected: (id, link) => {
      links.set(id, link);
      connect(id, link);
    },
    disconnected: (id) => {
      links.delete(id);
      happenTo(id, (peer) => ({ kind: "disconnected", peer }));
    },
    banned: (id) => happenTo(id, (peer) => ({ kind: "banned", peer })),
    prefer: (keys) => {
      validators = keys.map(toHex);
      preferred = new Set(keys.map(peerIdOfKey));
      happen({ kind: "validators", keys: validators });
    },
    isPreferred: (id) => preferred.has(id),
    stop: () => {
      clearTimeout(timer);
      if (running !== undefined) save(file, bookOf(running.state), log);
      running = undefined;
    },
  };
}

function perform(
  { service, file, log }: FinderOptions,
  p2p: P2p,
  effect: Exclude<DiscoveryEffect, { kind: "wake" }>,
  happen: (event: Happening) => void,
): void {
  if (effect.kind === "save") {
    save(file, effect.bytes, log);
    return;
  }
  if (effect.kind === "dial") {
    const { key } = effect.address;
    dial(p2p, effect.address, log)
      .then((isReached) => happen({ kind: "dialled", peer: key, isReached }))
      .catch((error: unknown) => log.error("discovery failed", { error }));
    return;
  }
  const peer = peerIdOfKey(fromHex(effect.peer));
  if (effect.kind === "ask") service.send(peer, { kind: "addressesRequest", port: p2p.port });
  else if (effect.kind === "ban") service.ban(peer, effect.reason);
  else service.send(peer, { kind: "addresses", addresses: effect.addresses });
}

async function dial(p2p: P2p, { key, host, port }: Address, log: Log): Promise<boolean> {
  try {
    return await p2p.dial(`${hostAddress(host, port)}/p2p/${peerIdOfKey(fromHex(key))}`);
  } catch (error) {
    // The key is no point of the curve, which only a liar writes.
    log.debug("no such peer", { key, error });
    return false;
  }
}

function begin(
  { networkId, file, oneMachine, entropy, clock, log }: FinderOptions,
  self: string,
): Discovery {
  const seed = Number(fromBigEndian(entropy(4)));
  const config = { network: networkId, self, oneMachine, seed };
  const stored = existsSync(file) ? readFileSync(file) : undefined;
  const { state, bad } = discovery(config, stored, clock.nowMs());
  if (bad !== undefined)
    log.warn("starting from the configured peers alone", { reason: bad.message });
  return state;
}

/** A book that cannot be written is a loss at the next start, no more. */
function save(file: string, bytes: Uint8Array, log: Log): void {
  try {
    replaceFile(file, [bytes]);
  } catch (error) {
    log.warn("the address book could not be written", { file, error });
  }
}

/** Undefined for peers of other kinds of keys, which no node has. */
function keyOf(peer: string): string | undefined {
  const key = keyOfPeerId(peer);
  return key && toHex(key);
}
