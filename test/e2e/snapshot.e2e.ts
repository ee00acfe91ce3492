// A new node joins a running network by a snapshot (CON-6, CON-8, ADR 0010): processes, real libp2p, pruned peers. It is
// killed half-way and keeps what it had; a peer that turns a bit is dropped; the state in the end is the network's.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bytes32 } from "@causeway/primitives";
import { must, sha256, toHex, utf8 } from "@causeway/primitives";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { NodePorts, TestNetwork } from "../../chain-core/src/adapters/testing.ts";
import { testClient, testNetwork } from "../../chain-core/src/adapters/testing.ts";
import { headerCodec } from "../../chain-core/src/codec/block.ts";
import { lockOfAddress } from "../../chain-core/src/ledger/assets.ts";
import { economy } from "../../chain-core/src/ledger/economy.ts";
import { recordProofCodec, verifyProof } from "../../chain-core/src/ledger/tree.ts";
import { freshSecret } from "../../deploy/devnet/keys.ts";
import { freePorts } from "../../deploy/devnet/ports.ts";
import type { SpawnedNode } from "../node-process.ts";
import { spawnNode } from "../node-process.ts";
import type { Middleman } from "./snapshot/middleman.ts";
import { flipped, middleman } from "./snapshot/middleman.ts";

const size = 4;
const joiner = size;
/** Of 256 KiB; the genesis has room for so many balances. */
const chunksMin = 4;
const balances = 9_000;
const chunksBeforeKill = 2;
const owner = (i: number): Bytes32 => lockOfAddress(sha256(utf8(`owner ${i}`)).slice(0, 20));

let network: TestNetwork;
let ports: NodePorts[];
const running: SpawnedNode[] = [];
const middlemen: Middleman[] = [];
const clients: ReturnType<typeof testClient>[] = [];
const client = (i: number): ReturnType<typeof testClient> => must(clients[i], "client");
const eventually = (check: () => unknown): Promise<unknown> =>
  vi.waitFor(check, { timeout: 40_000, interval: 50 });

type Line = Readonly<Record<string, unknown>> & { readonly message: string };
function logOf(i: number): Line[] {
  const lines = readFileSync(join(network.folder, `${i}`, "node.log"), "utf8").split("\n");
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}
const said = (i: number, what: string): Line[] =>
  logOf(i).filter(({ message }) => message === what);

function run(i: number, given: object = {}): SpawnedNode {
  const config = { ...network.config(i, ports), logLevel: "info" as const, ...given };
  const node = spawnNode({ config, folder: join(network.folder, `${i}`) });
  running.push(node);
  return node;
}

beforeAll(async () => {
  const rich = Array.from({ length: balances }, (_, i) => ({
    lock: owner(i),
    amount: 1_00000000n,
  }));
  network = testNetwork(size, { epochMs: 3_000, blockIntervalMs: 100, heartbeatMs: 500 }, rich);
  const free = await freePorts(2 * (size + 1));
  ports = Array.from({ length: size + 1 }, (_, i) => ({
    p2p: must(free[2 * i], "port"),
    rpc: must(free[2 * i + 1], "port"),
  }));
  for (const { rpc } of ports) clients.push(testClient(rpc));
  mkdirSync(join(network.folder, `${joiner}`));
  // No consensus key: it is no validator.
  const keys = JSON.stringify({ peer: toHex(freshSecret()) });
  writeFileSync(join(network.folder, `${joiner}`, "keys.json"), keys, { mode: 0o600 });
  const validators = ports.slice(0, size).map((_, i) => run(i));
  await Promise.all(validators.map(({ ready }) => ready));
});
afterAll(async () => {
  for (const one of clients) one.close();
  for (const one of middlemen) await one.close();
  for (const { child } of running) child.kill("SIGKILL");
  await Promise.all(running.map(({ ended }) => ended));
  network.remove();
});

test("joins by a snapshot, resumes after kill -9, drops a peer that turns a bit, and has the network's state", async () => {
  const { networkId } = network.genesis;
  const address = (i: number): string => must(network.config(joiner, ports).peers[i], "address");
  const lazy = await middleman(networkId, address(0), (answer, chunks) =>
    answer.kind === "chunk" && chunks > chunksBeforeKill ? undefined : answer,
  );
  const hostile = await middleman(networkId, address(0), flipped);
  middlemen.push(lazy, hostile);
  await eventually(() => expect(lazy.isOffered()).toBe(true));

  // Without a quorum no epoch ends: what is offered stays, however slow this machine is.
  for (const { child } of running.slice(size / 2)) child.kill("SIGSTOP");

  // What the operator reads at a second source.
  const { height, block } = await client(1).status();
  const checkpoint = `${height}:${toHex(block)}`;
  const killed = run(joiner, { sync: "snapshot", checkpoint, peers: [lazy.address] });
  await eventually(() => expect(said(joiner, "chunks loaded").length).toBe(chunksBeforeKill));
  killed.child.kill("SIGKILL");
  await killed.ended;
  expect(said(joiner, "joining by a snapshot")).toMatchObject([{ kept: 0 }]);

  const peers = [hostile.address, ...network.config(joiner, ports).peers];
  const node = run(joiner, { sync: "snapshot", checkpoint, peers });
  expect(await node.ready).toMatchObject({ ready: true, height: expect.any(Number) });
  const [first, resumed] = said(joiner, "joining by a snapshot");
  expect(resumed).toMatchObject({ height: first?.height, kept: chunksBeforeKill });
  expect(resumed?.chunks).toBeGreaterThanOrEqual(chunksMin);
  const counts = said(joiner, "chunks loaded").map(({ count }) => count);
  expect(counts.slice(0, chunksBeforeKill + 1)).toEqual([1, 2, 3]);
  expect(hostile.chunks()).toBeGreaterThan(0);
  expect(said(joiner, "peer banned")).toMatchObject([
    { reason: expect.stringMatching(/under the root/) },
  ]);

  for (const { child } of running) child.kill("SIGCONT");
  // It follows, and what it computes is what the network committed to.
  const { height: now } = await client(0).status();
  await client(joiner).waitForHeight(now + 3, 20_000);
  const proved = await client(joiner).prove([economy.key("only")]);
  const own = headerCodec.decode(proved.header);
  const there = must(await client(1).block(own.height), "the same block of a validator");
  const { stateRoot, utxoCommitment } = headerCodec.decode(there.header);
  const [record] = proved.records;
  const proof = recordProofCodec.decode(must(record, "record").proof);
  expect(verifyProof(stateRoot, economy.key("only"), record?.value, proof)).toBe(true);
  expect(own.utxoCommitment).toEqual(utxoCommitment);
  const lock = owner(77);
  expect(await client(joiner).utxos(lock)).toEqual(await client(0).utxos(lock));
  expect(await client(joiner).status()).toMatchObject({ syncing: false, health: "ok" });
}, 120_000);
