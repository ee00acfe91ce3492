// Who stands behind a transaction: the owners of what it spends, or a validator's role key. Each signature is
// verified once per node (env.ts).
import type { Bytes32, Rejected } from "@causeway/primitives";
import { concat, equal, isRejected, keyOf, rejected, sha256 } from "@causeway/primitives";
import { addressOf, recover } from "@causeway/primitives/secp256k1";
import type { Output } from "../codec/action.ts";
import { outputType } from "../codec/action.ts";
import type { Envelope, Transaction } from "../codec/transaction.ts";
import { envelopeDigest } from "../codec/transaction.ts";
import { formatLock, isKeyLock } from "./assets.ts";
import { renderTransaction, signingDigest } from "./eip712.ts";
import type { LedgerEnv } from "./env.ts";
import type { EnvelopeCode } from "./envelope.ts";
import { roleKey } from "./envelope.ts";

export type WitnessCode =
  /** Not one witness for each distinct lock, or not one for an envelope. */
  | "wrong-witness-count"
  /** Malformed, high s, or of another key or message. */
  | "bad-signature"
  /** The lock of a spent output is none that version 1 can open. */
  | "unsupported-lock";

/** The distinct locks of `spent` in order of first appearance: whose witnesses a transaction carries. */
export function locksOf(spent: readonly Output[]): Uint8Array[] {
  const locks = new Map<string, Uint8Array>();
  for (const { lock } of spent) if (!locks.has(keyOf(lock))) locks.set(keyOf(lock), lock);
  return [...locks.values()];
}

/** Checks the signatures of a user's transaction that spends `spent` and burns `fee`. */
export function checkOwners(
  env: LedgerEnv,
  tx: Transaction,
  id: Bytes32,
  spent: readonly Output[],
  fee: bigint,
): Rejected<WitnessCode> | undefined {
  const locks = locksOf(spent);
  if (tx.witnesses.length !== locks.length)
    return rejected(
      "wrong-witness-count",
      `${tx.witnesses.length} witnesses for ${locks.length} owners`,
    );
  // An id fixes everything that is signed but the content of the outputs that it spends.
  const content = spent.map((output) => outputType.serialize(output));
  return remembered(env, "owners", [id, ...tx.witnesses, ...content], () => {
    const message = renderTransaction(env.genesis, tx, id, spent, fee);
    const digest = signingDigest(env.genesis, message, id);
    for (const [i, lock] of locks.entries()) {
      if (!isKeyLock(lock))
        return rejected("unsupported-lock", `nothing opens ${formatLock(lock)} yet`);
      const point = recover(digest, tx.witnesses[i] ?? new Uint8Array(0));
      if (point === undefined || !equal(addressOf(point), lock.subarray(12)))
        return rejected("bad-signature", `witness ${i} is not by ${formatLock(lock)}`);
    }
    return undefined;
  });
}

/** Checks the one signature of an envelope. */
export function checkEnvelope(
  env: LedgerEnv,
  tx: Transaction,
  id: Bytes32,
  envelope: Envelope,
): Rejected<WitnessCode | EnvelopeCode> | undefined {
  const [witness, ...others] = tx.witnesses;
  if (witness === undefined || others.length > 0)
    return rejected("wrong-witness-count", `${tx.witnesses.length} witnesses for an envelope`);
  const key = roleKey(env.genesis, envelope);
  if (isRejected(key)) return key;
  return remembered(env, "envelope", [id, witness, key], () => {
    const point = recover(envelopeDigest(env.genesis.networkId, id), witness);
    return point !== undefined && equal(point, key)
      ? undefined
      : rejected("bad-signature", "the envelope is not signed by its role's key");
  });
}

/** `verify`, unless it held before for the same bytes; `parts` are of fixed size or framed by the first. */
function remembered<Code extends string>(
  { verified }: LedgerEnv,
  what: string,
  parts: readonly Uint8Array[],
  verify: () => Rejected<Code> | undefined,
): Rejected<Code> | undefined {
  const key = `${what}:${keyOf(sha256(concat(...parts.map((part) => sha256(part)))))}`;
  if (verified?.has(key)) return undefined;
  const bad = verify();
  if (bad === undefined) verified?.add(key);
  return bad;
}
