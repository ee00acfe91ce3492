// The process as an operator starts it: ready line, SIGTERM, kill -9 and restart, mistakes in its files.
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestNetwork } from "./adapters/testing.ts";
import { testClient, testNetwork } from "./adapters/testing.ts";

const main = join(import.meta.dirname, "main.ts");
let network: TestNetwork;
const children: ChildProcess[] = [];

beforeAll(() => {
  network = testNetwork(1, { heartbeatMs: 200, blockIntervalMs: 100 });
});
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  network.remove();
});

function environment(changes: Record<string, string> = {}): string {
  const config = network.config(0, []);
  const file = join(network.folder, "node.env");
  const values = {
    GENESIS: config.genesis,
    GENESIS_PROOFS: config.genesisProofs,
    DATA: config.data,
    KEYS: config.keys,
    P2P_PORT: "0",
    RPC_PORT: "0",
    LOG_LEVEL: "warn",
    ...changes,
  };
  const lines = Object.entries(values).map(([key, value]) => `CAUSEWAY_${key}=${value}`);
  writeFileSync(file, lines.join("\n"));
  return file;
}

type Run = {
  readonly child: ChildProcess;
  readonly ready: Promise<Record<string, unknown>>;
  readonly ended: Promise<{ code: number | null; stderr: string }>;
};

function run(file: string, more: readonly string[] = []): Run {
  const flags = ["--no-warnings", "--max-semi-space-size=2", ...more];
  const child = spawn(process.execPath, [...flags, main, "--config", file], { stdio: "pipe" });
  children.push(child);
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const lines = createInterface({ input: child.stdout });
  return {
    child,
    ready: new Promise((resolve) => lines.once("line", (line) => resolve(JSON.parse(line)))),
    ended: new Promise((resolve) => child.once("close", (code) => resolve({ code, stderr }))),
  };
}

const portOf = (ready: Record<string, unknown>): number => Number(new URL(String(ready.rpc)).port);

test("a node starts on an empty folder, survives kill -9, loses nothing, and stops cleanly on SIGTERM", async () => {
  const first = run(environment());
  const ready = await first.ready;
  expect(ready).toMatchObject({ ready: true, height: 0 });
  const client = testClient(portOf(ready));
  const height = await client.waitForHeight(5, 20_000);
  expect(height).toBeGreaterThanOrEqual(5);
  const block = await client.block(5);
  client.close();
  const memory = Number(
    /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${first.child.pid}/status`, "utf8"))?.[1],
  );
  // With a thread that verifies and one that walks for the beacon, on a cold cache of code: some 215 MB.
  expect(memory).toBeLessThan(260_000);
  first.child.kill("SIGKILL");
  await first.ended;
  const second = run(environment());
  const again = await second.ready;
  expect(again.height).toBeGreaterThanOrEqual(height);
  const other = testClient(portOf(again));
  expect(await other.block(5)).toEqual(block);
  await other.waitForHeight(height + 2, 20_000);
  other.close();
  second.child.kill("SIGTERM");
  expect(await second.ended).toEqual({ code: 0, stderr: "" });
});

test("every mistake of a configuration is in one JSON error, and the exit code is 1", async () => {
  const { ended } = run(
    environment({ P2P_PORT: "seventy", PEERS: "here", COLOUR: "blue", KEYS: "" }),
  );
  const { code, stderr } = await ended;
  expect(code).toBe(1);
  const { error } = JSON.parse(stderr);
  expect(error.code).toBe("bad-config");
  expect(error.mistakes).toEqual([
    "CAUSEWAY_KEYS: empty",
    'CAUSEWAY_P2P_PORT: must be 0 to 65535, got "seventy"',
    'CAUSEWAY_PEERS: must be comma separated /ip4/<address>/tcp/<port>/p2p/<peer id>, got "here"',
    "CAUSEWAY_COLOUR: no such key",
  ]);
});

test("a genesis that is none and keys that are none are said so", async () => {
  const bad = join(network.folder, "bad.json");
  writeFileSync(bad, "{}", { mode: 0o600 });
  const genesis = await run(environment({ GENESIS: bad })).ended;
  expect(JSON.parse(genesis.stderr).error.code).toBe("bad-genesis");
  const keys = await run(environment({ KEYS: bad })).ended;
  expect(JSON.parse(keys.stderr).error).toMatchObject({
    code: "bad-keys",
    message: `${bad}: peer is missing`,
  });
  expect([genesis.code, keys.code]).toEqual([1, 1]);
});

test("without the native addon nothing starts, and the error says what to do", async () => {
  const hooks = `import { registerHooks } from "node:module";
    registerHooks({ resolve(name, context, next) {
      if (name.startsWith("secp256k1")) throw new Error("No native build was found");
      return next(name, context);
    } });`;
  const { code, stderr } = await run(environment(), [
    `--import=data:text/javascript,${encodeURIComponent(hooks)}`,
  ]).ended;
  expect(code).toBe(1);
  expect(JSON.parse(stderr).error).toMatchObject({
    code: "missing-addon",
    message: expect.stringMatching(/No native build was found.*npm rebuild secp256k1/),
  });
});
