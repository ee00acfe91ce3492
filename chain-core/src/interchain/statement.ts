// What the committee states about foreign chains, and the other action bodies of the interchain module.
import type { Bytes32, Codec, NetworkId, Rejected } from "@causeway/primitives";
import {
  ByteListType,
  b20,
  b32,
  b64,
  b96,
  bigEndian,
  bool,
  ContainerType,
  codec,
  concat,
  H,
  isRejected,
  ListCompositeType,
  rejected,
  u8,
  u16,
  u32,
  u64,
  u128,
} from "@causeway/primitives";
import type { Destination } from "../codec/action.ts";
import { actionBodySizeMax, destinationType } from "../codec/action.ts";
import { bitmapType } from "../codec/block.ts";

/** FMT-9. */
export const eventsMax = 256;
/** A stripped deposit or settlement transaction, bytes. */
export const foreignTransactionSizeMax: number = 100_000;

/** Kinds of foreign events. */
export const eventKinds = {
  bitcoinDeposit: 1,
  evmDeposited: 2,
  evmBurned: 3,
  evmExecuted: 4,
  evmContract: 5,
} as const;

/**
 * FMT-5, FMT-8: txid in internal order; `index` is the output index on Bitcoin, the position of the log
 * within its own receipt on EVM chains, 0 for evmContract (whose txid is the hash of the block read).
 */
export type ForeignEvent = {
  kind: number;
  txid: Uint8Array;
  index: number;
  blockHash: Uint8Array;
  height: number;
  body: Uint8Array;
};

/** Proof that a transaction is in a Bitcoin block (WIT-4): each sibling as its *single* SHA-256 preimage hash. */
export type Inclusion = {
  /** Without witness, never of 64 bytes. */
  transaction: Uint8Array;
  position: number;
  branch: Uint8Array[];
};
const inclusionFields = {
  transaction: new ByteListType(foreignTransactionSizeMax),
  position: u32,
  branch: new ListCompositeType(b32, 32),
};

/** BTC-1: the terms of a deposit address and the output that paid to it. Amounts in sats. */
export type BitcoinDeposit = {
  version: number;
  keyId: number;
  amount: bigint;
  destination: Destination;
  maxFee: bigint;
  /** x-only key of the reclaim leaf. */
  refund: Uint8Array;
} & Inclusion;
export const bitcoinDepositCodec: Codec<BitcoinDeposit> = codec(
  "bitcoin deposit",
  new ContainerType({
    version: u8,
    keyId: u32,
    amount: u128,
    destination: destinationType,
    maxFee: u128,
    refund: b32,
    ...inclusionFields,
  }),
  actionBodySizeMax,
);

/** `Deposited` and `Burned` of the gateway contract (ETH-3); refunds go to the ledger lock of `from`. */
export type EvmTransfer = {
  contract: Uint8Array;
  token: Uint8Array;
  from: Uint8Array;
  amount: bigint;
  destination: Destination;
  maxFee: bigint;
};
export const evmTransferCodec: Codec<EvmTransfer> = codec(
  "evm transfer",
  new ContainerType({
    contract: b20,
    token: b20,
    from: b20,
    amount: u128,
    destination: destinationType,
    maxFee: u128,
  }),
  1024,
);

/** `Executed` (ETH-3, ETH-4): the message of this digest ran. `failedBitmap` bit i is item i; prices in wei. */
export type EvmExecuted = {
  contract: Uint8Array;
  nonce: number;
  digest: Uint8Array;
  failedBitmap: bigint;
  executor: Uint8Array;
  gasUsed: number;
  gasPrice: bigint;
};
export const evmExecutedCodec: Codec<EvmExecuted> = codec(
  "evm executed",
  new ContainerType({
    contract: b20,
    nonce: u64,
    digest: b32,
    failedBitmap: u128,
    executor: b20,
    gasUsed: u64,
    gasPrice: u128,
  }),
  256,
);

/** ETH-3: what stands at the gateway's address, read at `finalized`, before the first batch is planned. */
export type EvmContract = {
  contract: Uint8Array;
  /** keccak-256 of the runtime code, checked by each signer against the artifact with its immutables. */
  codeHash: Uint8Array;
  network: Uint8Array;
  keyId: number;
  /** x of the ring's key as the contract holds it. */
  key: Uint8Array;
};
export const evmContractCodec: Codec<EvmContract> = codec(
  "evm contract",
  new ContainerType({ contract: b20, codeHash: b32, network: b32, keyId: u32, key: b32 }),
  256,
);

