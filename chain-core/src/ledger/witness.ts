// Who stands behind a transaction: the owners of what it spends, or a validator's role key. Each signature is
// verified once per node (env.ts).
import type { Bytes32, Rejected } from "@causeway/primitives";
import { equal, isRejected, keccak256, keyOf, rejected } from "@causeway/primitives";
import { recover } from "@causeway/primitives/secp256k1";
import type { Output } from "../codec/action.ts";
import type { Envelope, Transaction } from "../codec/transaction.ts";
import {
  envelopeDigest,
  transactionCodec,
  transactionIdIn,
  transactionKey,
} from "../codec/transaction.ts";
import { formatLock } from "./assets.ts";
import { renderTransaction, signingDigest } from "./eip712.ts";
import type { LedgerEnv } from "./env.ts";
import type { EnvelopeCode } from "./envelope.ts";
import { roleKey } from "./envelope.ts";
import type { Fee } from "./fees/surplus.ts";
import { surplusOf } from "./fees/surplus.ts";
import type { Genesis } from "./genesis.ts";
import type { LockCode, Opening } from "./locks.ts";
import { isSigned, openingOf } from "./locks.ts";
import type { Balance } from "./rule.ts";
import { ruleOf } from "./rules.ts";
import type { StateReader } from "./state.ts";
import { outputs } from "./utxo/outputs.ts";

export type WitnessCode =
  /** Not one witness for each distinct lock, or not one for an envelope. */
  | "wrong-witness-count"
  /** Malformed, high s, of another key or message, or not exactly as many as the lock asks for. */
  | "bad-signature"
  | LockCode;

/**
 * The distinct locks of `spent` in order of first appearance, then those of `signers`, whom the actions need besides:
 * whose witnesses a transaction carries.
 */
export function locksOf(
  spent: readonly Output[],
  signers: readonly Uint8Array[] = [],
): Uint8Array[] {
  const all = [...spent.map((output) => output.lock), ...signers];
  if (all.length === 1) return all;
  const locks = new Map<string, Uint8Array>();
  for (const lock of all) if (!locks.has(keyOf(lock))) locks.set(keyOf(lock), lock);
  return [...locks.values()];
}

/** A transaction that parsed: `bytes` are its own. */
type Signed = {
  readonly tx: Transaction;
  readonly id: Bytes32;
  readonly bytes: Uint8Array;
};

/**
 * A user's transaction as its owners signed it. `records` are `spent` as the state keeps them, `fee` is what it leaves
 * over, `signers` as in {@link locksOf}.
 */
type OwnersSigned = Signed & {
  readonly spent: readonly Output[];
  readonly records: readonly Uint8Array[];
  readonly signers: readonly Uint8Array[];
  readonly fee: Fee;
};

/** Checks that every lock is open at ledger time `time` (ms), and the signatures. */
export function checkOwners(
  env: LedgerEnv,
  { tx, id, bytes, spent, records, signers, fee }: OwnersSigned,
  time: number,
): Rejected | undefined {
  const locks = locksOf(spent, signers);
  if (tx.witnesses.length !== locks.length)
    return rejected<WitnessCode>(
      "wrong-witness-count",
      `${tx.witnesses.length} witnesses for ${locks.length} owners`,
    );
  const openings: Opening[] = [];
  for (const [i, lock] of locks.entries()) {
    const opening = openingOf(env.genesis.networkId, lock, tx.witnesses[i] ?? new Uint8Array(0));
    if (isRejected(opening)) return opening;
    // Time is no part of what is remembered below.
    if (opening.opensAt > time)
      return rejected<WitnessCode>(
        "lock-closed",
        `${formatLock(lock)} opens at ${opening.opensAt}, ledger time is ${time}`,
      );
    openings.push(opening);
  }
  const of = transactionKey(bytes);
  const how = howSigned(env.genesis, records, signers, fee);
  return remembered<WitnessCode>(env, of, how, () => {
    const bad = unsigned(env.genesis, { tx, id, spent, fee }, openings);
    return bad && rejected("bad-signature", `not signed by ${formatLock(bad.lock)}`);
  });
}

