// The folder that a snapshot is loaded into: what a kill, a torn write, a turned bit or another snapshot leave of it.
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Put } from "@causeway/primitives";
import { equal, must, seeded, sha256 } from "@causeway/primitives";
import { openLevelStore } from "@causeway/primitives/adapters/level-store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { blockId, headerCodec } from "../codec/block.ts";
import { committeeOf } from "../ledger/committee.ts";
import { genesisState } from "../ledger/genesis-state.ts";
import { memoryState } from "../ledger/memory-state.ts";
import { testBls, testGenesis, validatorSecret } from "../ledger/testing.ts";
import { emptyTree, root, update } from "../ledger/tree.ts";
import { utxoCommitment } from "../ledger/utxo/commitment.ts";
import type { Manifest } from "../snapshot/chunks.ts";
import type { Edges, Joined } from "../snapshot/join-state.ts";
import { testFinality, testHeader } from "../snapshot/testing.ts";
import { stateKey } from "./node-keys.ts";
import { openNodeStore } from "./node-store.ts";
import { openStaging } from "./staging.ts";

const genesis = testGenesis(4);
const chunks = 5;
const records = genesisState(genesis)
  .filter((put): put is Required<Put> => put.value !== undefined)
  .sort((a, b) => Buffer.compare(a.key, b.key));
const size = Math.ceil(records.length / chunks);
const chunkOf = (index: number): Required<Put>[] => records.slice(index * size, (index + 1) * size);
const edgesOf = (index: number): Edges => ({
  first: must(chunkOf(index)[0], "first").key,
  last: must(chunkOf(index).at(-1), "last").key,
});

const seats = {
  network: genesis.networkId,
  bls: testBls,
  committee: committeeOf(genesis),
  secret: (seat: number) => validatorSecret(seat, "consensusKey"),
};
const endHeader = testHeader(seats, 0, { height: 9, time: 9_000 });
const manifest: Manifest = {
  epoch: 1,
  height: 9,
  block: blockId(genesis.networkId, endHeader),
  chunks,
  size: 1_000,
  tree: sha256(Uint8Array.of(3)),
};
/** Under which the loaded state is what it should be. */
const joined: Joined = {
  kind: "joined",
  manifest,
  after: testHeader(seats, 1, {
    height: 10,
    stateRoot: root(update(emptyTree, records)),
    utxoCommitment: utxoCommitment(memoryState(records)),
  }),
  ends: [{ height: 9, finality: testFinality(seats, 0, endHeader) }],
};

let base: string;
let folder: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "staging-"));
  folder = join(base, "staging");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Loads chunks and goes away as a killed process does: nothing is finished. */
async function load(count: number, of: Manifest = manifest): Promise<number> {
  const staging = await openStaging(folder, genesis);
  const kept = await staging.begin(of);
  for (let index = 0; index < count; index++)
    if (kept === 0 || staging.loaded?.chunks.has(index) !== true)
      await staging.store(index, edgesOf(index), chunkOf(index));
  await staging.close();
  return kept;
}
async function loadedIn(path: string): Promise<ReadonlyMap<number, Edges>> {
  const staging = await openStaging(path, genesis);
  const chunksHere = staging.loaded?.chunks ?? new Map();
  await staging.close();
  return chunksHere;
}

test("a run after a kill keeps the chunks that were stored, and ends as a node's store", async () => {
  expect(await load(3)).toBe(0);
  const kept = await loadedIn(folder);
  expect([...kept.keys()]).toEqual([0, 1, 2]);
  for (const [index, { first, last }] of kept) {
    expect(equal(first, edgesOf(index).first)).toBe(true);
    expect(equal(last, edgesOf(index).last)).toBe(true);
  }
  expect(await load(chunks)).toBe(3);
  const staging = await openStaging(folder, genesis);
  await staging.begin(manifest);
  await staging.finish(joined);
  await staging.close();
  const store = await openNodeStore(folder, genesis);
  expect(store.head().height).toBe(9);
  expect(equal(store.head().id, manifest.block)).toBe(true);
  expect(store.lowest()).toBe(10);
  const { header } = must(store.tip(), "tip");
  expect(equal(headerCodec.encode(header), headerCodec.encode(endHeader))).toBe(true);
  for (const { key, value } of records)
    expect(equal(must(store.state.get(key), "record"), value)).toBe(true);
  // Its first block is still to come.
  expect(store.provable()).toBeUndefined();
  await store.close();
});

test("another snapshot throws away what is of the first", async () => {
  await load(3);
  expect(await load(1, { ...manifest, epoch: 2 })).toBe(0);
  expect([...(await loadedIn(folder)).keys()]).toEqual([0]);
});

test("a write that was torn at any byte leaves whole chunks only, and the load goes on", async () => {
  await load(4);
  const log = must(
    readdirSync(folder).find((name) => name.endsWith(".log")),
    "log",
  );
  const whole = statSync(join(folder, log)).size;
  const random = seeded(5);
  const counts = new Set<number>();
  for (let i = 0; i < 25; i++) {
    const copy = join(base, `torn-${i}`);
    cpSync(folder, copy, { recursive: true });
    truncateSync(join(copy, log), random.below(whole));
    const kept = await loadedIn(copy);
    counts.add(kept.size);
    const db = await openLevelStore(copy, { create: false });
    for (const index of kept.keys())
      for (const { key, value } of chunkOf(index))
        expect(equal(db.get(stateKey(key)) ?? new Uint8Array(0), value)).toBe(true);
    await db.close();
  }
  // Both before and after the first chunk, so that the loop has looked at what it is for.
  expect(counts.size).toBeGreaterThan(2);
});

test("files that are rubbish begin anew", async () => {
  await load(2);
  const manifestFile = must(
    readdirSync(folder).find((name) => name.startsWith("MANIFEST")),
    "LevelDB's manifest",
  );
  writeFileSync(join(folder, manifestFile), readFileSync(join(folder, manifestFile)).fill(0xee));
  expect((await loadedIn(folder)).size).toBe(0);
  expect(await load(chunks)).toBe(0);
});

test("a state that is not its header's is refused with a sentence, and loaded anew", async () => {
  await load(chunks);
  const staging = await openStaging(folder, genesis);
  await staging.begin(manifest);
  const after = { ...joined.after, utxoCommitment: sha256(Uint8Array.of(4)) };
  await expect(staging.finish({ ...joined, after })).rejects.toMatchObject({
    code: "state-mismatch",
    message: expect.stringMatching(/start again/),
  });
  await staging.close();
  expect((await loadedIn(folder)).size).toBe(0);
});

test("an entry that turned on the disk does not become a store that opens", async () => {
  await load(chunks);
  const db = await openLevelStore(folder, { create: false });
  const { key, value } = must(records.at(-1), "record");
  await db.write([{ key: stateKey(key), value: Uint8Array.from(value, (byte) => byte ^ 1) }]);
  await db.close();
  const staging = await openStaging(folder, genesis);
  await staging.finish(joined);
  await staging.close();
  await expect(openNodeStore(folder, genesis)).rejects.toMatchObject({
    code: "state-mismatch",
    message: expect.stringMatching(/--resync/),
  });
});
