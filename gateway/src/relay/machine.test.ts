// The relay in a scripted world: real regtest blocks, ledger records in memory, its own clock.
import type { DepositRequest, Plan, Table } from "@causeway/chain-core/interchain";
import {
  bitcoinBest,
  bitcoinHeaders,
  bitcoinTips,
  committees,
  currentKeys,
  depositScript,
  encodeTransaction,
  epochs,
  eventIdOf,
  headersCodec,
  hintCodec,
  inboundStatus,
  inbounds,
  keys,
  kinds,
  listNames,
  lists,
  outpoint,
  ownTransaction,
  planKinds,
  planStatus,
  plans,
  roles,
  sequences,
  settleCodec,
  transactionCodec,
  transactionHash,
  usedKeys,
} from "@causeway/chain-core/interchain";
import {
  fromHex,
  isRejected,
  keyOf,
  must,
  reversed,
  sha256d,
  toHex,
  zero32,
} from "@causeway/primitives";
import { publicPoint, xOnly } from "@causeway/primitives/secp256k1";
import { describe, expect, test } from "vitest";
import {
  testGenesis,
  testLock,
  testSecret,
  validatorSecret,
} from "../../../chain-core/src/ledger/testing.ts";
import { encodeHeader } from "../../../deploy/devnet/bitcoin-regtest/block.ts";
import type { Entry } from "../../../deploy/devnet/bitcoin-regtest/chain.ts";
import { invalidate, tip } from "../../../deploy/devnet/bitcoin-regtest/chain.ts";
import { createNode, mine } from "../../../deploy/devnet/bitcoin-regtest/node.ts";
import { keyHash, keyPath, outputOf, pay } from "../../../deploy/devnet/bitcoin-regtest/testing.ts";
import type { Context, Effect, Event } from "./machine.ts";
import { initial, questions, step } from "./machine.ts";
import { turnMs } from "./rota.ts";
import { readView } from "./view.ts";

const genesis = testGenesis(4);
const keyPoint = publicPoint(testSecret("ring"));
const payer = keyHash("payer");
const request: DepositRequest = {
  version: 1,
  chain: genesis.bitcoin.chain,
  keyId: 1,
  destination: { chain: genesis.networkId, payload: testLock("alice") },
  maxFee: 5_000n,
  refund: xOnly(publicPoint(testSecret("refund"))),
  expires: genesis.time + 10_000_000,
};
const made = depositScript(genesis, { ...request, keyPoint });
if (isRejected(made)) throw new Error(made.message);
const { script } = made;

const hashOf = (entry: Entry) => sha256d(encodeHeader(entry.block.header));

