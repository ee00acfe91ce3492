// Blocks of regtest: header, Merkle roots, subsidy, the coinbase, proof of work, and Merkle proofs.
// Everything as Bitcoin Core 31 builds it, so that the same inputs give the same block hashes.
import { concat, equal, fromBigEndian, fromHex, reversed, sha256d } from "@causeway/primitives";
import { Transaction } from "bitcoinjs-lib";
import type { Tx } from "./tx.ts";
import { describe, display } from "./tx.ts";

/** Times are Unix seconds; hashes are in wire order. */
export type Header = {
  readonly version: number;
  readonly previous: Uint8Array;
  readonly merkleRoot: Uint8Array;
  readonly time: number;
  readonly bits: number;
  readonly nonce: number;
};

/** A parsed block; `hash` in display order, `raw` its full serialisation. */
export type Block = {
  readonly hash: string;
  readonly header: Header;
  readonly txs: readonly Tx[];
  readonly raw: Uint8Array;
};

/** Regtest never retargets: every block has this compact target. */
export const regtestBits = 0x207fffff;
/** What {@link regtestBits} stands for. */
export const regtestTarget: bigint = 0x7fffffn << 232n;
/** Expected hashes for one block: 2^256 / (target + 1). */
export const workPerBlock: bigint = (1n << 256n) / (regtestTarget + 1n);
/** BIP9: regtest's dummy deployment (bit 28) is signalled for in its second and third period. */
function blockVersion(height: number): number {
  return height >= 144 && height < 432 ? 0x30000000 : 0x20000000;
}
/** BIP141. */
export const blockWeightMax = 4_000_000;
const headerSize = 80;
const halvingInterval = 150;
const commitmentPrefix = fromHex("6a24aa21a9ed");
const witnessReserved = new Uint8Array(32);

/** New coins of the block at `height`, in satoshi: 50 coins, halved every 150 blocks on regtest. */
export function subsidy(height: number): bigint {
  return 5_000_000_000n >> BigInt(Math.min(Math.floor(height / halvingInterval), 64));
}

export function encodeHeader(header: Header): Uint8Array {
  const out = new Uint8Array(headerSize);
  const view = new DataView(out.buffer);
  view.setUint32(0, header.version, true);
  out.set(header.previous, 4);
  out.set(header.merkleRoot, 36);
  view.setUint32(68, header.time, true);
  view.setUint32(72, header.bits, true);
  view.setUint32(76, header.nonce, true);
  return out;
}

function decodeHeader(raw: Uint8Array): Header {
  const view = new DataView(raw.buffer, raw.byteOffset, headerSize);
  return {
    version: view.getInt32(0, true),
    previous: raw.slice(4, 36),
    merkleRoot: raw.slice(36, 68),
    time: view.getUint32(68, true),
    bits: view.getUint32(72, true),
    nonce: view.getUint32(76, true),
  };
}

/** The block in `raw`, or undefined when it does not decode to the last byte. */
export function parseBlock(raw: Uint8Array): Block | undefined {
  if (raw.length <= headerSize || raw.length > blockWeightMax) return undefined;
  try {
    const header = decodeHeader(raw);
    const [count, start] = readVarint(raw, headerSize);
    const txs: Tx[] = [];
    let at = start;
    for (let i = 0; i < count; i++) {
      const tx = describe(Transaction.fromBuffer(raw.subarray(at), true));
      at += tx.raw.length;
      txs.push(tx);
    }
    if (at !== raw.length || txs.length === 0) return undefined;
    return { hash: display(sha256d(raw.subarray(0, headerSize))), header, txs, raw };
  } catch {
    return undefined;
  }
}

export function encodeBlock(header: Header, txs: readonly Tx[]): Uint8Array {
  return concat(encodeHeader(header), varint(txs.length), ...txs.map((tx) => tx.raw));
}

