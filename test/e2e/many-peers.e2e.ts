// One node with 50 peers that talk all the time: where they are, transactions, questions for blocks and addresses, and
// some rubbish. It goes on making blocks, answers its RPC in time, and drops those that send rubbish and no other.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { must, sha256 } from "@causeway/primitives";
import { startLog } from "@causeway/primitives/adapters/log";
import type { P2p } from "@causeway/primitives/adapters/p2p";
import { startP2p } from "@causeway/primitives/adapters/p2p";
import { afterAll, expect, test } from "vitest";
import { testClient, testNetwork } from "../../chain-core/src/adapters/testing.ts";
import { encodeMessage, transactionsCodec } from "../../chain-core/src/node/message.ts";
import { testTransaction } from "../../chain-core/src/node/testing.ts";
import { encodeSync } from "../../chain-core/src/snapshot/message.ts";
import { freePorts } from "../../deploy/devnet/ports.ts";
import type { Process } from "../../deploy/devnet/processes.ts";
import { launchNode } from "../node-process.ts";

const peersCount = 50;
const rubbishCount = 5;
const seconds = 10;
/** Bounds, ms, for a machine under load; those of the RPC hold also what this process, with all the peers, is late. */
const rpcP50Max = 500;
const rpcP99Max = 3_000;
const loopP99Max = 500;

const network = testNetwork(1, { heartbeatMs: 1_000, blockIntervalMs: 200 });
const { networkId } = network.genesis;
const peers: P2p[] = [];
let node: Process | undefined;
let stopping = false;

afterAll(async () => {
  stopping = true;
  await Promise.all(peers.map((peer) => peer.close()));
  node?.kill("SIGKILL");
  await node?.ended;
  network.remove();
});

const quiet = startLog("peer", "silent");

function connect(address: string): Promise<P2p> {
  const hear = { maxBytes: 8 * 1024 * 1024, onMessage: (): void => undefined };
  return startP2p({
    secret: sha256(randomBytes(32)),
    networkId,
    listen: { host: "127.0.0.1", port: 0 },
    peers: [address],
    protocols: ["consensus", "sync"].map((name) => ({ name, ...hear })),
    topics: { transactions: { maxBytes: 8 * 1024 * 1024, onMessage: () => "ignore" as const } },
    oneMachine: true,
    log: quiet,
  });
}

/** What an ordinary peer says in a fifth of a second, many times what a real one does. */
function talk(peer: P2p, to: string): void {
  const status = { height: 1, lowest: 1, round: 0, views: [] };
  peer.send(to, "consensus", encodeMessage({ kind: "status", status }));
  peer.send(to, "consensus", encodeMessage({ kind: "blocksRequest", from: 1, count: 8 }));
  peer.send(to, "sync", encodeSync({ kind: "addressesRequest", port: peer.port }));
  const transactions = Array.from({ length: 4 }, () =>
    testTransaction({ spends: randomBytes(32), expires: Date.now() + 60_000 }),
  );
  peer.publish("transactions", transactionsCodec.encode({ transactions }));
}

async function keepTalking(peer: P2p, to: string, isRubbish: boolean): Promise<void> {
  while (!stopping) {
    if (isRubbish) peer.send(to, "consensus", randomBytes(5_000));
    else talk(peer, to);
    await sleep(150 + Math.random() * 100);
  }
}

const percentile = (sorted: readonly number[], p: number): number =>
  must(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))], "a sample");

test(`a node with ${peersCount} peers that talk stays responsive`, async () => {
  const [p2p = 0, rpc = 0] = await freePorts(2);
  const folder = join(network.folder, "0");
  const loopFile = join(folder, "event-loop.json");
  process.env.EVENT_LOOP_FILE = loopFile;
  const monitor = join(import.meta.dirname, "many-peers", "event-loop.ts");
  node = await launchNode({
    name: "node",
    config: { ...network.config(0, [{ p2p, rpc }]), logLevel: "warn" },
    folder,
    nodeArgs: ["--import", monitor],
  });
  delete process.env.EVENT_LOOP_FILE;
  const address = String(node.ready.p2p);
  const id = must(/[^/]+$/.exec(address)?.[0], "peer id");
  for (let i = 0; i < peersCount; i++) peers.push(await connect(address));
  const client = testClient(rpc);
  const deadline = performance.now() + 20_000;
  while ((await client.status()).peers < peersCount && performance.now() < deadline)
    await sleep(100);
  expect((await client.status()).peers).toBe(peersCount);

  for (const [i, peer] of peers.entries())
    keepTalking(peer, id, i < rubbishCount).catch(() => undefined);
  const { height: before } = await client.status();
  const times: number[] = [];
  for (const end = performance.now() + seconds * 1_000; performance.now() < end; ) {
    const began = performance.now();
    await client.status();
    times.push(performance.now() - began);
    await sleep(20);
  }
  const status = await client.status();
  client.close();
  times.sort((a, b) => a - b);
  const loop = JSON.parse(readFileSync(loopFile, "utf8")) as Record<"p50" | "p99" | "max", number>;
  const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
  const text = (ms: number): string => ms.toFixed(0);
  process.stdout.write(
    `${peersCount} peers: RPC p50 ${text(p50)} p99 ${text(p99)} ms of ${times.length} calls; event loop late by ` +
      `p50 ${text(loop.p50)} p99 ${text(loop.p99)} max ${text(loop.max)} ms; ${status.height - before} blocks\n`,
  );
  expect(node.isAlive()).toBe(true);
  expect(status.peers).toBe(peersCount - rubbishCount);
  expect(status.height - before).toBeGreaterThanOrEqual(seconds / 2);
  expect(p50).toBeLessThan(rpcP50Max);
  expect(p99).toBeLessThan(rpcP99Max);
  expect(loop.p99).toBeLessThan(loopP99Max);
}, 90_000);
