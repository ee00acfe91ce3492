// The reads against Anvil: a contract that logs, positions within receipts, finality, the wrong chain.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log, Transport } from "@causeway/primitives";
import { fromHex, toHex } from "@causeway/primitives";
import { sleep, systemClock } from "@causeway/primitives/adapters/clock";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startAnvil } from "../../../deploy/devnet/anvil.ts";
import { freePorts } from "../../../deploy/devnet/ports.ts";
import type { EthereumNode } from "./ethereum.ts";
import { ethereumNode } from "./ethereum.ts";
import { followEthereum } from "./follow.ts";
import { healthState } from "./health.ts";

const closing: (() => unknown)[] = [];
let rpc: Transport;
let node: EthereumNode;
let account = "";
let contract = new Uint8Array(20);
const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => log,
};

/** Runtime: LOG1(0, 0, 0x11..), LOG0(0, 32), stop: two logs a call. */
const runtime = `7f${"11".repeat(32)}60006000a160206000a000`;
const creation = `60${(runtime.length / 2).toString(16)}600c60003960${(runtime.length / 2).toString(16)}6000f3${runtime}`;

async function send(to: string | undefined, data: string): Promise<Record<string, string>> {
  const transaction = { from: account, data: `0x${data}`, gas: "0x100000", ...(to && { to }) };
  const hash = await rpc("eth_sendTransaction", [transaction]);
  return vi.waitFor(
    async () => {
      const receipt = await rpc("eth_getTransactionReceipt", [hash]);
      expect(receipt).not.toBeNull();
      return receipt as Record<string, string>;
    },
    { timeout: 10_000, interval: 20 },
  );
}

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "anvil-"));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  const [port = 0] = await freePorts(1);
  const anvil = await startAnvil({ port, logFile: join(folder, "anvil.log") });
  closing.push(async () => {
    anvil.kill("SIGKILL");
    await anvil.ended;
  });
  const client = rpcClient({ url: anvil.url });
  closing.push(client.close);
  rpc = client;
  await rpc("evm_setIntervalMining", [0]);
  await rpc("evm_setAutomine", [true]);
  [account = ""] = (await rpc("eth_accounts", [])) as string[];
  node = ethereumNode(rpc, 31_337n);
  const receipt = await send(undefined, creation);
  contract = fromHex(receipt.contractAddress ?? "") as typeof contract;
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

test("receipts hold the logs in their own order, and logs name each transaction once", async () => {
  const calls = [await send(`0x${toHex(contract)}`, ""), await send(`0x${toHex(contract)}`, "")];
  const txids = calls.map((receipt) => fromHex(receipt.transactionHash ?? ""));
  const from = Number(calls[0]?.blockNumber);
  const to = Number(calls[1]?.blockNumber);
  const found = await node.logs(contract, from, to);
  expect(found.map(({ txid, height }) => [toHex(txid), height])).toEqual([
    [toHex(txids[0] as Uint8Array), from],
    [toHex(txids[1] as Uint8Array), to],
  ]);
  const receipt = await node.receipt(txids[1] as Uint8Array);
  expect(receipt).toMatchObject({ height: to, succeeded: true });
  expect(receipt?.logs).toEqual([
    { address: `0x${toHex(contract)}`, topics: [`0x${"11".repeat(32)}`], data: "0x" },
    { address: `0x${toHex(contract)}`, topics: [], data: `0x${"00".repeat(32)}` },
  ]);
  expect(receipt?.gasPrice).toBeGreaterThan(0n);
  expect(await node.blockHashAt(to)).toEqual(receipt?.blockHash);
  expect(await node.receipt(new Uint8Array(32))).toBeUndefined();
  expect(await node.blockHashAt(1_000_000)).toBeUndefined();
});

test("code and calls are read at a block, and finalized follows the head", async () => {
  await rpc("anvil_mine", ["0x3"]);
  const { finalized, head } = await node.progress();
  expect(head - finalized.height).toBeLessThanOrEqual(2);
  expect(toHex(await node.code(contract, finalized.hash))).toBe(runtime);
  expect(await node.call(contract, new Uint8Array(0), finalized.hash)).toEqual(new Uint8Array(0));
  await expect(node.code(contract, new Uint8Array(32))).rejects.toMatchObject({
    code: "rpc-error",
  });
});

test("a node of another chain is refused, and asked again when it came back", async () => {
  const other = ethereumNode(rpc, 1n);
  await expect(other.finalized()).rejects.toMatchObject({ code: "wrong-chain" });
  const asked: string[] = [];
  let isUp = false;
  const flaky: Transport = (method, params) => {
    asked.push(method);
    return isUp ? rpc(method, params) : rpcClient({ url: "http://127.0.0.1:1" })(method, params);
  };
  const waking = ethereumNode(flaky, 31_337n);
  await expect(waking.finalized()).rejects.toMatchObject({ code: "unreachable" });
  isUp = true;
  await waking.finalized();
  await waking.finalized();
  isUp = false;
  await expect(waking.finalized()).rejects.toMatchObject({ code: "unreachable" });
  isUp = true;
  await waking.finalized();
  expect(asked.filter((method) => method === "eth_chainId").length).toBe(3);
});

test("news of finalized blocks come until stopped", async () => {
  const stop = new AbortController();
  const health = healthState(systemClock);
  const heights: number[] = [];
  const following = followEthereum(
    node,
    10,
    { sleep, signal: stop.signal, health, log },
    (block, isNew) => {
      if (isNew) heights.push(block.height);
    },
  );
  await vi.waitFor(() => expect(heights.length).toBe(1));
  await rpc("anvil_mine", ["0x5"]);
  await vi.waitFor(() => expect(heights.length).toBe(2));
  expect((heights[1] ?? 0) - (heights[0] ?? 0)).toBe(5);
  expect(health.get().ok).toBe(true);
  stop.abort();
  await following;
});
