// Share files on disk: sealed, written so that after a crash there is the old file or the new one, mode 0600.
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Entropy } from "@causeway/primitives";
import { equal, Failure, isRejected } from "@causeway/primitives";
import { replaceFile } from "@causeway/primitives/adapters/journal";
import { freshTerms, scryptCosts, seal, unseal } from "@causeway/primitives/adapters/sealed";
import type { ShareFile, ShareName } from "../share-file.ts";
import { authenticated, shareFileCodec, shareFileName, shareFilePattern } from "../share-file.ts";
import type { StoredShare } from "../world.ts";

/** Of the file's layout. */
const version = 2;

export type ShareVault = {
  readonly save: (share: StoredShare, packageHash: Uint8Array) => void;
  /**
   * Overwrites the file and removes it; one that is not there is gone already. What a disk keeps of older blocks, or a
   * backup of the folder, is out of reach: there the passphrase is what protects the share.
   */
  readonly erase: (name: ShareName) => void;
  /** Every share of the folder. Failure "wrong-passphrase", "bad-share-file". */
  readonly load: () => StoredShare[];
};

export type ShareVaultOptions = {
  readonly folder: string;
  readonly passphrase: string;
  readonly network: Uint8Array;
  /** Of files that are written; a file says its own. */
  readonly logN: number;
  readonly entropy: Entropy;
};

export function shareVault(options: ShareVaultOptions): ShareVault {
  const { folder, passphrase, network, logN, entropy } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    save: ({ keyId, attempt, seat, share }, packageHash) => {
      const name = { keyId, attempt, seat };
      const terms = freshTerms(entropy, logN);
      const head = { version, network, ...name, packageHash, ...terms };
      const sealed = seal(passphrase, head, authenticated(head), share);
      const file: ShareFile = { ...head, sealed };
      replaceFile(join(folder, shareFileName(name)), [shareFileCodec.encode(file)]);
    },
    erase: (name) => {
      const path = join(folder, shareFileName(name));
      if (!existsSync(path)) return;
      const file = openSync(path, "r+");
      try {
        const { size } = fstatSync(file);
        writeSync(file, entropy(size), 0, size, 0);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      unlinkSync(path);
    },
    load: () =>
      readdirSync(folder)
        .filter((name) => shareFilePattern.test(name))
        .map((name) => openShare(options, readFileSync(join(folder, name)), join(folder, name))),
  };
}

/** A share file's bytes; `path` says in messages which. Failure "wrong-passphrase", "bad-share-file". */
export function openShare(
  { passphrase, network }: Pick<ShareVaultOptions, "passphrase" | "network">,
  bytes: Uint8Array,
  path: string,
): StoredShare {
  const file = shareFileCodec.parse(bytes);
  if (isRejected(file)) throw new Failure("bad-share-file", `${path}: ${file.message}`);
  const { logNMin, logNMax } = scryptCosts;
  const isOurs =
    file.version === version &&
    equal(file.network, network) &&
    file.logN >= logNMin &&
    file.logN <= logNMax &&
    file.sealed.length === 48;
  if (!isOurs) throw new Failure("bad-share-file", `${path} is of another network or version`);
  const share = unseal(passphrase, file, authenticated(file), file.sealed);
  if (share === undefined)
    throw new Failure("wrong-passphrase", `${path} does not open with this passphrase`);
  const { keyId, attempt, seat } = file;
  return { keyId, attempt, seat, share };
}
