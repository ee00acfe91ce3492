// What nodes say to each other on the direct stream `consensus`: one byte of kind, then the SSZ bytes of that
// kind. Everything is bounded before it is parsed.
import type { BadBytes, Codec, Rejected } from "@causeway/primitives";
import {
  ByteListType,
  bool,
  ContainerType,
  codec,
  concat,
  isRejected,
  ListCompositeType,
  rejected,
  u16,
  u32,
  u64,
} from "@causeway/primitives";
import type { Proposal, Vote } from "../codec/block.ts";
import {
  bitmapType,
  blockSizeMax,
  certificateCodec,
  proposalCodec,
  voteCodec,
} from "../codec/block.ts";
import type { CompactProposal, Parts, Wanted } from "../codec/compact.ts";
import { compactCodec, partsCodec, wantedCodec } from "../codec/compact.ts";
import { parseByteLists } from "../codec/fast.ts";
import { transactionSizeMax } from "../codec/transaction.ts";
import type { RoundView } from "../consensus/round.ts";
import { depositRequestCodec } from "../interchain/statement.ts";
import type { FinalBlock } from "./port.ts";

const votesMax = 256;
export const viewsMax = 8;
/** Of blocks in one reply; their bytes are bounded besides by {@link replySizeMax}. */
export const blocksMax = 64;
/** At least one block of any size fits. */
export const replySizeMax: number = 2 * blockSizeMax;
/** A batch keeps the votes behind it waiting for its signatures: some 20 ms. */
export const batchMax = 256;
export const batchSizeMax: number = 2 * transactionSizeMax;
export const requestsMax = 512;

/**
 * `height` is the newest final one and `lowest` the first whose block the sender still has; the views are of the height
 * after the newest, in whose `round` the sender is.
 */
export type Status = { height: number; lowest: number; round: number; views: RoundView[] };

export type Message =
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  | { readonly kind: "votes"; readonly votes: readonly Vote[] }
  | { readonly kind: "status"; readonly status: Status }
  /** Final blocks from height `from` on, at most `count`. */
  | { readonly kind: "blocksRequest"; readonly from: number; readonly count: number }
  /** In order from height `from`; fewer than asked for, or none, is allowed. */
  | {
      readonly kind: "blocksReply";
      readonly from: number;
      readonly blocks: readonly FinalBlock[];
    }
  | { readonly kind: "transactions"; readonly transactions: readonly Uint8Array[] }
  | { readonly kind: "requests"; readonly requests: readonly Uint8Array[] }
  /** From its proposer; the next two are how others get what they lack of it. */
  | { readonly kind: "compact"; readonly compact: CompactProposal }
  | { readonly kind: "wanted"; readonly wanted: Wanted }
  | { readonly kind: "parts"; readonly parts: Parts };

const kinds = {
  proposal: 1,
  votes: 2,
  status: 3,
  blocksRequest: 4,
  blocksReply: 5,
  transactions: 6,
  requests: 7,
  compact: 8,
  wanted: 9,
  parts: 10,
} as const;

const votesCodec: Codec<{ votes: Uint8Array[] }> = codec(
  "votes",
  new ContainerType({
    votes: new ListCompositeType(new ByteListType(voteCodec.sizeMax), votesMax),
  }),
  (voteCodec.sizeMax + 8) * votesMax,
);

const statusCodec: Codec<Status> = codec(
  "status",
  new ContainerType({
    height: u64,
    lowest: u64,
    round: u32,
    views: new ListCompositeType(
      new ContainerType({
        round: u32,
        proposal: bool,
        prevotes: bitmapType,
        precommits: bitmapType,
      }),
      viewsMax,
    ),
  }),
  1_024,
);

const blocksRequestCodec: Codec<{ from: number; count: number }> = codec(
  "blocks request",
  new ContainerType({ from: u64, count: u16 }),
  16,
);

const blocksReplyCodec: Codec<{ from: number; blocks: FinalBlock[] }> = codec(
  "blocks reply",
  new ContainerType({
    from: u64,
    blocks: new ListCompositeType(
      new ContainerType({
        block: new ByteListType(blockSizeMax),
        certificate: new ByteListType(certificateCodec.sizeMax),
      }),
      blocksMax,
    ),
  }),
  replySizeMax + blocksMax * (certificateCodec.sizeMax + 16) + 16,
);

const genericTransactionsCodec: Codec<{ transactions: Uint8Array[] }> = codec(
  "transactions",
  new ContainerType({
    transactions: new ListCompositeType(new ByteListType(transactionSizeMax), batchMax),
  }),
  batchSizeMax,
);

