// The watcher over real regtest blocks, mined in process: it sees what the node sees, through every reorganisation.
import { equal, fromHex, isRejected, must, reversed, sha256d, toHex } from "@causeway/primitives";
import { publicPoint, xOnly } from "@causeway/primitives/secp256k1";
import { describe, expect, test } from "vitest";
import { encodeHeader } from "../../../../deploy/devnet/bitcoin-regtest/block.ts";
import type { Entry } from "../../../../deploy/devnet/bitcoin-regtest/chain.ts";
import { invalidate, tip } from "../../../../deploy/devnet/bitcoin-regtest/chain.ts";
import { createNode, mine } from "../../../../deploy/devnet/bitcoin-regtest/node.ts";
import {
  keyHash,
  keyPath,
  outputOf,
  pay,
} from "../../../../deploy/devnet/bitcoin-regtest/testing.ts";
import { testGenesis, testLock, testSecret } from "../../ledger/testing.ts";
import { verifyInclusion } from "../bitcoin/inclusion.ts";
import { depositScript } from "../bitcoin/scripts.ts";
import { outpoint } from "../records.ts";
import type { DepositRequest } from "../statement.ts";
import { bitcoinDepositCodec, eventId } from "../statement.ts";
import * as watch from "./bitcoin.ts";

const genesis = testGenesis(4);
const keyPoint = publicPoint(testSecret("ring"));
const payer = keyHash("payer");

function requestOf(refund: string, maxFee = 5_000n): DepositRequest {
  return {
    version: 1,
    chain: genesis.bitcoin.chain,
    keyId: 1,
    destination: { chain: genesis.networkId, payload: testLock("alice") },
    maxFee,
    refund: xOnly(publicPoint(testSecret(refund))),
    expires: genesis.time + 1_000_000,
  };
}

function scriptOf(request: DepositRequest): Uint8Array {
  const made = depositScript(genesis, { ...request, keyPoint });
  if (isRejected(made)) throw new Error(made.message);
  return made.script;
}

/** A node and a watcher of it, with a log of what the watcher read. */
function createWorld() {
  let clock = 1_700_000_000;
  const node = createNode({
    clock: () => clock++,
    relayFeeRate: 1_000n,
    onRecord: () => undefined,
  });
  const state = watch.initial(genesis);
  const reads: string[] = [];
  const hashOf = (entry: Entry) => sha256d(encodeHeader(entry.block.header));
  const feed = (event: watch.Event): void => {
    for (const order of watch.step(state, event)[1]) feed(answer(order));
  };
  const answer = (order: watch.Effect): watch.Event => {
    reads.push(order.kind);
    if (reads.length > 10_000) throw new Error("the watcher reads for ever");
    if (order.kind === "read-block") {
      const entry = node.chain.entries.get(toHex(reversed(order.hash)));
      return { kind: "block", hash: order.hash, ...(entry && { bytes: entry.block.raw }) };
    }
    const { from, count } = order;
    const entries = node.chain.active.slice(from, from + count);
    return { kind: "headers", from, headers: entries.map((one) => encodeHeader(one.block.header)) };
  };
  return {
    node,
    state,
    reads,
    feed,
    /** Mines `count` blocks with these transactions in the first. */
    mine: (count: number, txs: ReturnType<typeof pay>[] = []): Entry => {
      let last = tip(node.chain);
      for (let i = 0; i < count; i++) {
        const mined = mine(node, payer.script, i === 0 ? txs : []);
        if (isRejected(mined)) throw new Error(`${mined.code} ${mined.message}`);
        last = mined.entry;
      }
      return last;
    },
    look: (): void => {
      const top = tip(node.chain);
      feed({ kind: "tip", tip: { hash: hashOf(top), height: top.height } });
    },
    coinbase: (height: number) =>
      outputOf(must(node.chain.active[height]?.block.txs[0], "coinbase"), payer),
    hashOf,
  };
}

