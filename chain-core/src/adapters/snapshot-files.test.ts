// A snapshot's files as written, and as a disk leaves them that turns bits or loses the end of a write.
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NetworkId } from "@causeway/primitives";
import { bigEndian, isRejected, must, sha256 } from "@causeway/primitives";
import { afterEach, beforeEach, expect, test } from "vitest";
import { chunkSizeMax, parseChunk, verifyChunk } from "../snapshot/chunks.ts";
import { openSnapshot, writeSnapshot } from "./snapshot-files.ts";

const network = sha256(Uint8Array.of(1)) as Uint8Array as NetworkId;
const of = { epoch: 3, height: 77, block: sha256(Uint8Array.of(2)) };
const count = 3_000;
let folder: string;

/** Some 3 chunks. */
async function* records(): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
  for (let i = 0; i < count; i++) yield [bigEndian(i, 4), new Uint8Array(200).fill(i)];
}
const write = () => writeSnapshot(network, folder, of, records(), () => false);
const open = async () => must(await openSnapshot(network, folder), "snapshot");
function flip(name: string, at: number): void {
  const bytes = readFileSync(join(folder, name));
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(join(folder, name), bytes);
}

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "snapshot-")), "3");
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

test("what is written is read with proofs, in order and whole", async () => {
  const manifest = must(await write(), "manifest");
  expect(manifest).toMatchObject({ ...of, chunks: 3 });
  const snapshot = await open();
  expect(snapshot.manifest).toEqual(manifest);
  let next = 0;
  for (let index = 0; index < manifest.chunks; index++) {
    const read = await snapshot.read(index);
    if (isRejected(read)) throw new Error(read.message);
    expect(verifyChunk(network, manifest, index, read.chunk, read.path)).toBe(true);
    const entries = parseChunk(read.chunk);
    if (isRejected(entries)) throw new Error(entries.message);
    for (const { key } of entries) expect(key).toEqual(bigEndian(next++, 4));
  }
  expect(next).toBe(count);
  await snapshot.close();
});

test("a bit that turned in the chunks refuses that chunk alone, and says what to do", async () => {
  await write();
  flip("chunks", chunkSizeMax + 5_000);
  const snapshot = await open();
  expect(await snapshot.read(0)).toHaveProperty("chunk");
  expect(await snapshot.read(1)).toMatchObject({
    code: "damaged-chunk",
    message: expect.stringMatching(/removed.*check the disk/),
  });
  expect(await snapshot.read(2)).toHaveProperty("chunk");
  await snapshot.close();
});

test("chunks that lost their end refuse the last one", async () => {
  const { size } = must(await write(), "manifest");
  truncateSync(join(folder, "chunks"), size - 1);
  const snapshot = await open();
  expect(await snapshot.read(2)).toMatchObject({ code: "damaged-chunk" });
  await snapshot.close();
});

test("an index with any bit turned, or torn, is no snapshot", async () => {
  await write();
  const whole = readFileSync(join(folder, "index"));
  for (let at = 0; at < whole.length; at += 7) {
    flip("index", at);
    expect(await openSnapshot(network, folder)).toBeUndefined();
    writeFileSync(join(folder, "index"), whole);
  }
  for (const size of [0, 3, whole.length - 1]) {
    writeFileSync(join(folder, "index"), whole.subarray(0, size));
    expect(await openSnapshot(network, folder)).toBeUndefined();
  }
});

test("one that was cut off has no index, and writing begins anew", async () => {
  let asked = 0;
  const cut = await writeSnapshot(network, folder, of, records(), () => ++asked > count / 2);
  expect(cut).toBeUndefined();
  expect(existsSync(join(folder, "index"))).toBe(false);
  expect(await openSnapshot(network, folder)).toBeUndefined();
  expect(await write()).toMatchObject({ chunks: 3 });
});
