// Four real nodes over real sockets, disks and BLS: blocks, payments, proofs, restarts, and what a damaged folder
// or a wrong file leads to.
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, isRejected, must, seeded } from "@causeway/primitives";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { freePorts } from "../../../deploy/devnet/ports.ts";
import { planTransaction, signTransaction } from "../client.ts";
import { certificateCodec, headerCodec } from "../codec/block.ts";
import { transactionCodec, transactionId } from "../codec/transaction.ts";
import { accountings } from "../interchain/records.ts";
import { btm } from "../ledger/assets.ts";
import { economy } from "../ledger/economy.ts";
import { testBls, testLock, testSecret } from "../ledger/testing.ts";
import { recordProofCodec, verifyProof } from "../ledger/tree.ts";
import { advance, trustGenesis } from "../light.ts";
import type { RunningNode } from "./run-node.ts";
import { runNode } from "./run-node.ts";
import type { NodePorts, TestNetwork } from "./testing.ts";
import { testClient, testNetwork } from "./testing.ts";

const size = 4;
let network: TestNetwork;
let ports: NodePorts[];
const nodes: (RunningNode | undefined)[] = [];
const clients: ReturnType<typeof testClient>[] = [];

async function start(i: number): Promise<void> {
  nodes[i] = await runNode(network.config(i, ports));
}
async function stop(i: number): Promise<void> {
  await nodes[i]?.stop();
  nodes[i] = undefined;
}
const client = (i: number): ReturnType<typeof testClient> => must(clients[i], "client");
const eventually = (check: () => unknown): Promise<unknown> =>
  vi.waitFor(check, { timeout: 15_000, interval: 50 });

beforeAll(async () => {
  network = testNetwork(size, { heartbeatMs: 1_000, blockIntervalMs: 100 });
  const free = await freePorts(2 * size);
  ports = Array.from({ length: size }, (_, i) => ({
    p2p: free[2 * i] ?? 0,
    rpc: free[2 * i + 1] ?? 0,
  }));
  for (const { rpc } of ports) clients.push(testClient(rpc));
  await Promise.all(ports.map((_, i) => start(i)));
});
afterAll(async () => {
  for (const one of clients) one.close();
  await Promise.all(nodes.map((node) => node?.stop()));
  network.remove();
});

test("the nodes decide blocks together and every one serves the same", async () => {
  const heights = await Promise.all(clients.map((one) => one.waitForHeight(2, 20_000)));
  expect(Math.min(...heights)).toBeGreaterThanOrEqual(2);
  const blocks = await Promise.all(clients.map((one) => one.block(2)));
  for (const block of blocks) expect(block?.header).toEqual(blocks[0]?.header);
  expect(await client(0).block(1_000_000)).toBeUndefined();
  const status = await client(1).status();
  expect(status).toMatchObject({
    name: "test",
    validator: 1,
    peers: 3,
    syncing: false,
    health: "ok",
  });
  expect((await client(0).genesis()).body.length).toBeGreaterThan(100);
});

test("a payment planned by the wallet at one node is final on all, and indexed by owner and id", async () => {
  const { genesis } = network;
  const [alice, bob] = [testLock("alice"), testLock("bob")];
  const coins = await client(0).utxos(alice);
  const { time } = await client(0).status();
  const planned = planTransaction(genesis, coins, {
    payments: [{ asset: btm(genesis), amount: 5_00000000n, lock: bob }],
    change: alice,
    expires: time + 60_000,
  });
  if (isRejected(planned)) throw new Error(planned.message);
  const signed = signTransaction(planned.unsigned, [testSecret("alice")]);
  if (isRejected(signed)) throw new Error(signed.message);
  const bytes = transactionCodec.encode(signed);
  const id = transactionId(genesis.networkId, signed);
  expect(await client(0).submit(bytes)).toEqual({ id });
  await eventually(async () => {
    for (const one of clients)
      expect(await one.transaction(id)).toMatchObject({ status: "final", bytes });
  });
  const found = await client(3).utxos(bob, btm(genesis));
  expect(found.map(({ output }) => output.amount).sort()).toEqual([1_000_00000000n, 5_00000000n]);
  expect((await client(2).utxos(alice)).map(({ output }) => output.amount)).toEqual([
    995_00000000n - planned.fee,
  ]);
  const again = await client(1).submit(bytes);
  expect(isRejected(again) && again.code).toBe("missing-output");
  expect(await client(1).transaction(new Uint8Array(32))).toMatchObject({ status: "unknown" });
});

test("records are proved against a final header that a light client accepts", async () => {
  const files = await client(0).genesis();
  const { parseGenesis } = await import("../ledger/genesis-file.ts");
  const genesis = parseGenesis(files.body, files.proofs, testBls);
  if (isRejected(genesis)) throw new Error(genesis.message);
  const keys = [economy.key("only"), accountings.key(new Uint8Array(32))];
  for (let round = 0; round < 3; round++) {
    const proved = await client(round).prove(keys);
    const header = headerCodec.decode(proved.header);
    const update = {
      header,
      certificate: certificateCodec.decode(proved.certificate),
      committee: proved.committee,
    };
    const trusted = advance(genesis.networkId, testBls, trustGenesis(genesis), update);
    expect(trusted).toMatchObject({ height: header.height });
    for (const [i, { key, value, proof }] of proved.records.entries()) {
      expect(key).toEqual(keys[i]);
      expect(verifyProof(header.stateRoot, key, value, recordProofCodec.decode(proof))).toBe(true);
      expect(
        verifyProof(header.stateRoot, key, Uint8Array.of(1), recordProofCodec.decode(proof)),
      ).toBe(false);
    }
    expect(proved.records[0]?.value).toBeDefined();
    expect(proved.records[1]?.value).toBeUndefined();
  }
});