function createWorld(seat = 0) {
  const records = new Map<string, Uint8Array>();
  const ledger = {
    get: (key: Uint8Array) => records.get(keyOf(key)),
    put: (key: Uint8Array, value: Uint8Array) => void records.set(keyOf(key), value),
    delete: (key: Uint8Array) => void records.delete(keyOf(key)),
  };
  let clock = 1_700_000_000;
  const node = createNode({
    clock: () => clock++,
    relayFeeRate: 1_000n,
    onRecord: () => undefined,
  });
  const context: Context = {
    genesis,
    relaySecret: validatorSecret(seat, "relayKey"),
    codeHashes: [zero32],
  };
  const state = initial(context);
  const world = {
    node,
    state,
    ledger,
    now: 1_000_000,
    height: 0,
    /** Every order since the last look, reads excepted, which are answered at once. */
    orders: [] as Effect[],
    give: (event: Event): void => {
      const [, effects] = step(context, state, world.now, event);
      for (const effect of effects) {
        if (effect.kind !== "bitcoin") {
          world.orders.push(effect);
          continue;
        }
        const { order } = effect;
        if (order.kind === "read-block") {
          const entry = node.chain.entries.get(toHex(reversed(order.hash)));
          const bytes = must(entry, "block").block.raw;
          world.give({ kind: "bitcoin", event: { kind: "block", hash: order.hash, bytes } });
        } else {
          const { from, count } = order;
          const entries = node.chain.active.slice(from, from + count);
          const headers = entries.map((one) => encodeHeader(one.block.header));
          world.give({ kind: "bitcoin", event: { kind: "headers", from, headers } });
        }
      }
    },
    /** A new ledger height, read as the process reads it. */
    read: (): void => {
      world.height += 1;
      const at = { height: world.height, time: genesis.time + 1_000 * world.height };
      const reading = readView(genesis, at, questions(context, state));
      let next = reading.next();
      while (!next.done) next = reading.next(next.value.map((key) => ledger.get(key)));
      world.give({ kind: "view", view: next.value });
    },
    mine: (count: number, txs: ReturnType<typeof pay>[] = []): void => {
      for (let i = 0; i < count; i++) {
        const mined = mine(node, payer.script, i === 0 ? txs : []);
        if (isRejected(mined)) throw new Error(`${mined.code} ${mined.message}`);
      }
    },
    look: (): void => {
      const top = tip(node.chain);
      const block = { hash: hashOf(top), height: top.height };
      world.give({ kind: "bitcoin", event: { kind: "tip", tip: block } });
    },
    /** The ledger takes the headers of the node's chain up to a height. */
    putHeaders: (height: number): void => {
      for (const entry of node.chain.active.slice(0, height + 1)) {
        const header = encodeHeader(entry.block.header);
        bitcoinHeaders.put(ledger, hashOf(entry), { header, height: entry.height, work: 1n });
        bitcoinBest.put(ledger, entry.height, { hash: hashOf(entry) });
      }
      const top = must(node.chain.active[height], "block");
      bitcoinTips.put(ledger, genesis.bitcoin.chain, { hash: hashOf(top), height });
    },
    take: <Kind extends Effect["kind"]>(kind: Kind): Extract<Effect, { kind: Kind }>[] => {
      const all = world.orders.filter(
        (one): one is Extract<Effect, { kind: Kind }> => one.kind === kind,
      );
      world.orders = world.orders.filter((one) => one.kind !== kind);
      return all;
    },
    wait: (ms: number): void => {
      world.now += ms;
      world.give({ kind: "woke" });
    },
    coinbase: (height: number) =>
      outputOf(must(node.chain.active[height]?.block.txs[0], "coinbase"), payer),
  };
  putKey(ledger);
  world.putHeaders(0);
  return world;
}

function putKey(ledger: Parameters<Table<number, unknown>["put"]>[0]): void {
  const { chain } = genesis.bitcoin;
  keys.put(ledger, 1, {
    keyId: 1,
    attempt: 0,
    term: 0,
    heldBy: 0,
    chain,
    groupPoint: keyPoint,
    threshold: 3,
    seats: [],
    shares: [],
    active: true,
    canary: new Uint8Array(64),
    activatedAt: 1,
  });
  currentKeys.put(ledger, chain, { keyId: 1 });
}

const actionOf = (effect: Extract<Effect, { kind: "submit" }>) => {
  const tx = transactionCodec.decode(effect.transaction);
  return { envelope: must(tx.envelope[0], "envelope"), action: must(tx.actions[0], "action") };
};

const deposit = (world: ReturnType<typeof createWorld>) =>
  pay({ spends: [world.coinbase(1)], outs: [{ script, value: 50_000n }] });

