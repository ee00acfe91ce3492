// A snapshot (CON-8, ADR 0010): the whole state after one block as chunks of records in key order, under one root that
// a header commits to. Chunks are cut greedily, so that two nodes with one state have one root.
import type { Bytes32, Codec, NetworkId, Put, Rejected } from "@causeway/primitives";
import {
  assert,
  ByteListType,
  b32,
  bigEndian,
  ContainerType,
  codec,
  compare,
  concat,
  H,
  ListCompositeType,
  rejected,
  u32,
  u64,
} from "@causeway/primitives";

/** Of one chunk, bytes. */
export const chunkSizeMax: number = 256 * 1024;
/** 256 GiB of state. */
export const chunksMax: number = 2 ** 20;
const pathMax = 20;
/** A length before the key and one before the value. */
const lengthsSize = 6;

/** A record of the state; its value is never absent here. */
export type Entry = { readonly key: Uint8Array; readonly value: Uint8Array };

/** What a snapshot is; {@link snapshotRoot} of it is what the last header of `epoch` commits to. */
export type Manifest = {
  epoch: number;
  /** The last block of the epoch before: the snapshot is the state after it. */
  height: number;
  /** Its id. */
  block: Uint8Array;
  /** Chunks, at least 1. */
  chunks: number;
  /** Bytes of all chunks. */
  size: number;
  /** Merkle root of the chunks' hashes. */
  tree: Uint8Array;
};
export const manifestCodec: Codec<Manifest> = codec(
  "manifest",
  new ContainerType({ epoch: u64, height: u64, block: b32, chunks: u32, size: u64, tree: b32 }),
  128,
);

export function snapshotRoot(network: NetworkId, manifest: Manifest): Bytes32 {
  return H("snapshot", network, manifestCodec.encode(manifest));
}

/** The bytes of an entry: u16 size of key, u32 size of value, key, value. */
export function entrySize({ key, value }: Entry): number {
  return lengthsSize + key.length + value.length;
}

export function encodeChunk(entries: readonly Entry[]): Uint8Array {
  const bytes = new Uint8Array(entries.reduce((size, entry) => size + entrySize(entry), 0));
  assert(bytes.length <= chunkSizeMax, `a chunk of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { key, value } of entries) {
    view.setUint16(at, key.length);
    view.setUint32(at + 2, value.length);
    bytes.set(key, at + lengthsSize);
    bytes.set(value, at + lengthsSize + key.length);
    at += lengthsSize + key.length + value.length;
  }
  return bytes;
}

export type BadChunk = Rejected<"bad-chunk">;

/** The entries of a chunk, whose keys ascend; never throws. */
export function parseChunk(bytes: Uint8Array): Required<Put>[] | BadChunk {
  if (bytes.length === 0 || bytes.length > chunkSizeMax)
    return rejected("bad-chunk", `a chunk of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: Required<Put>[] = [];
  let before: Uint8Array | undefined;
  for (let at = 0; at < bytes.length; ) {
    if (at + lengthsSize > bytes.length) return rejected("bad-chunk", `torn at byte ${at}`);
    const keyEnd = at + lengthsSize + view.getUint16(at);
    const end = keyEnd + view.getUint32(at + 2);
    if (end > bytes.length) return rejected("bad-chunk", `torn at byte ${at}`);
    const key = bytes.subarray(at + lengthsSize, keyEnd);
    if (key.length === 0 || (before !== undefined && compare(before, key) >= 0))
      return rejected("bad-chunk", `the key at byte ${at} is not after the one before`);
    entries.push({ key, value: bytes.subarray(keyEnd, end) });
    before = key;
    at = end;
  }
  return entries;
}

/** Cuts a stream of entries in key order; `add` and `end` give a chunk when one is full. */
export function chunker(): {
  readonly add: (entry: Entry) => Uint8Array | undefined;
  readonly end: () => Uint8Array | undefined;
} {
  let waiting: Entry[] = [];
  let size = 0;
  const end = (): Uint8Array | undefined => {
    if (waiting.length === 0) return undefined;
    const chunk = encodeChunk(waiting);
    waiting = [];
    size = 0;
    return chunk;
  };
  return {
    add: (entry) => {
      const added = entrySize(entry);
      const full = size + added > chunkSizeMax ? end() : undefined;
      waiting.push(entry);
      size += added;
      return full;
    },
    end,
  };
}

// ---------------------------------------------------------------- the tree over chunks

/** Binds the chunk to its place. */
export function chunkHash(network: NetworkId, index: number, chunk: Uint8Array): Bytes32 {
  return H("snapshot-chunk", network, concat(bigEndian(index, 4), chunk));
}

function branchHash(network: NetworkId, left: Uint8Array, right: Uint8Array): Bytes32 {
  return H("snapshot-branch", network, concat(left, right));
}

/** Every level of the tree, leaves first; the last of an odd level goes up as it is. */
function levels(network: NetworkId, hashes: readonly Bytes32[]): Bytes32[][] {
  const all = [[...hashes]];
  for (let level = [...hashes]; level.length > 1; ) {
    const above: Bytes32[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] as Bytes32;
      const right = level[i + 1];
      above.push(right === undefined ? left : branchHash(network, left, right));
    }
    all.push(above);
    level = above;
  }
  return all;
}

/** Shows single chunks under one tree; `hashes` are all chunks' in order, at least one. */
export type ChunkTree = {
  readonly root: Bytes32;
  /** Siblings from the leaf upwards. */
  readonly path: (index: number) => Bytes32[];
};

export function chunkTree(network: NetworkId, hashes: readonly Bytes32[]): ChunkTree {
  assert(hashes.length > 0 && hashes.length <= chunksMax, `${hashes.length} chunks`);
  const all = levels(network, hashes);
  return {
    root: all.at(-1)?.[0] as Bytes32,
    path: (index) => {
      const path: Bytes32[] = [];
      let at = index;
      for (const level of all.slice(0, -1)) {
        const sibling = level[at ^ 1];
        if (sibling !== undefined) path.push(sibling);
        at >>= 1;
      }
      return path;
    },
  };
}

/** True iff `chunk` is number `index` of the manifest's. Never throws. */
export function verifyChunk(
  network: NetworkId,
  manifest: Manifest,
  index: number,
  chunk: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  if (index >= manifest.chunks || chunk.length > chunkSizeMax || path.length > pathMax)
    return false;
  let hash: Uint8Array = chunkHash(network, index, chunk);
  let used = 0;
  let at = index;
  for (let width = manifest.chunks; width > 1; width = (width + 1) >> 1) {
    const isLone = (at ^ 1) >= width;
    if (!isLone) {
      const sibling = path[used];
      if (sibling?.length !== 32) return false;
      hash = at % 2 === 0 ? branchHash(network, hash, sibling) : branchHash(network, sibling, hash);
      used += 1;
    }
    at >>= 1;
  }
  return used === path.length && compare(hash, manifest.tree) === 0;
}

/** Wire type of a path. */
export const pathType: ListCompositeType<typeof b32> = new ListCompositeType(b32, pathMax);
/** Wire type of a chunk. */
export const chunkType: ByteListType = new ByteListType(chunkSizeMax);
