// The simulator's BLS (DESIGN 8): a table of who signed what, that no adversary can forge, a hundred times faster
// than pairings. One seed in fifty uses the real one instead.
import type { Bls } from "@causeway/primitives";
import { concat, keyOf, taggedHash } from "@causeway/primitives";

/** Signatures by public key and message in hex. */
export type BlsTable = Map<string, Uint8Array>;

/** Same sizes as the real one. A signature is a label of its entry; an aggregate is the sum of labels. */
export function tableBls(table: BlsTable = new Map()): Bls {
  const entries = table;
  const publicKeys = new Map<string, Uint8Array>();
  const find = (key: Uint8Array, message: Uint8Array): Uint8Array | undefined =>
    entries.get(keyOf(key) + keyOf(message));
  const publicKey = (secret: Uint8Array): Uint8Array => {
    const name = keyOf(secret);
    const known = publicKeys.get(name);
    if (known !== undefined) return known;
    const key = concat(taggedHash("causeway/sim-bls/v1", secret), new Uint8Array(16));
    publicKeys.set(name, key);
    return key;
  };
  const sign = (secret: Uint8Array, message: Uint8Array): Uint8Array => {
    const name = keyOf(publicKey(secret)) + keyOf(message);
    const known = entries.get(name);
    if (known !== undefined) return known;
    const signature = label(name);
    entries.set(name, signature);
    return signature;
  };
  const verifyAggregate: Bls["verifyAggregate"] = (keys, message, signature) => {
    const found: Uint8Array[] = [];
    for (const key of keys) {
      const entry = find(key, message);
      if (entry === undefined) return false;
      found.push(entry);
    }
    return found.length > 0 && same(sum(found), signature);
  };
  return {
    publicKey,
    sign,
    verify: (key, message, signature) => verifyAggregate([key], message, signature),
    verifyEach: (keys, message, signatures) =>
      keys.every((key, i) => verifyAggregate([key], message, signatures[i] ?? new Uint8Array(0))),
    aggregate: sum,
    verifyAggregate,
  };
}

/** 96 bytes that two entries of the table do not share. */
function label(name: string): Uint8Array {
  const out = new Uint8Array(96);
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (let i = 0; i < name.length; i++) {
    a = Math.imul(a ^ name.charCodeAt(i), 0x01000193);
    b = Math.imul(b + name.charCodeAt(i) * (i + 1), 0x85ebca6b) ^ (a >>> 13);
  }
  for (let i = 0; i < 96; i++) {
    a = Math.imul(a ^ (b >>> 7) ^ i, 0x01000193);
    b = Math.imul(b ^ (a >>> 11), 0xc2b2ae35);
    out[i] = (a ^ b) & 0xff;
  }
  return out;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== 96 || b.length !== 96) return false;
  for (let i = 0; i < 96; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Byte-wise: in any order, and a key that counts twice shows. */
function sum(signatures: readonly Uint8Array[]): Uint8Array {
  const total = new Uint8Array(96);
  for (const signature of signatures)
    for (let i = 0; i < 96; i++) total[i] = ((total[i] ?? 0) + (signature[i] ?? 0)) & 0xff;
  return total;
}

/** The real one, which computes no pairing twice: the four nodes verify the same signatures. */
export function rememberingBls(bls: Bls): Bls {
  const known = new Map<string, boolean>();
  const verifyAggregate: Bls["verifyAggregate"] = (keys, message, signature) => {
    const name = `${keys.map(keyOf).join()}:${keyOf(message)}:${keyOf(signature)}`;
    const before = known.get(name);
    if (before !== undefined) return before;
    const isTrue = bls.verifyAggregate(keys, message, signature);
    known.set(name, isTrue);
    return isTrue;
  };
  return {
    ...bls,
    verifyAggregate,
    verify: (key, message, signature) => verifyAggregate([key], message, signature),
  };
}
