// Making transactions: what wallets, relays and signers do with a key, the mirror of witness.ts.
import type { Bytes32, Rejected } from "@causeway/primitives";
import { equal, isRejected, keyOf, rejected } from "@causeway/primitives";
import { addressOf, publicPoint, signRecoverable } from "@causeway/primitives/secp256k1";
import type { Action, Output } from "../codec/action.ts";
import { kinds } from "../codec/action.ts";
import type { Envelope, Transaction } from "../codec/transaction.ts";
import { envelopeDigest, transactionId } from "../codec/transaction.ts";
import { btm, formatLock, lockOfAddress } from "./assets.ts";
import type { SigningMessage } from "./eip712.ts";
import { renderTransaction, signingDigest } from "./eip712.ts";
import type { Fee } from "./fees/surplus.ts";
import { surplusOf } from "./fees/surplus.ts";
import type { Genesis } from "./genesis.ts";
import type { LockTerms } from "./locks.ts";
import { lockWitness } from "./locks.ts";
import type { Balance } from "./rule.ts";
import { ruleOf } from "./rules.ts";
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

/**
 * `spent` are the outputs that the spends of `actions` name, in order; `expires` ledger time in ms. Action bodies must
 * parse.
 */
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
  const signers = actions.flatMap(({ kind, body }) => {
    const rule = ruleOf(kind);
    return rule?.signers?.(rule.codec.decode(body)) ?? [];
  });
  return { tx, id, message, digest, locks: locksOf(spent, signers) };
}

/** What is left over; of a transaction that the ledger will refuse, the BTM. */
function feeOf(genesis: Genesis, actions: readonly Action[], spent: readonly Output[]): Fee {
  const balances: Balance[] = [spent.map(({ asset, amount }) => [asset, amount])];
  for (const { kind, body } of actions) {
    const rule = kind === kinds.spend ? undefined : ruleOf(kind);
    if (rule !== undefined) balances.push(rule.balance({ genesis }, rule.codec.decode(body)));
  }
  const fee = surplusOf(genesis, balances);
  if (!isRejected(fee)) return fee;
  const asset = btm(genesis);
  const own = balances.flat().filter(([one]) => equal(one, asset));
  return { asset, amount: own.reduce((sum, [, value]) => sum + value, 0n) };
}

/** A lock that is no key's, with the terms that open it. */
export type KnownLock = { readonly lock: Uint8Array; readonly terms: LockTerms };

/**
 * The transaction with a witness for each lock; `secrets` in any order, each 32 bytes. `known` are the locks with terms
 * among `unsigned.locks`. Owners who are apart sign `unsigned.digest` each and join with `lockWitness`.
 */
export function signTransaction(
  unsigned: Unsigned,
  secrets: readonly Uint8Array[],
  known: readonly KnownLock[] = [],
): Transaction | Rejected<"missing-secret"> {
  const byLock = new Map(
    secrets.map((secret) => [keyOf(lockOfAddress(addressOf(publicPoint(secret)))), secret]),
  );
  const witnesses: Uint8Array[] = [];
  for (const lock of unsigned.locks) {
    const terms = known.find((one) => equal(one.lock, lock))?.terms;
    const witness =
      terms === undefined
        ? signBy(byLock.get(keyOf(lock)), unsigned)
        : lockWitness(
            terms,
            unsigned.digest,
            secrets.map((secret) => signRecoverable(secret, unsigned.digest)),
          );
    if (witness === undefined)
      return rejected("missing-secret", `no key for the lock ${formatLock(lock)}`);
    witnesses.push(witness);
  }
  return { ...unsigned.tx, witnesses };
}

function signBy(secret: Uint8Array | undefined, { digest }: Unsigned): Uint8Array | undefined {
  return secret && signRecoverable(secret, digest);
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
