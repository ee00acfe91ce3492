// Share files on disk: sealed, written so that after a crash there is the old file or the new one, mode 0600.
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Entropy } from "@causeway/primitives";
import { equal, Failure, isRejected } from "@causeway/primitives";
import { replaceFile } from "@causeway/primitives/adapters/journal";
import { freshTerms, scryptCosts, seal, unseal } from "@causeway/primitives/adapters/sealed";
import type { ShareFile } from "../share-file.ts";
import { authenticated, shareFileCodec, shareFileName } from "../share-file.ts";

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
      const head = { version: 1, network, keyId, seat, packageHash, ...freshTerms(entropy, logN) };
      const sealed = seal(passphrase, head, authenticated(head), share);
      const file: ShareFile = { ...head, sealed };
      replaceFile(join(folder, shareFileName(keyId)), [shareFileCodec.encode(file)]);
    },
    load: () =>
      readdirSync(folder)
        .filter((name) => /^key-\d+\.share$/.test(name))
        .map((name) => open(options, join(folder, name))),
  };
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
  const share = unseal(passphrase, file, authenticated(file), file.sealed);
  if (share === undefined)
    throw new Failure("wrong-passphrase", `${path} does not open with this passphrase`);
  return { keyId: file.keyId, share };
}
