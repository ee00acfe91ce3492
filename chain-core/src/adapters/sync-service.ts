// The direct stream `sync` (ADR 0010): questions are answered from this node's store and snapshots, at a pace per
// peer; answers go to whoever asked: the machine that joins, or the address book.
import type { Clock, Log } from "@causeway/primitives";
import { isRejected } from "@causeway/primitives";
import type { P2p, Protocol } from "@causeway/primitives/adapters/p2p";
import type { Finality, SyncMessage } from "../snapshot/message.ts";
import { encodeSync, parseSync, syncMessageSizeMax } from "../snapshot/message.ts";
import type { Paces, Question } from "../snapshot/serve.ts";
import { isQuestion, mayAsk } from "../snapshot/serve.ts";
import type { Snapshots } from "./snapshots.ts";

/** What answers are made of. */
export type Library = {
  readonly headers: (from: number, exact: boolean) => Promise<readonly Finality[]>;
  readonly snapshots: Pick<Snapshots, "offers" | "chunk">;
};

/** Who gets what is no question. */
export type Listener = {
  readonly connected: (peer: string) => void;
  readonly disconnected: (peer: string) => void;
  readonly message: (peer: string, bytes: Uint8Array) => void;
};

/** Addresses that peers tell and ask, see discovery.ts. */
export type Exchange = {
  readonly told: (peer: string, addresses: readonly Uint8Array[]) => void;
  /** `port`: where the peer itself listens, 0 for nowhere. */
  readonly asked: (peer: string, port: number) => void;
};

export type SyncService = {
  readonly protocol: Protocol;
  readonly connected: (peer: string) => void;
  readonly disconnected: (peer: string) => void;
  /** From now on messages can be sent. */
  readonly attach: (p2p: P2p) => void;
  readonly send: (peer: string, message: SyncMessage) => void;
  readonly ban: (peer: string, reason: string) => void;
  readonly peers: () => string[];
  readonly listen: (listener: Listener | undefined) => void;
  readonly serve: (library: Library) => void;
  readonly exchange: (exchange: Exchange) => void;
};

/** How long who served rubbish is refused, ms. */
const banMs = 60_000;

export function syncService(clock: Clock, log: Log): SyncService {
  const paces: Paces = new Map();
  let p2p: P2p | undefined;
  let listener: Listener | undefined;
  let library: Library | undefined;
  let addresses: Exchange | undefined;
  const send = (peer: string, message: SyncMessage): void => {
    p2p?.send(peer, "sync", encodeSync(message));
  };
  const ban = (peer: string, reason: string): void => {
    log.warn("peer banned", { peer, reason });
    p2p?.ban(peer, banMs);
  };
  const receive = (peer: string, bytes: Uint8Array): void => {
    const message = parseSync(bytes);
    if (isRejected(message)) ban(peer, message.message);
    else if (isQuestion(message)) {
      if (!mayAsk(paces, peer, clock.nowMs())) return;
      if (message.kind === "addressesRequest") {
        addresses?.asked(peer, message.port);
        return;
      }
      answer(library, message)
        .then((reply) => send(peer, reply))
        .catch((error: unknown) => log.error("no answer to a peer", { peer, error }));
    } else if (message.kind === "addresses") addresses?.told(peer, message.addresses);
    else listener?.message(peer, bytes);
  };
  return {
    protocol: { name: "sync", maxBytes: syncMessageSizeMax, onMessage: receive },
    connected: (peer) => listener?.connected(peer),
    disconnected: (peer) => {
      paces.delete(peer);
      listener?.disconnected(peer);
    },
    attach: (to) => {
      p2p = to;
    },
    send,
    ban,
    peers: () => p2p?.peers() ?? [],
    listen: (to) => {
      listener = to;
    },
    serve: (from) => {
      library = from;
    },
    exchange: (to) => {
      addresses = to;
    },
  };
}

/** Nothing while this node has nothing itself: the peer asks another. */
async function answer(
  library: Library | undefined,
  question: Exclude<Question, { kind: "addressesRequest" }>,
): Promise<SyncMessage> {
  if (question.kind === "headersRequest") {
    const { from, exact } = question;
    return { kind: "headers", from, headers: (await library?.headers(from, exact)) ?? [] };
  }
  if (question.kind === "offersRequest")
    return { kind: "offers", manifests: library?.snapshots.offers() ?? [] };
  const { epoch, index } = question;
  const found = await library?.snapshots.chunk(epoch, index);
  const chunk = found?.chunk ?? new Uint8Array(0);
  return { kind: "chunk", epoch, index, chunk, path: found?.path ?? [] };
}
