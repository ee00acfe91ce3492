// Chain and mempool: what a test or a gateway relies on when it mines, pays, replaces and reorganises.
import { isRejected } from "@causeway/primitives";
import { expect, test } from "vitest";
import { subsidy } from "./block.ts";
import * as chains from "./chain.ts";
import type { Node } from "./node.ts";
import * as nodes from "./node.ts";
import type { Spend } from "./testing.ts";
import { keyHash, keyPath, outputOf, pay, reclaimer } from "./testing.ts";
import type { Tx } from "./tx.ts";

const alice = keyHash("alice");
const bob = keyPath("bob");
const other = keyHash("other");
const coin = 100_000_000n;

function start(): Node {
  return nodes.createNode({
    clock: () => 1_800_000_000,
    relayFeeRate: 1000n,
    onRecord: () => undefined,
  });
}

function mine(node: Node, count: number, script: Uint8Array = other.script): chains.Entry {
  let last = chains.tip(node.chain);
  for (let i = 0; i < count; i++) {
    const mined = nodes.mine(node, script);
    if (isRejected(mined)) throw new Error(mined.message);
    last = mined.entry;
  }
  return last;
}

/** A node with three mature coinbases of 50 coins that alice can spend. */
function funded(): { node: Node; coins: readonly [Spend, Spend, Spend] } {
  const node = start();
  const [a, b, c] = [0, 0, 0].map(() => {
    const entry = mine(node, 1, alice.script);
    return outputOf(entry.block.txs[0] as Tx, alice);
  }) as [Spend, Spend, Spend];
  mine(node, 100);
  return { node, coins: [a, b, c] };
}

function submit(node: Node, tx: Tx): string {
  const result = nodes.submitTx(node, tx);
  return result.kind === "accepted" ? "accepted" : result.code;
}

const send = (spends: readonly Spend[], fee: bigint, version = 3, script = bob.script): Tx => {
  const value = spends.reduce((sum, spend) => sum + spend.value, 0n) - fee;
  return pay({ spends, outs: [{ script, value }], version });
};

test("the subsidy halves every 150 blocks", () => {
  expect([subsidy(149), subsidy(150), subsidy(299), subsidy(300)]).toEqual([
    50n * coin,
    25n * coin,
    25n * coin,
    (25n * coin) / 2n,
  ]);
});

test("a coinbase is spendable in the 100th block after it, not before", () => {
  const node = start();
  const entry = mine(node, 1, alice.script);
  const tx = send([outputOf(entry.block.txs[0] as Tx, alice)], 1000n);
  mine(node, 98);
  expect(submit(node, tx)).toBe("bad-txns-premature-spend-of-coinbase");
  mine(node, 1);
  expect(submit(node, tx)).toBe("accepted");
});

test("fees go to the miner and a mined transaction leaves the mempool", () => {
  const { node, coins } = funded();
  const tx = send([coins[0]], 5000n);
  expect(submit(node, tx)).toBe("accepted");
  const entry = mine(node, 1);
  expect(entry.block.txs[1]?.txid).toBe(tx.txid);
  expect(entry.block.txs[0]?.body.outs[0]?.value).toBe(50n * coin + 5000n);
  expect(node.pool.entries.size).toBe(0);
});

test("a block that pays its miner too much is refused and leaves the coins as they were", () => {
  const { node } = funded();
  const before = [...node.chain.coins.keys()].sort();
  const rich = start();
  const blocks = [...node.chain.active].slice(1).map((entry) => entry.block.raw);
  for (const raw of blocks) expect(nodes.submitBlock(rich, raw)).toBeUndefined();
  // A node whose mempool claims a fee that nobody pays builds such a block.
  const { coins } = funded();
  const tx = send([coins[0]], 1000n);
  submit(rich, tx);
  const [entry] = rich.pool.entries.values();
  rich.pool.entries.set(tx.txid, { ...(entry as NonNullable<typeof entry>), fee: 2000n });
  const mined = nodes.mine(rich, other.script);
  expect(isRejected(mined) && mined.code).toBe("bad-cb-amount");
  expect([...rich.chain.coins.keys()].sort()).toEqual(before);
});

test("after a shallow invalidation the transactions are in the mempool again", () => {
  const { node, coins } = funded();
  const parent = send([coins[0]], 1000n);
  submit(node, parent);
  const entry = mine(node, 1);
  const child = send([outputOf(parent, bob)], 1000n, 3, other.script);
  submit(node, child);
  mine(node, 2);
  nodes.invalidate(node, entry);
  expect(chains.tip(node.chain).height).toBe(103);
  expect([...node.pool.entries.keys()].sort()).toEqual([parent.txid, child.txid].sort());
  const again = mine(node, 1, alice.script);
  expect(again.block.txs.length).toBe(3);
  nodes.reconsider(node, entry);
  expect(chains.tip(node.chain).height).toBe(106);
  expect(node.pool.entries.size).toBe(0);
});

test("an invalidation deeper than ten blocks does not refill the mempool, as in Core", () => {
  const { node, coins } = funded();
  const tx = send([coins[0]], 1000n);
  submit(node, tx);
  const entry = mine(node, 11);
  const first = node.chain.active[entry.height - 10] as chains.Entry;
  nodes.invalidate(node, first);
  expect(node.pool.entries.size).toBe(0);
});

