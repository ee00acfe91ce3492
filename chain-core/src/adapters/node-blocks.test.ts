// Pruning (ADR 0010): what is deleted, what stays, and what a crash on the way leaves.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NetworkId, Store } from "@causeway/primitives";
import { must, sha256 } from "@causeway/primitives";
import { openLevelStore } from "@causeway/primitives/adapters/level-store";
import { testBls } from "@causeway/primitives/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { testCommittee, testSecret } from "../consensus/testing.ts";
import { testFinality, testHeader } from "../snapshot/testing.ts";
import {
  blockAt,
  blockPuts,
  epochEnds,
  finalAt,
  finalities,
  finalityAt,
  finalityPut,
  lowestOf,
  pruneBlocks,
  pruneTarget,
} from "./node-blocks.ts";
import { finalityKey } from "./node-keys.ts";

const bls = testBls();
const network = sha256(Uint8Array.of(1)) as Uint8Array as NetworkId;
const seats = { network, bls, committee: testCommittee(bls, 4), secret: testSecret };
const ends = [200, 400, 600, 800];
const newest = 900;
let folder: string;
let db: Store;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "blocks-"));
  db = await openLevelStore(join(folder, "db"), { create: true });
  const heights = Array.from({ length: newest }, (_, i) => i + 1);
  const bytesOf = (height: number): Uint8Array => Uint8Array.of(height >> 8, height);
  await db.write(
    heights.flatMap((at) => blockPuts(at, { block: bytesOf(at), certificate: bytesOf(at) })),
  );
  for (const [epoch, height] of ends.entries()) {
    const finality = testFinality(seats, epoch, testHeader(seats, epoch, { height }));
    await db.write([finalityPut(height, finality)]);
  }
});
afterEach(async () => {
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

test("blocks from two epochs before a snapshot on stay", async () => {
  expect(await pruneTarget(db, 200)).toBe(1);
  expect(await pruneTarget(db, 400)).toBe(1);
  expect(await pruneTarget(db, 600)).toBe(201);
  expect(await pruneTarget(db, 800)).toBe(401);
});

test("pruned blocks are gone, ends of epochs are not", async () => {
  expect(lowestOf(db)).toBe(1);
  expect(await pruneBlocks(db, 601, () => false)).toBe(600);
  expect(lowestOf(db)).toBe(601);
  for (const height of [1, 200, 600]) expect(blockAt(db, height)).toBeUndefined();
  expect(blockAt(db, 601)).toBeDefined();
  expect(finalAt(db, 599)).toBeUndefined();
  expect(finalityAt(db, 599)).toBeUndefined();
  expect(finalAt(db, 600)?.header.height).toBe(600);
  expect(must(finalityAt(db, 600), "end").committee.length).toBeGreaterThan(0);
  expect(await epochEnds(db)).toEqual(ends);
  expect(await finalities(db, 201, false)).toHaveLength(3);
  expect(await finalities(db, 599, true)).toEqual([]);
});

test("a run that was stopped says how far it came, and the next one goes on", async () => {
  let asked = 0;
  const count = await pruneBlocks(db, 801, () => ++asked > 2);
  expect(count).toBe(512);
  expect(lowestOf(db)).toBe(513);
  expect(blockAt(db, 512)).toBeUndefined();
  expect(blockAt(db, 513)).toBeDefined();
  expect(await pruneBlocks(db, 801, () => false)).toBe(288);
  expect(await pruneBlocks(db, 801, () => false)).toBe(0);
  expect(lowestOf(db)).toBe(801);
});

test("an end of an epoch that turned on the disk is told, and served to nobody", async () => {
  const stored = must(db.get(finalityKey(400)), "end");
  for (const at of [0, 90, stored.length - 1]) {
    const turned = Uint8Array.from(stored);
    turned[at] = (turned[at] ?? 0) ^ 1;
    await db.write([{ key: finalityKey(400), value: turned }]);
    await expect(finalities(db, 1, false)).rejects.toMatchObject({
      code: "state-mismatch",
      message: expect.stringMatching(/block 400 is damaged.*--resync/),
    });
    expect(() => finalityAt(db, 400)).toThrow(/damaged/);
  }
});
