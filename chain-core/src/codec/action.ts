// Actions and their bytes: a transaction is a list of them (DESIGN 2). A kind is never renumbered (FMT-2).
// Bodies of the ring's ceremony (deal, complaint, confirm) are in ring/keygen.ts, that of badShare beside it; those about foreign
// chains in interchain/statement.ts, of stake in stake.ts; the rest is here.
import type { Codec } from "@causeway/primitives";
import {
  amountMax,
  assert,
  ByteListType,
  b32,
  bool,
  ContainerType,
  codec,
  ListCompositeType,
  u8,
  u16,
  u32,
  u64,
  u128,
} from "@causeway/primitives";
import { encodeOutput, outputSize, parseCreate, parseOutput, parseSpend } from "./fast.ts";

/** Kind numbers. */
export const kinds = {
  spend: 1,
  create: 2,
  issue: 3,
  retire: 4,
  burn: 5,
  memo: 6,
  within: 7,
  headers: 10,
  attest: 11,
  settle: 12,
  signature: 13,
  deal: 20,
  complaint: 21,
  confirm: 22,
  heartbeat: 23,
  badShare: 24,
  evidence: 30,
  register: 31,
  update: 32,
  exit: 33,
  unjail: 34,
  delegate: 35,
  undelegate: 36,
  redelegate: 37,
  withdraw: 38,
  claim: 39,
  contribution: 40,
  segment: 41,
  migrate: 42,
  setParameter: 50,
  upgrade: 51,
  guard: 52,
} as const;

/** FMT-9. */
export const actionBodySizeMax: number = 256 * 1024;
export const actionsMax = 64;
export const inputsMax = 64;
export const outputsMax = 64;
export const bitcoinHeadersMax = 2_000;

/** One entry of a transaction; `kind` as in {@link kinds}, `body` the bytes of that kind's container. */
export type Action = { kind: number; body: Uint8Array };
export const actionType: ContainerType<{ kind: typeof u16; body: ByteListType }> =
  new ContainerType({ kind: u16, body: new ByteListType(actionBodySizeMax) });

/** FMT-4: the id of an output is the transaction's id and its position among all outputs of it. */
export type OutputId = { txid: Uint8Array; index: number };
export const outputIdType: ContainerType<{ txid: typeof b32; index: typeof u32 }> =
  new ContainerType({ txid: b32, index: u32 });

/** `asset` 32-byte id, `amount` in its smallest unit (never 0), `lock` 32 bytes (FMT-4). */
export type Output = { asset: Uint8Array; amount: bigint; lock: Uint8Array };
export const outputType: ContainerType<{
  asset: typeof b32;
  amount: typeof u128;
  lock: typeof b32;
}> = new ContainerType({ asset: b32, amount: u128, lock: b32 });

/** FMT-8: where value goes. Chain: networkId for our ledger, EVM chain id big-endian, Bitcoin's block 0 hash. */
export type Destination = { chain: Uint8Array; payload: Uint8Array };
export const destinationType: ContainerType<{ chain: typeof b32; payload: ByteListType }> =
  new ContainerType({ chain: b32, payload: new ByteListType(128) });

/** Spends unspent outputs; one witness signature per distinct lock, in order of first appearance. */
export type Spend = { inputs: OutputId[] };
const genericSpend: Codec<Spend> = codec(
  "spend",
  new ContainerType({ inputs: new ListCompositeType(outputIdType, inputsMax) }),
  actionBodySizeMax,
);
export const spendCodec: Codec<Spend> = {
  ...genericSpend,
  parse: (bytes) => parseSpend(bytes, inputsMax) ?? genericSpend.parse(bytes),
  decode: (bytes) => parseSpend(bytes, inputsMax) ?? genericSpend.decode(bytes),
};

export type Create = { outputs: Output[] };
const genericCreate: Codec<Create> = codec(
  "create",
  new ContainerType({ outputs: new ListCompositeType(outputType, outputsMax) }),
  actionBodySizeMax,
);
export const createCodec: Codec<Create> = {
  ...genericCreate,
  parse: (bytes) => parseCreate(bytes, outputsMax) ?? genericCreate.parse(bytes),
  decode: (bytes) => parseCreate(bytes, outputsMax) ?? genericCreate.decode(bytes),
};

