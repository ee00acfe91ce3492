// What wallets and explorers ask of a running node: balances, history, subscriptions, the document of the RPC.
import { isRejected, must } from "@causeway/primitives";
import { afterAll, beforeAll, expect, test } from "vitest";
import WebSocket from "ws";
import { api } from "../client/api.ts";
import { follow } from "../client/follow.ts";
import type { Note } from "../client/topics.ts";
import { planTransaction } from "../client.ts";
import { transactionCodec, transactionId } from "../codec/transaction.ts";
import { btm } from "../ledger/assets.ts";
import { signTransaction } from "../ledger/sign.ts";
import { testLock, testSecret } from "../ledger/testing.ts";
import type { RunningNode } from "./run-node.ts";
import { runNode } from "./run-node.ts";
import type { TestNetwork } from "./testing.ts";
import { testClient, testNetwork } from "./testing.ts";

let network: TestNetwork;
let node: RunningNode;
let client: ReturnType<typeof testClient>;
const [alice, bob] = [testLock("alice"), testLock("bob")];

async function start(changes: object = {}): Promise<void> {
  node = await runNode({ ...network.config(0, []), ...changes });
  client = testClient(portOf());
}
const portOf = (): number => Number(new URL(String(node.ready.rpc)).port);
async function stop(): Promise<void> {
  client.close();
  await node.stop();
}

beforeAll(async () => {
  network = testNetwork(1, { heartbeatMs: 200, blockIntervalMs: 100 });
  await start();
});
afterAll(async () => {
  await stop();
  network.remove();
});

/** Pays from alice to bob and waits until it is final. */
async function pay(amount: bigint): Promise<{ id: Uint8Array; fee: bigint; height: number }> {
  const { genesis } = network;
  const { time } = await client.status();
  const planned = planTransaction(genesis, await client.utxos(alice), {
    payments: [{ asset: btm(genesis), amount, lock: bob }],
    change: alice,
    expires: time + 60_000,
  });
  if (isRejected(planned)) throw new Error(planned.message);
  const signed = signTransaction(planned.unsigned, [testSecret("alice")]);
  if (isRejected(signed)) throw new Error(signed.message);
  const id = transactionId(genesis.networkId, signed);
  const [answer] = await client.submitMany([transactionCodec.encode(signed)]);
  expect(answer?.id).toEqual(id);
  for (;;) {
    const { status, height } = await client.transaction(id);
    if (status === "final") return { id, fee: paid(planned), height: must(height, "height") };
    await client.waitForHeight((await client.status()).height + 1, 5_000);
  }
}
const paid = (planned: { readonly fee: unknown }): bigint => {
  const { fee } = planned;
  return typeof fee === "bigint" ? fee : (fee as { readonly amount: bigint }).amount;
};

test("balances and history say what moved, newest first, by pages and by asset", async () => {
  const asset = btm(network.genesis);
  const start = must((await client.balances(alice))[0], "balance").amount;
  const first = await pay(7n);
  const second = await pay(9n);
  const [balance] = await client.balances(alice);
  expect(balance?.amount).toBe(start - 16n - first.fee - second.fee);
  const { movements } = await client.history(bob);
  expect(movements.map(({ received, txid }) => [received, txid]).slice(0, 2)).toEqual([
    [9n, second.id],
    [7n, first.id],
  ]);
  expect(movements.at(-1)).toMatchObject({ height: 0, position: undefined });
  const one = await client.history(bob, { asset, limit: 1 });
  expect(one.movements).toHaveLength(1);
  const rest = await client.history(bob, { asset, before: must(one.next, "next") });
  expect([...one.movements, ...rest.movements]).toEqual(movements);
  expect((await client.history(bob, { asset: new Uint8Array(32) })).movements).toEqual([]);
  const supply = await client.ask("supply", {});
  expect(supply.burnt).toBeGreaterThan(0n);
});

test("an index made anew from the blocks is the same, and a node without one says so", async () => {
  const before = await client.history(alice);
  const balances = await client.balances(alice);
  await stop();
  await start({ index: false });
  await expect(client.balances(alice)).rejects.toMatchObject({ data: { code: "no-index" } });
  await client.waitForHeight((await client.status()).height + 1, 5_000);
  await stop();
  await start();
  expect(await client.history(alice)).toEqual(before);
  expect(await client.balances(alice)).toEqual(balances);
});

test("subscriptions tell blocks, transactions and addresses, and a refused topic says why", async () => {
  const notes: Note[] = [];
  const refused: string[] = [];
  const connected = Promise.withResolvers<void>();
  const end = follow(
    ({ open, text, closed }) => {
      const socket = new WebSocket(`ws://127.0.0.1:${portOf()}/`);
      socket.on("open", open);
      socket.on("message", (data) => text(String(data)));
      socket.on("close", closed);
      return { send: (value) => socket.send(value), close: () => socket.close() };
    },
    {
      topics: [
        { topic: "blocks" },
        { topic: "transactions" },
        { topic: "address", lock: bob },
        { topic: "address", lock: new Uint8Array(31) },
      ],
      onNote: (note) => notes.push(note),
      onConnected: connected.resolve,
      onRefused: (_, { code }) => refused.push(code),
      later: (ms, work) => setTimeout(work, ms),
    },
  );
  await connected.promise;
  const { id, height } = await pay(5n);
  await client.waitForHeight(height + 1, 5_000);
  end();
  expect(refused).toEqual(["bad-params"]);
  expect(notes).toContainEqual({ topic: "transactions", height, position: 0, id });
  expect(notes.filter(({ topic }) => topic === "address")).toMatchObject([
    { lock: bob, height, txid: id, received: 5n, spent: 0n },
  ]);
  expect(notes.filter(({ topic }) => topic === "blocks").length).toBeGreaterThan(0);
});

test("a socket answers requests, and garbage with an error", async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${portOf()}/`);
  await new Promise((resolve) => socket.once("open", resolve));
  const ask = (text: string): Promise<{ error?: { code: number }; result?: unknown }> =>
    new Promise((resolve) => {
      socket.once("message", (data) => resolve(JSON.parse(String(data))));
      socket.send(text);
    });
  expect((await ask("{")).error?.code).toBe(-32700);
  expect((await ask('{"jsonrpc":"2.0","id":1,"method":"status"}')).result).toMatchObject({
    health: "ok",
  });
  const wrong = '{"jsonrpc":"2.0","id":1,"method":"unsubscribe","params":{"subscription":9}}';
  expect((await ask(wrong)).error?.code).toBe(-32001);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.send("x".repeat(5 * 1024 * 1024));
  await closed;
});

test("the OpenRPC document names every method with its parameters", async () => {
  const document = (await client.ask("rpc.discover", {})) as {
    openrpc: string;
    methods: { name: string; params: { name: string; required: boolean }[] }[];
  };
  expect(document.openrpc).toBe("1.3.2");
  const names = document.methods.map(({ name }) => name);
  expect(names).toEqual([...Object.keys(api), "subscribe", "unsubscribe"]);
  const history = document.methods.find(({ name }) => name === "history");
  expect(history?.params.map(({ name, required }) => [name, required])).toEqual([
    ["lock", true],
    ["asset", false],
    ["before", false],
    ["limit", false],
  ]);
});
