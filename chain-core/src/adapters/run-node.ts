// The composition of a node: every port meets its adapter here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Log, NetworkId, Rejected } from "@causeway/primitives";
import { Failure, isRejected } from "@causeway/primitives";
import { systemClock } from "@causeway/primitives/adapters/clock";
import type { Config } from "@causeway/primitives/adapters/config";
import { readKeyFile } from "@causeway/primitives/adapters/key-file";
import { startLog } from "@causeway/primitives/adapters/log";
import { blockId } from "../codec/block.ts";
import type { nodeConfig } from "../config.ts";
import { nodeKeyFields } from "../config.ts";
import { genesisSizeMax, parseGenesis } from "../ledger/genesis-file.ts";
import type { Protocol } from "../ledger/versions.ts";
import { knownProtocol } from "../ledger/versions.ts";
import { bindLedger } from "../node/ledger.ts";
import type { Context } from "../node/machine.ts";
import { initial } from "../node/machine.ts";
import type { RpcNode } from "../rpc/node.ts";
import type { Feed } from "../rpc/subscriptions.ts";
import type { Checkpoint } from "../snapshot/join-state.ts";
import type { BeaconService } from "./beacon-service.ts";
import { beaconService } from "./beacon-service.ts";
import { createBls } from "./bls.ts";
import { committeeReach, followCommittee } from "./committee-peers.ts";
import type { DataFolder, Joiner } from "./data-folder.ts";
import { openDataFolder } from "./data-folder.ts";
import type { JoinNodeOptions } from "./join-node.ts";
import { checkAgainst, joinerOf, parseCheckpoint, parseSyncMode } from "./join-node.ts";
import { finalAt, finalities } from "./node-blocks.ts";
import { dropIndex, indexedHeight, rebuildIndex } from "./node-index.ts";
import type { NodeNetwork } from "./node-network.ts";
import { networkOf, nodeNetwork } from "./node-network.ts";
import type { Runtime } from "./node-runtime.ts";
import { startRuntime } from "./node-runtime.ts";
import type { NodeStore } from "./node-store.ts";
import { replay } from "./replay.ts";
import { rpcNode, serveRpc } from "./rpc-node.ts";
import type { Snapshots } from "./snapshots.ts";
import { openSnapshots } from "./snapshots.ts";
import { verifyPool, verifyThreads } from "./verify-pool.ts";

export type NodeConfig = Config<typeof nodeConfig>;

export type RunningNode = {
  /** For the ready line: where it listens and who it is. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Rejects when the node cannot go on; resolves with the reason when it stopped by itself (GOV-1). */
  readonly ended: Promise<Rejected | undefined>;
  readonly stop: () => Promise<void>;
};

/**
 * `anew` makes the RPC's index or the whole store once more first; `protocol` are the versions that the node knows.
 * Throws Failure with a sentence for every way to be misconfigured, and "upgrade-needed" when the ledger has gone
 * beyond `protocol`.
 */
