// Hashes. Everything that is hashed or signed by our protocol goes through H (FMT-1), so that a hash
// of one thing on one network is never the hash of another.
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { createBLAKE3, createKeccak } from "hash-wasm";
import type { Brand } from "./brand.ts";
import type { Bytes32 } from "./bytes.ts";
import { bytes32, concat, utf8 } from "./bytes.ts";

/** SHA-256 of the genesis body (FMT-1). */
export type NetworkId = Brand<Uint8Array, "NetworkId">;

/** Bytes of {@link blake3Wide}. */
export const blake3Size = 2_048;

type Hasher = ReturnType<typeof nobleSha256.create>;

/**
 * Before the first byte, and the one in use: a hash runs from start to end in one call, and making a new hasher for
 * each took longer than hashing two blocks.
 */
const start: Hasher = nobleSha256.create();
const scratch: Hasher = nobleSha256.create();

export function sha256(bytes: Uint8Array): Bytes32 {
  return start._cloneInto(scratch).update(bytes).digest() as Bytes32;
}

/** Bitcoin's double SHA-256. */
export function sha256d(bytes: Uint8Array): Bytes32 {
  return sha256(sha256(bytes));
}

// WebAssembly: a quarter of the time that JavaScript takes. Made once, when this module is loaded; no other
// implementation stands in when that fails.
const keccak = await createKeccak(256);
const blake3 = await createBLAKE3(8 * blake3Size);

export function keccak256(bytes: Uint8Array): Bytes32 {
  return keccak.init().update(bytes).digest("binary") as Bytes32;
}

/** The first 2,048 bytes of BLAKE3's extendable output: a random oracle's answer of that size. */
export function blake3Wide(bytes: Uint8Array): Uint8Array {
  return blake3.init().update(bytes).digest("binary");
}

/** BIP-340's tagged hash: SHA-256(SHA-256(tag) || SHA-256(tag) || message). */
export function taggedHash(tag: string, ...message: readonly Uint8Array[]): Bytes32 {
  return hashAfter(tagPrefix(tag), message);
}

/** By tag: after the first block, which is the tag's hash twice. */
const prefixes = new Map<string, Hasher>();

function tagPrefix(tag: string): Hasher {
  let prefix = prefixes.get(tag);
  if (prefix === undefined) {
    const half = sha256(utf8(tag));
    prefix = nobleSha256.create().update(concat(half, half));
    prefixes.set(tag, prefix);
  }
  return prefix;
}

function hashAfter(prefix: Hasher, parts: readonly Uint8Array[]): Bytes32 {
  prefix._cloneInto(scratch);
  for (const part of parts) scratch.update(part);
  return bytes32(scratch.digest());
}

/**
 * FMT-1: H(what, m) = SHA-256(SHA-256(tag) || SHA-256(tag) || networkId || m),
 * tag = "causeway/<what>/v<version>".
 */
export function H(
  what: string,
  network: NetworkId,
  message: Uint8Array,
  version: number = 1,
): Bytes32 {
  return hashAfter(tagPrefix(`causeway/${what}/v${version}`), [network, message]);
}