describe("hints", () => {
  test("a deposit in a fresh block is hinted at once, and again ever later while nothing happens", () => {
    const world = createWorld();
    world.mine(101);
    world.read();
    world.give({ kind: "request", request });
    world.mine(1, [deposit(world)]);
    world.look();
    const [first, ...more] = world.take("hint");
    expect(more).toEqual([]);
    const hint = hintCodec.decode(must(first, "hint").bytes);
    expect(hint).toMatchObject({ chain: genesis.bitcoin.chain, final: false });
    expect(hint.event.height).toBe(102);
    world.read();
    world.wait(14_000);
    expect(world.take("hint")).toEqual([]);
    world.wait(1_000);
    expect(world.take("hint")).toHaveLength(1);
    world.wait(16_000);
    expect(world.take("hint")).toEqual([]);
    world.wait(14_000);
    expect(world.take("hint")).toHaveLength(1);
  });

  test("a request whose key comes later is watched from then on", () => {
    const world = createWorld();
    keys.delete(world.ledger, 1);
    world.mine(101);
    world.give({ kind: "request", request });
    world.read();
    world.mine(1, [deposit(world)]);
    world.look();
    expect(world.take("hint")).toEqual([]);
    putKey(world.ledger);
    world.read();
    expect(world.take("hint")).toHaveLength(1);
  });

  test("what the ledger knows in this block is not hinted, and hinted again from another block", () => {
    const world = createWorld();
    world.mine(101);
    world.read();
    world.give({ kind: "request", request });
    const paid = deposit(world);
    world.mine(20, [paid]);
    world.look();
    // Twenty blocks deep after a start: the ledger is asked first.
    expect(world.take("hint")).toEqual([]);
    world.read();
    const { event } = hintCodec.decode(must(world.take("hint")[0], "hint").bytes);
    const id = eventIdOf(genesis.networkId, genesis.bitcoin.chain, event);
    if (isRejected(id)) throw new Error(id.message);
    inbounds.put(world.ledger, id, {
      ...inboundOf(event),
      candidates: [{ blockHash: event.blockHash, height: event.height }],
    });
    world.read();
    world.wait(60_000);
    expect(world.take("hint")).toEqual([]);
    invalidate(world.node.chain, must(world.node.chain.active[102], "block"));
    world.mine(1);
    world.mine(21, [paid]);
    world.look();
    world.read();
    const again = hintCodec.decode(must(world.take("hint")[0], "hint").bytes);
    expect(again.event.height).toBe(103);
  });

  test("a reorganisation takes the candidate and its hints away", () => {
    const world = createWorld();
    world.mine(101);
    world.read();
    world.give({ kind: "request", request });
    world.mine(1, [deposit(world)]);
    world.look();
    expect(world.take("hint")).toHaveLength(1);
    invalidate(world.node.chain, must(world.node.chain.active[102], "block"));
    world.mine(3);
    world.look();
    world.read();
    world.wait(60_000);
    expect(world.take("hint")).toEqual([]);
    expect(world.state.hinted.size + world.state.answers.size).toBe(0);
  });
});

function inboundOf(event: { txid: Uint8Array; index: number }) {
  return {
    chain: genesis.bitcoin.chain,
    asset: zero32,
    amount: 50_000n,
    destination: request.destination,
    maxFee: 5_000n,
    refund: request.refund,
    keyId: 1,
    txid: event.txid,
    index: event.index,
    coinbase: false,
    status: inboundStatus.waiting,
    reason: 0,
    credited: 0n,
    fee: 0n,
    statedAt: 1,
    updatedAt: 1,
    withdrawal: zero32,
  };
}

