// The gas key against Anvil: a contract that takes each number once, as Gateway takes each batch.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EvmChain } from "@causeway/chain-core/interchain";
import type { Log, Transport } from "@causeway/primitives";
import { bigEndian, bytes32, must, toHex } from "@causeway/primitives";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { testClock } from "@causeway/primitives/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testGenesis, testSecret } from "../../../chain-core/src/ledger/testing.ts";
import { startAnvil } from "../../../deploy/devnet/anvil.ts";
import { freePorts } from "../../../deploy/devnet/ports.ts";
import type { EvmSender } from "./evm-sender.ts";
import { evmSender } from "./evm-sender.ts";

const chain: EvmChain = must(testGenesis(1).evm[0], "chain");
/** Reverts if the storage at the first word of calldata is set, else sets it. */
const once = "0x6000358054600d5760019055005b600080fd";
const closing: (() => unknown)[] = [];
const clock = testClock();
const warnings: string[] = [];
const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => void warnings.push(message),
  error: () => undefined,
  child: () => log,
};
let rpc: Transport;
let keys = 0;

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
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});
beforeEach(async () => {
  warnings.length = 0;
  await rpc("evm_setAutomine", [false]);
  await rpc("anvil_dropAllTransactions", []);
  // A fresh contract: storage that earlier tests set is gone.
  chain.gateway.set(bigEndian(0xc0de00 + ++keys, 20));
});

async function createSender(ether = 1n, name = "gas"): Promise<EvmSender> {
  await rpc("anvil_setCode", [`0x${toHex(chain.gateway)}`, once]);
  const sender = evmSender({ call: rpc, chain, secret: testSecret(`${name} ${keys}`), clock, log });
  const balance = `0x${(ether * 10n ** 18n).toString(16)}`;
  await rpc("anvil_setBalance", [`0x${toHex(sender.address)}`, balance]);
  return sender;
}

const call = (batch: number): Uint8Array => bytes32(bigEndian(batch, 32));
const mine = (): Promise<unknown> => rpc("evm_mine", []);

type Pending = {
  readonly nonce: string;
  readonly maxFeePerGas: string;
  readonly maxPriorityFeePerGas: string;
};
async function pendingOf(sender: EvmSender): Promise<Pending[]> {
  const content = (await rpc("txpool_content", [])) as {
    pending: Record<string, Record<string, Pending>>;
  };
  const address = `0x${toHex(sender.address)}`.toLowerCase();
  const own = Object.entries(content.pending).find(([name]) => name.toLowerCase() === address);
  return Object.values(own?.[1] ?? {});
}

async function isSet(batch: number): Promise<boolean> {
  const word = await rpc("eth_getStorageAt", [
    `0x${toHex(chain.gateway)}`,
    `0x${toHex(call(batch))}`,
    "latest",
  ]);
  return BigInt(String(word)) === 1n;
}

