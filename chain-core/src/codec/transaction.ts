// A transaction: actions, when they expire, and who stands behind them. Either users sign the EIP-712
// message for the inputs that they spend (FMT-6), or a validator's key signs an envelope (CON-7).
import type { Bytes32, Codec, NetworkId } from "@causeway/primitives";
import {
  ByteListType,
  b32,
  ContainerType,
  codec,
  H,
  keyOf,
  ListCompositeType,
  sha256,
  taggedHash,
  u8,
  u64,
} from "@causeway/primitives";
import type { Action } from "./action.ts";
import { actionBodySizeMax, actionsMax, actionType } from "./action.ts";
import { parseTransaction, unsignedParts } from "./fast.ts";

/** FMT-9. */
export const transactionSizeMax: number = 512 * 1024;
/** Bytes: 16 of 16 keys sign in 1,381 (ledger/locks.ts). */
export const witnessSizeMax = 1_536;
const witnessesMax = 64;

/** Roles whose registered keys sign envelopes (STK-1): the relay key, and the signer's host key. */
export const roles = { relay: 1, signer: 2 } as const;

/** CON-7: `validator` is its owner's lock, `sequence` is dense per (validator, role) and starts at 1. */
export type Envelope = { validator: Uint8Array; role: number; sequence: number };

/**
 * `envelope` has at most one entry: present, the transaction is fee-free and its one witness is the 65-byte
 * recoverable signature of the role's key over H("envelope", id). Absent, it spends at least one output and
 * pays the fee. `expires` is ledger time in ms: not valid in a block of a later time.
 */
export type Transaction = {
  envelope: Envelope[];
  expires: number;
  actions: Action[];
  witnesses: Uint8Array[];
};

const envelopeType = new ContainerType({ validator: b32, role: u8, sequence: u64 });
const unsignedFields = {
  envelope: new ListCompositeType(envelopeType, 1),
  expires: u64,
  actions: new ListCompositeType(actionType, actionsMax),
};

const unsignedCodec: Codec<Omit<Transaction, "witnesses">> = codec(
  "unsigned transaction",
  new ContainerType(unsignedFields),
  transactionSizeMax,
);

const genericCodec: Codec<Transaction> = codec(
  "transaction",
  new ContainerType({
    ...unsignedFields,
    witnesses: new ListCompositeType(new ByteListType(witnessSizeMax), witnessesMax),
  }),
  transactionSizeMax,
);

const limits = {
  sizeMax: transactionSizeMax,
  actionsMax,
  bodySizeMax: actionBodySizeMax,
  witnessesMax,
  witnessSizeMax,
};
export const transactionCodec: Codec<Transaction> = {
  ...genericCodec,
  parse: (bytes) => parseTransaction(bytes, limits) ?? genericCodec.parse(bytes),
};

/** `key`: the hash in hex, one string, whose own hash a Map then computes once, too. */
type Named = { readonly hash: Bytes32; readonly key: string };
const names = new WeakMap<Uint8Array, Named>();

function named(bytes: Uint8Array): Named {
  const known = names.get(bytes);
  if (known !== undefined) return known;
  const hash = sha256(bytes);
  const made = { hash, key: keyOf(hash) };
  names.set(bytes, made);
  return made;
}

/** SHA-256 of a transaction's bytes, computed once for each array: nobody changes one. */
export function transactionBytesHash(bytes: Uint8Array): Bytes32 {
  return named(bytes).hash;
}

/** {@link transactionBytesHash} in hex, by which a node finds what it knows of a transaction. */
export function transactionKey(bytes: Uint8Array): string {
  return named(bytes).key;
}

/** {@link transactionId} of the transaction in these bytes, which parsed. */
export function transactionIdIn(network: NetworkId, bytes: Uint8Array): Bytes32 {
  // As H does, without joining the parts first.
  return taggedHash("causeway/tx/v1", network, ...unsignedParts(bytes));
}

/** FMT-4: the hash without witnesses. */
export function transactionId(network: NetworkId, tx: Transaction): Bytes32 {
  const { envelope, expires, actions } = tx;
  return H("tx", network, unsignedCodec.encode({ envelope, expires, actions }));
}

/** What an envelope's key signs. */
export function envelopeDigest(network: NetworkId, id: Uint8Array): Bytes32 {
  return H("envelope", network, id);
}