/** Bitcoin's Merkle root; an odd node is paired with itself. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  let level = [...leaves];
  while (level.length > 1) level = nextLevel(level);
  return level[0] ?? new Uint8Array(32);
}

function nextLevel(level: readonly Uint8Array[]): Uint8Array[] {
  const next: Uint8Array[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i] as Uint8Array;
    next.push(sha256d(concat(left, level[i + 1] ?? left)));
  }
  return next;
}

function hashOf(id: string): Uint8Array {
  return reversed(fromHex(id));
}

export function txMerkleRoot(txs: readonly Tx[]): Uint8Array {
  return merkleRoot(txs.map((tx) => hashOf(tx.txid)));
}

/** BIP141's commitment to the witnesses of all transactions but the coinbase. */
function witnessCommitment(txs: readonly Tx[]): Uint8Array {
  const leaves = txs.map((tx, index) => (index === 0 ? new Uint8Array(32) : hashOf(tx.wtxid)));
  return sha256d(concat(merkleRoot(leaves), witnessReserved));
}

/** Does the coinbase commit to the witnesses? True without a commitment when there are none. */
export function witnessCommitmentMatches(block: Block): boolean {
  const coinbase = block.txs[0]?.body;
  const found = coinbase?.outs.findLast(
    (out) => out.script.length >= 38 && equal(out.script.subarray(0, 6), commitmentPrefix),
  );
  if (found === undefined) return !block.txs.some((tx) => tx.body.hasWitnesses());
  const witness = coinbase?.ins[0]?.witness ?? [];
  if (witness.length !== 1 || !equal(witness[0] ?? new Uint8Array(), witnessReserved)) return false;
  return equal(found.script.subarray(6, 38), witnessCommitment(block.txs));
}

/** BIP34: the height as the first push of the coinbase's script. */
export function heightPush(height: number): Uint8Array {
  if (height <= 16) return Uint8Array.of(height === 0 ? 0 : 0x50 + height);
  const bytes: number[] = [];
  for (let rest = height; rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256);
  if ((bytes[bytes.length - 1] as number) & 0x80) bytes.push(0);
  return Uint8Array.of(bytes.length, ...bytes);
}

/** What a miner needs to know; `fees` in satoshi, `time` in Unix seconds. */
export type Template = {
  readonly previous: string;
  readonly height: number;
  readonly time: number;
  readonly script: Uint8Array;
  readonly fees: bigint;
  readonly txs: readonly Tx[];
};

function coinbase(template: Template): Tx {
  const tx = new Transaction();
  tx.version = 2;
  // Core's coinbase since version 30: its lock time makes it unique to the height (BIP54).
  tx.locktime = template.height - 1;
  const push = heightPush(template.height);
  const script = push.length < 2 ? concat(push, Uint8Array.of(0)) : push;
  tx.addInput(new Uint8Array(32), 0xffffffff, 0xfffffffe, script);
  tx.setWitness(0, [witnessReserved]);
  tx.addOutput(template.script, subsidy(template.height) + template.fees);
  const placeholder = describe(tx);
  const commitment = witnessCommitment([placeholder, ...template.txs]);
  tx.addOutput(concat(commitmentPrefix, commitment), 0n);
  return describe(tx);
}

/** Builds the block and finds its nonce, from 0 upwards: two hashes on average. */
export function mineBlock(template: Template): Uint8Array {
  const txs = [coinbase(template), ...template.txs];
  const header: Header = {
    version: blockVersion(template.height),
    previous: hashOf(template.previous),
    merkleRoot: txMerkleRoot(txs),
    time: template.time,
    bits: regtestBits,
    nonce: 0,
  };
  const bytes = encodeHeader(header);
  const view = new DataView(bytes.buffer);
  for (let nonce = 0; ; nonce++) {
    view.setUint32(76, nonce, true);
    if (meetsTarget(sha256d(bytes))) return encodeBlock({ ...header, nonce }, txs);
  }
}

/** Proof of work of a header's hash (wire order). */
function meetsTarget(hash: Uint8Array): boolean {
  return fromBigEndian(reversed(hash)) <= regtestTarget;
}

