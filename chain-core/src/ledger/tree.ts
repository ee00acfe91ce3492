// The provable state as one hash (CON-8): per module 4,096 buckets under a binary tree of 12 levels, by the
// first 12 bits of SHA-256(key). Immutable: an update copies the paths that it touches and shares the rest.
// The UTXO module is not in it; its slot in the root is reserved.
import type { Bytes32, Codec, Put } from "@causeway/primitives";
import {
  assert,
  ByteListType,
  b32,
  ContainerType,
  codec,
  compare,
  equal,
  ListCompositeType,
  must,
  sha256,
  taggedHash,
  zero32,
} from "@causeway/primitives";
import { modules } from "./state.ts";

const depth = 12;
const entrySize = 64;
/** Entries that a proof can show; a bucket of so many would stand for 64 million records. */
const proofEntriesMax = 16_384;
/** Slots of the root, by module number from 1; slot 1 (utxo) is always zero. */
const slots = 6;
const provableFrom = modules.interchain;

/** A bucket: its entries SHA-256(key) || SHA-256(value), 64 bytes each, in order of the first. */
type Bucket = { readonly hash: Bytes32; readonly entries: Uint8Array };
type Branch = { readonly hash: Bytes32; readonly left?: Node; readonly right?: Node };
/** At depth 12 a bucket, above it a branch; an empty subtree is absent. */
type Node = Bucket | Branch;

/** Of the provable modules; made by {@link update} from {@link emptyTree}. */
export type Tree = { readonly roots: readonly (Node | undefined)[]; readonly hash: Bytes32 };

/** Shows one record, or that there is none, under a state root. */
export type RecordProof = {
  /** The whole bucket of the key. */
  bucket: Uint8Array;
  /** From the bucket's sibling upwards, 12 of them. */
  siblings: Uint8Array[];
  /** The root of every module in order of their numbers; the key's own is not read. */
  modules: Uint8Array[];
};
export const recordProofCodec: Codec<RecordProof> = codec(
  "record proof",
  new ContainerType({
    bucket: new ByteListType(entrySize * proofEntriesMax),
    siblings: new ListCompositeType(b32, depth),
    modules: new ListCompositeType(b32, slots),
  }),
  entrySize * proofEntriesMax + 1024,
);

const bucketHash = (entries: Uint8Array): Bytes32 =>
  taggedHash("causeway/state-bucket/v1", entries);
const branchHash = (left: Uint8Array, right: Uint8Array): Bytes32 =>
  taggedHash("causeway/state-branch/v1", left, right);
const rootHash = (moduleRoots: readonly Uint8Array[]): Bytes32 =>
  taggedHash("causeway/state-root/v1", ...moduleRoots);

/** Hash of an empty subtree whose root is at depth i. */
const emptyHashes: readonly Bytes32[] = (() => {
  const hashes = [bucketHash(new Uint8Array(0))];
  for (let i = 0; i < depth; i++) {
    const below = must(hashes[0], "hash below");
    hashes.unshift(branchHash(below, below));
  }
  return hashes;
})();

function hashOf(node: Node | undefined, at: number): Bytes32 {
  return node?.hash ?? must(emptyHashes[at], "empty hash");
}

function treeOf(roots: readonly (Node | undefined)[]): Tree {
  return { roots, hash: rootHash(moduleRoots(roots)) };
}

function moduleRoots(roots: readonly (Node | undefined)[]): Bytes32[] {
  return roots.map((node, slot) => (slot + 1 < provableFrom ? zero32 : hashOf(node, 0)));
}

export const emptyTree: Tree = treeOf(new Array<undefined>(slots).fill(undefined));

/** The state root (FMT-7). */
export function root(tree: Tree): Bytes32 {
  return tree.hash;
}

type Change = { readonly keyHash: Bytes32; readonly valueHash: Bytes32 | undefined };

/**
 * The tree after `puts`, of which the last for a key counts and those of the UTXO module are ignored. About 12
 * hashes a changed bucket and one over that bucket. The result does not depend on the order of distinct keys.
 */
export function update(tree: Tree, puts: Iterable<Put>): Tree {
  const byModule = new Map<number, Change[]>();
  for (const { key, value } of puts) {
    const module = key[0] ?? 0;
    if (module < provableFrom) continue;
    assert(module <= slots, `module ${module} has no slot in the state root`);
    const change = { keyHash: sha256(key), valueHash: value && sha256(value) };
    const changes = byModule.get(module);
    if (changes === undefined) byModule.set(module, [change]);
    else changes.push(change);
  }
  if (byModule.size === 0) return tree;
  const roots = [...tree.roots];
  for (const [module, changes] of byModule) {
    // A stable sort: of two changes of one key the later stays the later.
    changes.sort((a, b) => compare(a.keyHash, b.keyHash));
    roots[module - 1] = changed(roots[module - 1], changes, 0);
  }
  return treeOf(roots);
}

