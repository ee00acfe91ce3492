// The devnet's Bitcoin node: the embedded one, or a real Bitcoin Core where BITCOIND names its binary. Both
// are separate processes that speak the same JSON-RPC; nothing above this file knows which one runs.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "@causeway/primitives";
import type { Process } from "./processes.ts";
import { launch } from "./processes.ts";

export type BitcoinNode = Process & {
  readonly url: string;
  readonly cookieFile: string;
  readonly implementation: "embedded" | "core";
};

type Options = {
  readonly folder: string;
  readonly rpcPort: number;
  readonly p2pPort: number;
  readonly logFile: string;
  /** Path of a bitcoind (28 or newer). */
  readonly bitcoind?: string;
};

export async function startBitcoin(options: Options): Promise<BitcoinNode> {
  mkdirSync(options.folder, { recursive: true });
  const process_ =
    options.bitcoind === undefined ? embedded(options) : core(options, options.bitcoind);
  const cookieFile = join(options.folder, "regtest", ".cookie");
  const url = `http://127.0.0.1:${options.rpcPort}`;
  const started = await process_;
  await waitForRpc(url, cookieFile, started);
  const implementation = options.bitcoind === undefined ? "embedded" : "core";
  return { ...started, url, cookieFile, implementation };
}

function embedded(options: Options): Promise<Process> {
  const main = join(import.meta.dirname, "bitcoin-regtest", "main.ts");
  return launch({
    name: "bitcoin",
    command: process.execPath,
    args: [main, "--datadir", options.folder, "--port", String(options.rpcPort)],
    logFile: options.logFile,
    timeoutMs: 30_000,
    isReady: (line) => (line.startsWith("{") ? { ready: true } : undefined),
  });
}

function core(options: Options, bitcoind: string): Promise<Process> {
  const settings = [
    "-regtest",
    "-server",
    "-txindex",
    "-fallbackfee=0.0001",
    "-listen=0",
    "-dnsseed=0",
    "-fixedseeds=0",
    "-printtoconsole=1",
    `-datadir=${options.folder}`,
    `-rpcport=${options.rpcPort}`,
    `-port=${options.p2pPort}`,
  ];
  return launch({
    name: "bitcoin",
    command: bitcoind,
    args: settings,
    logFile: options.logFile,
    timeoutMs: 60_000,
    isReady: (line) => (line.includes("init message: Done loading") ? { ready: true } : undefined),
  });
}

/** The RPC answers getblockcount with the cookie's credentials. */
async function waitForRpc(url: string, cookieFile: string, one: Process): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (!one.isAlive()) break;
    try {
      const authorization = `Basic ${Buffer.from(readFileSync(cookieFile, "utf8")).toString("base64")}`;
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "getblockcount", params: [] });
      const reply = await fetch(url, { method: "POST", headers: { authorization }, body });
      const { error } = (await reply.json()) as { error?: unknown };
      if (error === undefined || error === null) return;
    } catch {
      // Not listening yet, or the cookie is not written yet.
    }
    await sleep(100);
  }
  throw new Failure("no-bitcoin", `the Bitcoin node at ${url} does not answer`);
}