/** Core's CMerkleBlock for the transactions at which `matches` is true: what gettxoutproof returns. */
export function merkleProof(block: Block, matches: readonly boolean[]): Uint8Array {
  const levels = [{ hashes: block.txs.map((tx) => hashOf(tx.txid)), marks: [...matches] }];
  for (let last = levels[0]; last !== undefined && last.hashes.length > 1; last = levels.at(-1)) {
    const { hashes, marks } = last;
    const next = nextLevel(hashes);
    const up = next.map((_, i) => marks[2 * i] === true || marks[2 * i + 1] === true);
    levels.push({ hashes: next, marks: up });
  }
  const bits: boolean[] = [];
  const hashes: Uint8Array[] = [];
  const walk = (height: number, at: number): void => {
    const level = levels[height];
    const marked = level?.marks[at] === true;
    bits.push(marked);
    if (height === 0 || !marked) {
      hashes.push(level?.hashes[at] as Uint8Array);
      return;
    }
    walk(height - 1, 2 * at);
    if (2 * at + 1 < (levels[height - 1]?.hashes.length ?? 0)) walk(height - 1, 2 * at + 1);
  };
  walk(levels.length - 1, 0);
  const flags = new Uint8Array(Math.ceil(bits.length / 8));
  for (const [i, bit] of bits.entries())
    if (bit) flags[i >> 3] = (flags[i >> 3] ?? 0) | (1 << (i & 7));
  const count = new Uint8Array(4);
  new DataView(count.buffer).setUint32(0, block.txs.length, true);
  const head = encodeHeader(block.header);
  return concat(head, count, varint(hashes.length), ...hashes, varint(flags.length), flags);
}

/** Block hash and transaction ids that a proof shows, or undefined when it is malformed or wrong. */
export function readMerkleProof(
  raw: Uint8Array,
):
  | { readonly block: string; readonly count: number; readonly txids: readonly string[] }
  | undefined {
  if (raw.length < headerSize + 6) return undefined;
  const count = new DataView(raw.buffer, raw.byteOffset).getUint32(headerSize, true);
  const [hashCount, start] = readVarint(raw, headerSize + 4);
  const [flagSize, flagsAt] = readVarint(raw, start + hashCount * 32);
  if (count === 0 || hashCount > count || flagsAt + flagSize !== raw.length) return undefined;
  const width = (height: number): number => Math.ceil(count / 2 ** height);
  let [bitAt, hashAt, bad] = [0, 0, false];
  const txids: string[] = [];
  const walk = (height: number, at: number): Uint8Array => {
    if (bad || bitAt >= flagSize * 8) {
      bad = true;
      return new Uint8Array(32);
    }
    const marked = ((raw[flagsAt + (bitAt >> 3)] as number) >> (bitAt & 7)) & 1;
    bitAt++;
    if (height === 0 || !marked) {
      bad ||= hashAt >= hashCount;
      const hash = raw.slice(start + hashAt * 32, start + hashAt * 32 + 32);
      hashAt++;
      if (height === 0 && marked && !bad) txids.push(display(hash));
      return hash;
    }
    const left = walk(height - 1, 2 * at);
    const paired = 2 * at + 1 < width(height - 1);
    const right = paired ? walk(height - 1, 2 * at + 1) : left;
    // Equal siblings would let a proof hide a duplicated transaction (CVE-2012-2459).
    bad ||= paired && equal(left, right);
    return bad ? left : sha256d(concat(left, right));
  };
  let height = 0;
  while (width(height) > 1) height++;
  const root = walk(height, 0);
  if (bad || hashAt !== hashCount || Math.ceil(bitAt / 8) !== flagSize) return undefined;
  if (!equal(root, raw.subarray(36, 68))) return undefined;
  return { block: display(sha256d(raw.subarray(0, headerSize))), count, txids };
}

function varint(value: number): Uint8Array {
  if (value < 0xfd) return Uint8Array.of(value);
  if (value <= 0xffff) return Uint8Array.of(0xfd, value & 0xff, value >> 8);
  const out = new Uint8Array(5);
  out[0] = 0xfe;
  new DataView(out.buffer).setUint32(1, value, true);
  return out;
}

/** Value and next offset; a length that no block could have reads as more than any block holds. */
function readVarint(raw: Uint8Array, at: number): readonly [value: number, next: number] {
  const first = raw[at] ?? 0xff;
  if (first < 0xfd) return [first, at + 1];
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  if (first === 0xfd && at + 3 <= raw.length) return [view.getUint16(at + 1, true), at + 3];
  if (first === 0xfe && at + 5 <= raw.length) return [view.getUint32(at + 1, true), at + 5];
  return [Number.MAX_SAFE_INTEGER, at + 9];
}

/** The genesis block that every regtest node shares. */
export const genesisRaw: Uint8Array = fromHex(
  "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e" +
    "67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f200200000001010000000100000000000000000000" +
    "00000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f" +
    "4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f75742066" +
    "6f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a6" +
    "7962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000",
);