describe("the gas key", () => {
  test("a batch is sent once; when it has run, another try is quiet and costs nothing", async () => {
    const sender = await createSender();
    await sender.execute(1, call(1));
    await sender.execute(1, call(1));
    expect(await pendingOf(sender)).toHaveLength(1);
    await mine();
    expect(await isSet(1)).toBe(true);
    await sender.tend();
    await sender.execute(1, call(1));
    expect(await pendingOf(sender)).toEqual([]);
    expect(sender.trouble()).toBe("");
    expect(warnings).toEqual([]);
  });

  test("several batches wait under numbers in a row, also when asked for at the same time", async () => {
    const sender = await createSender();
    await Promise.all([1, 2, 3].map((batch) => sender.execute(batch, call(batch))));
    const nonces = (await pendingOf(sender)).map(({ nonce }) => Number(nonce));
    expect(nonces.toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
    await mine();
    expect(await Promise.all([1, 2, 3].map(isSet))).toEqual([true, true, true]);
  });

  test("what waits too long is sent again under its number, for more", async () => {
    const sender = await createSender();
    await sender.execute(1, call(1));
    const [before] = await pendingOf(sender);
    await sender.tend();
    clock.advance(46_000);
    await sender.tend();
    const [after, ...more] = await pendingOf(sender);
    expect(more).toEqual([]);
    expect(after?.nonce).toBe(before?.nonce);
    expect(BigInt(after?.maxFeePerGas ?? 0)).toBeGreaterThan(BigInt(before?.maxFeePerGas ?? 0));
    await mine();
    await sender.tend();
    await sender.execute(2, call(2));
    expect(Number((await pendingOf(sender))[0]?.nonce)).toBe(1);
  });

  test("a batch that the next key has signed again takes the place of what is under way (ETH-1)", async () => {
    const sender = await createSender();
    await sender.execute(1, call(1));
    const [before] = await pendingOf(sender);
    await sender.execute(1, call(7));
    const [after, ...more] = await pendingOf(sender);
    expect(more).toEqual([]);
    expect(after?.nonce).toBe(before?.nonce);
    expect(BigInt(after?.maxFeePerGas ?? 0)).toBeGreaterThan(BigInt(before?.maxFeePerGas ?? 0));
    await mine();
    expect([await isSet(1), await isSet(7)]).toEqual([false, true]);
    await sender.execute(1, call(7));
    expect(await pendingOf(sender)).toEqual([]);
  });

  test("no wait makes it dearer than a multiple of what the node asks", async () => {
    const sender = await createSender(1_000n);
    await sender.execute(1, call(1));
    const tipOf = async (): Promise<bigint> =>
      BigInt((await pendingOf(sender))[0]?.maxPriorityFeePerGas ?? 0);
    const first = await tipOf();
    for (let i = 0; i < 60; i++) {
      clock.advance(46_000);
      await sender.tend();
    }
    const last = await tipOf();
    expect(last).toBeGreaterThan(10n * first);
    expect(last).toBeLessThanOrEqual(32n * first);
    expect(sender.trouble()).toBe("");
    await mine();
    expect(await isSet(1)).toBe(true);
  });

  test("a transaction that the node lost is sent again, so that no number stays open", async () => {
    const sender = await createSender();
    await sender.execute(1, call(1));
    await rpc("anvil_dropAllTransactions", []);
    clock.advance(46_000);
    await sender.tend();
    await mine();
    expect(await isSet(1)).toBe(true);
  });

  test("a batch in another's transaction is left to it, and taken over when that is stuck", async () => {
    const first = await createSender();
    await first.execute(1, call(1));
    const second = await createSender(1n, "other gas");
    await second.execute(1, call(1));
    expect(await pendingOf(second)).toEqual([]);
    clock.advance(46_000);
    await second.execute(1, call(1));
    expect(await pendingOf(second)).toHaveLength(1);
    expect(second.trouble()).toBe("");
  });

  test("after a restart a stuck transaction of the earlier run is replaced, not queued behind", async () => {
    const before = await createSender();
    await before.execute(1, call(1));
    const after = await createSender();
    await after.execute(1, call(1));
    clock.advance(46_000);
    await after.execute(1, call(1));
    const waiting = await pendingOf(after);
    expect(waiting.map(({ nonce }) => Number(nonce))).toEqual([0]);
    await mine();
    expect(await isSet(1)).toBe(true);
    await after.execute(2, call(2));
    expect((await pendingOf(after)).map(({ nonce }) => Number(nonce))).toEqual([1]);
  });

  test("a key that was used elsewhere counts again", async () => {
    const sender = await createSender();
    await sender.execute(1, call(1));
    await mine();
    await sender.tend();
    const from = `0x${toHex(sender.address)}`;
    await rpc("anvil_impersonateAccount", [from]);
    await rpc("eth_sendTransaction", [{ from, to: from, gas: "0x5208" }]);
    await mine();
    await sender.execute(2, call(2));
    expect(sender.trouble()).not.toBe("");
    await sender.execute(2, call(2));
    expect(sender.trouble()).toBe("");
    await mine();
    expect(await isSet(2)).toBe(true);
  });

  test("without ether it says so and goes on when there is some", async () => {
    const sender = await createSender(0n);
    await sender.execute(1, call(1));
    expect(sender.trouble().toLowerCase()).toContain("funds");
    const balance = `0x${(10n ** 18n).toString(16)}`;
    await rpc("anvil_setBalance", [`0x${toHex(sender.address)}`, balance]);
    await sender.execute(1, call(1));
    expect(sender.trouble()).toBe("");
    await mine();
    expect(await isSet(1)).toBe(true);
  });

  test("a node of another chain gets no transaction", async () => {
    const other = { ...chain, chainId: 1n };
    const sender = evmSender({ call: rpc, chain: other, secret: testSecret("gas"), clock, log });
    await sender.execute(1, call(1));
    expect(sender.trouble()).toContain("wrong-chain");
  });
});
