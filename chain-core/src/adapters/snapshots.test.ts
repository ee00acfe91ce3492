// A validator that makes snapshots and prunes, and a node that joins it (ADR 0010): what both still answer, what a
// damaged or left-over snapshot becomes, and how a node goes on that was away for too long.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "@causeway/primitives";
import { isRejected, must, toHex } from "@causeway/primitives";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { freePorts } from "../../../deploy/devnet/ports.ts";
import type { FinalityResult } from "../client/types.ts";
import { planTransaction, signTransaction } from "../client.ts";
import { certificateCodec, headerCodec } from "../codec/block.ts";
import { transactionCodec } from "../codec/transaction.ts";
import { btm } from "../ledger/assets.ts";
import { economy } from "../ledger/economy.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { parseGenesis } from "../ledger/genesis-file.ts";
import { testBls, testLock, testSecret } from "../ledger/testing.ts";
import { recordProofCodec, verifyProof } from "../ledger/tree.ts";
import type { Trusted } from "../light.ts";
import { advance, trustGenesis } from "../light.ts";
import { openDataFolder } from "./data-folder.ts";
import type { NodeConfig, RunningNode } from "./run-node.ts";
import { runNode } from "./run-node.ts";
import { openSnapshots } from "./snapshots.ts";
import type { NodePorts, TestNetwork } from "./testing.ts";
import { testClient, testNetwork } from "./testing.ts";

const epochMs = 1_000;
let network: TestNetwork;
let ports: NodePorts[];
let genesis: Genesis;
const nodes: (RunningNode | undefined)[] = [];
const clients: ReturnType<typeof testClient>[] = [];
const client = (i: number): ReturnType<typeof testClient> => must(clients[i], "client");
const eventually = (check: () => unknown): Promise<unknown> =>
  vi.waitFor(check, { timeout: 20_000, interval: 50 });

function configOf(i: number, given: Partial<NodeConfig> = {}): NodeConfig {
  return {
    ...network.config(i, ports),
    peers: i === 0 ? [] : network.config(1, ports).peers.slice(0, 1),
    ...given,
  };
}
async function start(i: number, given: Partial<NodeConfig> = {}): Promise<void> {
  nodes[i] = await runNode(configOf(i, given));
}
async function stop(i: number): Promise<void> {
  await nodes[i]?.stop();
  nodes[i] = undefined;
}
const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

beforeAll(async () => {
  network = testNetwork(1, { epochMs, blockIntervalMs: 50, heartbeatMs: 100 });
  const free = await freePorts(4);
  ports = [0, 2].map((i) => ({ p2p: must(free[i], "port"), rpc: must(free[i + 1], "port") }));
  for (const { rpc } of ports) clients.push(testClient(rpc));
  // A node that follows: it has no consensus key.
  mkdirSync(join(network.folder, "1"));
  writeFileSync(configOf(1).keys, JSON.stringify({ peer: toHex(testSecret("follower")) }), {
    mode: 0o600,
  });
  await start(0);
  const { body, proofs } = await client(0).genesis();
  const parsed = parseGenesis(body, proofs, testBls);
  if (isRejected(parsed)) throw new Error(parsed.message);
  genesis = parsed;
});
afterAll(async () => {
  for (const one of clients) one.close();
  for (const node of nodes) await node?.stop();
  network.remove();
});

async function pay(): Promise<Uint8Array> {
  const { time } = await client(0).status();
  const lock = testLock("alice");
  const planned = planTransaction(network.genesis, await client(0).utxos(lock), {
    payments: [{ asset: btm(network.genesis), amount: 1_00000000n, lock: testLock("bob") }],
    change: lock,
    expires: time + 60_000,
  });
  if (isRejected(planned)) throw new Error(planned.message);
  const signed = signTransaction(planned.unsigned, [testSecret("alice")]);
  if (isRejected(signed)) throw new Error(signed.message);
  const sent = await client(0).submit(transactionCodec.encode(signed));
  if (isRejected(sent)) throw new Error(sent.message);
  return sent.id;
}

function followed(trusted: Trusted, finality: FinalityResult): Trusted {
  const { header, certificate, committee } = finality;
  const update = {
    header: headerCodec.decode(header),
    certificate: certificateCodec.decode(certificate),
    committee,
  };
  const next = advance(genesis.networkId, testBls, trusted, update);
  if (isRejected(next)) throw new Error(next.message);
  return next;
}

/** What a light client needs of a node, from the genesis on, and a record that the node proves. */
async function expectFollowed(i: number): Promise<void> {
  let trusted = trustGenesis(genesis);
  for (;;) {
    const { ends } = await client(i).ask("ends", { from: trusted.height + 1 });
    if (ends.length === 0) break;
    for (const one of ends) trusted = followed(trusted, one);
  }
  const proved = await client(i).prove([economy.key("only")]);
  trusted = followed(trusted, proved);
  const { key, value, proof } = must(proved.records[0], "record");
  const isProved = verifyProof(
    trusted.header.stateRoot,
    key,
    value,
    recordProofCodec.decode(proof),
  );
  expect(isProved).toBe(true);
}

