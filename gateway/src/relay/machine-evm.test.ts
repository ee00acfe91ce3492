// The relay's Ethereum side: batches in turns until one ran, and the contract once it stands (ETH-1, ETH-3).
import { readFileSync } from "node:fs";
import type { Batch, Plan } from "@causeway/chain-core/interchain";
import {
  batchCodec,
  currentKeys,
  evmContractCodec,
  evmStates,
  executeCall,
  hintCodec,
  keys,
  listNames,
  lists,
  planKinds,
  planStatus,
  plans,
  setKeyCall,
  setKeyCodec,
} from "@causeway/chain-core/interchain";
import { keyOf, must, sha256, toHex, utf8, zero32 } from "@causeway/primitives";
import { publicPoint, signSchnorr, xOnly } from "@causeway/primitives/secp256k1";
import { Interface } from "ethers";
import { expect, test } from "vitest";
import {
  testGenesis,
  testSecret,
  validatorSecret,
} from "../../../chain-core/src/ledger/testing.ts";
import type { Context, Effect, Event } from "./machine.ts";
import { initial, questions, step } from "./machine.ts";
import { turnMs } from "./rota.ts";
import { readView } from "./view.ts";

const genesis = testGenesis(4);
const evm = must(genesis.evm[0], "chain");
const artifact = JSON.parse(
  readFileSync(new URL("../../../contracts/artifacts/Gateway.json", import.meta.url), "utf8"),
);
const abi = new Interface(artifact.abi);
const groupPoint = publicPoint(testSecret("ring"));
const hash = (name: string) => sha256(utf8(name));
const codeHash = hash("code");

function createWorld(seat: number) {
  const records = new Map<string, Uint8Array>();
  const ledger = {
    get: (key: Uint8Array) => records.get(keyOf(key)),
    put: (key: Uint8Array, value: Uint8Array) => void records.set(keyOf(key), value),
    delete: (key: Uint8Array) => void records.delete(keyOf(key)),
  };
  const relaySecret = validatorSecret(seat, "relayKey");
  const context: Context = { genesis, relaySecret, codeHashes: [codeHash] };
  const state = initial(context);
  let height = 0;
  const world = {
    ledger,
    now: 1_000_000,
    orders: [] as Effect[],
    give: (event: Event): void => {
      world.orders.push(...step(context, state, world.now, event)[1]);
    },
    read: (): void => {
      height += 1;
      const reading = readView(genesis, { height, time: genesis.time }, questions(context, state));
      let next = reading.next();
      while (!next.done) next = reading.next(next.value.map((key) => ledger.get(key)));
      world.give({ kind: "view", view: next.value });
    },
    wait: (ms: number): void => {
      world.now += ms;
      world.give({ kind: "woke" });
    },
    /** A finalized block with one transaction of the gateway that logged this. */
    finalize: (at: number, name: string, values: unknown[]): void => {
      const { data, topics } = abi.encodeEventLog(name, values);
      const block = { hash: hash(`block ${at}`), height: at };
      const ethereum = (event: Extract<Event, { kind: "ethereum" }>["event"]): void =>
        world.give({ kind: "ethereum", chain: 0, event });
      ethereum({ kind: "finalized", block });
      ethereum({ kind: "logs", to: at, txids: [hash(`tx ${at}`)] });
      const logs = [{ address: `0x${toHex(evm.gateway)}`, data, topics }];
      const place = { blockHash: block.hash, height: at, succeeded: true };
      const receipt = { ...place, logs, gasUsed: 90_000, gasPrice: 1n };
      ethereum({ kind: "receipt", txid: hash(`tx ${at}`), receipt });
    },
    take: <Kind extends Effect["kind"]>(kind: Kind): Extract<Effect, { kind: Kind }>[] => {
      const found = world.orders.filter((one) => one.kind === kind);
      world.orders = world.orders.filter((one) => one.kind !== kind);
      return found as Extract<Effect, { kind: Kind }>[];
    },
  };
  keys.put(ledger, 2, {
    keyId: 2,
    attempt: 0,
    term: 0,
    heldBy: 0,
    chain: evm.chain,
    groupPoint,
    threshold: 3,
    seats: [],
    shares: [],
    active: true,
    canary: new Uint8Array(64),
    activatedAt: 1,
  });
  currentKeys.put(ledger, evm.chain, { keyId: 2 });
  return world;
}

const batch: Batch = { keyId: 2, nonce: 5, stipend: 50_000, overhead: 20_000, items: [] };
const signature = signSchnorr(testSecret("ring"), hash("batch"), zero32);
const plan: Plan = {
  kind: planKinds.evmBatch,
  keyId: 2,
  chain: evm.chain,
  asset: zero32,
  subject: batchCodec.encode(batch),
  inputs: [],
  withdrawals: [],
  anchor: new Uint8Array(36),
  attempt: 0,
  nonce: 5,
  fee: 0n,
  txid: zero32,
  status: planStatus.signed,
  signatures: [signature],
  plannedAt: 1,
  updatedAt: 1,
};
const id = hash("plan");

