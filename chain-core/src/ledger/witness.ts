// Who stands behind a transaction: the owners of what it spends, or a validator's role key. Each signature is
// verified once per node (env.ts).
import type { Bytes32, Rejected } from "@causeway/primitives";
import { equal, isRejected, keccak256, keyOf, rejected } from "@causeway/primitives";
import { recover } from "@causeway/primitives/secp256k1";
import type { Output } from "../codec/action.ts";
import type { Envelope, Transaction } from "../codec/transaction.ts";
import { envelopeDigest, transactionBytesHash } from "../codec/transaction.ts";
import { formatLock } from "./assets.ts";
import { renderTransaction, signingDigest } from "./eip712.ts";
import type { LedgerEnv } from "./env.ts";
import type { EnvelopeCode } from "./envelope.ts";
import { roleKey } from "./envelope.ts";
import type { Fee } from "./fees/surplus.ts";
import type { LockCode, Opening } from "./locks.ts";
import { isSigned, openingOf } from "./locks.ts";
import type { StateReader } from "./state.ts";

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
  const locks = new Map<string, Uint8Array>();
  for (const lock of [...spent.map((output) => output.lock), ...signers])
    if (!locks.has(keyOf(lock))) locks.set(keyOf(lock), lock);
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
  // The bytes fix everything that is signed but what they spend, and by which registry it is written.
  const what = `owners:${env.genesis.assets.length}`;
  return remembered<WitnessCode>(env, what, [transactionBytesHash(bytes), ...records], () => {
    const message = renderTransaction(env.genesis, tx, id, spent, fee);
    const digest = signingDigest(env.genesis, message, id);
    const bad = openings.findIndex((opening) => !isSigned(opening, digest));
    const lock = openings[bad]?.lock;
    return lock && rejected("bad-signature", `witness ${bad} is not by ${formatLock(lock)}`);
  });
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
  return remembered(env, "envelope", [transactionBytesHash(bytes), key], () => {
    const point = recover(envelopeDigest(env.genesis.networkId, id), witness);
    return point !== undefined && equal(point, key)
      ? undefined
      : rejected("bad-signature", "the envelope is not signed by its role's key");
  });
}

/** `verify`, unless it held before for the same parts, each of one size. */
function remembered<Code extends string>(
  { verified }: LedgerEnv,
  what: string,
  parts: readonly Uint8Array[],
  verify: () => Rejected<Code> | undefined,
): Rejected<Code> | undefined {
  const key = `${what}:${keyOf(keccak256(...parts))}`;
  if (verified?.has(key)) return undefined;
  const bad = verify();
  if (bad === undefined) verified?.add(key);
  return bad;
}
