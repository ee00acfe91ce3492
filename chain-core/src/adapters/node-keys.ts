// Where things are in the node's database. State keys keep their own order below one prefix; everything else is
// the node's own: blocks, and indices that can be rebuilt from blocks and state.
import { bigEndian, concat, fromBigEndian } from "@causeway/primitives";
import type { OutputId } from "../codec/action.ts";
import { outputs } from "../ledger/utxo/outputs.ts";

export const prefixes = {
  meta: 0x00,
  state: 0x01,
  block: 0x02,
  certificate: 0x03,
  /** Transaction id -> height || position. */
  transaction: 0x04,
  /** Lock || asset || output id -> amount. */
  owner: 0x05,
  /** Lock || asset -> sum and number of outputs. */
  balance: 0x06,
  /** Lock || complement of height || of position || asset || txid -> received and spent: newest first. */
  history: 0x07,
  /** Height -> header, certificate and committee of an epoch's last block: kept when blocks are pruned (CON-6). */
  finality: 0x08,
  /** Chunk index -> first and last key, while a snapshot is loaded. */
  loaded: 0x09,
} as const;

const under = (prefix: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  concat(Uint8Array.of(prefix), ...parts);

export const metaKeys: Readonly<
  Record<"network" | "head" | "undo" | "indexed" | "lowest" | "loading", Uint8Array>
> = {
  /** Network id: whose data this is. */
  network: under(prefixes.meta, Uint8Array.of(1)),
  /** {@link Head} of the newest final block. */
  head: under(prefixes.meta, Uint8Array.of(2)),
  /** What undoes the newest block's changes to provable records, so that they can be proved after a restart. */
  undo: under(prefixes.meta, Uint8Array.of(3)),
  /** Height up to which the RPC's index stands; absent: there is none. */
  indexed: under(prefixes.meta, Uint8Array.of(4)),
  /** Lowest height whose block is here; absent: 1. */
  lowest: under(prefixes.meta, Uint8Array.of(5)),
  /** Manifest of the snapshot that is being loaded, and the sum of what no root covers; no head is there yet. */
  loading: under(prefixes.meta, Uint8Array.of(6)),
};

export const stateKey = (key: Uint8Array): Uint8Array => under(prefixes.state, key);
export const blockKey = (height: number): Uint8Array => under(prefixes.block, bigEndian(height, 8));
export const certificateKey = (height: number): Uint8Array =>
  under(prefixes.certificate, bigEndian(height, 8));
export const finalityKey = (height: number): Uint8Array =>
  under(prefixes.finality, bigEndian(height, 8));
export const loadedKey = (index: number): Uint8Array => under(prefixes.loaded, bigEndian(index, 4));
export const transactionKey = (id: Uint8Array): Uint8Array => under(prefixes.transaction, id);
export const ownerKey = (lock: Uint8Array, asset: Uint8Array, id: OutputId): Uint8Array =>
  under(prefixes.owner, lock, asset, id.txid, bigEndian(id.index, 4));

export const balanceKey = (lock: Uint8Array, asset: Uint8Array): Uint8Array =>
  under(prefixes.balance, lock, asset);

export function historyKey(
  lock: Uint8Array,
  height: number,
  position: number,
  asset: Uint8Array,
  txid: Uint8Array,
): Uint8Array {
  const newestFirst = (of: number, size: number): Uint8Array =>
    bigEndian(BigInt.asUintN(8 * size, ~BigInt(of)), size);
  return under(
    prefixes.history,
    lock,
    newestFirst(height, 8),
    newestFirst(position, 4),
    asset,
    txid,
  );
}

/** The half-open range of all keys that begin with these bytes. */
export function rangeOf(start: Uint8Array): readonly [from: Uint8Array, to: Uint8Array] {
  const to = Uint8Array.from(start);
  for (let i = to.length - 1; i >= 0; i--) {
    to[i] = ((to[i] ?? 0) + 1) & 0xff;
    if (to[i] !== 0) return [start, to.subarray(0, i + 1)];
  }
  return [start, Uint8Array.of(0xff, 0xff)];
}

export const prefixRange = (
  prefix: number,
  ...parts: readonly Uint8Array[]
): readonly [from: Uint8Array, to: Uint8Array] => rangeOf(under(prefix, ...parts));

const outputPrefix = outputs.key({ txid: new Uint8Array(0), index: 0 }).subarray(0, 2);
const outputKeySize = 2 + 32 + 4;

/** The output that a state key is about, or undefined for any other record. */
export function outputIdOf(key: Uint8Array): OutputId | undefined {
  if (key.length !== outputKeySize || key[0] !== outputPrefix[0] || key[1] !== outputPrefix[1])
    return undefined;
  return { txid: key.slice(2, 34), index: Number(fromBigEndian(key.subarray(34))) };
}
