// The composition of a node: every port meets its adapter here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Log, NetworkId, Rejected } from "@causeway/primitives";
import { Failure, isRejected, keyOf, sha256 } from "@causeway/primitives";
import { systemClock } from "@causeway/primitives/adapters/clock";
import type { Config } from "@causeway/primitives/adapters/config";
import { readKeyFile } from "@causeway/primitives/adapters/key-file";
import { startLog } from "@causeway/primitives/adapters/log";
import type { P2p, Verdict } from "@causeway/primitives/adapters/p2p";
import { startP2p } from "@causeway/primitives/adapters/p2p";
import type { nodeConfig } from "../config.ts";
import { nodeKeyFields } from "../config.ts";
import { depositRequestCodec } from "../interchain/statement.ts";
import { genesisSizeMax, parseGenesis } from "../ledger/genesis-file.ts";
import type { Protocol } from "../ledger/versions.ts";
import { knownProtocol } from "../ledger/versions.ts";
import * as pool from "../mempool/pool.ts";
import { bindLedger } from "../node/ledger.ts";
import type { Context, State } from "../node/machine.ts";
import { initial } from "../node/machine.ts";
import { batchSizeMax, messageSizeMax, transactionsCodec } from "../node/message.ts";
import type { RpcNode } from "../rpc/node.ts";
import type { Feed } from "../rpc/subscriptions.ts";
import { createBls } from "./bls.ts";
import type { DataFolder } from "./data-folder.ts";
import { openDataFolder } from "./data-folder.ts";
import { dropIndex, indexedHeight, rebuildIndex } from "./node-index.ts";
import type { Runtime } from "./node-runtime.ts";
import { startRuntime } from "./node-runtime.ts";
import { replay } from "./replay.ts";
import { rpcNode, serveRpc } from "./rpc-node.ts";

export type NodeConfig = Config<typeof nodeConfig>;

export type RunningNode = {
  /** For the ready line: where it listens and who it is. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Rejects when the node cannot go on; resolves with the reason when it stopped by itself (GOV-1). */
  readonly ended: Promise<Rejected | undefined>;
  readonly stop: () => Promise<void>;
};

/**
 * `reindex` makes the RPC's indices anew first; `protocol` are the versions that the node knows. Throws Failure with
 * a sentence for every way to be misconfigured, and "upgrade-needed" when the ledger has gone beyond `protocol`.
 */
