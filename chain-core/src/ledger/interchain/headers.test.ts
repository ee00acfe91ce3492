// The ledger's own header chain (WIT-4): which headers it takes, and which branch is the best.
import { concat } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { bestHash, bitcoinTip, depthOf, forkDepthMax } from "./header-chain.ts";
import { headersRule } from "./headers.ts";
import type { Block, World } from "./testing.ts";
import { act, bring, createWorld, endBlock, mine } from "./testing.ts";

function chain(world: World, count: number, on?: Block): Block[] {
  const blocks: Block[] = [];
  for (let i = 0; i < count; i++) blocks.push(mine(world, [], blocks.at(-1) ?? on));
  return blocks;
}

function tipOf(world: World): { hash: Uint8Array; height: number } {
  return bitcoinTip(world.genesis, world.state);
}

describe("The header chain", () => {
  test("grows by linked headers, and passes over those that it knows", () => {
    const world = createWorld();
    const blocks = chain(world, 5);
    expect(bring(world, ...blocks.slice(0, 3))).toBeUndefined();
    expect(bring(world, ...blocks.slice(1, 5))).toBeUndefined();
    expect(tipOf(world)).toEqual({ hash: blocks[4]?.hash, height: 5 });
    expect(depthOf(world.genesis, world.state, 3)).toBe(3);
    expect(bring(world, ...blocks)).toBe("nothing-new");
  });

  test("refuses headers without a known parent, of another chain, cut short or none", () => {
    const world = createWorld();
    const blocks = chain(world, 3);
    expect(bring(world, ...blocks.slice(1))).toBe("unknown-parent");
    const { header } = blocks[0] as Block;
    const other = new Uint8Array(32);
    expect(act(world, headersRule, { chain: other, headers: header })).toBe("unknown-chain");
    const own = world.genesis.bitcoin.chain;
    const cut = header.slice(0, 79);
    expect(act(world, headersRule, { chain: own, headers: cut })).toBe("bad-length");
    expect(act(world, headersRule, { chain: own, headers: new Uint8Array(0) })).toBe("bad-length");
    const unlinked = concat(header, (blocks[2] as Block).header);
    expect(act(world, headersRule, { chain: own, headers: unlinked })).toBe("unknown-parent");
    const spoilt = Uint8Array.from(header);
    spoilt[75] = 0x1d;
    expect(act(world, headersRule, { chain: own, headers: spoilt })).toBe("bad-difficulty");
  });

  test("keeps the first of two equal branches, and goes over to the one with more work", () => {
    const world = createWorld();
    const [base] = chain(world, 1);
    const first = chain(world, 3, base);
    const second = chain(world, 4, base);
    bring(world, base as Block, ...first);
    bring(world, ...second.slice(0, 3));
    expect(tipOf(world).hash).toEqual(first[2]?.hash);
    bring(world, second[3] as Block);
    expect(tipOf(world)).toEqual({ hash: second[3]?.hash, height: 5 });
    expect(bestHash(world.state, 2)).toEqual(second[0]?.hash);
    expect(bestHash(world.state, 6)).toBeUndefined();
    endBlock(world);
  });

  test("goes back to a branch that it left when that one grows again", () => {
    const world = createWorld();
    const first = chain(world, 2);
    const second = chain(world, 3, { ...(first[0] as Block) });
    bring(world, ...first);
    bring(world, ...second);
    expect(tipOf(world).hash).toEqual(second[2]?.hash);
    const more = chain(world, 3, first[1]);
    expect(bring(world, ...more)).toBeUndefined();
    expect(tipOf(world)).toEqual({ hash: more[2]?.hash, height: 5 });
    expect(bestHash(world.state, 2)).toEqual(first[1]?.hash);
  });

  test("refuses a branch that leaves deeper than one action may rewrite", () => {
    const world = createWorld();
    world.time += 10_000_000;
    const blocks = chain(world, forkDepthMax + 2);
    bring(world, ...blocks.slice(0, 2_000));
    bring(world, ...blocks.slice(2_000));
    const [late] = chain(world, 1, blocks[0]);
    expect(bring(world, late as Block)).toBe("fork-too-deep");
    const [near] = chain(world, 1, blocks[2]);
    expect(bring(world, near as Block)).toBeUndefined();
  });
});
