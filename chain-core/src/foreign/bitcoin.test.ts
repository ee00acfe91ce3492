// The reads against the embedded regtest node, through the watcher machine, over outages and reorganisations.
import type { Log } from "@causeway/primitives";
import { equal, reversed, sha256d, toHex } from "@causeway/primitives";
import { sleep, systemClock } from "@causeway/primitives/adapters/clock";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { afterEach, expect, test, vi } from "vitest";
import type { Regtest } from "../../../deploy/devnet/bitcoin-regtest/index.ts";
import { startBitcoinRegtest } from "../../../deploy/devnet/bitcoin-regtest/index.ts";
import * as watch from "../interchain/watch/bitcoin.ts";
import { testGenesis } from "../ledger/testing.ts";
import { bitcoinNode } from "./bitcoin.ts";
import { broadcastBitcoin } from "./bitcoin-broadcast.ts";
import { answerBitcoin, followBitcoin } from "./follow.ts";
import { healthState } from "./health.ts";

const genesis = testGenesis(4);
const { chain } = genesis.bitcoin;
/** Anyone's P2WPKH addresses on regtest. */
const addresses = [
  "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
  "bcrt1qqurswpc8qurswpc8qurswpc8qurswpc8dxm0gk",
];
const auth = { user: "u", password: "p" };
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => log,
};

async function start(port: number = 0): Promise<Regtest> {
  const node = await startBitcoinRegtest({ port, ...auth });
  closing.push(node.close);
  return node;
}

function client(url: string): ReturnType<typeof rpcClient> {
  const rpc = rpcClient({ url, auth, timeoutMs: 2_000 });
  closing.push(rpc.close);
  return rpc;
}

test("tip, hashes, headers and blocks are what the node has, in internal order", async () => {
  const rpc = client((await start()).url);
  await rpc("generatetoaddress", [40, addresses[0]]);
  const node = bitcoinNode(rpc, chain);
  const tip = await node.tip();
  expect(tip.height).toBe(40);
  expect(toHex(reversed(tip.hash))).toBe(await rpc("getbestblockhash", []));
  expect(await node.blockHashAt(40)).toEqual(tip.hash);
  expect(await node.blockHashAt(41)).toBeUndefined();
  expect(await node.blockHashAt(2 ** 40)).toBeUndefined();
  const headers = await node.headers(1, 2_000);
  expect(headers.length).toBe(40);
  expect(sha256d(headers[39] as Uint8Array)).toEqual(tip.hash);
  expect(equal((headers[1] as Uint8Array).subarray(4, 36), sha256d(headers[0] as Uint8Array))).toBe(
    true,
  );
  expect((await node.headers(38, 2)).length).toBe(2);
  expect((await node.block(tip.hash))?.subarray(0, 80)).toEqual(headers[39]);
  expect(await node.block(new Uint8Array(32))).toBeUndefined();
  expect(await node.header(new Uint8Array(32))).toBeUndefined();
});

test("a node of another chain is refused", async () => {
  const rpc = client((await start()).url);
  const node = bitcoinNode(rpc, new Uint8Array(32).fill(7));
  await expect(node.tip()).rejects.toMatchObject({ code: "wrong-chain" });
});

test("the watcher follows the node through its start, a reorganisation and an outage", async () => {
  const first = await start();
  const rpc = client(first.url);
  const node = bitcoinNode(rpc, chain);
  const state = watch.initial(genesis);
  const health = healthState(systemClock);
  const stop = new AbortController();
  const drive = async (event: watch.Event): Promise<void> => {
    for (const order of watch.step(state, event)[1]) await drive(await answerBitcoin(node, order));
  };
  let busy = Promise.resolve();
  let isNewCount = 0;
  const following = followBitcoin(
    node,
    20,
    { sleep, signal: stop.signal, health, log },
    (tip, isNew) => {
      if (isNew) isNewCount += 1;
      busy = busy.then(() => drive({ kind: "tip", tip }));
    },
  );
  closing.push(() => {
    stop.abort();
    return following;
  });
  const at = (height: number): Promise<void> =>
    vi.waitFor(() => expect(watch.tipOf(state).height).toBe(height), { timeout: 5_000 });
  const mined = (await rpc("generatetoaddress", [10, addresses[0]])) as string[];
  await at(10);
  const before = watch.tipOf(state).hash;
  await rpc("invalidateblock", [mined[7]]);
  await rpc("generatetoaddress", [5, addresses[1]]);
  await at(12);
  expect(watch.hashAt(state, 10)).not.toEqual(before);
  expect(watch.tipOf(state).hash).toEqual((await node.tip()).hash);
  expect(health.get().ok).toBe(true);
  const upSince = health.get().since;
  expect(isNewCount).toBeLessThan(10);
  await first.close();
  await vi.waitFor(() => expect(health.get()).toMatchObject({ ok: false }), { timeout: 5_000 });
  expect(health.get().message).toMatch(/unreachable/);
  expect(health.get().since).toBeGreaterThan(upSince);
  await start(Number(new URL(first.url).port));
  await vi.waitFor(() => expect(health.get().ok).toBe(true), { timeout: 5_000 });
});

test("what Core answers to a broadcast is told apart: accepted, in the chain, later, never", async () => {
  const rpc = client((await start()).url);
  const node = bitcoinNode(rpc, chain);
  await rpc("generatetoaddress", [1, addresses[0]]);
  const block = (await node.block((await node.tip()).hash)) as Uint8Array;
  // The coinbase is all that follows the header and the count.
  expect(await broadcastBitcoin(rpc, block.subarray(81))).toSatisfy(
    (result: unknown) => result === "in-chain" || (result as { code: string }).code === "not-yet",
  );
  expect(await broadcastBitcoin(rpc, Uint8Array.of(1, 2, 3))).toMatchObject({ code: "refused" });
});
