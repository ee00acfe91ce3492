// Locks besides a key's own (FMT-4): keys of which some must sign, not before a ledger time, or both. The ledger
// sees only the hash until somebody spends; the witness then shows the terms and the signatures.
import type { Bytes32, Codec, NetworkId, Rejected } from "@causeway/primitives";
import {
  assert,
  b20,
  b65,
  ContainerType,
  codec,
  equal,
  H,
  isRejected,
  isZero,
  keyOf,
  ListCompositeType,
  rejected,
  toHex,
  u8,
  u64,
} from "@causeway/primitives";
import { recoverAddress } from "@causeway/primitives/secp256k1";
import { witnessSizeMax } from "../codec/transaction.ts";
import { formatLock, isKeyLock } from "./assets.ts";

/** With all of them and their signatures a witness has 1,381 bytes. */
export const lockKeysMax = 16;

/**
 * `threshold` of `keys` (20-byte addresses, strictly ascending) must sign, in a block of ledger time `opensAt` (ms,
 * 0: any) or later. Who brings one key of several can look for collisions of addresses, but gains nothing: the lock
 * is the 32-byte hash over all of them.
 */
export type LockTerms = { opensAt: number; threshold: number; keys: Uint8Array[] };
const termsType = new ContainerType({
  opensAt: u64,
  threshold: u8,
  keys: new ListCompositeType(b20, lockKeysMax),
});
const termsCodec: Codec<LockTerms> = codec("lock terms", termsType, 13 + 20 * lockKeysMax);

/** `signatures` of 65 bytes, exactly `threshold` of them, in the order of their keys. */
type LockWitness = { terms: LockTerms; signatures: Uint8Array[] };
const lockWitnessCodec: Codec<LockWitness> = codec(
  "lock witness",
  new ContainerType({ terms: termsType, signatures: new ListCompositeType(b65, lockKeysMax) }),
  witnessSizeMax,
);

export type LockCode =
  /** No key, a key twice, the zero address, unsorted, or a threshold that they cannot meet. */
  | "bad-lock-terms"
  /** The witness shows other terms than those that the lock is the hash of. */
  | "wrong-lock-terms"
  /** Before its time. */
  | "lock-closed";

/** Undefined for terms that somebody can meet, in their one canonical form. */
export function checkTerms({ threshold, keys }: LockTerms): Rejected<LockCode> | undefined {
  if (keys.length === 0 || keys.length > lockKeysMax)
    return rejected("bad-lock-terms", `${keys.length} keys, 1 to ${lockKeysMax} are possible`);
  if (threshold < 1 || threshold > keys.length)
    return rejected("bad-lock-terms", `${threshold} of ${keys.length} keys`);
  let before = "";
  for (const key of keys) {
    const name = toHex(key);
    if (isZero(key) || name <= before)
      return rejected("bad-lock-terms", "keys are addresses, not zero, each once, ascending");
    before = name;
  }
  return undefined;
}

/** Terms of `addresses` in any order, none twice; `opensAt` is ledger time in ms, 0 for any. */
export function lockTerms(
  addresses: readonly Uint8Array[],
  threshold: number = addresses.length,
  opensAt: number = 0,
): LockTerms | Rejected<LockCode> {
  const keys = [...addresses].sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1));
  const terms = { opensAt, threshold, keys };
  return checkTerms(terms) ?? terms;
}

/** The lock that these terms open. */
export function lockOf(network: NetworkId, terms: LockTerms): Bytes32 {
  const lock = H("lock", network, termsCodec.encode(terms));
  // FMT-4: else it would be taken for a key's; one hash in 2^96.
  assert(!isZero(lock.subarray(0, 12)), "a lock that looks like a key's");
  return lock;
}

/** What a witness claims to open: `threshold` signatures by `keys`, in their order, from `opensAt` on. */
export type Opening = LockTerms & { readonly lock: Uint8Array; readonly signatures: Uint8Array[] };

/** A witness against its lock, signatures not yet verified. */
export function openingOf(
  network: NetworkId,
  lock: Uint8Array,
  witness: Uint8Array,
): Opening | Rejected {
  if (isKeyLock(lock))
    return { lock, opensAt: 0, threshold: 1, keys: [lock.subarray(12)], signatures: [witness] };
  const parsed = lockWitnessCodec.parse(witness);
  if (isRejected(parsed)) return parsed;
  const { terms, signatures } = parsed;
  const bad = checkTerms(terms);
  if (bad !== undefined) return bad;
  if (!equal(lockOf(network, terms), lock))
    return rejected<LockCode>("wrong-lock-terms", `not the terms of ${formatLock(lock)}`);
  return { lock, ...terms, signatures };
}

/** True for exactly `threshold` signatures of `digest`, by different keys in their order. */
export function isSigned({ threshold, keys, signatures }: Opening, digest: Bytes32): boolean {
  if (signatures.length !== threshold) return false;
  let next = 0;
  for (const signature of signatures) {
    const address = recoverAddress(digest, signature);
    if (address === undefined) return false;
    const at = keys.findIndex((key, i) => i >= next && equal(key, address));
    if (at < 0) return false;
    next = at + 1;
  }
  return true;
}

/**
 * The witness of a lock with these terms, from the 65-byte signatures of `digest` that its owners gave, in any order;
 * undefined while they are too few. Those of strangers are left out.
 */
export function lockWitness(
  terms: LockTerms,
  digest: Bytes32,
  signatures: readonly Uint8Array[],
): Uint8Array | undefined {
  const byKey = new Map<string, Uint8Array>();
  for (const signature of signatures) {
    const address = recoverAddress(digest, signature);
    if (address !== undefined) byKey.set(keyOf(address), signature);
  }
  const ours = terms.keys.flatMap((key) => byKey.get(keyOf(key)) ?? []).slice(0, terms.threshold);
  return ours.length < terms.threshold
    ? undefined
    : lockWitnessCodec.encode({ terms, signatures: ours });
}

/** A witness of the size and weight that the lock's real one will have. */
export function witnessDraft(terms: LockTerms | undefined): Uint8Array {
  const signature = new Uint8Array(65);
  if (terms === undefined) return signature;
  const signatures = Array.from({ length: terms.threshold }, () => signature);
  return lockWitnessCodec.encode({ terms, signatures });
}

/** Signatures in a witness; 1 for what is none of a lock with terms, which has never 65 bytes. */
export function signatureCount(witness: Uint8Array): number {
  if (witness.length === 65) return 1;
  const parsed = lockWitnessCodec.parse(witness);
  return isRejected(parsed) ? 1 : parsed.signatures.length;
}