describe("headers", () => {
  test("operator (height + i) mod N brings what the ledger lacks after 2 i seconds, once a round", () => {
    for (const seat of [0, 1, 2, 3]) {
      const world = createWorld(seat);
      world.mine(5);
      world.putHeaders(3);
      world.look();
      world.read();
      const place = (seat - 3 + 4) % 4;
      world.wait(turnMs * place - 1);
      expect(world.take("submit")).toHaveLength(place === 0 ? 1 : 0);
      world.wait(1);
      const submitted = world.take("submit");
      expect(submitted).toHaveLength(place === 0 ? 0 : 1);
      world.wait(4 * turnMs - 1);
      expect(world.take("submit")).toEqual([]);
      world.wait(1);
      expect(world.take("submit")).toHaveLength(1);
    }
  });

  test("a relay whose validator registers later waits for it, and brings after the committee", () => {
    const world = createWorld(7);
    world.mine(5);
    world.putHeaders(3);
    world.look();
    world.read();
    world.now += 60_000;
    world.give({ kind: "woke" });
    expect(world.take("submit")).toEqual([]);
    const owner = testLock("late");
    const secret = validatorSecret(7, "relayKey");
    usedKeys.put(world.ledger, publicPoint(secret), { owner });
    epochs.put(world.ledger, "only", { number: 5, firstHeight: 1, startedAt: 0, endsAt: 1 });
    const members = genesis.validators.slice(0, 3).map(({ owner: validator, ...of }) => {
      return { ...of, validator, power: 1n };
    });
    committees.put(world.ledger, 5, { epoch: 5, members });
    world.read();
    // Header 3 begins the rota at member 0: a stranger comes after all three.
    world.now += 3 * turnMs - 1;
    world.give({ kind: "woke" });
    expect(world.take("submit")).toEqual([]);
    world.now += 1;
    world.give({ kind: "woke" });
    const { envelope } = actionOf(must(world.take("submit")[0], "submit"));
    expect(envelope).toEqual({ validator: owner, role: roles.relay, sequence: 1 });
  });

  test("the envelope is of the own relay key, its number above the ledger's and above the last", () => {
    const world = createWorld(3);
    world.mine(5);
    world.putHeaders(3);
    const { owner, relayKey } = must(genesis.validators[3], "validator");
    usedKeys.put(world.ledger, relayKey, { owner });
    sequences.put(
      world.ledger,
      { validator: owner, role: roles.relay },
      { highest: 41, window: 1n, epoch: 0, spent: 0 },
    );
    world.look();
    world.read();
    const { envelope, action } = actionOf(must(world.take("submit")[0], "submit"));
    expect(envelope).toEqual({ validator: owner, role: roles.relay, sequence: 42 });
    expect(action.kind).toBe(kinds.headers);
    expect(headersCodec.decode(action.body).headers.length).toBe(160);
    world.wait(4 * turnMs);
    expect(actionOf(must(world.take("submit")[0], "submit")).envelope.sequence).toBe(43);
  });

  test("a refused one comes again after a turn; too high a number starts at the ledger's again", () => {
    const world = createWorld(3);
    world.mine(5);
    world.putHeaders(3);
    world.look();
    world.read();
    const { what } = must(world.take("submit")[0], "submit");
    world.give({ kind: "refused", what, code: "sequence-too-high" });
    world.wait(turnMs);
    expect(actionOf(must(world.take("submit")[0], "submit")).envelope.sequence).toBe(1);
  });

  test("nothing is brought to a ledger that has the own tip, best or not", () => {
    const world = createWorld(1);
    world.mine(5);
    world.putHeaders(5);
    const stale = { hash: new Uint8Array(32).fill(3), height: 9 };
    bitcoinTips.put(world.ledger, genesis.bitcoin.chain, stale);
    // Its best chain left ours at height 3, and has more work.
    for (let height = 3; height < 9; height++)
      bitcoinBest.put(world.ledger, height, { hash: new Uint8Array(32).fill(height) });
    world.look();
    world.read();
    world.wait(60_000);
    expect(world.take("submit")).toEqual([]);
  });

  test("a block that comes while the ledger is quiet is brought without waiting for its next height", () => {
    const world = createWorld(3);
    world.mine(3);
    world.look();
    world.putHeaders(3);
    world.read();
    expect(world.take("submit")).toEqual([]);
    world.mine(1);
    world.look();
    expect(world.take("submit")).toHaveLength(1);
  });

  test("a reorganisation is brought from the newest block that the ledger has", () => {
    const world = createWorld(0);
    world.mine(30);
    world.putHeaders(30);
    invalidate(world.node.chain, must(world.node.chain.active[26], "block"));
    world.mine(10);
    world.look();
    world.read();
    world.wait(4 * turnMs);
    const { action } = actionOf(must(world.take("submit")[0], "submit"));
    const { headers } = headersCodec.decode(action.body);
    expect(headers.length / 80).toBeLessThan(14);
    expect(sha256d(headers.subarray(-80))).toEqual(hashOf(tip(world.node.chain)));
  });
});

