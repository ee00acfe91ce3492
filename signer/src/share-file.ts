// A key share at rest: one file for each key, epoch of its shares and own seat, sealed by AES-256-GCM under a key that scrypt makes of the operator's
// passphrase (research: threshold 7). What the share belongs to stands beside it in clear and is authenticated with
// it, so that no file passes for another's. The ciphers themselves are in adapters/share-vault.ts.
import type { Codec } from "@causeway/primitives";
import { ByteListType, b32, ContainerType, codec, u8, u16, u32 } from "@causeway/primitives";

/** Which share: (key id, attempt) is the epoch of the key's shares. */
export type ShareName = {
  readonly keyId: number;
  readonly attempt: number;
  readonly seat: number;
};

/** The same as a key of a map. */
export function nameOf({ keyId, attempt, seat }: ShareName): string {
  return `${keyId}/${attempt}/${seat}`;
}

/** `logN` is the base-2 logarithm of scrypt's N; `sealed` the ciphertext of 32 bytes and its tag of 16. */
export type ShareFile = {
  version: number;
  network: Uint8Array;
  keyId: number;
  /** Of the ceremony that made the share, and the own seat in its ring. */
  attempt: number;
  seat: number;
  /** Names the public package: the merged commitments of the key's deals. */
  packageHash: Uint8Array;
  logN: number;
  salt: Uint8Array;
  iv: Uint8Array;
  sealed: Uint8Array;
};

const clearFields = {
  version: u8,
  network: b32,
  keyId: u32,
  attempt: u32,
  seat: u16,
  packageHash: b32,
  logN: u8,
  salt: b32,
  iv: new ByteListType(12),
};

export const shareFileCodec: Codec<ShareFile> = codec(
  "share file",
  new ContainerType({ ...clearFields, sealed: new ByteListType(48) }),
  256,
);

const clearCodec: Codec<Omit<ShareFile, "sealed">> = codec(
  "share file head",
  new ContainerType(clearFields),
  256,
);

/** What the seal authenticates besides the share. */
export function authenticated(file: Omit<ShareFile, "sealed">): Uint8Array {
  const { version, network, keyId, attempt, seat, packageHash, logN, salt, iv } = file;
  const of = { keyId, attempt, seat, packageHash };
  return clearCodec.encode({ version, network, ...of, logN, salt, iv });
}

export function shareFileName({ keyId, attempt, seat }: ShareName): string {
  return `key-${keyId}-${attempt}-seat-${seat}.share`;
}

export const shareFilePattern: RegExp = /^key-\d+-\d+-seat-\d+\.share$/;
