// Hashes. Everything that is hashed or signed by our protocol goes through H (FMT-1), so that a hash
// of one thing on one network is never the hash of another.
// biome-ignore lint/style/noRestrictedImports: a function of its input alone; it touches nothing.
import { hash } from "node:crypto";
import { createKeccak } from "hash-wasm";
import type { Brand } from "./brand.ts";
import type { Bytes32 } from "./bytes.ts";
import { concat, utf8 } from "./bytes.ts";

/** SHA-256 of the genesis body (FMT-1). */
export type NetworkId = Brand<Uint8Array, "NetworkId">;

/** OpenSSL's. A string of 32 characters comes back in half the time of a Buffer. */
export function sha256(bytes: Uint8Array): Bytes32 {
  const digest = hash("sha256", bytes, "binary");
  const out = new Uint8Array(32);
  for (let i = 0; i < 32; i++) out[i] = digest.charCodeAt(i);
  return out as Bytes32;
}

/** What is hashed and forgotten: an array of more than 64 bytes costs as much to make as its hash. */
const scratch = new Uint8Array(4_096);

/** The parts as one, good until the next call. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  let size = 0;
  for (const part of parts) size += part.length;
  if (size > scratch.length) return concat(...parts);
  let at = 0;
  for (const part of parts) {
    scratch.set(part, at);
    at += part.length;
  }
  return scratch.subarray(0, size);
}

/** Bitcoin's double SHA-256. */
export function sha256d(bytes: Uint8Array): Bytes32 {
  return sha256(sha256(bytes));
}

// WebAssembly: a quarter of the time that JavaScript takes. Made once, when this module is loaded; no other
// implementation stands in when that fails.
const keccak = await createKeccak(256);

/** Of the parts as one. */
export function keccak256(...parts: readonly Uint8Array[]): Bytes32 {
  return keccak.init().update(joined(parts)).digest("binary") as Bytes32;
}

const encoder = new TextEncoder();

/** Of the text's UTF-8. */
export function keccak256Text(text: string): Bytes32 {
  // A character has at most 3 bytes.
  if (text.length * 3 > scratch.length) return keccak256(utf8(text));
  return keccak256(scratch.subarray(0, encoder.encodeInto(text, scratch).written));
}

/** BIP-340's tagged hash: SHA-256(SHA-256(tag) || SHA-256(tag) || message). */
export function taggedHash(tag: string, ...message: readonly Uint8Array[]): Bytes32 {
  return sha256(joined([tagPrefix(tag), ...message]));
}

/** By tag: its hash twice. */
const prefixes = new Map<string, Uint8Array>();

function tagPrefix(tag: string): Uint8Array {
  let prefix = prefixes.get(tag);
  if (prefix === undefined) {
    const half = sha256(utf8(tag));
    prefix = concat(half, half);
    prefixes.set(tag, prefix);
  }
  return prefix;
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
  return taggedHash(`causeway/${what}/v${version}`, network, message);
}
