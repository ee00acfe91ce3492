// The signer's key file (SEAMS): JSON, hex, mode 0600. The vault's thread reads the secrets that sign, the main
// thread only the network identity.
import { readFileSync, statSync } from "node:fs";
import { Failure, isRejected, parseHex } from "@causeway/primitives";
import { isSecretKey } from "@causeway/primitives/secp256k1";

export type SigningSecrets = {
  /** BLS, 32 bytes. */
  readonly attest: Uint8Array;
  /** secp256k1, 32 bytes. */
  readonly host: Uint8Array;
  readonly passphrase: string;
};

/** Throws Failure "bad-keys" that lists every mistake, never a value. */
export function readSigningSecrets(path: string): SigningSecrets {
  const { fields, mistakes } = readFields(path);
  const attest = secretOf(fields, "attest", mistakes);
  const host = secretOf(fields, "host", mistakes);
  if (host !== undefined && !isSecretKey(host)) mistakes.push("host: out of range");
  const { passphrase } = fields;
  if (typeof passphrase !== "string" || passphrase === "") mistakes.push("passphrase: missing");
  if (mistakes.length > 0 || attest === undefined || host === undefined)
    throw new Failure("bad-keys", `${path}: ${mistakes.join("; ")}`);
  return { attest, host, passphrase: String(passphrase) };
}

/** The secret of the libp2p identity, secp256k1. */
export function readPeerSecret(path: string): Uint8Array {
  const { fields, mistakes } = readFields(path);
  const peer = secretOf(fields, "peer", mistakes);
  if (peer !== undefined && !isSecretKey(peer)) mistakes.push("peer: out of range");
  if (mistakes.length > 0 || peer === undefined)
    throw new Failure("bad-keys", `${path}: ${mistakes.join("; ")}`);
  return peer;
}

function readFields(path: string): {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly mistakes: string[];
} {
  let text: string;
  let mode: number;
  try {
    text = readFileSync(path, "utf8");
    mode = statSync(path).mode;
  } catch (cause) {
    throw new Failure("bad-keys", `cannot read the key file ${path}`, { cause });
  }
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    // The parser's own message quotes what it read.
    throw new Failure("bad-keys", `${path} is no JSON`);
  }
  if (typeof fields !== "object" || fields === null)
    throw new Failure("bad-keys", `${path} is no JSON object`);
  const mistakes: string[] = [];
  if ((mode & 0o077) !== 0) mistakes.push("others may read it: its mode must be 0600");
  return { fields: fields as Record<string, unknown>, mistakes };
}

function secretOf(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  mistakes: string[],
): Uint8Array | undefined {
  const bytes = parseHex(fields[name], { size: 32 });
  if (!isRejected(bytes)) return bytes;
  mistakes.push(`${name}: expected 32 bytes of hex`);
  return undefined;
}
