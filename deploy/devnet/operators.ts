// One operator of the devnet: node, signer and gateway, each its own process with its own folder, keys and
// configuration file; started, killed and restarted as a whole.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { toHex } from "@causeway/primitives";
import { initSeat } from "../../signer/src/adapters/seat-folder.ts";
import type { OperatorKeys } from "./keys.ts";
import type { OperatorPorts } from "./ports.ts";
import type { Process } from "./processes.ts";
import { launch, peakMemoryMb, stopAll } from "./processes.ts";

const root: string = resolve(import.meta.dirname, "../..");
const processTimeoutMs = 60_000;
const execute = promisify(execFile);

export type Settings = {
  readonly index: number;
  readonly folder: string;
  readonly genesisFile: string;
  readonly proofsFile: string;
  readonly keys: OperatorKeys;
  readonly ports: OperatorPorts;
  /** Multiaddrs of the other nodes and of the other signers. */
  readonly nodePeers: readonly string[];
  readonly signerPeers: readonly string[];
  readonly bitcoin: { readonly url: string; readonly cookieFile: string };
  readonly ethereumUrl: string;
  readonly logLevel: string;
};

export type Operator = {
  readonly index: number;
  readonly settings: Settings;
  readonly nodeUrl: string;
  readonly portalUrl: string;
  readonly pids: () => number[];
  /** Sum of the largest resident sizes of its present processes, MB. */
  readonly rssPeakMb: () => number;
  readonly isAlive: () => boolean;
  /** SIGKILL to every process, at once. */
  readonly kill: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Starts what is not running. */
  readonly start: () => Promise<void>;
  /** Replaces keys of a process's configuration (without CAUSEWAY_) before its next start. */
  readonly configure: (kind: Kind, change: Readonly<Record<string, string>>) => void;
  readonly logFile: (kind: Kind) => string;
  readonly startOne: (kind: Kind) => Promise<void>;
  readonly busSocket: string;
  /** One process of it, if it runs. */
  readonly processOf: (kind: Kind) => Process | undefined;
};

const kinds = ["node", "signer", "gateway"] as const;
export type Kind = (typeof kinds)[number];

const mains: Record<Kind, string> = {
  node: join(root, "chain-core", "src", "main.ts"),
  signer: join(root, "signer", "src", "main.ts"),
  gateway: join(root, "gateway", "src", "main.ts"),
};

/** Code that Node has compiled before, TypeScript stripped; each process adds what it misses when it ends. */
const cacheFolder = join(root, "node_modules", ".cache", "causeway");

/** Node's flags: a small young generation keeps a process 15 to 30 MB smaller (building-blocks 2). */
const nodeFlags = ["--max-semi-space-size=2", "--no-warnings"];

/** Before the first start on this machine: compiles once what twelve processes would each compile and strip. */
export async function prepareCode(): Promise<void> {
  if (existsSync(cacheFolder)) return;
  const env = { ...process.env, NODE_COMPILE_CACHE: cacheFolder };
  await Promise.all(
    kinds.map((kind) =>
      execute(process.execPath, [...nodeFlags, mains[kind], "--prepare"], { env }),
    ),
  );
}

