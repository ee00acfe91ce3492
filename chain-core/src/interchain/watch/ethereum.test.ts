// The Ethereum watcher over logs as Gateway writes them.
import { readFileSync } from "node:fs";
import { bytes32, sha256, toHex, utf8 } from "@causeway/primitives";
import { Interface } from "ethers";
import { describe, expect, test } from "vitest";
import { testGenesis, testLock } from "../../ledger/testing.ts";
import type { RawLog } from "../ethereum/events.ts";
import { eventId, eventKinds, evmExecutedCodec, evmTransferCodec } from "../statement.ts";
import * as watch from "./ethereum.ts";
import type { EvmReceipt } from "./facts.ts";

const artifact = JSON.parse(
  readFileSync(new URL("../../../../contracts/artifacts/Gateway.json", import.meta.url), "utf8"),
);
const abi = new Interface(artifact.abi);
const genesis = testGenesis(4);
const [chain] = genesis.evm;
if (chain === undefined) throw new Error("no EVM chain");
const { gateway } = chain;
const hex = (bytes: Uint8Array): string => `0x${toHex(bytes)}`;
const hash = (name: string | number) => sha256(utf8(`${name}`));
const token = new Uint8Array(20).fill(7);
const from = new Uint8Array(20).fill(8);

function logOf(name: string, values: unknown[], address = gateway): RawLog {
  const { data, topics } = abi.encodeEventLog(name, values);
  return { address: hex(address), data, topics };
}
const burned = (address?: Uint8Array): RawLog => {
  const values = [hex(token), hex(from), 500n, genesis.networkId, testLock("bob"), 9n];
  return logOf("Burned", values, address);
};
const receiptOf = (height: number, logs: RawLog[], succeeded = true): EvmReceipt => ({
  blockHash: hash(height),
  height,
  succeeded,
  logs,
  gasUsed: 90_000,
  gasPrice: 2_000_000_000n,
});

/** A node that has these receipts, and a watcher of it. */
function createWorld() {
  const receipts = new Map<string, EvmReceipt>();
  const state = watch.initial(genesis, chain as NonNullable<typeof chain>, 0);
  const reads: watch.Effect[] = [];
  const away = new Set<string>();
  const feed = (event: watch.Event): void => {
    for (const order of watch.step(state, event)[1]) {
      reads.push(order);
      if (order.kind === "read-receipt") {
        const receipt = away.has(toHex(order.txid)) ? undefined : receipts.get(toHex(order.txid));
        feed({ kind: "receipt", txid: order.txid, ...(receipt && { receipt }) });
        continue;
      }
      const { from: low, to } = order;
      const txids = [...receipts]
        .filter(([, { height }]) => height >= low && height <= to)
        .map(([txid]) => bytes32(Buffer.from(txid, "hex")));
      // Two logs of one transaction are two entries of the node's answer.
      feed({ kind: "logs", to, txids: txids.flatMap((txid) => [txid, txid]) });
    }
  };
  const finalize = (height: number): void =>
    feed({ kind: "finalized", block: { hash: hash(height), height } });
  const put = (name: string, receipt: EvmReceipt) => {
    receipts.set(toHex(hash(name)), receipt);
    return hash(name);
  };
  return { state, reads, away, put, feed, finalize };
}

describe("the Ethereum watcher", () => {
  test("an event is named by its place in its own receipt, whatever stands before it (FMT-5)", () => {
    const world = createWorld();
    const foreign = burned(new Uint8Array(20).fill(1));
    const txid = world.put("a", receiptOf(5, [foreign, burned(), foreign, burned()]));
    world.finalize(10);
    const found = watch.found(world.state);
    expect(found.map(({ event }) => event.index)).toEqual([1, 3]);
    expect(found[0]?.id).toEqual(eventId(genesis.networkId, chain.chain, gateway, txid, 1));
    const body = evmTransferCodec.decode(found[0]?.event.body ?? new Uint8Array());
    expect(body).toMatchObject({ amount: 500n, maxFee: 9n });
    expect(found[0]?.event).toMatchObject({ kind: eventKinds.evmBurned, height: 5 });
  });

  test("an execution carries what its receipt cost (ETH-4)", () => {
    const world = createWorld();
    const digest = new Uint8Array(32).fill(0xcd);
    world.put("a", receiptOf(5, [logOf("Executed", [3, hex(digest), 1n, hex(from)])]));
    world.finalize(5);
    const [found] = watch.found(world.state);
    expect(found?.event.kind).toBe(eventKinds.evmExecuted);
    expect(evmExecutedCodec.decode(found?.event.body ?? new Uint8Array())).toMatchObject({
      nonce: 3,
      digest,
      failedBitmap: 1n,
      gasUsed: 90_000,
      gasPrice: 2_000_000_000n,
    });
  });

  test("a reverted transaction and what is not finalized are nothing", () => {
    const world = createWorld();
    world.put("a", receiptOf(5, [burned()], false));
    world.put("b", receiptOf(6, [burned()]));
    world.finalize(5);
    expect(watch.found(world.state)).toEqual([]);
    world.finalize(6);
    expect(watch.found(world.state)).toHaveLength(1);
  });

  test("each range is read once, in steps, and nothing is read when nothing is new", () => {
    const world = createWorld();
    world.finalize(4_500);
    const ranges = world.reads.map((one) => (one.kind === "read-logs" ? [one.from, one.to] : []));
    expect(ranges).toEqual([
      [0, 1_999],
      [2_000, 3_999],
      [4_000, 4_500],
    ]);
    world.finalize(4_500);
    expect(world.reads).toHaveLength(3);
  });

  test("a receipt that the node lacks is asked for again at the next finalized block", () => {
    const world = createWorld();
    const txid = world.put("a", receiptOf(5, [burned()]));
    world.away.add(toHex(txid));
    world.finalize(5);
    expect(watch.found(world.state)).toEqual([]);
    world.away.clear();
    world.finalize(6);
    expect(watch.found(world.state)).toHaveLength(1);
    expect(world.state.scanned).toBe(6);
  });

  test("a range whose read failed is read again", () => {
    const world = createWorld();
    const seen: watch.Event = { kind: "finalized", block: { hash: hash(5), height: 5 } };
    expect(watch.step(world.state, seen)[1]).toEqual([{ kind: "read-logs", from: 0, to: 5 }]);
    expect(watch.step(world.state, { kind: "read-failed" })[1]).toEqual([]);
    expect(watch.step(world.state, seen)[1]).toEqual([{ kind: "read-logs", from: 0, to: 5 }]);
  });

  test("the contract can be stated once its key was set, at a block that stays young", () => {
    const world = createWorld();
    world.finalize(9);
    expect(world.state.contractAt).toBeUndefined();
    const key = hash("key");
    world.put("deployment", receiptOf(12, [logOf("KeySet", [0, 2, hex(key)])]));
    world.finalize(12);
    expect(world.state.keySet).toMatchObject({ keyId: 2, key });
    expect(world.state.contractAt?.height).toBe(12);
    world.finalize(12 + watch.contractAgeMax);
    expect(world.state.contractAt?.height).toBe(12);
    world.finalize(13 + watch.contractAgeMax);
    expect(world.state.contractAt?.height).toBe(13 + watch.contractAgeMax);
    expect(watch.found(world.state)).toEqual([]);
  });

  test("what the ledger has is forgotten", () => {
    const world = createWorld();
    world.put("a", receiptOf(5, [burned()]));
    world.finalize(5);
    const ids = watch.found(world.state).map(({ id }) => id);
    world.feed({ kind: "forget", ids });
    expect(watch.found(world.state)).toEqual([]);
  });
});