export async function runNode(
  config: NodeConfig,
  reindex: boolean,
  protocol: Protocol = knownProtocol,
): Promise<RunningNode> {
  const log = startLog("node", config.logLevel);
  const bls = createBls();
  const files = readGenesis(config);
  const genesis = parseGenesis(files.body, files.proofs, bls);
  if (isRejected(genesis)) throw new Failure(genesis.code, genesis.message);
  const keys = readKeyFile(config.keys, nodeKeyFields);
  const data = await openDataFolder(config.data, genesis);
  const opened: (() => Promise<unknown>)[] = [data.close];
  const close = async (): Promise<void> => {
    for (const one of opened.splice(0).reverse()) await one();
  };
  try {
    const ledger = bindLedger(genesis, bls, protocol);
    const { stop } = ledger.frame(data.store.state);
    if (stop !== undefined) throw new Failure(stop.code, stop.message);
    await prepareIndex(config, genesis.networkId, data, reindex, (height, folder) =>
      replay({ genesis, bls, protocol }, data.store.blocks, height, folder),
    );
    const context: Context = {
      genesis,
      bls,
      ...(keys.consensus && { secretKey: keys.consensus }),
      ledger,
      store: data.store.state,
      blocks: data.store.blocks,
    };
    const node = await start(config, context, keys.peer, data, files, log);
    opened.push(...node.opened);
    return { ready: node.ready, ended: node.runtime.ended, stop: close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

/** Makes the index, or makes it anew, or removes it: what the configuration says, whatever a run before left. */
async function prepareIndex(
  config: NodeConfig,
  network: NetworkId,
  { store }: DataFolder,
  anew: boolean,
  changes: (height: number, folder: string) => ReturnType<typeof replay>,
): Promise<void> {
  const { height } = store.head();
  const stands = indexedHeight(store.db) === height;
  if (!config.index) {
    if (indexedHeight(store.db) !== undefined) await dropIndex(store.db);
  } else if (anew || !stands) {
    const folder = join(config.data, "replay");
    await rebuildIndex(store.db, network, height, () => changes(height, folder));
  }
  store.setIndexed(config.index);
}

function readGenesis(config: NodeConfig): RpcNode["genesisFiles"] {
  const read = (path: string): Uint8Array => {
    try {
      return Uint8Array.from(readFileSync(path).subarray(0, genesisSizeMax + 1));
    } catch (cause) {
      throw new Failure("bad-genesis", `cannot read ${path}`, { cause });
    }
  };
  return { body: read(config.genesis), proofs: read(config.genesisProofs) };
}

type Started = {
  readonly runtime: Runtime;
  readonly ready: RunningNode["ready"];
  readonly opened: (() => Promise<unknown>)[];
};

/** The network begins to deliver while the machine is being made: `later` holds the runtime from then on. */
async function start(
  config: NodeConfig,
  context: Context,
  peerSecret: Uint8Array,
  { store, journal }: DataFolder,
  genesisFiles: RpcNode["genesisFiles"],
  log: Log,
): Promise<Started> {
  const { genesis } = context;
  const host = config.listenHost;
  const later: { runtime?: Runtime; onBlock?: Feed["onBlock"] } = {};
  const p2p = await startP2p({
    secret: peerSecret,
    networkId: genesis.networkId,
    listen: { host, port: config.p2pPort },
    peers: config.peers,
    oneMachine: config.oneMachine,
    log: log.child({ part: "p2p" }),
    ...protocols(() => later.runtime),
  });
  const tip = store.tip();
  const stored = { tree: store.tree(), root: store.head().root, journal: journal.read() };
  const runtime = startRuntime(
    initial(context, { ...stored, ...(tip && { tip }) }, systemClock.nowMs()),
    {
      store,
      journal,
      network: networkOf(p2p),
      clock: systemClock,
      log,
      onBlock: (...block) => later.onBlock?.(...block),
    },
  );
  for (const peer of p2p.peers()) runtime.connected(peer);
  later.runtime = runtime;
  const peers = (): number => p2p.peers().length;
  const view = rpcNode({
    genesis,
    genesisFiles,
    store,
    runtime,
    peers,
    hasIndex: config.index,
  });
  later.onBlock = view.onBlock;
  const opened = [runtime.stop, p2p.close];
  try {
    const rpc = await serveRpc(view, { host, port: config.rpcPort }, log.child({ part: "rpc" }));
    log.info("node runs", { network: genesis.name, height: store.head().height });
    const ready = {
      rpc: `http://${host}:${rpc.port}`,
      p2p: p2p.address,
      height: store.head().height,
    };
    return { runtime, ready, opened: [...opened, rpc.close] };
  } catch (cause) {
    for (const one of opened.reverse()) await one();
    throw cause;
  }
}

function networkOf(p2p: P2p): Parameters<typeof startRuntime>[1]["network"] {
  return {
    send: (peer, message) => p2p.send(peer, "consensus", message),
    broadcast: (message) => p2p.broadcast("consensus", message),
    publish: p2p.publish,
    ban: p2p.ban,
  };
}

/** Direct messages and gossip as the machine's events; gossip travels on when the machine kept it. */
function protocols(
  runtime: () => Runtime | undefined,
): Pick<Parameters<typeof startP2p>[0], "protocols" | "topics" | "onConnect" | "onDisconnect"> {
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
    onConnect: (peer) => runtime()?.connected(peer),
    onDisconnect: (peer) => runtime()?.disconnected(peer),
  };
}

/** A batch travels on when one of its transactions entered the mempool. */
function judgeBatch(state: State, bytes: Uint8Array): Verdict {
  const batch = transactionsCodec.parse(bytes);
  if (isRejected(batch)) return "reject";
  const isKept = (one: Uint8Array): boolean => typeof pool.find(state.pool, one) === "object";
  return batch.transactions.some(isKept) ? "accept" : "ignore";
}
