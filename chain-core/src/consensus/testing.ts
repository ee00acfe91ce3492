// For tests and simulations only: a stand-in for BLS that is a thousand times faster (DESIGN 8), and a
// committee of equal seats. A signature is a hash of key and message, an aggregate the exclusive or.
import type { Bls } from "@causeway/primitives";
import { bigEndian, concat, equal, sha256, utf8 } from "@causeway/primitives";
import type { Committee } from "../codec/block.ts";

/** Anyone can forge these; a test's adversary must not. */
export function standInBls(): Bls {
  const cache = new Map<string, Uint8Array>();
  const publicKey = (secret: Uint8Array): Uint8Array => {
    const name = secret.join();
    const known = cache.get(name);
    if (known !== undefined) return known;
    const key = concat(sha256(secret), new Uint8Array(16));
    cache.set(name, key);
    return key;
  };
  const signed = (key: Uint8Array, message: Uint8Array): Uint8Array => {
    const hash = sha256(concat(key, message));
    return concat(hash, hash, hash);
  };
  const sum = (signatures: readonly Uint8Array[]): Uint8Array => {
    const total = new Uint8Array(96);
    for (const signature of signatures)
      for (let i = 0; i < 96; i++) total[i] = (total[i] ?? 0) ^ (signature[i] ?? 0);
    return total;
  };
  return {
    publicKey,
    sign: (secret, message) => signed(publicKey(secret), message),
    verify: (key, message, signature) => equal(signed(key, message), signature),
    aggregate: sum,
    verifyAggregate: (keys, message, signature) =>
      keys.length > 0 && equal(sum(keys.map((key) => signed(key, message))), signature),
  };
}

/** The consensus secret of seat `seat` in {@link testCommittee}. */
export function testSecret(seat: number): Uint8Array {
  return sha256(concat(utf8("seat"), bigEndian(seat, 2)));
}

/** `size` seats of power 1. */
export function testCommittee(bls: Bls, size: number): Committee {
  const members = Array.from({ length: size }, (_, seat) => ({
    validator: sha256(bigEndian(seat, 2)),
    consensusKey: bls.publicKey(testSecret(seat)),
    attestKey: bls.publicKey(testSecret(seat)),
    power: 1n,
  }));
  return { epoch: 0, members };
}
