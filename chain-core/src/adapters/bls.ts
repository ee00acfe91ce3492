// The Bls port on blst. Groups are checked whenever bytes come in; public keys once each, because the same
// committee's keys come again with every certificate.

import type { Bls } from "@causeway/primitives";
import { assert, keyOf } from "@causeway/primitives";
import type { PkAndSerializedSig } from "@chainsafe/blst";
import {
  aggregateSignatures,
  aggregateWithRandomness,
  fastAggregateVerify,
  PublicKey,
  SecretKey,
  Signature,
  verify,
} from "@chainsafe/blst";

const keysMax = 4_096;

/**
 * `secret` is a scalar of 32 big-endian bytes in [1, group order 73eda753...); others throw. Keys are 48 bytes in
 * G1, signatures 96 bytes in G2, both compressed. `aggregate` asserts that it is given valid signatures.
 */
export function createBls(): Bls {
  const keys = new Map<string, PublicKey>();
  /** Undefined for anything but a point of the group that is not infinity. */
  const load = (bytes: Uint8Array): PublicKey | undefined => {
    if (bytes.length !== 48) return undefined;
    const name = keyOf(bytes);
    let key = keys.get(name);
    if (key === undefined) {
      key = attempt(() => PublicKey.fromBytes(bytes, true));
      if (key === undefined) return undefined;
      if (keys.size >= keysMax) keys.clear();
      keys.set(name, key);
    }
    return key;
  };
  return {
    publicKey: (secret) => SecretKey.fromBytes(secret).toPublicKey().toBytes(),
    sign: (secret, message) => SecretKey.fromBytes(secret).sign(message).toBytes(),
    verify: (publicKey, message, signature) => {
      const [key, sum] = [load(publicKey), loadSignature(signature)];
      return key !== undefined && sum !== undefined && verify(message, key, sum);
    },
    verifyEach: (publicKeys, message, signatures) => {
      const sets = publicKeys.map((key, i) => ({ pk: load(key), sig: signatures[i] }));
      // Each weighs a random factor, so that wrong ones do not cancel out.
      const sum = attempt(() => aggregateWithRandomness(sets as PkAndSerializedSig[]));
      return sum !== undefined && verify(message, sum.pk, sum.sig);
    },
    aggregate: (signatures) => {
      const loaded = signatures.map(loadSignature);
      assert(
        loaded.length > 0 && !loaded.includes(undefined),
        "only valid signatures can be aggregated",
      );
      return aggregateSignatures(loaded as Signature[]).toBytes();
    },
    verifyAggregate: (publicKeys, message, signature) => {
      const loaded = publicKeys.map(load);
      const sum = loadSignature(signature);
      if (sum === undefined || loaded.length === 0 || loaded.includes(undefined)) return false;
      return fastAggregateVerify(message, loaded as PublicKey[], sum);
    },
  };
}

function loadSignature(bytes: Uint8Array): Signature | undefined {
  // With the check of infinity: an aggregate that is infinite verifies under keys that cancel out.
  return bytes.length === 96 ? attempt(() => Signature.fromBytes(bytes, true, true)) : undefined;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
