// The runtime against a real regtest node over HTTP, that comes late, goes and comes back.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bitcoinNode, healthState } from "@causeway/chain-core/foreign";
import type { DepositRequest } from "@causeway/chain-core/interchain";
import {
  depositRequestCodec,
  depositScript,
  formatBitcoinAddress,
  headersCodec,
  hintCodec,
  kinds,
  transactionCodec,
} from "@causeway/chain-core/interchain";
import type { Log } from "@causeway/primitives";
import { bytes32, Failure, isRejected, keyOf, must, zero32 } from "@causeway/primitives";
import { sleep, systemClock } from "@causeway/primitives/adapters/clock";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { publicPoint, xOnly } from "@causeway/primitives/secp256k1";
import { memoryBus } from "@causeway/primitives/testing";
import { afterAll, expect, test, vi } from "vitest";
import {
  testGenesis,
  testLock,
  testSecret,
  validatorSecret,
} from "../../../chain-core/src/ledger/testing.ts";
import { startBitcoinRegtest } from "../../../deploy/devnet/bitcoin-regtest/index.ts";
import { freePorts } from "../../../deploy/devnet/ports.ts";
import { testPortal } from "../portal/testing.ts";
import { relayRuntime } from "./relay-runtime.ts";
import { openRequestStore } from "./request-store.ts";

const genesis = testGenesis(1);
const point = publicPoint(testSecret("ring"));
const folder = mkdtempSync(join(tmpdir(), "relay-"));
const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});
const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => log,
};
const auth = { user: "u", password: "p" };

/** The own node: records in memory, submissions kept, away when it is told to be. */
function createLedger() {
  const world = testPortal(genesis, point);
  const submitted: Uint8Array[] = [];
  let height = 1;
  const { ledger } = world.portal;
  return {
    world,
    submitted,
    ledger: {
      ...ledger,
      waitForHeight: async (at: number) => {
        if (world.isNodeAway) throw new Failure("unreachable", "away");
        await sleep(20);
        height = Math.max(height, Math.min(at, height + 1));
        return height;
      },
      submit: async (transaction: Uint8Array) => {
        if (world.isNodeAway) throw new Failure("unreachable", "away");
        submitted.push(transaction);
        return { id: bytes32(zero32) };
      },
      requests: async () => ({ requests: [], next: 0 }),
      evidence: async () => [],
      duties: async () => [],
    },
  };
}

test("the relay waits for its nodes, brings headers and hints, through outages and a restart", async () => {
  const [port = 0] = await freePorts(1);
  const call = rpcClient({ url: `http://127.0.0.1:${port}`, auth });
  closing.push(call.close);
  const { world, submitted, ledger } = createLedger();
  world.isNodeAway = true;
  const bus = memoryBus();
  const hinted: Uint8Array[] = [];
  bus.subscribe("hints", "signer", async (bytes) => void hinted.push(bytes));
  const death: unknown[] = [];
  const stopping = new AbortController();
  const health = {
    node: healthState(systemClock),
    bitcoin: healthState(systemClock),
    ethereum: healthState(systemClock),
  };
  const requests = openRequestStore(join(folder, "requests.journal"), 0);
  closing.push(requests.close);
  const relay = relayRuntime({
    context: {
      genesis,
      relaySecret: validatorSecret(0, "relayKey"),
      codeHashes: [zero32],
    },
    ledger,
    bitcoin: { node: bitcoinNode(call, genesis.bitcoin.chain), call },
    ethereum: undefined,
    bus,
    requests,
    health,
    clock: systemClock,
    log,
    signal: stopping.signal,
    onDeath: (error) => void death.push(error),
  });
  const running = relay.run();
  await vi.waitFor(() => expect(health.bitcoin.get().message).toContain("unreachable"));
  expect(health.node.get()).toMatchObject({ ok: false, message: "unreachable: away" });

  const datadir = join(folder, "bitcoin");
  const start = () => startBitcoinRegtest({ port, datadir, ...auth });
  let node = await start();
  world.isNodeAway = false;
  await vi.waitFor(() => expect(health.node.get().ok && health.bitcoin.get().ok).toBe(true), 5_000);

  const request: DepositRequest = {
    version: 1,
    chain: genesis.bitcoin.chain,
    keyId: 1,
    destination: { chain: genesis.networkId, payload: testLock("alice") },
    maxFee: 5_000n,
    refund: xOnly(publicPoint(testSecret("refund"))),
    expires: genesis.time + 1_000_000,
  };
  relay.request(depositRequestCodec.encode(request));
  const made = depositScript(genesis, { ...request, keyPoint: point });
  if (isRejected(made)) throw new Error(made.message);
  const address = must(formatBitcoinAddress("regtest", made.script), "address");
  // A coinbase that pays the address is a deposit like any other (WIT-5).
  await call("generatetoaddress", [1, address]);
  await vi.waitFor(() => expect(hinted).toHaveLength(1), 5_000);
  const hint = hintCodec.decode(must(hinted[0], "hint"));
  expect(hint.event).toMatchObject({ height: 1, index: 0 });
  await vi.waitFor(() => expect(submitted.length).toBeGreaterThan(0), 5_000);
  const [action] = transactionCodec.decode(must(submitted[0], "envelope")).actions;
  expect(action?.kind).toBe(kinds.headers);
  const { headers } = headersCodec.decode(must(action, "action").body);
  expect(headers.length).toBe(80);

  await node.close();
  await vi.waitFor(() => expect(health.bitcoin.get().ok).toBe(false), 5_000);
  node = await start();
  closing.push(node.close);
  await call("generatetoaddress", [1, address]);
  await vi.waitFor(() => expect(hinted).toHaveLength(2), 8_000);
  expect(new Set(hinted.map((bytes) => keyOf(hintCodec.decode(bytes).event.txid))).size).toBe(2);

  stopping.abort();
  relay.stop();
  await running;
  expect(death).toEqual([]);
});
