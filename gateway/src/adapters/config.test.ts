import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRejected } from "@causeway/primitives";
import { afterAll, expect, test } from "vitest";
import { loadGatewayConfig } from "./config.ts";

const folder = mkdtempSync(join(tmpdir(), "gateway-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content: string, mode = 0o600): string => {
  const path = join(folder, name);
  writeFileSync(path, content, { mode });
  chmodSync(path, mode);
  return path;
};
const secret = "11".repeat(32);
const keys = JSON.stringify({ relay: secret, evm: "22".repeat(32) });
const base = {
  GENESIS: file("genesis.json", "{}"),
  GENESIS_PROOFS: file("proofs.json", "{}"),
  DATA: join(folder, "data"),
  KEYS: file("keys.json", keys),
  NODE_RPC: "http://127.0.0.1:1",
  PORTAL_PORT: "0",
  BITCOIN_RPC: "http://127.0.0.1:2",
  ETHEREUM_RPC: "http://127.0.0.1:3",
  BUS: join(folder, "bus.sock"),
};

function load(change: Readonly<Record<string, string>> = {}): ReturnType<typeof loadGatewayConfig> {
  const lines = Object.entries({ ...base, ...change }).map(
    ([key, value]) => `CAUSEWAY_${key}=${value}`,
  );
  return loadGatewayConfig(["--config", file("gateway.env", lines.join("\n"))], {});
}

const mistakesOf = (config: ReturnType<typeof load>): readonly string[] =>
  "mistakes" in config ? config.mistakes : [];

test("a good configuration gives the secrets and finds the signer's report beside the bus", () => {
  const config = load({ BITCOIN_USER: "u", BITCOIN_PASSWORD: "p" });
  if (isRejected(config)) throw new Error(config.message);
  expect(config.secrets.relay).toEqual(new Uint8Array(32).fill(0x11));
  expect(config.bitcoinAuth).toEqual({ user: "u", password: "p" });
  expect(config.signerHealth).toBe(join(folder, "signer", "data", "health.json"));
  expect(config.artifact).toMatch(/Gateway\.json$/);
});

test("every mistake is listed at once", () => {
  const config = load({ NODE_RPC: "ftp://x", PORTAL_PORT: "70000", LOG_LEVEL: "loud", TYPO: "1" });
  expect(mistakesOf(config)).toHaveLength(4);
  const files = load({ GENESIS: "/nowhere", KEYS: "/nowhere", BITCOIN_USER: "u" });
  expect(mistakesOf(files)).toHaveLength(3);
});

test("a key file is refused for its mode and its content, without a word of it", () => {
  const open = load({ KEYS: file("open.json", keys, 0o644) });
  expect(mistakesOf(open)[0]).toContain("0600");
  const bad = load({
    KEYS: file("bad.json", `{"relay":"${secret}zz","evm":"${"00".repeat(32)}"}`),
  });
  expect(mistakesOf(bad)).toHaveLength(2);
  expect(JSON.stringify(bad)).not.toContain(secret);
  const garbage = load({ KEYS: file("garbage.json", `{${secret}`) });
  expect(mistakesOf(garbage)).toHaveLength(1);
  expect(JSON.stringify(garbage)).not.toContain(secret);
});