test("operator (nonce + i) mod N submits a signed batch after 2 i seconds, until one has run", () => {
  for (const seat of [0, 1, 2, 3]) {
    const world = createWorld(seat);
    lists.put(world.ledger, listNames.plans, { ids: [id] });
    plans.put(world.ledger, id, { ...plan, status: planStatus.planned, signatures: [] });
    world.read();
    world.wait(60_000);
    expect(world.take("execute")).toEqual([]);
    plans.put(world.ledger, id, plan);
    world.read();
    const place = (seat - 5 + 8) % 4;
    world.wait(Math.max(0, turnMs * place - 1));
    expect(world.take("execute")).toHaveLength(place === 0 ? 1 : 0);
    world.wait(4 * turnMs + 1);
    const [effect] = world.take("execute");
    const data = executeCall(batch, { key: xOnly(groupPoint), signature });
    expect(effect).toEqual({ kind: "execute", chain: 0, nonce: 5, data });
    world.finalize(9, "Executed", [5, `0x${"cd".repeat(32)}`, 0n, `0x${"ee".repeat(20)}`]);
    expect(world.take("hint")).toHaveLength(1);
    world.wait(60_000);
    expect(world.take("execute")).toEqual([]);
  }
});

test("the contract is hinted once its key is the ring's, until the ledger has it", () => {
  const world = createWorld(0);
  world.read();
  world.finalize(5, "KeySet", [0, 1, `0x${toHex(xOnly(groupPoint))}`]);
  expect(world.take("hint")).toEqual([]);
  world.finalize(7, "KeySet", [1, 2, `0x${toHex(xOnly(groupPoint))}`]);
  const [hint, ...more] = world.take("hint").map(({ bytes }) => hintCodec.decode(bytes));
  expect(more).toEqual([]);
  expect(hint).toMatchObject({ chain: evm.chain, final: true });
  expect(hint?.event).toMatchObject({ txid: hash("block 7"), height: 7, index: 0 });
  expect(evmContractCodec.decode(must(hint, "hint").event.body)).toEqual({
    contract: evm.gateway,
    codeHash,
    network: genesis.networkId,
    keyId: 2,
    key: xOnly(groupPoint),
  });
  evmStates.put(world.ledger, evm.chain, { stated: true, codeHash, keyId: 2, nextNonce: 1 });
  world.read();
  world.wait(600_000);
  expect(world.take("hint")).toEqual([]);
});

const nextSecret = testSecret("ring of key 3");

/** The ledger has key 3, which the contract is to get by nonce 6. */
function rotating(seat: number) {
  const world = createWorld(seat);
  const key = { ...must(keys.get(world.ledger, 2), "key"), keyId: 3 };
  keys.put(world.ledger, 3, { ...key, groupPoint: publicPoint(nextSecret) });
  evmStates.put(world.ledger, evm.chain, { stated: true, codeHash, keyId: 2, nextNonce: 7 });
  return world;
}

test("a change of key is brought like a batch, and what the old key signed no more once it ran (ETH-1)", () => {
  const world = rotating(1);
  const change = { keyId: 2, nonce: 6, newKeyId: 3, key: xOnly(publicPoint(nextSecret)) };
  const subject = setKeyCodec.encode(change);
  const setKey = { ...plan, kind: planKinds.evmSetKey, nonce: 6, subject };
  lists.put(world.ledger, listNames.plans, { ids: [id, hash("change")] });
  plans.put(world.ledger, id, plan);
  plans.put(world.ledger, hash("change"), setKey);
  world.read();
  world.wait(4 * turnMs + 1);
  const calls = new Map(world.take("execute").map(({ nonce, data }) => [nonce, data]));
  const seal = { key: xOnly(groupPoint), signature };
  expect(calls.get(5)).toEqual(executeCall(batch, seal));
  const next = { keyId: 3, key: change.key };
  expect(calls.get(6)).toEqual(setKeyCall({ keyId: 2, nonce: 6 }, next, seal));
  world.finalize(9, "KeySet", [6, 3, `0x${toHex(change.key)}`]);
  world.take("execute");
  world.wait(60_000);
  expect(world.take("execute")).toEqual([]);
});

test("the contract is hinted once it took a newer key of the ring, whoever brought that, and never an older", () => {
  const world = rotating(0);
  world.read();
  world.finalize(5, "KeySet", [0, 2, `0x${toHex(xOnly(groupPoint))}`]);
  world.read();
  expect(world.take("hint")).toEqual([]);
  world.finalize(9, "KeySet", [6, 3, `0x${toHex(xOnly(publicPoint(nextSecret)))}`]);
  world.read();
  const [hint, ...more] = world.take("hint").map(({ bytes }) => hintCodec.decode(bytes));
  expect(more).toEqual([]);
  expect(evmContractCodec.decode(must(hint, "hint").event.body)).toMatchObject({
    keyId: 3,
    key: xOnly(publicPoint(nextSecret)),
  });
  evmStates.put(world.ledger, evm.chain, { stated: true, codeHash, keyId: 3, nextNonce: 7 });
  currentKeys.put(world.ledger, evm.chain, { keyId: 3 });
  world.read();
  world.wait(600_000);
  expect(world.take("hint")).toEqual([]);
});

test("what the next key signed of an older nonce is brought in turns of its own", () => {
  const world = rotating(1);
  lists.put(world.ledger, listNames.plans, { ids: [id] });
  plans.put(world.ledger, id, plan);
  world.read();
  expect(world.take("execute")).toHaveLength(1);
  const again = { ...batch, keyId: 3 };
  const signed = signSchnorr(nextSecret, hash("batch"), zero32);
  lists.put(world.ledger, listNames.plans, { ids: [hash("again")] });
  plans.put(world.ledger, hash("again"), {
    ...plan,
    keyId: 3,
    subject: batchCodec.encode(again),
    signatures: [signed],
  });
  currentKeys.put(world.ledger, evm.chain, { keyId: 3 });
  world.read();
  const seal = { key: xOnly(publicPoint(nextSecret)), signature: signed };
  expect(world.take("execute").map(({ data }) => data)).toEqual([executeCall(again, seal)]);
});