describe("settlements", () => {
  test("a spend of a coin is proved when it is final on the ledger's own chain, until the coin is gone", () => {
    const world = createWorld(0);
    world.mine(101);
    const coin = world.coinbase(1);
    const name = outpoint(reversed(fromHex(coin.txid)), coin.vout);
    lists.put(world.ledger, listNames.coins, { ids: [name] });
    const value = coin.value - 1_000n;
    world.mine(1, [pay({ spends: [coin], outs: [{ script: keyPath("vault").script, value }] })]);
    world.mine(2);
    world.putHeaders(103);
    world.look();
    world.read();
    world.wait(4 * turnMs);
    const isSettle = (one: Extract<Effect, { kind: "submit" }>) =>
      actionOf(one).action.kind === kinds.settle;
    expect(world.take("submit").filter(isSettle)).toEqual([]);
    world.putHeaders(104);
    world.read();
    world.wait(2 * turnMs);
    const settles = world.take("submit").filter(isSettle);
    expect(settles).toHaveLength(1);
    const body = settleCodec.decode(actionOf(must(settles[0], "settle")).action.body);
    expect(body.blockHash).toEqual(hashOf(must(world.node.chain.active[102], "block")));
    lists.put(world.ledger, listNames.coins, { ids: [] });
    world.read();
    world.wait(8 * turnMs);
    expect(world.take("submit").filter(isSettle)).toEqual([]);
  });
});

describe("broadcasts", () => {
  const unsigned = ownTransaction(
    [{ txid: new Uint8Array(32).fill(5), vout: 0 }],
    [{ amount: 10_000n, script: keyPath("vault").script }],
  );
  const plan: Plan = {
    kind: planKinds.withdrawal,
    keyId: 1,
    chain: genesis.bitcoin.chain,
    asset: zero32,
    subject: encodeTransaction(unsigned),
    inputs: [],
    withdrawals: [],
    anchor: new Uint8Array(36),
    attempt: 0,
    nonce: 0,
    fee: 100n,
    txid: transactionHash(unsigned),
    status: planStatus.signed,
    signatures: [new Uint8Array(64).fill(1)],
    plannedAt: 1,
    updatedAt: 1,
  };
  const id = new Uint8Array(32).fill(6);

  test("a signed transaction is broadcast at once, after every block, and after an outage", () => {
    const world = createWorld();
    world.mine(1);
    world.look();
    lists.put(world.ledger, listNames.plans, { ids: [id] });
    plans.put(world.ledger, id, { ...plan, status: planStatus.planned, signatures: [] });
    world.read();
    expect(world.take("broadcast")).toEqual([]);
    plans.put(world.ledger, id, plan);
    world.read();
    const [first] = world.take("broadcast");
    expect(first).toMatchObject({ plan: id, txid: plan.txid });
    world.read();
    expect(world.take("broadcast")).toEqual([]);
    world.mine(1);
    world.look();
    expect(world.take("broadcast")).toHaveLength(1);
    world.give({ kind: "unsent", plan: id });
    expect(world.take("broadcast")).toEqual([]);
    world.wait(2_000);
    expect(world.take("broadcast")).toHaveLength(1);
    lists.put(world.ledger, listNames.plans, { ids: [] });
    world.read();
    world.mine(1);
    world.look();
    expect(world.take("broadcast")).toEqual([]);
    expect(world.state.broadcast.size).toBe(0);
  });
});