export async function runNode(
  config: NodeConfig,
  anew?: "index" | "store",
  protocol: Protocol = knownProtocol,
): Promise<RunningNode> {
  const log = startLog("node", config.logLevel);
  const bls = createBls();
  const files = readGenesis(config);
  const genesis = parseGenesis(files.body, files.proofs, bls);
  if (isRejected(genesis)) throw new Failure(genesis.code, genesis.message);
  const keys = readKeyFile(config.keys, nodeKeyFields);
  const network = nodeNetwork({
    ...config,
    secret: keys.peer,
    networkId: genesis.networkId,
    listen: { host: config.listenHost, port: config.p2pPort },
    log,
  });
  const opened: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of opened.splice(0).reverse()) await one();
  };
  const checkpoint = parseCheckpoint(config.checkpoint);
  try {
    const joinBy = joinerFor(config, { genesis, bls, network, checkpoint, log });
    const data = await openDataFolder(config.data, genesis, joinBy, anew === "store").catch(
      async (cause: unknown) => {
        await network.close();
        throw cause;
      },
    );
    opened.push(data.close, network.close);
    const confirmed = checkpoint && finalAt(data.store.db, checkpoint.height)?.header;
    if (confirmed !== undefined)
      checkAgainst(checkpoint, confirmed.height, blockId(genesis.networkId, confirmed));
    const threads = verifyThreads(config);
    const helpers = threads > 0 ? verifyPool(genesis, threads, log) : undefined;
    if (helpers !== undefined) opened.push(helpers.close);
    const ledger = bindLedger(genesis, bls, protocol, helpers);
    const { stop } = ledger.frame(data.store.state);
    if (stop !== undefined) throw new Failure(stop.code, stop.message);
    const indexed = await prepareIndex(config, genesis.networkId, data, anew === "index", (...to) =>
      replay({ genesis, bls, protocol }, data.store.blocks, ...to),
    );
    if (indexed !== undefined) log.info("index made", indexed);
    const snapshots = await openSnapshots({
      folder: join(config.data, "snapshots"),
      network: genesis.networkId,
      store: data.store,
      archive: config.archive,
      log,
    });
    opened.push(snapshots.close);
    const { db } = data.store;
    network.service.serve({ headers: (...of) => finalities(db, ...of), snapshots });
    const context: Context = {
      genesis,
      bls,
      ...(keys.consensus && { secretKey: keys.consensus }),
      ledger,
      store: data.store.state,
      blocks: data.store.blocks,
      lowest: data.store.lowest,
      snapshotRoot: snapshots.rootOf,
    };
    const parts = { network, snapshots, files, checkpoint, log };
    const node = await start(config, context, data, parts);
    opened.push(...node.opened);
    return { ready: node.ready, ended: node.runtime.ended, stop: close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

function joinerFor(
  { sync, peers, archive }: NodeConfig,
  parts: Pick<JoinNodeOptions, "genesis" | "bls" | "checkpoint" | "log"> & Pick<Parts, "network">,
): Joiner {
  const { service, start: startHost } = parts.network;
  return joinerOf({
    ...parts,
    mode: parseSyncMode(sync),
    hasPeers: peers.length > 0,
    archive,
    service,
    startNetwork: async () => {
      await startHost();
    },
    clock: systemClock,
  });
}

/**
 * Makes the index, or makes it anew, or removes it: what the configuration says, whatever a run before left. Gives how
 * long it took, if one was made.
 */
async function prepareIndex(
  config: NodeConfig,
  network: NetworkId,
  { store }: DataFolder,
  anew: boolean,
  changes: (height: number, folder: string) => ReturnType<typeof replay>,
): Promise<{ readonly ms: number } | undefined> {
  const began = performance.now();
  const { height } = store.head();
  const isDue = config.index && (anew || indexedHeight(store.db) !== height);
  if (!config.index) {
    if (indexedHeight(store.db) !== undefined) await dropIndex(store.db);
  } else if (isDue) {
    const folder = join(config.data, "replay");
    await rebuildIndex(store.db, network, height, () => changes(height, folder));
  }
  store.setIndexed(config.index);
  return isDue ? { ms: Math.round(performance.now() - began) } : undefined;
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

type Parts = {
  readonly network: NodeNetwork;
  readonly snapshots: Snapshots;
  readonly files: RpcNode["genesisFiles"];
  readonly checkpoint: Checkpoint | undefined;
  readonly log: Log;
};

/** The network begins to deliver while the machine is being made. */
async function start(
  config: NodeConfig,
  context: Context,
  { store, journal }: DataFolder,
  { network, snapshots, files, checkpoint, log }: Parts,
): Promise<Started> {
  const { genesis } = context;
  const host = config.listenHost;
  const later: { onBlock?: Feed["onBlock"] } = {};
  const p2p = await network.start();
  const committee = followCommittee(store.state, network.prefer);
  const tip = store.tip();
  const stored = { tree: store.tree(), root: store.head().root, journal: journal.read() };
  const first = initial(context, { ...stored, ...(tip && { tip }) }, systemClock.nowMs());
  if (first[0].ahead.length > 0)
    log.warn("the votes know of blocks that the store lacks: they come again from peers", {
      height: store.head().height,
      voted: first[0].journalHeight,
    });
  const beacon = beaconOf(config, context, store, log.child({ part: "beacon" }));
  const inner = startRuntime(first, {
    store,
    journal,
    network: networkOf(p2p, committeeReach(store.state, p2p.peerId)),
    clock: systemClock,
    log,
    onBlock: (...block) => {
      checkAgainst(checkpoint, block[0].height, block[0].id);
      // Before others: it reads the state as this block left it.
      snapshots.onBlock();
      committee.onBlock();
      beacon?.onBlock(block[0]);
      later.onBlock?.(...block);
    },
  });
  const runtime = beacon?.before(inner) ?? inner;
  network.deliver(runtime);
  const peers = (): number => p2p.peers().length;
  const view = rpcNode({
    genesis,
    genesisFiles: files,
    store,
    runtime,
    peers,
    duties: () => beacon?.duties() ?? [],
    hasIndex: config.index,
  });
  later.onBlock = view.onBlock;
  const opened: (() => Promise<unknown>)[] = [async () => beacon?.stop(), runtime.stop];
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

/** Only who votes contributes. */
function beaconOf(
  { data }: NodeConfig,
  { genesis, bls, secretKey, ledger }: Context,
  store: NodeStore,
  log: Log,
): BeaconService | undefined {
  if (secretKey === undefined) return undefined;
  const parts = { genesis, bls, secretKey, ledger, store };
  return beaconService({ ...parts, folder: data, clock: systemClock, log });
}
