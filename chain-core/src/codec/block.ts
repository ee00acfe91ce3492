// Blocks, committees and what makes a block final.
import type { BadBytes, Bytes32, Codec, NetworkId } from "@causeway/primitives";
import {
  ByteListType,
  b32,
  b48,
  b96,
  ContainerType,
  codec,
  H,
  ListCompositeType,
  must,
  u8,
  u16,
  u32,
  u64,
  u128,
} from "@causeway/primitives";
import { transactionBytesHash, transactionSizeMax } from "./transaction.ts";

/** FMT-9. */
export const blockSizeMax: number = 2 * 1024 * 1024;
export const committeeMax = 150;

/** FMT-7. `stateRoot` is the state after the parent (CON-8), `time` the proposer's clock in ms (TIM-1). */
export type Header = {
  version: number;
  height: number;
  time: number;
  parent: Uint8Array;
  /** Index in the committee. */
  proposer: number;
  /** Root over the transactions' full bytes, see {@link transactionsRoot}. */
  transactionsRoot: Uint8Array;
  stateRoot: Uint8Array;
  /** Set hash of the UTXOs after the parent (CON-8). */
  utxoCommitment: Uint8Array;
  /** {@link votesRoot} of the block's certificate and late votes (CON-4). */
  votesRoot: Uint8Array;
  /** CON-8: Merkle root of the snapshot's chunks in the last header of an epoch, else 32 zero bytes. */
  snapshotRoot: Uint8Array;
  /** {@link committeeId} of the committee that decides this block, and of the next epoch's. */
  committee: Uint8Array;
  nextCommittee: Uint8Array;
};

const headerType = new ContainerType({
  version: u16,
  height: u64,
  time: u64,
  parent: b32,
  proposer: u16,
  transactionsRoot: b32,
  stateRoot: b32,
  utxoCommitment: b32,
  votesRoot: b32,
  snapshotRoot: b32,
  committee: b32,
  nextCommittee: b32,
});

export const headerCodec: Codec<Header> = codec("header", headerType, 512);

/** Bit i (least significant first in each byte) is seat i. */
export const bitmapType: ByteListType = new ByteListType(Math.ceil(committeeMax / 8));

/** One BLS aggregate of precommits for one block in one round; with a quorum it makes the block final. */
export type Certificate = {
  height: number;
  round: number;
  block: Uint8Array;
  bitmap: Uint8Array;
  signature: Uint8Array;
};
const certificateType = new ContainerType({
  height: u64,
  round: u32,
  block: b32,
  bitmap: bitmapType,
  signature: b96,
});
export const certificateCodec: Codec<Certificate> = codec("certificate", certificateType, 512);

/** Aggregates of late votes that one block may add. */
export const lateMax = 16;

/** What a block says of who voted (CON-4): `certificate` is the parent's, absent at height 1 alone; `late` adds
 * precommits that no block named before, of heights in the window, in ascending order of height and round. */
export type BlockVotes = { certificate: Certificate[]; late: Certificate[] };
const votesFields = {
  certificate: new ListCompositeType(certificateType, 1),
  late: new ListCompositeType(certificateType, lateMax),
};
const blockVotesCodec: Codec<BlockVotes> = codec(
  "block votes",
  new ContainerType(votesFields),
  (1 + lateMax) * 512,
);

/** Bytes of a block that votes may take. */
export const votesSizeMax: number = blockVotesCodec.sizeMax;

/** What the header's `votesRoot` is. */
export function votesRoot(network: NetworkId, { certificate, late }: BlockVotes): Bytes32 {
  return H("votes", network, blockVotesCodec.encode({ certificate, late }));
}

/** `transactions` are the canonical bytes of each, in order. */
export type Block = BlockVotes & { header: Header; transactions: Uint8Array[] };

export const blockCodec: Codec<Block> = codec(
  "block",
  new ContainerType({
    header: headerType,
    ...votesFields,
    transactions: new ListCompositeType(new ByteListType(transactionSizeMax), 16_384),
  }),
  blockSizeMax,
);

