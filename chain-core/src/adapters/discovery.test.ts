// Real libp2p hosts that know one of them: all find all, whoever comes back finds them by its book, and the door keeps
// places for those that count.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log, NetworkId } from "@causeway/primitives";
import { must, sha256 } from "@causeway/primitives";
import {
  hostAddress,
  hostBytes,
  keyOfPeerId,
  peerIdOfKey,
} from "@causeway/primitives/adapters/p2p";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { afterEach, expect, test, vi } from "vitest";
import { freePorts } from "../../../deploy/devnet/ports.ts";
import type { NodeNetwork } from "./node-network.ts";
import { nodeNetwork } from "./node-network.ts";
import type { RunningNode } from "./run-node.ts";
import { runNode } from "./run-node.ts";
import { testClient, testNetwork } from "./testing.ts";

const folder = mkdtempSync(join(tmpdir(), "discovery-"));
const secret = (i: number): Uint8Array => new Uint8Array(32).fill(i + 1);
const warned: string[] = [];
const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (text) => warned.push(text),
  error: (text) => warned.push(text),
  child: () => log,
};

type Running = Awaited<ReturnType<NodeNetwork["start"]>> & { readonly close: () => Promise<void> };
const running = new Map<number, Running>();
afterEach(async () => {
  await Promise.all([...running.values()].map((one) => one.close()));
  running.clear();
  warned.length = 0;
  rmSync(folder, { recursive: true, force: true });
});

async function start(i: number, peers: readonly string[], port = 0): Promise<Running> {
  const data = join(folder, `${i}`);
  mkdirSync(data, { recursive: true });
  const network = nodeNetwork({
    secret: secret(i),
    networkId: sha256(new Uint8Array(1)) as unknown as NetworkId,
    listen: { host: "127.0.0.1", port },
    peers,
    data,
    oneMachine: true,
    log,
  });
  const one = { ...(await network.start()), close: network.close };
  running.set(i, one);
  return one;
}
const eventually = (check: () => void, timeout = 20_000): Promise<void> =>
  vi.waitFor(check, { timeout, interval: 50 });
const counts = (): number[] => [...running.values()].map((one) => one.peers().length);

test("hosts and peer ids are bytes and texts of each other", () => {
  const key = publicPoint(secret(0));
  expect(keyOfPeerId(peerIdOfKey(key))).toEqual(key);
  expect(keyOfPeerId("12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp")).toBeUndefined();
  for (const [text, address] of [
    ["10.0.0.255", "/ip4/10.0.0.255/tcp/7"],
    ["::ffff:1.2.3.4", "/ip4/1.2.3.4/tcp/7"],
    ["2606:4700::1111", "/ip6/2606:4700:0:0:0:0:0:1111/tcp/7"],
    ["::1", "/ip6/0:0:0:0:0:0:0:1/tcp/7"],
    ["1:2:3:4:5:6:7:8", "/ip6/1:2:3:4:5:6:7:8/tcp/7"],
  ] as const)
    expect(hostAddress(must(hostBytes(text), text), 7)).toBe(address);
  for (const text of [
    "",
    "localhost",
    "1.2.3",
    "256.1.1.1",
    "1::2::3",
    "1:2:3",
    "1:2:3:4:5:6:7:8:9",
    "g::",
  ])
    expect(hostBytes(text)).toBeUndefined();
});

test("ten nodes that know one of them find all others, and one that comes back finds them without it", async () => {
  const size = 10;
  const first = await start(0, []);
  await Promise.all(Array.from({ length: size - 1 }, (_, i) => start(i + 1, [first.address])));
  await eventually(() => expect(counts()).toEqual(new Array(size).fill(size - 1)), 40_000);
  const last = must(running.get(size - 1), "node");
  await last.close();
  running.delete(size - 1);
  await first.close();
  running.delete(0);
  const again = await start(size - 1, []);
  await eventually(() => expect(again.peers().length).toBe(size - 2));
  expect(again.peers()).not.toContain(first.peerId);
}, 90_000);

test("a damaged book is a warning, and the configured peers are found", async () => {
  const first = await start(0, []);
  const data = join(folder, "1");
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, "peers.book"), new Uint8Array(500));
  const second = await start(1, [first.address]);
  expect(warned).toContain("starting from the configured peers alone");
  await eventually(() => expect(second.peers()).toEqual([first.peerId]));
  await second.close();
  running.delete(1);
  expect(readFileSync(join(data, "peers.book")).length).toBeLessThan(500);
});

test("validators that know one of them decide blocks, also when that one is gone", async () => {
  const network = testNetwork(4, { heartbeatMs: 500, blockIntervalMs: 100 });
  const free = await freePorts(8);
  const ports = [0, 1, 2, 3].map((i) => ({ p2p: free[2 * i] ?? 0, rpc: free[2 * i + 1] ?? 0 }));
  const nodes: RunningNode[] = [];
  const clients = ports.map(({ rpc }) => testClient(rpc));
  try {
    for (const i of ports.keys()) {
      const config = network.config(i, ports);
      // All know the first, which is the first of the others' lists.
      nodes.push(await runNode({ ...config, peers: i === 0 ? [] : config.peers.slice(0, 1) }));
    }
    for (const client of clients)
      await vi.waitFor(async () => expect((await client.status()).peers).toBe(3), {
        timeout: 40_000,
        interval: 100,
      });
    await nodes.shift()?.stop();
    const client = must(clients[1], "client");
    const { height } = await client.status();
    expect(await client.waitForHeight(height + 3, 30_000)).toBeGreaterThanOrEqual(height + 3);
  } finally {
    for (const client of clients) client.close();
    await Promise.all(nodes.map((node) => node.stop()));
    network.remove();
  }
}, 120_000);
