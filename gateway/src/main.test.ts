// The gateway as a process, alone in the world: everything that it needs is away.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "@causeway/primitives";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBls } from "../../chain-core/src/adapters/bls.ts";
import { freshSecrets, makeGenesis } from "../../deploy/devnet/genesis.ts";
import type { Process } from "../../deploy/devnet/processes.ts";
import { launch } from "../../deploy/devnet/processes.ts";

const main = join(import.meta.dirname, "main.ts");
const folder = mkdtempSync(join(tmpdir(), "gateway-"));
const secrets = freshSecrets(2);
const devnet = makeGenesis(secrets, createBls(), 1_800_000_000_000);
let running: Process;
let url = "";

/** Writes a configuration; `name` is that of its folder and bus. */
function configure(name: string, change: Readonly<Record<string, string>> = {}): string {
  const keys = Object.entries(secrets.operators[1]?.gateway ?? {}).map(([key, value]) => [
    key,
    toHex(value),
  ]);
  writeFileSync(join(folder, "genesis.json"), devnet.body);
  writeFileSync(join(folder, "proofs.json"), devnet.proofs);
  writeFileSync(join(folder, "keys.json"), JSON.stringify(Object.fromEntries(keys)), {
    mode: 0o600,
  });
  const settings = {
    GENESIS: join(folder, "genesis.json"),
    GENESIS_PROOFS: join(folder, "proofs.json"),
    DATA: join(folder, name),
    KEYS: join(folder, "keys.json"),
    NODE_RPC: "http://127.0.0.1:1",
    PORTAL_PORT: "0",
    BITCOIN_RPC: "http://127.0.0.1:1",
    ETHEREUM_RPC: "http://127.0.0.1:1",
    BUS: join(folder, `${name}.sock`),
    ...change,
  };
  const path = join(folder, `${name}.env`);
  const lines = Object.entries(settings).map(([key, value]) => `CAUSEWAY_${key}=${value}`);
  writeFileSync(path, lines.join("\n"));
  return path;
}

/** A process that ends by itself: its exit code and the error on its stderr. */
function fails(config: string): Promise<{ code: number | null; error: Record<string, unknown> }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--no-warnings", main, "--config", config]);
    let text = "";
    child.stderr.on("data", (chunk) => {
      text += chunk;
    });
    child.once("close", (code) => {
      const last = text.trim().split("\n").at(-1) ?? "";
      resolve({ code, error: JSON.parse(last).error });
    });
  });
}

const cache = { NODE_COMPILE_CACHE: join(folder, "code") };

const start = (name: string, config: string): ReturnType<typeof launch> =>
  launch({
    name: "gateway",
    command: process.execPath,
    args: ["--no-warnings", main, "--config", config],
    env: { ...cache, NODE_DEBUG_NATIVE: "COMPILE_CACHE" },
    logFile: join(folder, `${name}.log`),
    timeoutMs: 30_000,
  });

beforeAll(async () => {
  execFileSync(process.execPath, ["--no-warnings", main, "--prepare"], {
    env: { ...process.env, ...cache },
  });
  running = await start("a", configure("a"));
  url = String(running.ready.portal);
});
afterAll(() => {
  running.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

describe("the gateway's process", () => {
  test("is ready without its nodes, and says in its health what is away", async () => {
    expect(running.ready).toMatchObject({ ready: true, network: toHex(devnet.networkId) });
    const health = await (await fetch(`${url}/v1/health`)).json();
    expect(health).toMatchObject({
      ok: false,
      parts: {
        node: { ok: false },
        bitcoin: { ok: false },
        ethereum: { ok: false },
        bus: { ok: true },
        signer: { ok: false },
        validator: { ok: true },
      },
    });
    expect((await fetch(`${url}/v1/reserves`)).status).toBe(503);
  });

  test("ends with one error when its port is in use", async () => {
    const port = new URL(url).port;
    const taken = await fails(configure("b", { PORTAL_PORT: port }));
    expect(taken).toMatchObject({ code: 1, error: { code: "port-in-use" } });
    expect(taken.error.message).toContain(port);
  });

  test("waits, and says so, while the register has no validator with its key", async () => {
    const keys = { relay: "11".repeat(32), evm: "22".repeat(32) };
    writeFileSync(join(folder, "stranger.json"), JSON.stringify(keys), { mode: 0o600 });
    const config = configure("c", { KEYS: join(folder, "stranger.json") });
    const stranger = await start("c", config);
    const health = await (await fetch(`${stranger.ready.portal}/v1/health`)).json();
    stranger.kill("SIGKILL");
    const message = expect.stringContaining("not-registered");
    expect(health).toMatchObject({ parts: { validator: { ok: false, message } } });
  });

  test("stops cleanly on SIGTERM", async () => {
    running.kill("SIGTERM");
    expect(await running.ended).toBe(0);
  });

  test("strips no TypeScript when --prepare ran before", () => {
    const log = readFileSync(join(folder, "a.log"), "utf8");
    expect(log).toContain("retrieving transpile cache");
    expect(log.split("\n").filter((line) => line.includes("no transpile cache"))).toEqual([]);
  });
});
