// A proposal without the transactions, which the others have already: their hashes say which they are.
import type { Codec } from "@causeway/primitives";
import {
  ByteListType,
  b32,
  b96,
  ContainerType,
  codec,
  concat,
  ListCompositeType,
  u32,
  u64,
} from "@causeway/primitives";
import type { Proposal } from "./block.ts";
import { blockSizeMax, headerCodec, votesSizeMax } from "./block.ts";
import { transactionBytesHash, transactionSizeMax } from "./transaction.ts";

/** Of a block (FMT-9). */
const transactionsMax = 16_384;
const hashSize = 32;
const offsetSize = 4;
/** A block without transactions: header, votes, offsets. */
const headSizeMax = headerCodec.sizeMax + votesSizeMax + 64;

/** {@link freshMax} transactions and {@link freshSizeMax} bytes of them come along. */
const freshMax = 1_024;
export const freshSizeMax: number = 256 * 1024;

/** As {@link Proposal}, whose `block` is `head` with the transactions that `hashes` name. */
export type CompactProposal = Omit<Proposal, "block"> & {
  /** {@link blockCodec} bytes of the block with an empty list of transactions. */
  head: Uint8Array;
  /** SHA-256 of each transaction's bytes, one after the other: what the header's `transactionsRoot` is over. */
  hashes: Uint8Array;
  /** Some of the transactions: those that may not have come to everybody yet. */
  fresh: Uint8Array[];
};

export const compactCodec: Codec<CompactProposal> = codec(
  "compact proposal",
  new ContainerType({
    height: u64,
    round: u32,
    polRound: u32,
    head: new ByteListType(headSizeMax),
    hashes: new ByteListType(hashSize * transactionsMax),
    fresh: new ListCompositeType(new ByteListType(transactionSizeMax), freshMax),
    signature: b96,
  }),
  headSizeMax + hashSize * transactionsMax + freshSizeMax + offsetSize * freshMax + 256,
);

/** Which transactions of a proposed block somebody lacks: bit i of `bitmap` is transaction i. */
export type Wanted = { block: Uint8Array; bitmap: Uint8Array };
export const wantedCodec: Codec<Wanted> = codec(
  "wanted transactions",
  new ContainerType({ block: b32, bitmap: new ByteListType(transactionsMax / 8) }),
  transactionsMax / 8 + 64,
);

/** The answer: those transactions in the block's order. */
export type Parts = { block: Uint8Array; transactions: Uint8Array[] };
export const partsCodec: Codec<Parts> = codec(
  "wanted parts",
  new ContainerType({
    block: b32,
    transactions: new ListCompositeType(new ByteListType(transactionSizeMax), transactionsMax),
  }),
  blockSizeMax + 64,
);

/** `transactions` are the block's own, `fresh` of them come along while there is room. */
export function compactOf(
  proposal: Proposal,
  transactions: readonly Uint8Array[],
  fresh: ReadonlySet<Uint8Array>,
): CompactProposal {
  const { height, round, polRound, block, signature } = proposal;
  const size = transactions.reduce((sum, bytes) => sum + offsetSize + bytes.length, 0);
  let room = freshSizeMax;
  const along = transactions
    .filter((bytes) => {
      if (!fresh.has(bytes) || bytes.length > room) return false;
      room -= bytes.length;
      return true;
    })
    .slice(0, freshMax);
  return {
    height,
    round,
    polRound,
    // The list of transactions is the block's last field, and of an empty one only its offset is there.
    head: block.subarray(0, block.length - size),
    hashes: concat(...transactions.map(transactionBytesHash)),
    fresh: along,
    signature,
  };
}

/** Undefined unless `hashes` are whole. */
export function hashesOf({ hashes }: CompactProposal): Uint8Array[] | undefined {
  if (hashes.length % hashSize !== 0) return undefined;
  return Array.from({ length: hashes.length / hashSize }, (_, i) =>
    hashes.subarray(hashSize * i, hashSize * (i + 1)),
  );
}

/**
 * {@link blockCodec} bytes of the block that is `head` with these transactions; undefined where they are too many: hashes
 * may name a large one a thousand times, which is gigabytes.
 */
export function blockBytes(
  head: Uint8Array,
  transactions: readonly Uint8Array[],
): Uint8Array | undefined {
  const offsets = offsetSize * transactions.length;
  const size = transactions.reduce((sum, bytes) => sum + bytes.length, head.length + offsets);
  if (size > blockSizeMax) return undefined;
  const block = new Uint8Array(size);
  const view = new DataView(block.buffer);
  block.set(head);
  let at = head.length + offsets;
  for (const [i, bytes] of transactions.entries()) {
    view.setUint32(head.length + offsetSize * i, at - head.length, true);
    block.set(bytes, at);
    at += bytes.length;
  }
  return block;
}