export type Statement = { epoch: number; chain: Uint8Array; events: ForeignEvent[] };
export const foreignEventType: ContainerType<{
  kind: typeof u16;
  txid: typeof b32;
  index: typeof u32;
  blockHash: typeof b32;
  height: typeof u64;
  body: ByteListType;
}> = new ContainerType({
  kind: u16,
  txid: b32,
  index: u32,
  blockHash: b32,
  height: u64,
  body: new ByteListType(actionBodySizeMax),
});
const statementType = new ContainerType({
  epoch: u64,
  chain: b32,
  events: new ListCompositeType(foreignEventType, eventsMax),
});
export const statementCodec: Codec<Statement> = codec(
  "statement",
  statementType,
  actionBodySizeMax,
);

/** What the attest keys sign (WIT-1, WIT-2). Events are sorted by event id, without duplicates. */
export function statementDigest(network: NetworkId, statement: Statement): Bytes32 {
  return H("statement", network, statementCodec.encode(statement));
}

/** The committee's quorum over one statement: one aggregate, one bitmap over the epoch's committee. */
export type Attest = { statement: Statement; bitmap: Uint8Array; signature: Uint8Array };
export const attestCodec: Codec<Attest> = codec(
  "attest",
  new ContainerType({ statement: statementType, bitmap: bitmapType, signature: b96 }),
  actionBodySizeMax,
);

/** FMT-5: the same event has the same id on every node and after every reorganisation. */
export function eventId(
  network: NetworkId,
  chain: Uint8Array,
  contract: Uint8Array | undefined,
  txid: Uint8Array,
  index: number,
): Bytes32 {
  const where = contract ?? new Uint8Array(20);
  return H("event", network, concat(chain, where, txid, bigEndian(index, 4)));
}

/** The id of a stated event from its own bytes; rejected for an unknown kind or a body that does not parse. */
export function eventIdOf(
  network: NetworkId,
  chain: Uint8Array,
  event: ForeignEvent,
): Bytes32 | Rejected<"bad-event"> {
  const contract = contractOf(event);
  if (isRejected(contract)) return rejected("bad-event", contract.message);
  return eventId(network, chain, contract, event.txid, event.index);
}

/** On EVM chains the contract is in the body; Bitcoin has none. */
function contractOf(event: ForeignEvent): Uint8Array | undefined | Rejected {
  switch (event.kind) {
    case eventKinds.bitcoinDeposit:
      return undefined;
    case eventKinds.evmDeposited:
    case eventKinds.evmBurned:
      return contractField(evmTransferCodec.parse(event.body));
    case eventKinds.evmExecuted:
      return contractField(evmExecutedCodec.parse(event.body));
    case eventKinds.evmContract:
      return contractField(evmContractCodec.parse(event.body));
    default:
      return rejected("bad-event", `no event kind ${event.kind}`);
  }
}

function contractField(body: { contract: Uint8Array } | Rejected): Uint8Array | Rejected {
  return isRejected(body) ? body : body.contract;
}

/** A Bitcoin transaction of ours, or one that spends a coin of ours, in a block at final depth (BTC-3, WIT-4). */
export type Settle = { chain: Uint8Array; blockHash: Uint8Array } & Inclusion;
export const settleCodec: Codec<Settle> = codec(
  "settle",
  new ContainerType({ chain: b32, blockHash: b32, ...inclusionFields }),
  actionBodySizeMax,
);

/** The ring's signatures for a plan, one per message of the plan in order (DESIGN 5). */
export type RingSignature = { plan: Uint8Array; signatures: Uint8Array[] };
export const ringSignatureCodec: Codec<RingSignature> = codec(
  "ring signature",
  new ContainerType({ plan: b32, signatures: new ListCompositeType(b64, 256) }),
  actionBodySizeMax,
);

/** A user's deposit terms, gossiped so that every relay watches the address (WIT-1, DESIGN 3). */
export type DepositRequest = {
  version: number;
  chain: Uint8Array;
  keyId: number;
  destination: Destination;
  maxFee: bigint;
  refund: Uint8Array;
  /** Ledger time in ms after which nodes forget it; it can be posted again at any time. */
  expires: number;
};
export const depositRequestCodec: Codec<DepositRequest> = codec(
  "deposit request",
  new ContainerType({
    version: u8,
    chain: b32,
    keyId: u32,
    destination: destinationType,
    maxFee: u128,
    refund: b32,
    expires: u64,
  }),
  512,
);

/** Bus topic "hints": where a signer should look (WIT-3). `events` are candidates, never facts. */
export type Hint = { chain: Uint8Array; event: ForeignEvent; final: boolean };
export const hintCodec: Codec<Hint> = codec(
  "hint",
  new ContainerType({ chain: b32, event: foreignEventType, final: bool }),
  actionBodySizeMax + 1024,
);