describe("the Bitcoin watcher", () => {
  test("a payment to a watched script is found with a proof that leads to its header", () => {
    const world = createWorld();
    world.mine(101);
    const request = requestOf("bob");
    world.feed({ kind: "watch-script", script: scriptOf(request), request });
    world.look();
    expect(watch.deposits(world.state)).toEqual([]);
    const other = { script: keyPath("other").script, value: 1_000n };
    const deposit = pay({
      spends: [world.coinbase(1)],
      outs: [other, { script: scriptOf(request), value: 50_000_000n }],
    });
    const entry = world.mine(3, [deposit]);
    world.look();
    const [found, ...more] = watch.deposits(world.state);
    if (found === undefined) throw new Error("nothing found");
    expect(more).toEqual([]);
    const txid = reversed(fromHex(deposit.txid));
    expect(found.event).toMatchObject({ txid, index: 1, height: 102 });
    expect(found.id).toEqual(eventId(genesis.networkId, genesis.bitcoin.chain, undefined, txid, 1));
    const body = bitcoinDepositCodec.decode(found.event.body);
    expect(body.amount).toBe(50_000_000n);
    const block = must(world.node.chain.active[102], "block").block;
    const proved = verifyInclusion(encodeHeader(block.header), body);
    expect(isRejected(proved)).toBe(false);
    expect(watch.tipOf(world.state)).toEqual({ hash: world.hashOf(entry), height: 104 });
  });

  test("two outputs and two transactions to one address are four events", () => {
    const world = createWorld();
    world.mine(102);
    const request = requestOf("bob");
    const script = scriptOf(request);
    world.feed({ kind: "watch-script", script, request });
    const twice = [
      { script, value: 20_000n },
      { script, value: 20_000n },
    ];
    const txs = [1, 2].map((height) => pay({ spends: [world.coinbase(height)], outs: twice }));
    world.mine(1, txs);
    world.look();
    expect(new Set(watch.deposits(world.state).map(({ id }) => toHex(id))).size).toBe(4);
  });

  test("a reorganisation takes a deposit away, and another block brings it back with the same id", () => {
    const world = createWorld();
    world.mine(101);
    const request = requestOf("bob");
    world.feed({ kind: "watch-script", script: scriptOf(request), request });
    const deposit = pay({
      spends: [world.coinbase(1)],
      outs: [{ script: scriptOf(request), value: 50_000n }],
    });
    world.mine(2, [deposit]);
    world.look();
    const [before] = watch.deposits(world.state);
    invalidate(world.node.chain, must(world.node.chain.active[102], "block"));
    world.mine(4);
    world.look();
    expect(watch.deposits(world.state)).toEqual([]);
    expect(watch.tipOf(world.state).height).toBe(105);
    world.mine(1, [deposit]);
    world.look();
    const [after] = watch.deposits(world.state);
    expect(after?.id).toEqual(before?.id);
    expect(after?.event.height).toBe(106);
    expect(
      equal(after?.event.blockHash ?? deposit.raw, before?.event.blockHash ?? deposit.raw),
    ).toBe(false);
  });

  test("a chain that became shorter is followed, also when it is the own one without its end", () => {
    const world = createWorld();
    world.mine(40);
    world.look();
    invalidate(world.node.chain, must(world.node.chain.active[31], "block"));
    world.look();
    expect(watch.tipOf(world.state).height).toBe(30);
    invalidate(world.node.chain, must(world.node.chain.active[5], "block"));
    world.mine(3);
    world.look();
    expect(watch.tipOf(world.state)).toEqual({
      hash: world.hashOf(tip(world.node.chain)),
      height: 7,
    });
  });

  test("a script that is watched late is found without reading other blocks again", () => {
    const world = createWorld();
    world.mine(101);
    const request = requestOf("bob");
    const deposit = pay({
      spends: [world.coinbase(1)],
      outs: [{ script: scriptOf(request), value: 50_000n }],
    });
    world.mine(20, [deposit]);
    world.look();
    expect(watch.deposits(world.state)).toEqual([]);
    world.reads.length = 0;
    world.feed({ kind: "watch-script", script: scriptOf(request), request });
    expect(world.reads).toEqual(["read-block"]);
    expect(watch.deposits(world.state)).toHaveLength(1);
    world.feed({ kind: "watch-script", script: scriptOf(requestOf("carol")), request });
    expect(world.reads).toEqual(["read-block"]);
  });

  test("the spend of a watched output counts from its depth on and goes with the output", () => {
    const world = createWorld();
    world.mine(101);
    const coin = world.coinbase(1);
    const watched = outpoint(reversed(fromHex(coin.txid)), coin.vout);
    const spend = pay({
      spends: [coin],
      outs: [{ script: keyPath("vault").script, value: coin.value - 1_000n }],
    });
    world.mine(2, [spend]);
    world.look();
    world.feed({ kind: "watch-outpoints", outpoints: [watched] });
    expect(watch.spends(world.state, 3)).toEqual([]);
    const [found] = watch.spends(world.state, 2);
    expect(found?.txid).toEqual(reversed(fromHex(spend.txid)));
    expect(found?.outpoints).toEqual([toHex(watched)]);
    world.feed({ kind: "watch-outpoints", outpoints: [] });
    expect(watch.spends(world.state, 1)).toEqual([]);
    world.feed({ kind: "watch-outpoints", outpoints: [watched] });
    expect(watch.spends(world.state, 2)).toHaveLength(1);
  });

  test("what is forgotten does not come back until its block is read again", () => {
    const world = createWorld();
    world.mine(101);
    const request = requestOf("bob");
    world.feed({ kind: "watch-script", script: scriptOf(request), request });
    const deposit = pay({
      spends: [world.coinbase(1)],
      outs: [{ script: scriptOf(request), value: 50_000n }],
    });
    world.mine(2, [deposit]);
    world.look();
    const ids = watch.deposits(world.state).map(({ id }) => id);
    world.feed({ kind: "forget", ids });
    world.mine(2);
    world.look();
    expect(watch.deposits(world.state)).toEqual([]);
  });

  test("a read that failed is asked again at the next tip, once", () => {
    const world = createWorld();
    world.mine(5);
    const top = tip(world.node.chain);
    const seen: watch.Event = {
      kind: "tip",
      tip: { hash: world.hashOf(top), height: top.height },
    };
    expect(watch.step(world.state, seen)[1]).toHaveLength(1);
    expect(watch.step(world.state, seen)[1]).toEqual([]);
    expect(watch.step(world.state, { kind: "read-failed" })[1]).toEqual([]);
    expect(watch.step(world.state, seen)[1]).toHaveLength(1);
  });

  test("a node of another chain is not asked for ever", () => {
    const world = createWorld();
    const alien = createWorld();
    const otherGenesis = testGenesis(4);
    const header = Uint8Array.from(otherGenesis.bitcoin.checkpoint.header);
    header[70] = 0;
    const { bitcoin } = otherGenesis;
    const state = watch.initial({
      ...otherGenesis,
      bitcoin: { ...bitcoin, checkpoint: { ...bitcoin.checkpoint, header } },
    });
    alien.mine(10);
    const top = tip(alien.node.chain);
    let orders = watch.step(state, {
      kind: "tip",
      tip: { hash: alien.hashOf(top), height: top.height },
    })[1];
    let asked = 0;
    for (; orders[0] !== undefined; asked++) {
      const [order] = orders;
      if (order?.kind !== "read-headers") throw new Error("only headers");
      const entries = alien.node.chain.active.slice(order.from, order.from + order.count);
      const headers = entries.map((one) => encodeHeader(one.block.header));
      orders = watch.step(state, { kind: "headers", from: order.from, headers })[1];
    }
    expect(asked).toBeLessThan(6);
    expect(watch.tipOf(world.state).height).toBe(0);
  });

  test("headers for the ledger start after the newest block that both have", () => {
    const world = createWorld();
    world.mine(20);
    world.look();
    const at = (height: number) => ({
      hash: must(watch.hashAt(world.state, height), "hash"),
      height,
    });
    const stale = { hash: new Uint8Array(32).fill(9), height: 12 };
    const after = (...locator: { hash: Uint8Array; height: number }[]) =>
      watch.headersAfter(world.state, locator, 2_000).length / 80;
    expect(after(at(20))).toBe(0);
    expect(after(at(12))).toBe(8);
    expect(after(stale, at(10))).toBe(10);
    expect(after(stale)).toBe(20);
    expect(watch.headersAfter(world.state, [at(3)], 5).length).toBe(400);
    expect(sha256d(watch.headersAfter(world.state, [at(3)], 5).subarray(0, 80))).toEqual(
      at(4).hash,
    );
  });
});
