// How much the ledger takes: n validators as processes of this machine under a steady load of 1-in-2-out transfers,
// each of its own input, signed before the clock starts and sent to all nodes. One machine does the work of all n, and
// of the users too: what ten machines would do follows from the CPU time that a transaction costs each node.
import { mkdirSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { must } from "@causeway/primitives";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { testNetwork } from "../../chain-core/src/adapters/testing.ts";
import { testLock } from "../../chain-core/src/ledger/testing.ts";
import { freePorts } from "../../deploy/devnet/ports.ts";
import type { Process } from "../../deploy/devnet/processes.ts";
import { launchNode } from "../node-process.ts";
import type { Load } from "./network-load.ts";
import { presign, startLoad } from "./network-load.ts";
import { cpuUs, rssMb, sentBytes } from "./network-meter.ts";
import { ownerName } from "./network-sign.ts";

export type Options = {
  /** Sizes of the networks, one run each. */
  readonly validators: readonly number[];
  /** The clock runs so long, after {@link warmUpSeconds}. */
  readonly seconds: number;
  /** Transactions a second that are sent; by default a little more than the goal. */
  readonly rate?: number;
  /** Writes a CPU profile of the first node there. */
  readonly profile?: string;
};

/** The goals of 4 and of 10 validators on two cores. */
const goals: Readonly<Record<number, number>> = { 4: 3_000, 10: 1_200, 21: 400 };
const warmUpSeconds = 10;
/** The genesis has room for so many balances. */
const roots = 9_000;
const owners = 3_000;
/** Seconds of the rate that may wait at one time. */
const waitingSeconds = 1.5;

/** As the devnet but for time-outs that a crowded machine does not reach: they cost nothing where all answer. */
const params = { proposeTimeoutMs: 4_000, voteTimeoutMs: 2_000 };

type Run = {
  readonly validators: number;
  readonly sentTps: number;
  readonly finalTps: number;
  readonly finalityMs: { readonly p50: number; readonly p95: number };
  readonly cpuUsPerTxPerNode: number;
  readonly rssMbPerNode: number;
  /** Sent by one node, TCP payload; null without iproute2's `ss`. */
  readonly wireBytesPerTx: number | null;
  /** Accepted and not final, when the clock started and when it stopped. */
  readonly waiting: readonly [number, number];
  readonly oneStateRoot: boolean;
  readonly refused: Readonly<Record<string, number>>;
  /** CPU of the users' process, share of one core. */
  readonly loadCpu: number;
  readonly machineLoad: number;
};

export async function run(options: Options): Promise<object> {
  const runs: Run[] = [];
  for (const size of options.validators) {
    const rate = options.rate ?? Math.ceil((goals[size] ?? 500) * 1.1);
    runs.push(await measure(size, rate, options));
  }
  return { cores: cpus().length, seconds: options.seconds, runs, tenMachines: tenMachines(runs) };
}

/** A node alone on a machine: its CPU time a transaction bounds what it takes. */
function tenMachines(runs: readonly Run[]): object | undefined {
  const of = runs.find(({ validators }) => validators === 10) ?? runs[0];
  if (of === undefined) return undefined;
  const perCore = Math.floor(1e6 / of.cpuUsPerTxPerNode);
  return {
    cpuUsPerTxPerNode: of.cpuUsPerTxPerNode,
    tpsOfOneCore: perCore,
    tpsOfTwoCores: 2 * perCore,
  };
}

async function measure(size: number, rate: number, options: Options): Promise<Run> {
  const balances = Array.from({ length: roots }, (_, i) => ({
    lock: testLock(ownerName(i % owners)),
    amount: 100_000_00000000n,
  }));
  const network = testNetwork(size, params, balances);
  const count = Math.ceil(rate * (options.seconds + warmUpSeconds) * 1.05);
  const transfers = await presign(network.genesis, roots, owners, count);
  const nodes = await startNodes(network, size, options.profile);
  try {
    const waitingMax = Math.min(roots / 2, Math.ceil(rate * waitingSeconds));
    const load = startLoad(nodes.urls, transfers, { rate, waitingMax });
    try {
      return await clock(load, nodes, size, options.seconds);
    } finally {
      await load.close();
    }
  } finally {
    for (const { kill } of nodes.processes) kill("SIGTERM");
    await Promise.all(nodes.processes.map(({ ended }) => ended));
    network.remove();
  }
}

type Nodes = {
  readonly processes: readonly Process[];
  readonly urls: readonly string[];
  readonly p2pPorts: readonly number[];
};

async function startNodes(
  network: ReturnType<typeof testNetwork>,
  size: number,
  profile: string | undefined,
): Promise<Nodes> {
  const free = await freePorts(2 * size);
  const ports = Array.from({ length: size }, (_, i) => ({
    p2p: must(free[2 * i], "port"),
    rpc: must(free[2 * i + 1], "port"),
  }));
  if (profile !== undefined) mkdirSync(profile, { recursive: true });
  const processes = await Promise.all(
    ports.map((_, i) =>
      launchNode({
        name: `node ${i}`,
        // No core is left for threads: what they get ready costs more than it spares.
        config: { ...network.config(i, ports), logLevel: "warn", index: false, verifyThreads: 0 },
        folder: join(network.folder, `${i}`),
        nodeArgs:
          profile !== undefined && i === 0 ? ["--cpu-prof", `--cpu-prof-dir=${profile}`] : [],
      }),
    ),
  );
  return {
    processes,
    urls: ports.map(({ rpc }) => `http://127.0.0.1:${rpc}`),
    p2pPorts: ports.map(({ p2p }) => p2p),
  };
}

type Reading = {
  readonly at: number;
  readonly accepted: number;
  readonly final: number;
  readonly cpuUs: number;
  readonly sent: number | undefined;
  readonly loadUs: number;
};

function readAll(load: Load, { processes, p2pPorts }: Nodes): Reading {
  const { user, system } = process.cpuUsage();
  return {
    at: performance.now(),
    accepted: load.accepted(),
    final: load.final(),
    cpuUs: processes.reduce((sum, { pid }) => sum + cpuUs(pid), 0),
    sent: sentBytes(p2pPorts),
    loadUs: user + system,
  };
}

async function clock(load: Load, nodes: Nodes, size: number, seconds: number): Promise<Run> {
  await sleep(warmUpSeconds * 1_000);
  const before = readAll(load, nodes);
  await sleep(seconds * 1_000);
  const after = readAll(load, nodes);
  const machineLoad = loadavg()[0] ?? 0;
  const rss = nodes.processes.reduce((sum, { pid }) => sum + rssMb(pid), 0) / size;
  load.stop();
  for (let i = 0; i < 100 && load.final() < load.accepted(); i++) await sleep(100);
  const finals = load.finals().filter(({ at }) => at >= before.at && at < after.at);
  const count = Math.max(1, finals.length);
  const ms = finals.map((one) => one.ms).sort((a, b) => a - b);
  const at = (q: number): number =>
    Math.round(ms[Math.min(ms.length - 1, Math.floor(ms.length * q))] ?? 0);
  const spent = (after.at - before.at) / 1_000;
  const wire =
    after.sent === undefined || before.sent === undefined ? null : after.sent - before.sent;
  return {
    validators: size,
    sentTps: Math.round((after.accepted - before.accepted) / spent),
    finalTps: Math.round(finals.length / spent),
    finalityMs: { p50: at(0.5), p95: at(0.95) },
    cpuUsPerTxPerNode: Math.round((after.cpuUs - before.cpuUs) / count / size),
    rssMbPerNode: Math.round(rss),
    wireBytesPerTx: wire === null ? null : Math.round(wire / count / size),
    waiting: [before.accepted - before.final, after.accepted - after.final],
    oneStateRoot: await haveOneRoot(nodes),
    refused: Object.fromEntries(load.refused),
    loadCpu: Number(((after.loadUs - before.loadUs) / 1e6 / spent).toFixed(2)),
    machineLoad: Number(machineLoad.toFixed(1)),
  };
}

/** At one height of all nodes, each node's own header: its state root is what the node itself computed. */
async function haveOneRoot({ urls }: Nodes): Promise<boolean> {
  const clients = urls.map((url) => rpcClient({ url }));
  try {
    const heights = await Promise.all(
      clients.map(async (rpc) => ((await rpc("status", {})) as { height: number }).height),
    );
    const height = Math.max(...heights);
    await Promise.all(
      clients.map((rpc) => rpc("wait", { height, timeoutMs: 20_000 }, { timeoutMs: 25_000 })),
    );
    const headers = await Promise.all(
      clients.map(
        async (rpc) => ((await rpc("finality", { height })) as { header: string }).header,
      ),
    );
    return new Set(headers).size === 1;
  } finally {
    for (const rpc of clients) rpc.close();
  }
}
