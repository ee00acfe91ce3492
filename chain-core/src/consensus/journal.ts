// The records of the vote journal: what must be durable before it leaves (CON-1), and the locks, without which
// a restarted validator could help to finalise a second block. One record holds everything that one step of
// the node signed, so that a step costs one synced write.
import type { BadBytes, Codec } from "@causeway/primitives";
import {
  ByteListType,
  bool,
  ContainerType,
  codec,
  concat,
  isRejected,
  ListCompositeType,
  rejected,
  u32,
  u64,
} from "@causeway/primitives";
import type { Proposal, Vote } from "../codec/block.ts";
import { blockSizeMax, committeeMax, proposalCodec, voteCodec } from "../codec/block.ts";

/**
 * A proof of lock: a quorum of `round` prevoted the block. `locked`: we precommitted it, and stay bound to it.
 * The votes are kept so that a network whose nodes all stopped at once can still show the proof.
 */
export type Polka = {
  height: number;
  round: number;
  locked: boolean;
  /** Canonical bytes of the block. */
  block: Uint8Array;
  /** Canonical bytes of the prevotes of the quorum. */
  votes: Uint8Array[];
};

export type Entry =
  | { readonly kind: "vote"; readonly vote: Vote }
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  | { readonly kind: "polka"; readonly polka: Polka };

const polkaCodec: Codec<Polka> = codec(
  "polka",
  new ContainerType({
    height: u64,
    round: u32,
    locked: bool,
    block: new ByteListType(blockSizeMax),
    votes: new ListCompositeType(new ByteListType(voteCodec.sizeMax), committeeMax),
  }),
  blockSizeMax + 64 * 1024,
);

const entriesMax = 64;
const entrySizeMax = polkaCodec.sizeMax + 1;
const recordCodec: Codec<{ entries: Uint8Array[] }> = codec(
  "journal record",
  new ContainerType({
    entries: new ListCompositeType(new ByteListType(entrySizeMax), entriesMax),
  }),
  4 * entrySizeMax,
);

const tags = { vote: 1, proposal: 2, polka: 3 } as const;

export function encodeRecord(entries: readonly Entry[]): Uint8Array {
  return recordCodec.encode({ entries: entries.map(encodeEntry) });
}

function encodeEntry(entry: Entry): Uint8Array {
  switch (entry.kind) {
    case "vote":
      return concat(Uint8Array.of(tags.vote), voteCodec.encode(entry.vote));
    case "proposal":
      return concat(Uint8Array.of(tags.proposal), proposalCodec.encode(entry.proposal));
    case "polka":
      return concat(Uint8Array.of(tags.polka), polkaCodec.encode(entry.polka));
  }
}

/** The entries of a journal record, in the order in which they were made. */
export function parseRecord(bytes: Uint8Array): Entry[] | BadBytes {
  const record = recordCodec.parse(bytes);
  if (isRejected(record)) return record;
  const entries: Entry[] = [];
  for (const entryBytes of record.entries) {
    const entry = parseEntry(entryBytes);
    if (isRejected(entry)) return entry;
    entries.push(entry);
  }
  return entries;
}

function parseEntry(bytes: Uint8Array): Entry | BadBytes {
  const body = bytes.subarray(1);
  if (bytes[0] === tags.vote) {
    const vote = voteCodec.parse(body);
    return isRejected(vote) ? vote : { kind: "vote", vote };
  }
  if (bytes[0] === tags.proposal) {
    const proposal = proposalCodec.parse(body);
    return isRejected(proposal) ? proposal : { kind: "proposal", proposal };
  }
  if (bytes[0] === tags.polka) {
    const polka = polkaCodec.parse(body);
    return isRejected(polka) ? polka : { kind: "polka", polka };
  }
  return rejected("bad-bytes", `journal entry of kind ${bytes[0]}`);
}
