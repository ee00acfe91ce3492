// Nonces by BIP-445 NonceGen: fresh randomness hedged with what the signer knows, so that a weak generator alone
// does not reveal the share. A secret nonce lives in memory only and signs once (research: threshold 7).
import type { Rejected } from "@causeway/primitives";
import {
  assert,
  bigEndian,
  concat,
  fromBigEndian,
  rejected,
  taggedHash,
} from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import { mod, publicPoint, scalarBytes } from "@causeway/primitives/secp256k1";

/** `secret` of 64 bytes, overwritten when it signs; `nonce` of 66 bytes, the commitment. */
export type NoncePair = { readonly secret: Uint8Array; readonly nonce: Uint8Array };

/** What hedges a nonce; every field is optional in BIP-445. */
export type NonceInput = {
  /** Secret share, 32 bytes. */
  readonly secretShare?: Uint8Array;
  /** Public share, 33 bytes. */
  readonly publicShare?: Point;
  /** x of the (tweaked) threshold key, 32 bytes. */
  readonly key?: Uint8Array;
  readonly message?: Uint8Array;
  /** Anything else, for instance a counter: at most 2^32 - 1 bytes. */
  readonly extra?: Uint8Array;
};

/** `random` are 32 fresh random bytes, never used for another nonce. */
export function generateNonce(
  random: Uint8Array,
  input: NonceInput,
): NoncePair | Rejected<"bad-length"> {
  const { secretShare, publicShare, key, message, extra } = input;
  if (random.length !== 32) return rejected("bad-length", "not 32 bytes of randomness");
  if (secretShare !== undefined && secretShare.length !== 32)
    return rejected("bad-length", "a secret share has 32 bytes");
  if (publicShare !== undefined && publicShare.length !== 33)
    return rejected("bad-length", "a public share has 33 bytes");
  if (key !== undefined && key.length !== 32)
    return rejected("bad-length", "an x-only key has 32 bytes");
  const seed = secretShare === undefined ? random : mask(secretShare, random);
  const prefixedMessage =
    message === undefined
      ? Uint8Array.of(0)
      : concat(Uint8Array.of(1), bigEndian(message.length, 8), message);
  const extraBytes = extra ?? new Uint8Array(0);
  const half = (index: number): Uint8Array => {
    const hash = taggedHash(
      "BIP0445/nonce",
      seed,
      prefixed(publicShare),
      prefixed(key),
      prefixedMessage,
      bigEndian(extraBytes.length, 4),
      extraBytes,
      Uint8Array.of(index),
    );
    const scalar = mod(fromBigEndian(hash));
    assert(scalar !== 0n, "nonce is zero");
    return scalarBytes(scalar);
  };
  const halves = [half(0), half(1)];
  return { secret: concat(...halves), nonce: concat(...halves.map(publicPoint)) };
}

function mask(secretShare: Uint8Array, random: Uint8Array): Uint8Array {
  const pad = taggedHash("BIP0445/aux", random);
  return secretShare.map((byte, i) => byte ^ (pad[i] as number));
}

/** One byte of length, then the bytes; absent is empty. */
function prefixed(bytes: Uint8Array | undefined): Uint8Array {
  return bytes === undefined ? Uint8Array.of(0) : concat(Uint8Array.of(bytes.length), bytes);
}
