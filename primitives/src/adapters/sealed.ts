// A secret at rest: AES-256-GCM under a key that scrypt makes of a passphrase, with what the secret belongs to
// authenticated beside it. Files of shares and of wallets are made of it.
import { createCipheriv, createDecipheriv, scryptSync } from "node:crypto";
import type { Entropy } from "../ports.ts";

/** scrypt's r and p; N = 2^logN: 2^15 takes 32 MB, 2^17 134 MB. */
export const scryptCosts = { r: 8, p: 1, logNMin: 14, logNMax: 20 } as const;

/** `salt` 32 bytes, `iv` 12 bytes: fresh for every seal. */
export type SealTerms = {
  readonly logN: number;
  readonly salt: Uint8Array;
  readonly iv: Uint8Array;
};
const tagSize = 16;

export function freshTerms(entropy: Entropy, logN: number): SealTerms {
  return { logN, salt: entropy(32), iv: entropy(12) };
}

function keyOf(passphrase: string, { logN, salt }: SealTerms): Buffer {
  const { r, p } = scryptCosts;
  return scryptSync(passphrase, salt, 32, { N: 2 ** logN, r, p, maxmem: 256 * r * 2 ** logN });
}

/** The ciphertext and its tag of 16 bytes. */
export function seal(
  passphrase: string,
  terms: SealTerms,
  authenticated: Uint8Array,
  secret: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv("aes-256-gcm", keyOf(passphrase, terms), terms.iv);
  cipher.setAAD(authenticated);
  return Uint8Array.from(
    Buffer.concat([cipher.update(secret), cipher.final(), cipher.getAuthTag()]),
  );
}

/** Undefined for another passphrase, other terms or changed bytes. `logN` must be checked by the caller. */
export function unseal(
  passphrase: string,
  terms: SealTerms,
  authenticated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < tagSize) return undefined;
  const cipher = createDecipheriv("aes-256-gcm", keyOf(passphrase, terms), terms.iv);
  const end = sealed.length - tagSize;
  cipher.setAAD(authenticated);
  cipher.setAuthTag(sealed.subarray(end));
  try {
    return Uint8Array.from(Buffer.concat([cipher.update(sealed.subarray(0, end)), cipher.final()]));
  } catch {
    return undefined;
  }
}
