// The node's p2p: one libp2p host for the machine's messages and for the stream `sync`. A node that joins by a snapshot
// starts it before there is a store, and a runtime.
import { join } from "node:path";
import type { Log, NetworkId } from "@causeway/primitives";
import { isRejected, keyOf, sha256 } from "@causeway/primitives";
import { systemClock } from "@causeway/primitives/adapters/clock";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import type { P2p, P2pOptions, Verdict } from "@causeway/primitives/adapters/p2p";
import { startP2p } from "@causeway/primitives/adapters/p2p";
import { depositRequestCodec } from "../interchain/statement.ts";
import * as pool from "../mempool/pool.ts";
import type { State } from "../node/machine.ts";
import { batchSizeMax, directBatch, messageSizeMax, transactionsCodec } from "../node/message.ts";
import { finder } from "./discovery.ts";
import type { Network, Runtime } from "./node-runtime.ts";
import type { SyncService } from "./sync-service.ts";
import { syncService } from "./sync-service.ts";

export type NodeNetwork = {
  readonly service: SyncService;
  /** Once; the same host afterwards. Throws as startP2p. */
  readonly start: () => Promise<P2p>;
  /** From now on the runtime hears what arrives. */
  readonly deliver: (runtime: Runtime) => void;
  /** Peer keys of the validators' nodes, which are looked for first and always let in. */
  readonly prefer: (keys: readonly Uint8Array[]) => void;
  readonly close: () => Promise<void>;
};

export type NodeNetworkOptions = Pick<P2pOptions, "secret" | "listen" | "peers" | "oneMachine"> & {
  readonly networkId: NetworkId;
  /** The node's folder, which is there when it starts: for the address book. */
  readonly data: string;
  readonly log: Log;
};

export function nodeNetwork(options: NodeNetworkOptions): NodeNetwork {
  const log = options.log.child({ part: "p2p" });
  const service = syncService(systemClock, options.log.child({ part: "sync" }));
  let runtime: Runtime | undefined;
  let started: Promise<P2p> | undefined;
  const wiring = protocols(() => runtime);
  const file = join(options.data, "peers.book");
  const peers = finder({
    ...options,
    file,
    service,
    clock: systemClock,
    entropy: systemEntropy,
    log,
  });
  const start = async (): Promise<P2p> => {
    const host = await startP2p({
      ...options,
      log,
      isPreferred: peers.isPreferred,
      topics: wiring.topics,
      protocols: [...wiring.protocols, service.protocol],
      onConnect: (peer, link) => {
        runtime?.connected(peer);
        service.connected(peer);
        peers.connected(peer, link);
      },
      onDisconnect: (peer) => {
        runtime?.disconnected(peer);
        service.disconnected(peer);
        peers.disconnected(peer);
      },
    });
    const ban: P2p["ban"] = (peer, ms) => {
      peers.banned(peer);
      host.ban(peer, ms);
    };
    const p2p = { ...host, ban };
    service.attach(p2p);
    peers.start(p2p);
    return p2p;
  };
  return {
    service,
    start: () => {
      started ??= start();
      return started;
    },
    deliver: (to) => {
      runtime = to;
      for (const peer of service.peers()) to.connected(peer);
    },
    prefer: peers.prefer,
    close: async () => {
      peers.stop();
      await (await started?.catch(() => undefined))?.close();
    },
  };
}

/**
 * What the runtime orders of the host. Own transactions go to each peer by itself while `reaches` the committee:
 * gossip brings each of them several times. Who is not connected hears of them in a block.
 */
export function networkOf(p2p: P2p, reaches: (connected: readonly string[]) => boolean): Network {
  return {
    send: (peer, message) => p2p.send(peer, "consensus", message),
    broadcast: (message) => p2p.broadcast("consensus", message),
    publish: (topic, message) => {
      if (topic === "transactions" && reaches(p2p.peers()))
        p2p.broadcast("consensus", directBatch(message));
      else p2p.publish(topic, message);
    },
    ban: p2p.ban,
  };
}

/** Direct messages and gossip as the machine's events; gossip travels on when the machine kept it. */
function protocols(runtime: () => Runtime | undefined): Pick<P2pOptions, "protocols" | "topics"> {
  const gossip =
    (topic: "transactions" | "requests", judge: (state: State, bytes: Uint8Array) => Verdict) =>
    async (from: string, bytes: Uint8Array): Promise<Verdict> => {
      const judged = runtime()?.gossip(from, topic, bytes, (state) => judge(state, bytes));
      return (await judged) ?? "ignore";
    };
  return {
    protocols: [
      {
        name: "consensus",
        maxBytes: messageSizeMax,
        onMessage: (from, bytes) => runtime()?.message(from, bytes),
      },
    ],
    topics: {
      transactions: { maxBytes: batchSizeMax, onMessage: gossip("transactions", judgeBatch) },
      requests: {
        maxBytes: depositRequestCodec.sizeMax,
        onMessage: gossip("requests", (state, bytes) =>
          state.requests.entries.has(keyOf(sha256(bytes))) ? "accept" : "ignore",
        ),
      },
    },
  };
}

/** A batch travels on when one of its transactions entered the mempool. */
function judgeBatch(state: State, bytes: Uint8Array): Verdict {
  const batch = transactionsCodec.parse(bytes);
  if (isRejected(batch)) return "reject";
  const isKept = (one: Uint8Array): boolean => typeof pool.find(state.pool, one) === "object";
  return batch.transactions.some(isKept) ? "accept" : "ignore";
}
