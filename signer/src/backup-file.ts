// A backup of a signer: one file, sealed by AES-256-GCM under a key that scrypt makes of a passphrase of its own. What it
// belongs to stands beside it in clear and is authenticated with it. The ciphers are in adapters/backup.ts.
import type { Codec } from "@causeway/primitives";
import {
  ByteListType,
  b32,
  b33,
  ContainerType,
  codec,
  ListCompositeType,
  u8,
  u64,
} from "@causeway/primitives";

/** Largest backup that is written or read, bytes. */
export const backupSizeMax: number = 256 * 1024 * 1024;

/** `sealed` is {@link backupBodyCodec} bytes, encrypted, and a tag of 16; the terms are share-file.ts's. */
export type BackupFile = {
  version: number;
  network: Uint8Array;
  /** Public point of the host key. */
  host: Uint8Array;
  /** ms. */
  madeAt: number;
  logN: number;
  salt: Uint8Array;
  iv: Uint8Array;
  sealed: Uint8Array;
};

export type BackupBody = {
  /** The key file as it is. */
  keys: Uint8Array;
  /** Share files as they are: sealed by the key file's passphrase. */
  shares: { name: Uint8Array; file: Uint8Array }[];
  /** Layout of the journal's records, and the records. */
  journalVersion: number;
  journal: Uint8Array[];
};

export const backupVersion = 1;
export const journalVersion = 1;

const clearFields = {
  version: u8,
  network: b32,
  host: b33,
  madeAt: u64,
  logN: u8,
  salt: b32,
  iv: new ByteListType(12),
};

export const backupFileCodec: Codec<BackupFile> = codec(
  "backup",
  new ContainerType({ ...clearFields, sealed: new ByteListType(backupSizeMax) }),
  backupSizeMax,
);
const clearCodec: Codec<Omit<BackupFile, "sealed">> = codec(
  "backup head",
  new ContainerType(clearFields),
  256,
);

/** What the seal authenticates besides the body. */
export function authenticatedHead(file: Omit<BackupFile, "sealed">): Uint8Array {
  const { version, network, host, madeAt, logN, salt, iv } = file;
  return clearCodec.encode({ version, network, host, madeAt, logN, salt, iv });
}

export const backupBodyCodec: Codec<BackupBody> = codec(
  "backup body",
  new ContainerType({
    keys: new ByteListType(64 * 1024),
    shares: new ListCompositeType(
      new ContainerType({ name: new ByteListType(64), file: new ByteListType(512) }),
      4096,
    ),
    journalVersion: u8,
    journal: new ListCompositeType(new ByteListType(256 * 1024), 2 ** 22),
  }),
  backupSizeMax,
);
