// A snapshot on disk: `chunks`, one after the other, and `index` with the manifest and each chunk's size and hash,
// written last. A folder without a whole index is the rest of a build that was cut off.
import { existsSync, readFileSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import {
  bigEndian,
  bytes32,
  concat,
  equal,
  fromBigEndian,
  isRejected,
  must,
  rejected,
} from "@causeway/primitives";
import { replaceFile } from "@causeway/primitives/adapters/journal";
import type { ChunkTree, Manifest } from "../snapshot/chunks.ts";
import { chunker, chunkHash, chunkTree, manifestCodec } from "../snapshot/chunks.ts";

/** A complete snapshot in its folder. */
export type SnapshotFiles = {
  readonly manifest: Manifest;
  /** The chunk and its proof; `damaged-chunk`: the file is not what was written. */
  readonly read: (
    index: number,
  ) => Promise<
    { readonly chunk: Uint8Array; readonly path: Bytes32[] } | Rejected<"damaged-chunk">
  >;
  readonly close: () => Promise<void>;
};

const chunksFile = (folder: string): string => join(folder, "chunks");
const indexFile = (folder: string): string => join(folder, "index");
const entrySize = 4 + 32;

type Index = {
  readonly manifest: Manifest;
  readonly sizes: readonly number[];
  readonly hashes: readonly Bytes32[];
};

/** Manifest's size, manifest, then size and hash per chunk, then the CRC of all that. */
function encodeIndex({ manifest, sizes, hashes }: Index): Uint8Array {
  const head = manifestCodec.encode(manifest);
  const body = concat(
    bigEndian(head.length, 4),
    head,
    ...hashes.flatMap((hash, i) => [bigEndian(sizes[i] ?? 0, 4), hash]),
  );
  return concat(body, bigEndian(crc32(body), 4));
}

function parseIndex(network: NetworkId, bytes: Uint8Array): Index | undefined {
  const body = bytes.subarray(0, Math.max(0, bytes.length - 4));
  if (body.length < 4 || Number(fromBigEndian(bytes.subarray(body.length))) !== crc32(body))
    return undefined;
  const headEnd = 4 + Number(fromBigEndian(body.subarray(0, 4)));
  const manifest = manifestCodec.parse(body.slice(4, headEnd));
  if (isRejected(manifest) || body.length !== headEnd + entrySize * manifest.chunks)
    return undefined;
  const sizes: number[] = [];
  const hashes: Bytes32[] = [];
  for (let at = headEnd; at < body.length; at += entrySize) {
    sizes.push(Number(fromBigEndian(body.subarray(at, at + 4))));
    hashes.push(bytes32(body.slice(at + 4, at + entrySize)));
  }
  if (hashes.length === 0 || !equal(chunkTree(network, hashes).root, manifest.tree))
    return undefined;
  return { manifest, sizes, hashes };
}

/** What is snapshot about: everything of the manifest but what the records say. */
export type SnapshotOf = Pick<Manifest, "epoch" | "height" | "block">;

/**
 * Writes the snapshot of `records` (key order) into `folder`, giving way to others after every chunk; undefined when
 * `stopped` said so. Throws where the disk does.
 */
export async function writeSnapshot(
  network: NetworkId,
  folder: string,
  of: SnapshotOf,
  records: AsyncIterable<readonly [Uint8Array, Uint8Array]>,
  stopped: () => boolean,
): Promise<Manifest | undefined> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const sizes: number[] = [];
  const hashes: Bytes32[] = [];
  const file = await open(chunksFile(folder), "w", 0o600);
  try {
    const cutter = chunker();
    const keep = async (chunk: Uint8Array): Promise<void> => {
      hashes.push(chunkHash(network, hashes.length, chunk));
      sizes.push(chunk.length);
      await file.write(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    };
    for await (const [key, value] of records) {
      if (stopped()) return undefined;
      const full = cutter.add({ key, value });
      if (full !== undefined) await keep(full);
    }
    const last = cutter.end();
    if (last !== undefined) await keep(last);
    await file.sync();
  } finally {
    await file.close();
  }
  const size = sizes.reduce((sum, one) => sum + one, 0);
  const tree = chunkTree(network, hashes).root;
  const manifest = { ...of, chunks: hashes.length, size, tree };
  replaceFile(indexFile(folder), [encodeIndex({ manifest, sizes, hashes })]);
  return manifest;
}

/** Undefined where no complete snapshot is, or its index is damaged. */
export async function openSnapshot(
  network: NetworkId,
  folder: string,
): Promise<SnapshotFiles | undefined> {
  if (!existsSync(indexFile(folder)) || !existsSync(chunksFile(folder))) return undefined;
  const index = parseIndex(network, Uint8Array.from(readFileSync(indexFile(folder))));
  if (index === undefined) return undefined;
  const { manifest, sizes, hashes } = index;
  const offsets: number[] = [];
  let offset = 0;
  for (const size of sizes) {
    offsets.push(offset);
    offset += size;
  }
  const file = await open(chunksFile(folder), "r");
  let tree: ChunkTree | undefined;
  return {
    manifest,
    read: async (at) => {
      const chunk = await readAt(file, must(offsets[at], "chunk"), must(sizes[at], "chunk"));
      if (!equal(chunkHash(network, at, chunk), must(hashes[at], "chunk")))
        return rejected("damaged-chunk", damaged(folder, at));
      tree ??= chunkTree(network, hashes);
      return { chunk, path: tree.path(at) };
    },
    close: () => file.close(),
  };
}

async function readAt(file: FileHandle, from: number, size: number): Promise<Uint8Array> {
  const chunk = new Uint8Array(size);
  const { bytesRead } = await file.read(chunk, 0, size, from);
  return chunk.subarray(0, bytesRead);
}

function damaged(folder: string, index: number): string {
  return `chunk ${index} in ${folder} is not what was written: the snapshot is removed, check the disk`;
}
