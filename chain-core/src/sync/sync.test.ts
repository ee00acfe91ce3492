import { must } from "@causeway/primitives";
import { describe, expect, it } from "vitest";
import * as sync from "./sync.ts";

function ahead(...heights: number[]): sync.Sync {
  const state = sync.sync();
  for (const [i, height] of heights.entries()) {
    sync.connect(state, `p${i}`);
    sync.claim(state, `p${i}`, height);
  }
  return state;
}

const final = { block: new Uint8Array(1), certificate: new Uint8Array(1) };

/** What is to be asked of whom now: peer, first height, count. */
function asked(state: sync.Sync, height: number, at: number): [string, number, number][] {
  const { requests } = sync.next(state, height, at, 64);
  return requests.map(({ peer, from, count }) => [peer, from, count]);
}

/** `peer` answers the range from `from` on, with all or with `count` blocks. */
function serve(state: sync.Sync, peer: string, from: number, count?: number): void {
  const request = must(sync.awaited(state, peer, from), "request");
  const blocks = new Array(count ?? request.count).fill(final);
  sync.answered(state, request, blocks, false);
}

describe("block sync", () => {
  it("asks nobody while nobody is ahead", () => {
    expect(asked(ahead(5, 5), 5, 0)).toEqual([]);
    expect(sync.deadline(ahead(5, 5), 5, 0)).toBeUndefined();
  });

  it("asks at once when far behind, and after a moment when one block behind", () => {
    expect(asked(ahead(100), 5, 0)[0]).toEqual(["p0", 6, 64]);
    const close = ahead(6);
    expect(asked(close, 5, 1_000)).toEqual([]);
    const at = sync.deadline(close, 5, 1_000) ?? 0;
    expect(at).toBe(1_000 + sync.graceMs);
    expect(asked(close, 5, at)).toEqual([["p0", 6, 1]]);
  });

  it("asks several peers for a range each, in order, up to a bound", () => {
    const state = ahead(10_000, 10_000, 150);
    expect(asked(state, 0, 0)).toEqual([
      ["p0", 1, 64],
      ["p1", 65, 64],
      ["p2", 129, 22],
      ["p0", 151, 64],
    ]);
    expect(asked(state, 0, 1)).toEqual([]);
    serve(state, "p1", 65);
    expect(asked(state, 0, 2)).toEqual([["p1", 215, 64]]);
    // What waits for the first range is bounded too: 64 blocks may be 4 MiB.
    for (let i = 0; i < 20; i++) {
      const range = state.ranges.find(({ from, blocks }) => from > 1 && blocks === undefined);
      if (range !== undefined) serve(state, range.peer, range.from);
      asked(state, 0, 3);
    }
    expect(state.ranges.length).toBe(sync.rangesMax);
    expect(sync.deadline(state, 0, 3)).toBe(sync.answerTimeoutMs);
  });

  it("gives blocks in order as soon as they are here, and forgets what is final", () => {
    const state = ahead(130, 130);
    asked(state, 0, 0);
    serve(state, "p1", 65);
    expect(sync.take(state, 0)).toBeUndefined();
    serve(state, "p0", 1);
    expect(sync.take(state, 0)).toEqual({ peer: "p0", block: final });
    expect(sync.take(state, 64)).toMatchObject({ peer: "p1" });
    asked(state, 70, 1);
    expect(state.ranges.map(({ from }) => from)).toEqual([65, 129]);
  });

  it("asks another for the range of a peer that is silent, rubbish or gone", () => {
    const state = ahead(100, 100, 100);
    expect(asked(state, 5, 0)).toEqual([
      ["p0", 6, 64],
      ["p1", 70, 31],
    ]);
    const at = sync.deadline(state, 5, 0) ?? 0;
    serve(state, "p1", 70);
    const late = sync.next(state, 5, at, 64);
    expect(late.silent).toEqual(["p0"]);
    expect(late.requests).toMatchObject([{ peer: "p1", from: 6, count: 64 }]);
    expect(state.inFlight).toBe(2);
    sync.failed(state, "p1", at);
    expect(asked(state, 5, at)).toEqual([
      ["p2", 6, 64],
      ["p2", 70, 31],
    ]);
    sync.disconnect(state, "p2");
    sync.claim(state, "p0", 100);
    expect(asked(state, 5, at)).toEqual([]);
    expect(sync.deadline(state, 5, at)).toBe(at + sync.restMs);
    expect(asked(state, 5, at + sync.restMs)).toMatchObject([
      ["p0", 6, 64],
      ["p0", 70, 31],
    ]);
  });

  it("prefers who served to who failed, and lets that one rest longer each time", () => {
    const state = ahead(1_000, 1_000);
    for (const rests of [1, 2, 4]) {
      const at = state.peers.get("p0")?.restUntil ?? 0;
      sync.failed(state, "p0", at);
      expect(state.peers.get("p0")?.restUntil).toBe(at + rests * sync.restMs);
    }
    sync.claim(state, "p0", 1_000);
    expect(asked(state, 0, 1e9).map(([peer]) => peer)).toEqual(["p1", "p1", "p0", "p0"]);
  });

  it("believes no more of a claim than was served", () => {
    const state = ahead(1_000);
    expect(asked(state, 0, 0)).toEqual([
      ["p0", 1, 64],
      ["p0", 65, 64],
    ]);
    serve(state, "p0", 1, 10);
    expect(asked(state, 10, 1)).toEqual([]);
    sync.claim(state, "p0", 1_000);
    expect(asked(state, 10, 1)).toEqual([["p0", 11, 54]]);
  });

  it("does not ask a peer for what it pruned, and knows when nobody has it", () => {
    const state = ahead(100, 100);
    sync.claim(state, "p0", 100, 7);
    expect(asked(state, 5, 0)).toEqual([
      ["p1", 6, 64],
      ["p0", 70, 31],
    ]);
    sync.disconnect(state, "p1");
    expect(sync.isCutOff(state, 5)).toBe(true);
    expect(asked(state, 5, 0)).toEqual([]);
    expect(sync.isCutOff(state, 6)).toBe(false);
    expect(asked(state, 6, 0)).toEqual([["p0", 7, 63]]);
  });

  it("serves blocks up to count and size, and stops at the first that is missing", () => {
    const blocks = (height: number): { block: Uint8Array; certificate: Uint8Array } | undefined =>
      height > 10 ? undefined : { block: new Uint8Array(100), certificate: new Uint8Array(height) };
    expect(sync.serve(blocks, 1, 5, 10_000).length).toBe(5);
    expect(sync.serve(blocks, 8, 64, 10_000).length).toBe(3);
    expect(sync.serve(blocks, 1, 64, 250).length).toBe(2);
    expect(sync.serve(blocks, 11, 64, 250)).toEqual([]);
  });
});
