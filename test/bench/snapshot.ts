// How fast a new node joins by a snapshot (issue 4): one process holds a state of many unspent outputs, makes a
// snapshot of it as every node does at the begin of an epoch, and serves it over libp2p; others join from nothing, one
// of them with a kill -9 half-way. The state is loaded into the source's database before it starts: who joins gets all
// of it by the network, and compares it with final headers.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { must, sha256, toHex, utf8 } from "@causeway/primitives";
import { createBls } from "../../chain-core/src/adapters/bls.ts";
import { openDataFolder } from "../../chain-core/src/adapters/data-folder.ts";
import type { NodeConfig } from "../../chain-core/src/adapters/run-node.ts";
import type { NodePorts, TestNetwork } from "../../chain-core/src/adapters/testing.ts";
import { testClient, testNetwork } from "../../chain-core/src/adapters/testing.ts";
import { headerCodec } from "../../chain-core/src/codec/block.ts";
import { lockOfAddress } from "../../chain-core/src/ledger/assets.ts";
import { economy } from "../../chain-core/src/ledger/economy.ts";
import { parseGenesis } from "../../chain-core/src/ledger/genesis-file.ts";
import { recordProofCodec, verifyProof } from "../../chain-core/src/ledger/tree.ts";
import { freshSecret } from "../../deploy/devnet/keys.ts";
import { freePorts } from "../../deploy/devnet/ports.ts";
import { peakMemoryMb } from "../../deploy/devnet/processes.ts";
import type { SpawnedNode } from "../node-process.ts";
import { spawnNode } from "../node-process.ts";
import { addOutputs } from "./ledger-world.ts";
import { cpuUs } from "./network-meter.ts";

/** Long enough to make a snapshot in, short enough to wait for. */
const epochMs = 40_000;
const owners = 100_000;
const patienceMs = 240_000;

type Node = {
  readonly folder: string;
  readonly config: NodeConfig;
};

export type SnapshotReport = {
  readonly utxos: number;
  readonly bytes: number;
  readonly chunks: number;
  /** To write the snapshot, beside the node's other work. */
  readonly makeSeconds: number;
  /** From the start of a process on an empty folder to the newest block and an answering RPC. */
  readonly readySeconds: number;
  /** CPU time of that process until then, all threads: what a busy machine leaves comparable. */
  readonly cpuSeconds: number;
  readonly peakRssMb: number;
  /** To make the index that wallets ask, once, by a node that keeps one. */
  readonly indexSeconds: number;
  readonly resumed: {
    readonly chunksKept: number;
    /** Of the process after the kill. */
    readonly readySeconds: number;
  };
  readonly machineLoad: number;
  readonly oneStateRoot: boolean;
};

export async function run(utxos: number): Promise<SnapshotReport> {
  const network = testNetwork(1, { epochMs, heartbeatMs: 1_000 });
  const running: SpawnedNode[] = [];
  const start = (node: Node): SpawnedNode => {
    const one = spawnNode(node);
    running.push(one);
    return one;
  };
  try {
    const free = await freePorts(6);
    const ports = [0, 2, 4].map((i) => ({
      p2p: must(free[i], "port"),
      rpc: must(free[i + 1], "port"),
    }));
    const source = nodeOf(network, ports, 0);
    await load(source.config, utxos);
    await start(source).ready;
    const written = await line(source, "snapshot written");
    await line(source, "snapshot committed");

    const first = nodeOf(network, ports, 1);
    const joined = await ready(start(first), first, source);
    const oneStateRoot = await hasOneStateRoot(first, source);
    const machineLoad = Number((loadavg()[0] ?? 0).toFixed(1));
    await stop(must(running[1], "joined"));
    const indexing = start({ ...first, config: { ...first.config, index: true } });
    await indexing.ready;
    const indexed = must(linesOf(first, "index made")[0], "index");
    await stop(indexing);

    const second = nodeOf(network, ports, 2);
    const killed = start(second);
    const half = Number(written.chunks) / 2;
    await line(second, "chunks loaded", ({ count }) => Number(count) >= half);
    await stop(killed);
    const resumed = await ready(start(second), second, source);
    const kept = linesOf(second, "joining by a snapshot").at(-1)?.kept;
    return {
      utxos,
      bytes: Number(written.size),
      chunks: Number(written.chunks),
      makeSeconds: Number(written.ms) / 1_000,
      ...joined,
      indexSeconds: Number(indexed.ms) / 1_000,
      resumed: { chunksKept: Number(kept), readySeconds: resumed.readySeconds },
      machineLoad,
      oneStateRoot,
    };
  } finally {
    for (const { child } of running) child.kill("SIGKILL");
    await Promise.all(running.map(({ ended }) => ended));
    network.remove();
  }
}

