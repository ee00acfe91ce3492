// Backups of a signer's folder and their return. A backup is older than the disk that it replaces: what comes back is
// marked so, and the fence (fence.ts) keeps it from every slot that was open meanwhile.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { equal, Failure, isRejected, toHex, utf8 } from "@causeway/primitives";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { openJournal, replaceFile } from "@causeway/primitives/adapters/journal";
import { readKeyFile } from "@causeway/primitives/adapters/key-file";
import { freshTerms, scryptCosts, seal, unseal } from "@causeway/primitives/adapters/sealed";
import { publicPoint } from "@causeway/primitives/secp256k1";
import type { BackupBody } from "../backup-file.ts";
import {
  authenticatedHead,
  backupBodyCodec,
  backupFileCodec,
  backupSizeMax,
  backupVersion,
  journalVersion,
} from "../backup-file.ts";
import { decodeRecord, encodeRecord, usesOf } from "../journal.ts";
import { shareFilePattern } from "../share-file.ts";
import { assertUnused, journalOf, shareNames, sharesOf } from "./seat-folder.ts";
import { keyFields } from "./vault.ts";

/** Of ASCII; what is not is no share's name. */
export const nameOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** What a backup holds, for a person: no secret. */
export type Manifest = {
  readonly network: string;
  /** Public point of the host key. */
  readonly host: string;
  readonly madeAt: string;
  readonly shares: readonly string[];
  /** Records of the journal, slots taken in it, and the number of its newest start. */
  readonly records: number;
  readonly slots: number;
  readonly boot: number;
};

export type OpenedBackup = { readonly manifest: Manifest; readonly body: BackupBody };

export type BackupOptions = {
  readonly network: Uint8Array;
  readonly dataFolder: string;
  readonly keysFile: string;
  readonly out: string;
  readonly passphrase: string;
  readonly nowMs: number;
  readonly logN: number;
};

/** While the signer runs, too. Throws Failure "file-exists", "bad-keys", "no-journal", "journal-broken". */
export function makeBackup(options: BackupOptions): Manifest {
  const { network, dataFolder, keysFile, out, passphrase, nowMs, logN } = options;
  if (existsSync(out)) throw new Failure("file-exists", `${out} exists and is not overwritten`);
  const { host } = readKeyFile(keysFile, keyFields);
  const shares = sharesOf(dataFolder);
  const body: BackupBody = {
    keys: Uint8Array.from(readFileSync(keysFile)),
    shares: shareNames(dataFolder).map((name) => ({
      name: utf8(name),
      file: Uint8Array.from(readFileSync(join(shares, name))),
    })),
    journalVersion,
    journal: readJournal(dataFolder),
  };
  const terms = freshTerms(systemEntropy, logN);
  const head = { version: backupVersion, network, host: publicPoint(host), madeAt: nowMs };
  const clear = { ...head, ...terms };
  const sealed = seal(passphrase, terms, authenticatedHead(clear), backupBodyCodec.encode(body));
  replaceFile(out, [backupFileCodec.encode({ ...clear, sealed })]);
  return manifestOf(head, body);
}

/** Of a copy: a running signer has the journal locked, and what it appends meanwhile is a torn tail there. */
function readJournal(dataFolder: string): Uint8Array[] {
  const path = journalOf(dataFolder);
  if (!existsSync(path)) throw new Failure("no-journal", `${dataFolder} has no journal`);
  const folder = mkdtempSync(join(tmpdir(), "causeway-backup-"));
  try {
    const copy = join(folder, "journal");
    copyFileSync(path, copy);
    const journal = openJournal(copy, { create: false });
    const records = [...journal.read()];
    journal.close();
    return records;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function manifestOf(
  head: {
    readonly network: Uint8Array;
    readonly host: Uint8Array;
    readonly madeAt: number;
  },
  { shares, journal }: BackupBody,
): Manifest {
  const records = journal.map(decodeRecord);
  const slots = usesOf(records).flatMap((use) => use.slots);
  const boots = records.flatMap((one) => (one.kind === "boot" ? [one.number] : []));
  return {
    network: toHex(head.network),
    host: toHex(head.host),
    madeAt: new Date(head.madeAt).toISOString(),
    shares: shares.map(({ name }) => nameOf(name)),
    records: records.length,
    slots: new Set(slots.map(({ slot }) => toHex(slot))).size,
    boot: Math.max(0, ...boots),
  };
}

/** Throws Failure "no-file", "bad-backup", "wrong-network", "wrong-passphrase". */
export function openBackup(path: string, network: Uint8Array, passphrase: string): OpenedBackup {
  const bad = (why: string): Failure => new Failure("bad-backup", `${path}: ${why}`);
  if (!existsSync(path)) throw new Failure("no-file", `${path} is not there`);
  if (statSync(path).size > backupSizeMax) throw bad("is too large for a backup");
  const file = backupFileCodec.parse(Uint8Array.from(readFileSync(path)));
  if (isRejected(file)) throw bad(file.message);
  const { logNMin, logNMax } = scryptCosts;
  if (file.version !== backupVersion || file.logN < logNMin || file.logN > logNMax)
    throw bad("is by another version");
  if (!equal(file.network, network))
    throw new Failure("wrong-network", `${path} is of the network ${toHex(file.network)}`);
  const bytes = unseal(passphrase, file, authenticatedHead(file), file.sealed);
  if (bytes === undefined)
    throw new Failure(
      "wrong-passphrase",
      `${path} does not open with this passphrase, or is damaged`,
    );
  const body = backupBodyCodec.parse(bytes);
  if (isRejected(body) || body.journalVersion !== journalVersion)
    throw bad("is by another version");
  if (body.shares.some(({ name }) => !shareFilePattern.test(nameOf(name))))
    throw bad("names a share as no share is named");
  return { manifest: manifestOf(file, body), body };
}

/**
 * Puts the folder back, with the mark that it is old. The folder appears whole or not at all; nothing is replaced.
 * Throws Failure "exists", "other-keys".
 */
export function restoreSeat({ body }: OpenedBackup, dataFolder: string, keysFile: string): void {
  assertUnused(dataFolder);
  if (existsSync(keysFile)) {
    if (!equal(Uint8Array.from(readFileSync(keysFile)), body.keys))
      throw new Failure("other-keys", `${keysFile} has other keys than the backup: move it away`);
  } else writeFileSync(keysFile, body.keys, { mode: 0o600, flag: "wx" });
  const fresh = `${dataFolder}.restoring`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(dirname(dataFolder), { recursive: true });
  mkdirSync(sharesOf(fresh), { recursive: true, mode: 0o700 });
  for (const { name, file } of body.shares)
    replaceFile(join(sharesOf(fresh), nameOf(name)), [file]);
  const journal = openJournal(journalOf(fresh), { create: true });
  journal.rewrite([...body.journal, encodeRecord({ kind: "restored" })]);
  journal.close();
  try {
    // Over an empty folder, but over nothing else.
    renameSync(fresh, dataFolder);
  } catch (cause) {
    throw new Failure("exists", `${dataFolder} is not empty: move it away`, { cause });
  }
}
