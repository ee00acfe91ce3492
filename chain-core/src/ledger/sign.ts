// Making transactions: what wallets, relays and signers do with a key, the mirror of witness.ts.
import type { Bytes32, Rejected } from "@causeway/primitives";
import { equal, keyOf, rejected } from "@causeway/primitives";
import { addressOf, publicPoint, signRecoverable } from "@causeway/primitives/secp256k1";
import type { Action, Output } from "../codec/action.ts";
import { createCodec, kinds } from "../codec/action.ts";
import type { Envelope, Transaction } from "../codec/transaction.ts";
import { envelopeDigest, transactionId } from "../codec/transaction.ts";
import { btm, lockOfAddress } from "./assets.ts";
import type { SigningMessage } from "./eip712.ts";
import { renderTransaction, signingDigest } from "./eip712.ts";
import type { Genesis } from "./genesis.ts";
import { locksOf } from "./witness.ts";

/** A transaction without witnesses and what its owners are asked to sign. */
export type Unsigned = {
  readonly tx: Transaction;
  readonly id: Bytes32;
  readonly message: SigningMessage;
  readonly digest: Bytes32;
  /** Whose signatures it needs, in the order of the witnesses. */
  readonly locks: readonly Uint8Array[];
};

/** `spent` are the outputs that the spends of `actions` name, in order; `expires` ledger time in ms. */
export function unsignedTransaction(
  genesis: Genesis,
  actions: readonly Action[],
  spent: readonly Output[],
  expires: number,
): Unsigned {
  const tx: Transaction = { envelope: [], expires, actions: [...actions], witnesses: [] };
  const id = transactionId(genesis.networkId, tx);
  const message = renderTransaction(genesis, tx, id, spent, feeOf(genesis, actions, spent));
  const digest = signingDigest(genesis, message, id);
  return { tx, id, message, digest, locks: locksOf(spent) };
}

/** BTM spent and not created. */
function feeOf(genesis: Genesis, actions: readonly Action[], spent: readonly Output[]): bigint {
  const own = btm(genesis);
  const sum = (all: readonly Output[]): bigint =>
    all.reduce((total, { asset, amount }) => total + (equal(asset, own) ? amount : 0n), 0n);
  const created = actions
    .filter(({ kind }) => kind === kinds.create)
    .flatMap(({ body }) => createCodec.decode(body).outputs);
  return sum(spent) - sum(created);
}

/** The transaction with a witness of each owner; `secrets` in any order, each 32 bytes. */
export function signTransaction(
  unsigned: Unsigned,
  secrets: readonly Uint8Array[],
): Transaction | Rejected<"missing-secret"> {
  const byLock = new Map(
    secrets.map((secret) => [keyOf(lockOfAddress(addressOf(publicPoint(secret)))), secret]),
  );
  const witnesses: Uint8Array[] = [];
  for (const lock of unsigned.locks) {
    const secret = byLock.get(keyOf(lock));
    if (secret === undefined)
      return rejected("missing-secret", `no key for the lock ${keyOf(lock)}`);
    witnesses.push(signRecoverable(secret, unsigned.digest));
  }
  return { ...unsigned.tx, witnesses };
}

/** CON-7: `actions` in an envelope, signed by the secret of the role's key. */
export function signEnvelope(
  genesis: Genesis,
  envelope: Envelope,
  expires: number,
  actions: readonly Action[],
  secret: Uint8Array,
): Transaction {
  const tx: Transaction = {
    envelope: [envelope],
    expires,
    actions: [...actions],
    witnesses: [],
  };
  const digest = envelopeDigest(genesis.networkId, transactionId(genesis.networkId, tx));
  return { ...tx, witnesses: [signRecoverable(secret, digest)] };
}