/** While it catches up, epochs end between two questions. */
async function caughtUp(): Promise<void> {
  const { height } = await client(0).status();
  expect(await client(1).waitForHeight(height, 10_000)).toBeGreaterThanOrEqual(height);
}

test("a node prunes and says so: blocks answer typed, ends of epochs and proofs stay", async () => {
  const id = await pay();
  await eventually(async () =>
    expect(await client(0).transaction(id)).toMatchObject({ status: "final" }),
  );
  const { height, bytes } = await client(0).transaction(id);
  expect(bytes).toBeDefined();
  await eventually(async () => expect((await client(0).transaction(id)).bytes).toBeUndefined());
  expect(await client(0).transaction(id)).toMatchObject({ status: "final", height });
  const at = must(height, "height");
  await expect(client(0).block(at)).rejects.toMatchObject({
    rpcCode: -32003,
    data: { code: "pruned" },
    message: expect.stringMatching(/ask a node with CAUSEWAY_ARCHIVE=true/),
  });
  expect(await client(0).block(1_000_000)).toBeUndefined();
  expect(await client(0).finality(1_000_000)).toBeUndefined();
  const { ends } = await client(0).ask("ends", { from: 0 });
  const first = headerCodec.decode(must(ends[0], "end").header);
  expect(await client(0).finality(first.height)).toEqual(ends[0]);
  const inside = first.height === 1 ? 2 : 1;
  if (first.height !== at)
    await expect(client(0).finality(inside)).rejects.toMatchObject({ data: { code: "pruned" } });
  await expectFollowed(0);
  // It goes on from what it kept.
  await stop(0);
  await start(0);
  await expectFollowed(0);
  expect(await client(0).transaction(id)).toMatchObject({ status: "final", height });
}, 40_000);

test("a node joins it, serves light clients and wallets, and joins again when it was away for long", async () => {
  await start(1);
  const { height } = await client(1).status();
  expect(height).toBeGreaterThan(0);
  await expect(client(1).block(1)).rejects.toMatchObject({ data: { code: "pruned" } });
  await caughtUp();
  await expectFollowed(1);
  const lock = testLock("bob");
  expect(await client(1).utxos(lock)).toEqual(await client(0).utxos(lock));
  expect(await client(1).records([economy.key("only")])).toHaveLength(1);

  await stop(1);
  const { height: left } = await client(0).status();
  // Until the validator has pruned what comes next.
  await eventually(async () => {
    const next = await client(0)
      .block(left + 1)
      .catch(() => "pruned");
    expect(next).toBe("pruned");
  });
  await start(1);
  await caughtUp();
  await expectFollowed(1);
}, 60_000);

test("a checkpoint that is another block stops the node, at its start and on the way", async () => {
  const { height, block } = await client(1).status();
  await stop(1);
  const { ended } = await runNode(
    configOf(1, { checkpoint: `${height + 8}:${toHex(block)}` }),
  ).then((node) => {
    nodes[1] = node;
    return node;
  });
  await expect(ended).rejects.toMatchObject({ code: "checkpoint-mismatch" });
  await stop(1);
  await expect(
    runNode(configOf(1, { checkpoint: `${height + 8}:${toHex(block)}` })),
  ).rejects.toMatchObject({
    code: "checkpoint-mismatch",
    message: expect.stringMatching(/start on a new folder/),
  });
}, 30_000);

test("a snapshot that was damaged is offered no more; what is no whole one is removed", async () => {
  await stop(0);
  const { data } = configOf(0);
  const copy = join(network.folder, "copy");
  cpSync(data, copy, { recursive: true });
  const { store, close } = await openDataFolder(copy, genesis);
  const folder = join(copy, "snapshots");
  const open = () =>
    openSnapshots({ folder, network: genesis.networkId, store, archive: false, log: silent });
  const epochsIn = async (): Promise<number[]> => {
    const snapshots = await open();
    const epochs = snapshots.offers().map(({ epoch }) => epoch);
    await snapshots.close();
    return epochs;
  };
  const [newest, older] = await epochsIn();
  expect(older).toBe((newest ?? 0) - 1);

  const flip = (epoch: number | undefined, name: string): void => {
    const path = join(folder, `${epoch}`, name);
    const bytes = readFileSync(path);
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  };
  flip(newest, "chunks");
  const snapshots = await open();
  expect(await snapshots.chunk(newest ?? 0, 0)).toBeUndefined();
  expect(snapshots.offers().map(({ epoch }) => epoch)).toEqual([older]);
  expect(await snapshots.chunk(older ?? 0, 0)).toBeDefined();
  expect(await snapshots.chunk(older ?? 0, 1_000)).toBeUndefined();
  await snapshots.close();
  flip(older, "index");
  mkdirSync(join(folder, "9999"));
  expect(await epochsIn()).toEqual([]);
  expect(readdirSync(folder)).not.toContain("9999");
  await close();
  rmSync(copy, { recursive: true });
}, 30_000);
