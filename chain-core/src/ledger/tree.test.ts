import type { Put } from "@causeway/primitives";
import { concat, keyOf, sha256, taggedHash, zero32 } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { modules } from "./state.ts";
import type { Tree } from "./tree.ts";
import { emptyTree, prove, recordProofCodec, root, update, verifyProof } from "./tree.ts";

/** Few distinct keys, so that writes meet; values of any size, undefined deletes. */
const put: fc.Arbitrary<Put> = fc
  .record({
    module: fc.constantFrom(...Object.values(modules)),
    name: fc.nat(40),
    value: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }),
  })
  .map(({ module, name, value }) => ({
    key: Uint8Array.of(module, 1, name),
    ...(value && { value }),
  }));

/** CON-8 as it reads, without any cleverness. */
function naiveRoot(records: ReadonlyMap<string, Put>): Uint8Array {
  const moduleRoots = [zero32 as Uint8Array];
  for (let module = 2; module <= 6; module++) {
    const buckets: Uint8Array[][] = Array.from({ length: 4096 }, () => []);
    for (const { key, value } of records.values()) {
      if (key[0] !== module || value === undefined) continue;
      const keyHash = sha256(key);
      const bucket = ((keyHash[0] ?? 0) << 4) | ((keyHash[1] ?? 0) >> 4);
      buckets[bucket]?.push(concat(keyHash, sha256(value)));
    }
    let level = buckets.map((entries) =>
      taggedHash("causeway/state-bucket/v1", ...entries.sort((a, b) => Buffer.compare(a, b))),
    );
    while (level.length > 1)
      level = Array.from({ length: level.length / 2 }, (_, i) =>
        taggedHash("causeway/state-branch/v1", level[2 * i] ?? zero32, level[2 * i + 1] ?? zero32),
      );
    moduleRoots.push(level[0] ?? zero32);
  }
  return taggedHash("causeway/state-root/v1", ...moduleRoots);
}

function recordsOf(puts: readonly Put[]): Map<string, Put> {
  const records = new Map<string, Put>();
  for (const each of puts)
    if (each.value === undefined) records.delete(keyOf(each.key));
    else records.set(keyOf(each.key), each);
  return records;
}

const grow = (puts: readonly Put[]): Tree => update(emptyTree, puts);

describe("the state tree (CON-8)", () => {
  test("has the root of the naive model, in one update or in many", () => {
    fc.assert(
      fc.property(fc.array(put, { maxLength: 60 }), fc.nat(60), (puts, cut) => {
        const whole = root(grow(puts));
        const pieces = update(grow(puts.slice(0, cut)), puts.slice(cut));
        expect(keyOf(root(pieces))).toBe(keyOf(whole));
        expect(keyOf(naiveRoot(recordsOf(puts)))).toBe(keyOf(whole));
      }),
      { numRuns: 8 },
    );
  });

  test("has one root for one content, whatever was written in between and in any order", () => {
    fc.assert(
      fc.property(fc.array(put, { maxLength: 80 }), (puts) => {
        const last = [...recordsOf(puts).values()];
        const oneByOne = puts.reduce((tree, each) => update(tree, [each]), emptyTree);
        expect(keyOf(root(grow(last.reverse())))).toBe(keyOf(root(oneByOne)));
      }),
      { numRuns: 100 },
    );
  });

  test("proves every record and every absence, and nothing else", () => {
    fc.assert(
      fc.property(fc.array(put, { maxLength: 60 }), put, (puts, { key }) => {
        fc.pre((key[0] ?? 0) >= modules.interchain);
        const tree = grow(puts);
        const value = recordsOf(puts).get(keyOf(key))?.value;
        const proof = prove(tree, key);
        expect(recordProofCodec.decode(recordProofCodec.encode(proof))).toEqual(proof);
        expect(verifyProof(root(tree), key, value, proof)).toBe(true);
        expect(verifyProof(root(tree), key, concat(value ?? zero32, zero32), proof)).toBe(false);
        if (value !== undefined) expect(verifyProof(root(tree), key, undefined, proof)).toBe(false);
        expect(verifyProof(zero32, key, value, proof)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  test("leaves out the outputs, whose module's slot stays zero", () => {
    const key = Uint8Array.of(modules.utxo, 1, 7);
    expect(root(grow([{ key, value: zero32 }]))).toEqual(root(emptyTree));
    const proof = prove(emptyTree, Uint8Array.of(modules.ring, 1));
    expect(proof.modules[0]).toEqual(zero32);
    expect(verifyProof(root(emptyTree), key, undefined, proof)).toBe(false);
  });

  test("accepts no proof with a byte changed, a piece missing or a bucket out of order", () => {
    const keys = Array.from({ length: 400 }, (_, i) =>
      Uint8Array.of(modules.ring, 1, i >> 8, i & 255),
    );
    const tree = grow(keys.map((key) => ({ key, value: key })));
    // A bucket of two records, whose order can be wrong.
    const key = keys.find((each) => prove(tree, each).bucket.length === 128) ?? zero32;
    const proof = prove(tree, key);
    const swapped = concat(proof.bucket.subarray(64), proof.bucket.subarray(0, 64));
    expect(verifyProof(root(tree), key, key, proof)).toBe(true);
    for (const bad of [
      { ...proof, bucket: swapped },
      { ...proof, bucket: proof.bucket.subarray(1) },
      { ...proof, bucket: proof.bucket.subarray(0, 64) },
      { ...proof, siblings: proof.siblings.slice(1) },
      { ...proof, modules: proof.modules.slice(1) },
      { ...proof, siblings: proof.siblings.map((hash, i) => (i === 5 ? zero32 : hash)) },
      { ...proof, modules: proof.modules.map((hash, i) => (i === 4 ? zero32 : hash)) },
    ])
      expect(verifyProof(root(tree), key, key, bad)).toBe(false);
  });

  test("accepts no hashes of other sizes, which shift one module's root into the place of another's", () => {
    const key = Uint8Array.of(modules.interchain, 1);
    const bits = (of: Uint8Array): string => keyOf(sha256(of)).slice(0, 3);
    const others = Array.from({ length: 65_536 }, (_, i) =>
      Uint8Array.of(modules.ring, 1, i >> 8, i & 255),
    );
    const other = others.find((each) => bits(each) === bits(key)) ?? zero32;
    const tree = grow([
      { key, value: zero32 },
      { key: other, value: zero32 },
    ]);
    const { bucket, siblings, modules: roots } = prove(tree, other);
    const [utxo, interchain, ring, staking, beacon, system] = roots.map((each) => [...each]);
    const shifted = [[...(utxo ?? []), ...(interchain ?? [])], ring, staking, beacon, system, []];
    const forged = {
      bucket,
      siblings,
      modules: shifted.map((each) => Uint8Array.from(each ?? [])),
    };
    expect(verifyProof(root(tree), key, undefined, forged)).toBe(false);
  });

  test("keeps earlier trees as they were", () => {
    const key = Uint8Array.of(modules.ring, 1);
    const before = grow([{ key, value: zero32 }]);
    const hash = root(before);
    update(before, [
      { key, value: hash },
      { key: Uint8Array.of(modules.ring, 2), value: hash },
    ]);
    expect(root(before)).toEqual(hash);
    expect(verifyProof(hash, key, zero32, prove(before, key))).toBe(true);
    expect(root(update(before, [{ key }]))).toEqual(root(emptyTree));
  });
});