test("one node away does not stop the others; back on its folder it catches up and proves at once", async () => {
  await stop(3);
  const { height } = await client(0).status();
  await client(0).waitForHeight(height + 3, 20_000);
  await start(3);
  const proved = await client(3).prove([economy.key("only")]);
  const { stateRoot } = headerCodec.decode(proved.header);
  const [record] = proved.records;
  expect(
    verifyProof(
      stateRoot,
      economy.key("only"),
      record?.value,
      recordProofCodec.decode(must(record, "record").proof),
    ),
  ).toBe(true);
  await eventually(async () => {
    const [own, other] = await Promise.all([client(3).status(), client(0).status()]);
    expect(own.height).toBeGreaterThanOrEqual(other.height - 1);
    expect(own.height).toBeGreaterThan(height + 3);
  });
});

test("wrong calls get their number and code, random bytes get an error, and the node goes on", async () => {
  const rpc = rpcClient({ url: `http://127.0.0.1:${ports[0]?.rpc}` });
  const codeOf = async (method: string, params: unknown): Promise<unknown> => {
    const error = (await rpc(method, params).catch((cause: unknown) => cause)) as {
      rpcCode: number;
      data: { code: string };
    };
    return [error.rpcCode, error.data?.code];
  };
  expect(await codeOf("block", {})).toEqual([-32602, "bad-params"]);
  expect(await codeOf("block", { height: "1" })).toEqual([-32602, "bad-params"]);
  expect(await codeOf("block", { height: 1, colour: "blue" })).toEqual([-32602, "bad-params"]);
  expect(await codeOf("block", { height: 1e9 })).toEqual([-32001, "not-found"]);
  expect(await codeOf("submit", { transaction: "zz" })).toEqual([-32602, "bad-params"]);
  expect(await codeOf("submit", { transaction: "00".repeat(600_000) })).toEqual([
    -32602,
    "bad-params",
  ]);
  expect(await codeOf("submit", { transaction: "00ff" })).toEqual([-32000, "bad-bytes"]);
  expect(await codeOf("request", { request: "00ff" })).toEqual([-32000, "bad-request"]);
  expect(await codeOf("prove", { keys: [] })).toEqual([-32602, "bad-params"]);
  expect(await codeOf("prove", { keys: ["01"] })).toEqual([-32602, "bad-params"]);
  expect(await codeOf("prove", { keys: Array(257).fill("02") })).toEqual([-32602, "bad-params"]);
  expect(await codeOf("wait", { height: 1, timeoutMs: 1e6 })).toEqual([-32602, "bad-params"]);
  expect(await codeOf("steal", {})).toEqual([-32601, "unknown-method"]);
  const random = seeded(11);
  for (const method of [
    "submit",
    "request",
    "prove",
    "transaction",
    "utxos",
    "records",
    "sequence",
  ])
    for (let i = 0; i < 20; i++) {
      const hex = Buffer.from(random.bytes(random.below(80))).toString("hex");
      const params = {
        transaction: hex,
        request: hex,
        keys: [hex],
        id: hex,
        lock: hex,
        validator: hex,
        role: 1,
      };
      const one = random.pick(Object.entries(params));
      await rpc(method, { [one[0]]: one[1] }).catch((cause: unknown) =>
        expect(cause).toBeInstanceOf(Failure),
      );
    }
  expect(await codeOf("status", { x: 1 })).toEqual([-32602, "bad-params"]);
  expect(await rpc("status", [])).toMatchObject({ health: "ok" });
  rpc.close();
});

test("sequences start at 1 and a long poll ends at its time-out", async () => {
  const { owner } = must(network.genesis.validators[0], "validator");
  expect(await client(0).sequence(owner, 1)).toBe(1);
  const startedAt = performance.now();
  await client(0).waitForHeight(1_000_000, 200);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

test("a folder that lost its votes, or any record, refuses to start with its code", async () => {
  await stop(2);
  const config = network.config(2, ports);
  await expect(runNode({ ...config, rpcPort: ports[0]?.rpc ?? 0 })).rejects.toMatchObject({
    code: "port-in-use",
  });
  const votes = join(config.data, "votes.journal");
  copyFileSync(votes, `${votes}.kept`);
  rmSync(votes);
  await expect(runNode(config)).rejects.toMatchObject({ code: "missing" });
  writeFileSync(votes, "not a journal, not a journal");
  await expect(runNode(config)).rejects.toMatchObject({ code: "journal-broken" });
  copyFileSync(`${votes}.kept`, votes);
  const { openLevelStore } = await import("@causeway/primitives/adapters/level-store");
  const { stateKey } = await import("./node-keys.ts");
  const db = await openLevelStore(join(config.data, "store"), { create: false });
  const key = stateKey(economy.key("only"));
  const value = must(db.get(key), "the economy");
  await db.write([{ key, value: Uint8Array.from(value).fill(0) }]);
  await db.close();
  await expect(runNode(config)).rejects.toMatchObject({ code: "state-mismatch" });
  const repaired = await openLevelStore(join(config.data, "store"), { create: false });
  await repaired.write([{ key, value }]);
  await repaired.close();
  await start(2);
  await expect(runNode({ ...config, p2pPort: 0, rpcPort: 0 })).rejects.toMatchObject({
    code: "locked",
  });
});

test("indices made anew are the same", async () => {
  await stop(1);
  const before = await client(0).utxos(testLock("bob"));
  nodes[1] = await runNode(network.config(1, ports), "index");
  expect(await client(1).utxos(testLock("bob"))).toEqual(before);
});
