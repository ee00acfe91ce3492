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

describe("block sync", () => {
  it("asks nobody while nobody is ahead", () => {
    expect(sync.next(ahead(5, 5), 5, 0, 64)).toBeUndefined();
    expect(sync.deadline(ahead(5, 5), 5)).toBeUndefined();
  });

  it("asks at once when far behind, and after a moment when one block behind", () => {
    expect(sync.next(ahead(100), 5, 0, 64)).toMatchObject({ peer: "p0", from: 6, count: 64 });
    const close = ahead(6);
    expect(sync.next(close, 5, 1_000, 64)).toBeUndefined();
    const at = sync.deadline(close, 5) ?? 0;
    expect(at).toBe(1_000 + sync.graceMs);
    expect(sync.next(close, 5, at, 64)).toMatchObject({ from: 6, count: 1 });
  });

  it("asks one peer at a time, and the next when one does not answer", () => {
    const state = ahead(100, 100);
    expect(sync.next(state, 5, 0, 64)?.peer).toBe("p0");
    expect(sync.next(state, 5, 1, 64)).toBeUndefined();
    const at = sync.deadline(state, 5) ?? 0;
    expect(sync.next(state, 5, at, 64)?.peer).toBe("p1");
    sync.failed(state, at);
    sync.claim(state, "p0", 100);
    expect(sync.next(state, 5, at, 64)).toBeUndefined();
    expect(sync.next(state, 5, at + sync.restMs, 64)?.peer).toBe("p0");
  });

  it("does not ask a peer for what it pruned, and knows when nobody has it", () => {
    const state = ahead(100, 100);
    sync.claim(state, "p0", 100, 7);
    expect(sync.next(state, 5, 0, 64)?.peer).toBe("p1");
    sync.disconnect(state, "p1");
    expect(sync.isCutOff(state, 5)).toBe(true);
    expect(sync.next(state, 5, 0, 64)).toBeUndefined();
    expect(sync.deadline(state, 5)).toBeUndefined();
    expect(sync.isCutOff(state, 6)).toBe(false);
    expect(sync.next(state, 6, 0, 64)).toMatchObject({ peer: "p0", from: 7 });
  });

  it("forgets the request of a peer that left", () => {
    const state = ahead(100, 90);
    expect(sync.next(state, 5, 0, 64)?.peer).toBe("p0");
    sync.disconnect(state, "p0");
    expect(sync.next(state, 5, 0, 64)?.peer).toBe("p1");
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
