// CON-8: chunks that two nodes cut alike, and proofs that no other bytes, place or count pass.
import type { NetworkId } from "@causeway/primitives";
import { bigEndian, concat, isRejected, must, sha256 } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Entry, Manifest } from "./chunks.ts";
import {
  chunker,
  chunkHash,
  chunkSizeMax,
  chunkTree,
  encodeChunk,
  entrySize,
  parseChunk,
  snapshotRoot,
  verifyChunk,
} from "./chunks.ts";
import { encodeSync, parseSync } from "./message.ts";

const network = sha256(new Uint8Array(1)) as unknown as NetworkId;

function entries(count: number, size = 80): Entry[] {
  return Array.from({ length: count }, (_, i) => ({
    key: concat(Uint8Array.of(1, 1), bigEndian(i, 4)),
    value: new Uint8Array(size).fill(i & 0xff),
  }));
}

function cut(all: readonly Entry[]): Uint8Array[] {
  const cutter = chunker();
  const chunks = all.flatMap((entry) => cutter.add(entry) ?? []);
  return [...chunks, ...[cutter.end()].flatMap((last) => last ?? [])];
}

function manifestOf(chunks: readonly Uint8Array[]): {
  manifest: Manifest;
  path: (index: number) => Uint8Array[];
} {
  const tree = chunkTree(
    network,
    chunks.map((chunk, i) => chunkHash(network, i, chunk)),
  );
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const manifest = {
    epoch: 3,
    height: 30,
    block: sha256(Uint8Array.of(30)),
    chunks: chunks.length,
    size,
    tree: tree.root,
  };
  return { manifest, path: tree.path };
}

describe("chunks", () => {
  it("hold every record in order and fill up to the bound", () => {
    const all = entries(10_000);
    const chunks = cut(all);
    expect(chunks.length).toBe(
      Math.ceil((10_000 * entrySize(must(all[0], "entry"))) / chunkSizeMax),
    );
    const back = chunks.flatMap((chunk) => {
      const parsed = parseChunk(chunk);
      return isRejected(parsed) ? [] : parsed;
    });
    expect(back).toEqual(all);
    for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(chunkSizeMax);
  });

  it("are refused when torn, empty, too long, or out of order", () => {
    const chunk = encodeChunk(entries(3));
    expect(parseChunk(chunk.subarray(0, chunk.length - 1))).toMatchObject({ code: "bad-chunk" });
    expect(parseChunk(new Uint8Array(0))).toMatchObject({ code: "bad-chunk" });
    expect(parseChunk(new Uint8Array(chunkSizeMax + 1))).toMatchObject({ code: "bad-chunk" });
    const [a, b] = entries(2);
    const swapped = encodeChunk([must(b, "b"), must(a, "a")]);
    expect(parseChunk(swapped)).toMatchObject({ code: "bad-chunk" });
    const twice = encodeChunk([must(a, "a"), must(a, "a")]);
    expect(parseChunk(twice)).toMatchObject({ code: "bad-chunk" });
  });

  it("of any bytes are refused without a throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        parseChunk(bytes);
        parseSync(bytes);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("the chunk tree", () => {
  it("proves each of any number of chunks at its own place alone", () => {
    for (const count of [1, 2, 3, 4, 5, 7, 8, 13]) {
      const chunks = Array.from({ length: count }, (_, i) => encodeChunk(entries(i + 1)));
      const { manifest, path } = manifestOf(chunks);
      for (const [i, chunk] of chunks.entries()) {
        expect(verifyChunk(network, manifest, i, chunk, path(i))).toBe(true);
        for (let other = 0; other <= count; other++)
          if (other !== i)
            expect(verifyChunk(network, manifest, other, chunk, path(i))).toBe(false);
      }
    }
  });

  it("refuses a flipped bit, a longer path, and another count", () => {
    const chunks = Array.from({ length: 6 }, (_, i) => encodeChunk(entries(i + 1)));
    const { manifest, path } = manifestOf(chunks);
    const chunk = must(chunks[5], "chunk");
    for (const at of [0, 7, chunk.length - 1]) {
      const flipped = Uint8Array.from(chunk);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      expect(verifyChunk(network, manifest, 5, flipped, path(5))).toBe(false);
    }
    const longer = [...path(5), sha256(new Uint8Array(0))];
    expect(verifyChunk(network, manifest, 5, chunk, longer)).toBe(false);
    expect(verifyChunk(network, manifest, 5, chunk, [new Uint8Array(31)])).toBe(false);
    expect(verifyChunk(network, { ...manifest, chunks: 7 }, 5, chunk, path(5))).toBe(false);
    const root = snapshotRoot(network, manifest);
    expect(snapshotRoot(network, { ...manifest, height: 31 })).not.toEqual(root);
    expect(snapshotRoot(network, { ...manifest, size: 1 })).not.toEqual(root);
  });
});

describe("sync messages", () => {
  it("are read back as they were written", () => {
    const { manifest, path } = manifestOf([encodeChunk(entries(2)), encodeChunk(entries(3))]);
    const finality = {
      header: new Uint8Array(3),
      certificate: new Uint8Array(4),
      committee: new Uint8Array(5),
    };
    const messages = [
      { kind: "headersRequest", from: 7, exact: true },
      { kind: "headers", from: 7, headers: [finality] },
      { kind: "offersRequest" },
      { kind: "offers", manifests: [manifest] },
      { kind: "chunkRequest", epoch: 3, index: 1 },
      { kind: "chunk", epoch: 3, index: 1, chunk: encodeChunk(entries(3)), path: path(1) },
      { kind: "addressesRequest", port: 18_500 },
      { kind: "addresses", addresses: [new Uint8Array(9)] },
    ] as const;
    for (const message of messages) expect(parseSync(encodeSync(message))).toEqual(message);
    expect(parseSync(new Uint8Array(0))).toMatchObject({ code: "unknown-kind" });
    expect(parseSync(Uint8Array.of(99, 1))).toMatchObject({ code: "unknown-kind" });
  });
});