/** `changes` are in order and all below the subtree at depth `at`. */
function changed(node: Node | undefined, changes: readonly Change[], at: number): Node | undefined {
  if (at === depth) return changedBucket(node as Bucket | undefined, changes);
  const branch = node as Branch | undefined;
  const middle = changes.findIndex(({ keyHash }) => bitOf(keyHash, at) === 1);
  const split = middle < 0 ? changes.length : middle;
  const left = split === 0 ? branch?.left : changed(branch?.left, changes.slice(0, split), at + 1);
  const right =
    split === changes.length ? branch?.right : changed(branch?.right, changes.slice(split), at + 1);
  if (left === undefined && right === undefined) return undefined;
  const hash = branchHash(hashOf(left, at + 1), hashOf(right, at + 1));
  return { hash, ...(left && { left }), ...(right && { right }) };
}

function bitOf(keyHash: Uint8Array, at: number): number {
  return ((keyHash[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;
}

/** Merges two sorted runs. */
function changedBucket(bucket: Bucket | undefined, changes: readonly Change[]): Bucket | undefined {
  const old = bucket?.entries ?? new Uint8Array(0);
  const out = new Uint8Array(old.length + changes.length * entrySize);
  let size = 0;
  let from = 0;
  const keep = (until: number): void => {
    out.set(old.subarray(from, until), size);
    size += until - from;
    from = until;
  };
  for (const [i, { keyHash, valueHash }] of changes.entries()) {
    const next = changes[i + 1];
    if (next !== undefined && equal(next.keyHash, keyHash)) continue;
    const at = positionOf(old, keyHash);
    keep(at);
    if (isKeyAt(old, at, keyHash)) from = at + entrySize;
    if (valueHash === undefined) continue;
    out.set(keyHash, size);
    out.set(valueHash, size + 32);
    size += entrySize;
  }
  keep(old.length);
  if (size === 0) return undefined;
  const entries = out.slice(0, size);
  return { hash: bucketHash(entries), entries };
}

/** Byte offset of the first entry whose key is not below `keyHash`. */
function positionOf(entries: Uint8Array, keyHash: Uint8Array): number {
  let low = 0;
  let high = entries.length / entrySize;
  while (low < high) {
    const middle = (low + high) >> 1;
    const start = middle * entrySize;
    if (compare(entries.subarray(start, start + 32), keyHash) < 0) low = middle + 1;
    else high = middle;
  }
  return low * entrySize;
}

function isKeyAt(entries: Uint8Array, at: number, keyHash: Uint8Array): boolean {
  return at < entries.length && equal(entries.subarray(at, at + 32), keyHash);
}

/** Proof of the record under `key`, or of its absence. `key` begins with a provable module's number. */
export function prove(tree: Tree, key: Uint8Array): RecordProof {
  const module = key[0] ?? 0;
  assert(isProvable(module), `module ${module} is not provable`);
  const keyHash = sha256(key);
  const siblings: Uint8Array[] = [];
  let node = tree.roots[module - 1];
  for (let at = 0; at < depth; at++) {
    const branch = node as Branch | undefined;
    const isRight = bitOf(keyHash, at) === 1;
    siblings.unshift(hashOf(isRight ? branch?.left : branch?.right, at + 1));
    node = isRight ? branch?.right : branch?.left;
  }
  const bucket = (node as Bucket | undefined)?.entries ?? new Uint8Array(0);
  return { bucket, siblings, modules: moduleRoots(tree.roots) };
}

/** True for the first byte of a key that {@link prove} can show. */
export function isProvable(module: number): boolean {
  return module >= provableFrom && module <= slots;
}

/**
 * True iff under the state root the record at `key` has exactly `value`, or is absent when `value` is. False
 * for a malformed proof; never throws.
 */
export function verifyProof(
  stateRoot: Uint8Array,
  key: Uint8Array,
  value: Uint8Array | undefined,
  proof: RecordProof,
): boolean {
  const module = key[0] ?? 0;
  if (!isProvable(module) || proof.modules.length !== slots) return false;
  if (proof.siblings.length !== depth) return false;
  // Hashes of other sizes would move one module's root into the place of another's.
  if (![...proof.siblings, ...proof.modules].every((hash) => hash.length === 32)) return false;
  const keyHash = sha256(key);
  // Only the one true bucket hashes to the root, so that its form needs no check.
  let hash = bucketHash(proof.bucket);
  for (const [i, sibling] of proof.siblings.entries())
    hash =
      bitOf(keyHash, depth - 1 - i) === 1 ? branchHash(sibling, hash) : branchHash(hash, sibling);
  const moduleHashes = [...proof.modules];
  moduleHashes[module - 1] = hash;
  if (!equal(rootHash(moduleHashes), stateRoot)) return false;
  const at = positionOf(proof.bucket, keyHash);
  if (!isKeyAt(proof.bucket, at, keyHash)) return value === undefined;
  if (value === undefined) return false;
  return equal(proof.bucket.subarray(at + 32, at + entrySize), sha256(value));
}
