// Share files on disk: sealed, written so that after a crash there is the old file or the new one, mode 0600.
import { createCipheriv, createDecipheriv, scryptSync } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Entropy } from "@causeway/primitives";
import { equal, Failure, isRejected } from "@causeway/primitives";
import { replaceFile } from "@causeway/primitives/adapters/journal";
import type { ShareFile } from "../share-file.ts";
import { authenticated, scryptCosts, shareFileCodec, shareFileName } from "../share-file.ts";

export type ShareVault = {
  readonly save: (keyId: number, share: Uint8Array, packageHash: Uint8Array) => void;
  /** Every share of the folder. Failure "wrong-passphrase", "bad-share-file". */
  readonly load: () => { readonly keyId: number; readonly share: Uint8Array }[];
};

export type ShareVaultOptions = {
  readonly folder: string;
  readonly passphrase: string;
  readonly network: Uint8Array;
  readonly seat: number;
  /** Of files that are written; a file says its own. */
  readonly logN: number;
  readonly entropy: Entropy;
};

export function shareVault(options: ShareVaultOptions): ShareVault {
  const { folder, passphrase, network, seat, logN, entropy } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    save: (keyId, share, packageHash) => {
      const [salt, iv] = [entropy(32), entropy(12)];
      const head = { version: 1, network, keyId, seat, packageHash, logN, salt, iv };
      const file: ShareFile = { ...head, sealed: seal(head, keyOf(passphrase, head), share) };
      replaceFile(join(folder, shareFileName(keyId)), [shareFileCodec.encode(file)]);
    },
    load: () =>
      readdirSync(folder)
        .filter((name) => /^key-\d+\.share$/.test(name))
        .map((name) => open(options, join(folder, name))),
  };
}

type Head = Omit<ShareFile, "sealed">;

function keyOf(passphrase: string, { logN, salt }: Head): Buffer {
  const { r, p } = scryptCosts;
  const maxmem = 256 * r * 2 ** logN;
  return scryptSync(passphrase, salt, 32, { N: 2 ** logN, r, p, maxmem });
}

function seal(head: Head, key: Buffer, share: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-256-gcm", key, head.iv);
  cipher.setAAD(authenticated(head));
  return Buffer.concat([cipher.update(share), cipher.final(), cipher.getAuthTag()]);
}

function open(
  { passphrase, network, seat }: ShareVaultOptions,
  path: string,
): { readonly keyId: number; readonly share: Uint8Array } {
  const file = shareFileCodec.parse(readFileSync(path));
  if (isRejected(file)) throw new Failure("bad-share-file", `${path}: ${file.message}`);
  const { logNMin, logNMax } = scryptCosts;
  const isOurs =
    file.version === 1 &&
    equal(file.network, network) &&
    file.seat === seat &&
    file.logN >= logNMin &&
    file.logN <= logNMax &&
    file.sealed.length === 48;
  if (!isOurs) throw new Failure("bad-share-file", `${path} is of another network or validator`);
  const cipher = createDecipheriv("aes-256-gcm", keyOf(passphrase, file), file.iv);
  cipher.setAAD(authenticated(file));
  cipher.setAuthTag(file.sealed.subarray(32));
  try {
    const share = Buffer.concat([cipher.update(file.sealed.subarray(0, 32)), cipher.final()]);
    return { keyId: file.keyId, share: Uint8Array.from(share) };
  } catch (cause) {
    throw new Failure("wrong-passphrase", `${path} does not open with this passphrase`, { cause });
  }
}