async function stop({ child, ended }: SpawnedNode): Promise<void> {
  child.kill("SIGKILL");
  await ended;
}

/** The validator 0, or a node that follows it and has no consensus key. */
function nodeOf(network: TestNetwork, ports: readonly NodePorts[], i: number): Node {
  const folder = join(network.folder, `${i}`);
  const [address] = network.config(1, ports.slice(0, 1)).peers;
  const base = { ...network.config(i, ports), index: false, logLevel: "info" as const };
  if (i === 0) return { folder, config: { ...base, peers: [] } };
  mkdirSync(folder);
  writeFileSync(base.keys, JSON.stringify({ peer: toHex(freshSecret()) }), { mode: 0o600 });
  return { folder, config: { ...base, peers: [must(address, "address")], sync: "snapshot" } };
}

/** Makes the source's folder, with a state that its blocks go on from. */
async function load(
  { genesis: body, genesisProofs, data }: NodeConfig,
  utxos: number,
): Promise<void> {
  const genesis = parseGenesis(readFileSync(body), readFileSync(genesisProofs), createBls());
  if ("code" in genesis) throw new Error(genesis.message);
  await (await openDataFolder(data, genesis)).close();
  const locks = Array.from({ length: Math.min(owners, utxos) }, (_, i) =>
    lockOfAddress(sha256(utf8(`owner ${i}`)).slice(0, 20)),
  );
  await addOutputs({ genesis, locks }, join(data, "store"), utxos);
}

type Line = Readonly<Record<string, unknown>>;

function linesOf({ folder }: Node, message: string): Line[] {
  const lines = readFileSync(join(folder, "node.log"), "utf8").split("\n");
  const whole = lines.slice(0, -1).filter((text) => text.startsWith("{"));
  return whole.map((text): Line => JSON.parse(text)).filter((one) => one.message === message);
}

/** Waits for a line of the node's log. */
async function line(
  node: Node,
  message: string,
  is: (one: Line) => boolean = () => true,
): Promise<Line> {
  const until = performance.now() + patienceMs;
  while (performance.now() < until) {
    const found = linesOf(node, message).find(is);
    if (found !== undefined) return found;
    await sleep(20);
  }
  throw new Error(
    `"${message}" is not in the log of ${node.folder}: ${readFileSync(join(node.folder, "node.log"), "utf8").slice(-2_000)}`,
  );
}

async function ready(
  { child, ready: isReady }: SpawnedNode,
  { config }: Node,
  source: Node,
): Promise<Pick<SnapshotReport, "readySeconds" | "cpuSeconds" | "peakRssMb">> {
  const began = performance.now();
  await isReady;
  const [own, other] = [testClient(config.rpcPort), testClient(source.config.rpcPort)];
  const { height } = await other.status();
  await own.waitForHeight(height, 30_000);
  const readySeconds = Math.round(performance.now() - began) / 1_000;
  own.close();
  other.close();
  const pid = must(child.pid, "pid");
  const cpuSeconds = Math.round(cpuUs(pid) / 1_000) / 1_000;
  return { readySeconds, cpuSeconds, peakRssMb: peakMemoryMb(pid) };
}

/** A record that the joined node proves from its own state, under the header that the source has at that height. */
async function hasOneStateRoot(joined: Node, source: Node): Promise<boolean> {
  const [own, other] = [testClient(joined.config.rpcPort), testClient(source.config.rpcPort)];
  const { height } = await own.status();
  await own.waitForHeight(height + 1, 10_000);
  const { header, records } = await own.prove([economy.key("only")]);
  const block = await other.block(headerCodec.decode(header).height);
  own.close();
  other.close();
  const record = must(records[0], "record");
  const { stateRoot } = headerCodec.decode(must(block, "block").header);
  return verifyProof(stateRoot, record.key, record.value, recordProofCodec.decode(record.proof));
}