/**
 * What of a user's transaction the signatures hang on besides its bytes: what it spends, who else must sign, the fee,
 * and the registry that its text is written by, which only grows.
 */
function howSigned(
  genesis: Genesis,
  records: readonly Uint8Array[],
  signers: readonly Uint8Array[],
  fee: Fee,
): string {
  const hash = keyOf(keccak256(fee.asset, ...signers, ...records));
  return `${genesis.assets.length}:${signers.length}:${fee.amount}:${hash}`;
}

/** The first of its locks that is not opened by signatures of this transaction. */
function unsigned(
  genesis: Genesis,
  { tx, id, spent, fee }: Pick<OwnersSigned, "tx" | "id" | "spent" | "fee">,
  openings: readonly Opening[],
): Opening | undefined {
  const digest = signingDigest(genesis, renderTransaction(genesis, tx, id, spent, fee), id);
  return openings.find((opening) => !isSigned(opening, digest));
}

/**
 * For a thread without the state: `how` the ledger remembers a user's transaction with good signatures that spends
 * `records`, in order (env.ts). Undefined for every other: the ledger itself says what is wrong with it.
 */
export function proofOfOwners(
  genesis: Genesis,
  bytes: Uint8Array,
  records: readonly Uint8Array[],
): string | undefined {
  const tx = transactionCodec.parse(bytes);
  if (isRejected(tx) || tx.envelope.length > 0) return undefined;
  const spent = records.map((record) => outputs.codec.decode(record));
  const balances: Balance[] = [spent.map(({ asset, amount }) => [asset, amount])];
  const signers: Uint8Array[] = [];
  for (const { kind, body } of tx.actions) {
    const rule = ruleOf(kind);
    const parsed: unknown = rule?.codec.parse(body);
    if (rule === undefined || isRejected(parsed)) return undefined;
    balances.push(rule.balance({ genesis }, parsed));
    signers.push(...(rule.signers?.(parsed) ?? []));
  }
  const fee = surplusOf(genesis, balances);
  if (isRejected(fee)) return undefined;
  const locks = locksOf(spent, signers);
  if (locks.length !== tx.witnesses.length) return undefined;
  const openings: Opening[] = [];
  for (const [i, lock] of locks.entries()) {
    const opening = openingOf(genesis.networkId, lock, tx.witnesses[i] ?? new Uint8Array(0));
    if (isRejected(opening)) return undefined;
    openings.push(opening);
  }
  const id = transactionIdIn(genesis.networkId, bytes);
  if (unsigned(genesis, { tx, id, spent, fee }, openings) !== undefined) return undefined;
  return howSigned(genesis, records, signers, fee);
}

/** Checks the one signature of an envelope. */
export function checkEnvelope(
  env: LedgerEnv,
  state: StateReader,
  { tx, id, bytes }: Signed,
  envelope: Envelope,
): Rejected<WitnessCode | EnvelopeCode> | undefined {
  const [witness, ...others] = tx.witnesses;
  if (witness === undefined || others.length > 0)
    return rejected("wrong-witness-count", `${tx.witnesses.length} witnesses for an envelope`);
  const key = roleKey(state, envelope);
  if (isRejected(key)) return key;
  return remembered(env, transactionKey(bytes), keyOf(key), () => {
    const point = recover(envelopeDigest(env.genesis.networkId, id), witness);
    return point !== undefined && equal(point, key)
      ? undefined
      : rejected("bad-signature", "the envelope is not signed by its role's key");
  });
}

/** `verify`, unless it held before. */
function remembered<Code extends string>(
  { verified }: LedgerEnv,
  of: string,
  how: string,
  verify: () => Rejected<Code> | undefined,
): Rejected<Code> | undefined {
  if (verified?.has(of, how)) return undefined;
  const bad = verify();
  if (bad === undefined) verified?.add(of, how);
  return bad;
}