test("a longer branch from another miner wins and double spends are forgotten", () => {
  const { node, coins } = funded();
  const rival = start();
  for (const entry of node.chain.active.slice(1)) nodes.submitBlock(rival, entry.block.raw);
  const [ours, theirs] = [send([coins[0]], 1000n), send([coins[0]], 2000n, 3, other.script)];
  submit(node, ours);
  mine(node, 1);
  submit(rival, theirs);
  mine(rival, 2, bob.script);
  for (const entry of rival.chain.active.slice(-2)) nodes.submitBlock(node, entry.block.raw);
  expect(chains.tip(node.chain).block.hash).toBe(chains.tip(rival.chain).block.hash);
  expect(node.pool.entries.size).toBe(0);
  expect(chains.hasCoinsOf(node.chain, theirs)).toBe(true);
  expect([...node.chain.coins.keys()].sort()).toEqual([...rival.chain.coins.keys()].sort());
});

test("a replacement pays all old fees, its own relay, and more per weight (BTC-4)", () => {
  const { node, coins } = funded();
  const [a, b] = coins;
  const old = send([a], 2000n);
  expect(submit(node, old)).toBe("accepted");
  const size = BigInt(send([a], 1n, 3, alice.script).vsize);
  expect(submit(node, send([a], 1999n, 3, alice.script))).toBe("insufficient fee");
  expect(submit(node, send([a], 2000n + size - 1n, 3, alice.script))).toBe("insufficient fee");
  // Two inputs: enough in total, but less for each unit of weight.
  const wide = send([a, b], 2300n, 3, alice.script);
  expect(submit(node, wide)).toBe("replacement-failed");
  expect(submit(node, send([a], 2000n + size, 3, alice.script))).toBe("accepted");
  expect(node.pool.entries.has(old.txid)).toBe(false);
});

test("a replacement also pays for the child that it evicts", () => {
  const { node, coins } = funded();
  const old = send([coins[0]], 2000n);
  submit(node, old);
  submit(node, send([outputOf(old, bob)], 8000n, 3, other.script));
  expect(submit(node, send([coins[0]], 9000n, 3, alice.script))).toBe("insufficient fee");
  expect(submit(node, send([coins[0]], 11000n, 3, alice.script))).toBe("accepted");
  expect(node.pool.entries.size).toBe(1);
});

test("version 3 allows one child, of version 3", () => {
  const { node, coins } = funded();
  const parent = send([coins[0]], 2000n);
  submit(node, parent);
  const spend = outputOf(parent, bob);
  expect(submit(node, send([spend], 1000n, 2, other.script))).toBe("TRUC-violation");
  const child = send([spend], 1000n, 3, alice.script);
  expect(submit(node, child)).toBe("accepted");
  expect(submit(node, send([outputOf(child, alice)], 1000n))).toBe("TRUC-violation");
  const old = send([coins[1]], 1000n, 2);
  submit(node, old);
  expect(submit(node, send([outputOf(old, bob)], 1000n))).toBe("TRUC-violation");
});

test("version 3 is at most 10,000 vB", () => {
  const { node, coins } = funded();
  const value = coins[0].value / 300n;
  const outs = (count: number) =>
    Array.from({ length: count }, () => ({ script: bob.script, value }));
  const large = pay({ spends: [coins[0]], outs: outs(240) });
  expect(large.vsize).toBeGreaterThan(10_000);
  expect(submit(node, large)).toBe("TRUC-violation");
  expect(submit(node, pay({ spends: [coins[0]], outs: outs(200) }))).toBe("accepted");
});

test("a reclaim is refused until the tip is at deposit + delay - 1 (BTC-1)", () => {
  const { node, coins } = funded();
  const owner = reclaimer("carol", 20);
  const deposit = send([coins[0]], 1000n, 2, owner.script);
  submit(node, deposit);
  mine(node, 1);
  const spends = [outputOf(deposit, owner)];
  const outs = [{ script: alice.script, value: coin }];
  const reclaim = pay({ spends, outs, version: 2, sequence: 20 });
  mine(node, 18);
  expect(submit(node, reclaim)).toBe("non-BIP68-final");
  mine(node, 1);
  expect(submit(node, pay({ spends, outs, version: 2, sequence: 19 }))).toContain(
    "Locktime requirement not satisfied",
  );
  expect(submit(node, reclaim)).toBe("accepted");
  mine(node, 1);
  expect(chains.hasCoinsOf(node.chain, reclaim)).toBe(true);
});

test("low fees, dust, unknown coins and unknown versions are refused by name", () => {
  const { node, coins } = funded();
  const [a] = coins;
  expect(submit(node, send([a], 10n))).toBe("min relay fee not met");
  const dust = { script: bob.script, value: 329n };
  expect(submit(node, pay({ spends: [a], outs: [dust] }))).toBe("dust");
  expect(submit(node, send([{ ...a, vout: 7 }], 1000n))).toBe("bad-txns-inputs-missingorspent");
  expect(submit(node, send([a], 1000n, 4))).toBe("version");
  expect(submit(node, send([a], -1n))).toBe("bad-txns-in-belowout");
  expect(node.pool.entries.size).toBe(0);
});