export function operator(settings: Settings): Operator {
  const running = new Map<Kind, Process>();
  let peakOfDead = 0;
  for (const kind of kinds) writeFiles(settings, kind, {});

  const isUp = (kind: Kind): boolean => running.get(kind)?.isAlive() ?? false;
  const current = (): Process[] => [...running.values()].filter((one) => one.isAlive());
  const rss = (): number => current().reduce((sum, { pid }) => sum + peakMemoryMb(pid), 0);

  async function startOne(kind: Kind): Promise<void> {
    if (isUp(kind)) return;
    const folder = join(settings.folder, kind);
    const config = join(folder, `${kind}.env`);
    const one = await launch({
      name: `${kind} ${settings.index}`,
      command: process.execPath,
      args: [...nodeFlags, mains[kind], "--config", config],
      env: { NODE_COMPILE_CACHE: cacheFolder },
      logFile: join(folder, `${kind}.log`),
      timeoutMs: processTimeoutMs,
    });
    running.set(kind, one);
  }

  return {
    index: settings.index,
    settings,
    nodeUrl: `http://127.0.0.1:${settings.ports.nodeRpc}`,
    portalUrl: `http://127.0.0.1:${settings.ports.portal}`,
    pids: () => current().map(({ pid }) => pid),
    rssPeakMb: () => Math.max(peakOfDead, rss()),
    isAlive: () => kinds.every(isUp),
    kill: async () => {
      peakOfDead = Math.max(peakOfDead, rss());
      const victims = current();
      for (const one of victims) one.kill("SIGKILL");
      await Promise.all(victims.map(({ ended }) => ended));
    },
    stop: async () => {
      peakOfDead = Math.max(peakOfDead, rss());
      await stopAll(current(), 5_000);
    },
    start: async () => {
      // All settle before one failure is told, so that what did start can be stopped.
      const results = await Promise.allSettled(kinds.map(startOne));
      for (const result of results) if (result.status === "rejected") throw result.reason;
    },
    startOne,
    configure: (kind, change) => writeFiles(settings, kind, change),
    logFile: (kind) => join(settings.folder, kind, `${kind}.log`),
    busSocket: join(settings.folder, "bus.sock"),
    processOf: (kind) => running.get(kind),
  };
}

function writeFiles(
  settings: Settings,
  kind: Kind,
  change: Readonly<Record<string, string>>,
): void {
  const folder = join(settings.folder, kind);
  mkdirSync(folder, { recursive: true });
  const keysFile = join(folder, "keys.json");
  const secrets = Object.entries(settings.keys[kind]).map(([name, value]) => [
    name,
    typeof value === "string" ? value : toHex(value),
  ]);
  writeFileSync(keysFile, `${JSON.stringify(Object.fromEntries(secrets), null, 2)}\n`, {
    mode: 0o600,
  });
  const values = { ...configuration(settings, kind, folder, keysFile), ...change };
  const lines = Object.entries(values);
  const text = lines.map(([key, value]) => `CAUSEWAY_${key}=${value}`).join("\n");
  writeFileSync(join(folder, `${kind}.env`), `${text}\n`);
  const data = join(folder, "data");
  if (kind === "signer" && !existsSync(data)) initSeat(data);
}

function configuration(
  settings: Settings,
  kind: Kind,
  folder: string,
  keysFile: string,
): Record<string, string> {
  const { ports } = settings;
  const common = {
    GENESIS: settings.genesisFile,
    GENESIS_PROOFS: settings.proofsFile,
    DATA: join(folder, "data"),
    KEYS: keysFile,
    LISTEN_HOST: "127.0.0.1",
    LOG_LEVEL: settings.logLevel,
  };
  if (kind === "node")
    return {
      ...common,
      P2P_PORT: String(ports.nodeP2p),
      RPC_PORT: String(ports.nodeRpc),
      PEERS: settings.nodePeers.join(","),
      ONE_MACHINE: "true",
    };
  const outside = {
    ...common,
    NODE_RPC: `http://127.0.0.1:${ports.nodeRpc}`,
    BITCOIN_RPC: settings.bitcoin.url,
    BITCOIN_COOKIE: settings.bitcoin.cookieFile,
    ETHEREUM_RPC: settings.ethereumUrl,
    // A Unix socket's path has at most 107 bytes.
    BUS: join(settings.folder, "bus.sock"),
  };
  if (kind === "signer")
    return {
      ...outside,
      P2P_PORT: String(ports.signerP2p),
      PEERS: settings.signerPeers.join(","),
      ONE_MACHINE: "true",
    };
  return {
    ...outside,
    PORTAL_PORT: String(ports.portal),
    GATEWAY_ARTIFACT: join(root, "contracts", "artifacts", "Gateway.json"),
  };
}