const genericOutput: Codec<Output> = codec("output", outputType, outputSize);
/** An output as the state keeps it: 80 bytes. */
export const outputCodec: Codec<Output> = {
  ...genericOutput,
  encode: (output) => {
    assert(output.amount >= 0n && output.amount <= amountMax, `output of ${output.amount}`);
    return encodeOutput(output);
  },
  decode: (bytes) => parseOutput(bytes) ?? genericOutput.decode(bytes),
};

/**
 * Sends `amount` of a wrapped asset out to `destination` on another chain. The recipient gets amount less
 * the fee share, which never exceeds `maxFee` (same unit). `refund` is the lock that a failure returns to.
 */
export type Burn = {
  asset: Uint8Array;
  amount: bigint;
  destination: Destination;
  maxFee: bigint;
  refund: Uint8Array;
};
export const burnCodec: Codec<Burn> = codec(
  "burn",
  new ContainerType({
    asset: b32,
    amount: u128,
    destination: destinationType,
    maxFee: u128,
    refund: b32,
  }),
  actionBodySizeMax,
);

/**
 * What an asset of a user is, and its id the hash of: `symbol` 3 to 12 capitals and digits, `name` 1 to 64 bytes of
 * printable ASCII, `issuer` the lock that signs each issue, `cap` the most that may be in circulation (0: 2^128 - 1).
 */
export type IssuedDefinition = {
  symbol: Uint8Array;
  name: Uint8Array;
  decimals: number;
  issuer: Uint8Array;
  cap: bigint;
  /** False: the first issue is the only one. */
  isReissuable: boolean;
};
export const issuedDefinitionType: ContainerType<{
  symbol: ByteListType;
  name: ByteListType;
  decimals: typeof u8;
  issuer: typeof b32;
  cap: typeof u128;
  isReissuable: typeof bool;
}> = new ContainerType({
  symbol: new ByteListType(12),
  name: new ByteListType(64),
  decimals: u8,
  issuer: b32,
  cap: u128,
  isReissuable: bool,
});

/** Brings `amount` new units of the asset into the transaction; creates say whose they are. */
export type Issue = { definition: IssuedDefinition; amount: bigint };
export const issueCodec: Codec<Issue> = codec(
  "issue",
  new ContainerType({ definition: issuedDefinitionType, amount: u128 }),
  actionBodySizeMax,
);

/** Takes `amount` units of an asset that a user defined out of circulation. */
export type Retire = { asset: Uint8Array; amount: bigint };
export const retireCodec: Codec<Retire> = codec(
  "retire",
  new ContainerType({ asset: b32, amount: u128 }),
  actionBodySizeMax,
);

/** A note that is signed and kept with the transaction: 1 to 128 bytes of UTF-8. */
export const memoSizeMax = 128;
export type Memo = { text: Uint8Array };
export const memoCodec: Codec<Memo> = codec(
  "memo",
  new ContainerType({ text: new ByteListType(memoSizeMax) }),
  actionBodySizeMax,
);

/** Lets its transaction into blocks of height `from` to `to` only, both included. */
export type Within = { from: number; to: number };
export const withinCodec: Codec<Within> = codec(
  "within",
  new ContainerType({ from: u64, to: u64 }),
  actionBodySizeMax,
);

/** Pays row `index` of the migration's snapshot to its lock; `path` as in ledger/migration/merkle.ts. */
export type Migrate = { lock: Uint8Array; amount: bigint; index: number; path: Uint8Array[] };
export const migrateCodec: Codec<Migrate> = codec(
  "migrate",
  new ContainerType({ lock: b32, amount: u128, index: u32, path: new ListCompositeType(b32, 32) }),
  2_048,
);

/** Bitcoin headers, 80 bytes each, in order, for the header chain on the ledger (WIT-4). */
export type Headers = { chain: Uint8Array; headers: Uint8Array };
export const headersCodec: Codec<Headers> = codec(
  "headers",
  new ContainerType({ chain: b32, headers: new ByteListType(80 * bitcoinHeadersMax) }),
  actionBodySizeMax,
);