const headerSize = must(headerType.fixedSize ?? undefined, "a fixed size");

/** The header of untrusted block bytes, which it opens; the rest is not looked at. */
export function headerIn(block: Uint8Array): Header | BadBytes {
  return headerCodec.parse(block.subarray(0, headerSize));
}

export function blockId(network: NetworkId, header: Header): Bytes32 {
  return H("block", network, headerCodec.encode(header));
}

/** H over the SHA-256 of each transaction's bytes, witnesses included. */
export function transactionsRoot(network: NetworkId, transactions: readonly Uint8Array[]): Bytes32 {
  const hashes = new Uint8Array(32 * transactions.length);
  for (const [i, bytes] of transactions.entries()) hashes.set(transactionBytesHash(bytes), 32 * i);
  return H("transactions", network, hashes);
}

/** A seat of the committee: `validator` is the owner's lock, `power` already capped (CON-2). */
export type Member = {
  validator: Uint8Array;
  consensusKey: Uint8Array;
  attestKey: Uint8Array;
  power: bigint;
};

/** The voters of an epoch, in seat order (CON-3). */
export type Committee = { epoch: number; members: Member[] };

export const committeeCodec: Codec<Committee> = codec(
  "committee",
  new ContainerType({
    epoch: u64,
    members: new ListCompositeType(
      new ContainerType({ validator: b32, consensusKey: b48, attestKey: b48, power: u128 }),
      committeeMax,
    ),
  }),
  32 * 1024,
);

export function committeeId(network: NetworkId, committee: Committee): Bytes32 {
  return H("committee", network, committeeCodec.encode(committee));
}

/** Vote kinds. A prevote states the proof-of-lock round that it rests on; a precommit states none. */
export const voteKinds = { prevote: 1, precommit: 2 } as const;

/**
 * What a vote says; votes carry no time, so that they aggregate (TIM-1). `block` is a block id, or 32 zero
 * bytes for nil. `polRound` is 0 for none, else the proof-of-lock round plus 1.
 */
export type VoteContent = {
  kind: number;
  height: number;
  round: number;
  block: Uint8Array;
  polRound: number;
};

const voteFields = { kind: u8, height: u64, round: u32, block: b32, polRound: u32 };
const voteContentCodec: Codec<VoteContent> = codec("vote", new ContainerType(voteFields), 64);

/** What the consensus key signs. */
export function voteDigest(network: NetworkId, vote: VoteContent): Bytes32 {
  const { kind, height, round, block, polRound } = vote;
  return H("vote", network, voteContentCodec.encode({ kind, height, round, block, polRound }));
}

/** A vote on the wire; `seat` is the voter's index in the height's committee. */
export type Vote = VoteContent & { seat: number; signature: Uint8Array };
export const voteCodec: Codec<Vote> = codec(
  "signed vote",
  new ContainerType({ ...voteFields, seat: u16, signature: b96 }),
  256,
);

/** The proposer's statement; its signature covers H("proposal", height, round, block, polRound). */
export type Proposal = {
  height: number;
  round: number;
  /** As in {@link VoteContent}. */
  polRound: number;
  /** {@link blockCodec} bytes. */
  block: Uint8Array;
  signature: Uint8Array;
};
export const proposalCodec: Codec<Proposal> = codec(
  "proposal",
  new ContainerType({
    height: u64,
    round: u32,
    polRound: u32,
    block: new ByteListType(blockSizeMax),
    signature: b96,
  }),
  blockSizeMax + 256,
);

const proposalContentCodec: Codec<Omit<VoteContent, "kind">> = codec(
  "proposal content",
  new ContainerType({ height: u64, round: u32, block: b32, polRound: u32 }),
  64,
);

export function proposalDigest(
  network: NetworkId,
  content: { height: number; round: number; block: Uint8Array; polRound: number },
): Bytes32 {
  const { height, round, block, polRound } = content;
  return H("proposal", network, proposalContentCodec.encode({ height, round, block, polRound }));
}
