// A stand-in for BLS that no adversary can forge: a table of who signed what, shared by all who use one
// instance. A signature is a hash that anyone could compute, but it counts only for what is in the table.
import { bigEndian, concat, equal, fromBigEndian, keyOf } from "../bytes.ts";
import { taggedHash } from "../hash.ts";
import type { Bls } from "../ports.ts";

const noSignature = new Uint8Array(0);
const modulus = 1n << 768n;

/** Keys of 48 and signatures of 96 bytes as in the real one; aggregates add up and need no order. */
export function testBls(): Bls {
  const signed = new Set<string>();
  const entry = (publicKey: Uint8Array, message: Uint8Array): string =>
    `${keyOf(publicKey)}:${keyOf(message)}`;
  const verifyAggregate: Bls["verifyAggregate"] = (publicKeys, message, signature) =>
    publicKeys.length > 0 &&
    publicKeys.every((key) => signed.has(entry(key, message))) &&
    equal(signature, sum(publicKeys.map((key) => signatureOf(key, message))));
  return {
    publicKey: publicKeyOf,
    sign: (secret, message) => {
      const publicKey = publicKeyOf(secret);
      signed.add(entry(publicKey, message));
      return signatureOf(publicKey, message);
    },
    verify: (publicKey, message, signature) => verifyAggregate([publicKey], message, signature),
    verifyEach: (publicKeys, message, signatures) =>
      publicKeys.every((key, i) => verifyAggregate([key], message, signatures[i] ?? noSignature)),
    aggregate: sum,
    verifyAggregate,
  };
}

function publicKeyOf(secret: Uint8Array): Uint8Array {
  return expand("causeway/test-bls/key/v1", secret, 48);
}

function signatureOf(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  return expand("causeway/test-bls/signature/v1", concat(publicKey, message), 96);
}

function expand(tag: string, input: Uint8Array, size: number): Uint8Array {
  const parts = [0, 1, 2].map((i) => taggedHash(tag, Uint8Array.of(i), input));
  return concat(...parts).slice(0, size);
}

function sum(signatures: readonly Uint8Array[]): Uint8Array {
  const total = signatures.reduce((rest, one) => rest + fromBigEndian(one), 0n);
  return bigEndian(total % modulus, 96);
}