/** Also a message of the gossip topic `transactions`. */
export const transactionsCodec: Codec<{ transactions: Uint8Array[] }> = {
  ...genericTransactionsCodec,
  parse: (bytes) => {
    const { sizeMax } = genericTransactionsCodec;
    const transactions =
      bytes.length > sizeMax ? undefined : parseByteLists(bytes, batchMax, transactionSizeMax);
    return transactions === undefined ? genericTransactionsCodec.parse(bytes) : { transactions };
  },
};

const requestsCodec: Codec<{ requests: Uint8Array[] }> = codec(
  "requests",
  new ContainerType({
    requests: new ListCompositeType(new ByteListType(depositRequestCodec.sizeMax), requestsMax),
  }),
  (depositRequestCodec.sizeMax + 8) * requestsMax,
);

/** Largest message; what a stream's reader must allow. */
export const messageSizeMax: number = 1 + blocksReplyCodec.sizeMax;

/** The direct message with the content of one of the gossip topic `transactions`. */
export function directBatch(gossiped: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(kinds.transactions), gossiped);
}

/** The transactions of a direct batch; none in any other message. Untrusted bytes. */
export function transactionsIn(message: Uint8Array): readonly Uint8Array[] {
  return message[0] === kinds.transactions ? transactionsOf(message.subarray(1)) : [];
}

/** Of a gossiped batch. */
export function transactionsOf(gossiped: Uint8Array): readonly Uint8Array[] {
  const batch = transactionsCodec.parse(gossiped);
  return isRejected(batch) ? [] : batch.transactions;
}

/** Transactions and requests, which wait while there is anything that decides blocks. Untrusted bytes. */
export function isBulk(bytes: Uint8Array): boolean {
  return bytes[0] === kinds.transactions || bytes[0] === kinds.requests;
}

export function encodeMessage(message: Message): Uint8Array {
  return concat(Uint8Array.of(kinds[message.kind]), encodeBody(message));
}

function encodeBody(message: Message): Uint8Array {
  switch (message.kind) {
    case "proposal":
      return proposalCodec.encode(message.proposal);
    case "votes":
      return votesCodec.encode({ votes: message.votes.map((vote) => voteCodec.encode(vote)) });
    case "status":
      return statusCodec.encode(message.status);
    case "blocksRequest":
      return blocksRequestCodec.encode({ from: message.from, count: message.count });
    case "blocksReply":
      return blocksReplyCodec.encode({ from: message.from, blocks: [...message.blocks] });
    case "transactions":
      return transactionsCodec.encode({ transactions: [...message.transactions] });
    case "requests":
      return requestsCodec.encode({ requests: [...message.requests] });
    case "compact":
      return compactCodec.encode(message.compact);
    case "wanted":
      return wantedCodec.encode(message.wanted);
    case "parts":
      return partsCodec.encode(message.parts);
  }
}

export type BadMessage = BadBytes | Rejected<"unknown-kind">;

/** Untrusted bytes of a whole message. */
export function parseMessage(bytes: Uint8Array): Message | BadMessage {
  const body = bytes.subarray(1);
  switch (bytes[0]) {
    case kinds.proposal:
      return mapped(proposalCodec.parse(body), (proposal) => ({ kind: "proposal", proposal }));
    case kinds.votes:
      return parseVotes(body);
    case kinds.status:
      return mapped(statusCodec.parse(body), (status) => ({ kind: "status", status }));
    case kinds.blocksRequest:
      return mapped(blocksRequestCodec.parse(body), (range) => ({
        kind: "blocksRequest",
        ...range,
      }));
    case kinds.blocksReply:
      return mapped(blocksReplyCodec.parse(body), (reply) => ({ kind: "blocksReply", ...reply }));
    case kinds.transactions:
      return mapped(transactionsCodec.parse(body), (batch) => ({ kind: "transactions", ...batch }));
    case kinds.requests:
      return mapped(requestsCodec.parse(body), (batch) => ({ kind: "requests", ...batch }));
    case kinds.compact:
      return mapped(compactCodec.parse(body), (compact) => ({ kind: "compact", compact }));
    case kinds.wanted:
      return mapped(wantedCodec.parse(body), (wanted) => ({ kind: "wanted", wanted }));
    case kinds.parts:
      return mapped(partsCodec.parse(body), (parts) => ({ kind: "parts", parts }));
    default:
      return rejected("unknown-kind", `no message of kind ${bytes[0]}`);
  }
}

function mapped<T>(value: T | BadBytes, to: (value: T) => Message): Message | BadBytes {
  return isRejected(value) ? value : to(value);
}

function parseVotes(body: Uint8Array): Message | BadBytes {
  const list = votesCodec.parse(body);
  if (isRejected(list)) return list;
  const votes: Vote[] = [];
  for (const bytes of list.votes) {
    const vote = voteCodec.parse(bytes);
    if (isRejected(vote)) return vote;
    votes.push(vote);
  }
  return { kind: "votes", votes };
}
