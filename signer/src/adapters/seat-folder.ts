// What an operator's signer has on disk: the journal of what it has signed, and its shares. Only `causeway signer init`
// and `restore` make a journal: a signer that finds none must not believe that it has signed nothing.
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Journal } from "@causeway/primitives";
import { Failure } from "@causeway/primitives";
import { openJournal } from "@causeway/primitives/adapters/journal";
import { decodeRecord } from "../journal.ts";
import { shareFilePattern } from "../share-file.ts";

export const journalOf = (folder: string): string => join(folder, "signer.journal");
export const sharesOf = (folder: string): string => join(folder, "shares");

/** Names of the share files, sorted. */
export function shareNames(folder: string): string[] {
  const shares = sharesOf(folder);
  if (!existsSync(shares)) return [];
  return readdirSync(shares)
    .filter((name) => shareFilePattern.test(name))
    .sort();
}

/** Makes the folder and an empty journal. Throws Failure "exists" where there is a journal or a share. */
export function initSeat(folder: string): void {
  assertUnused(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  openJournal(journalOf(folder), { create: true }).close();
}

/** Throws Failure "exists" where there is a journal or a share: what a seat has signed is never replaced. */
export function assertUnused(folder: string): void {
  if (existsSync(journalOf(folder)) || shareNames(folder).length > 0)
    throw new Failure("exists", `${folder} is a signer's folder already`);
}

/**
 * The journal, locked for this process. Throws Failure "no-journal", "journal-too-short", "locked", "journal-broken",
 * "disk".
 */
export function openSeat(folder: string): Journal {
  if (!existsSync(journalOf(folder)))
    throw new Failure(
      "no-journal",
      `${folder} has no journal of what this seat has signed: a new seat's is made by causeway signer init, a lost ` +
        "one comes back by causeway signer restore alone",
    );
  const journal = openJournal(journalOf(folder), { create: false });
  const hasRun = [...journal.read()].some((bytes) => decodeRecord(bytes).kind === "boot");
  if (hasRun || shareNames(folder).length === 0) return journal;
  journal.close();
  throw new Failure(
    "journal-too-short",
    `${folder} has shares, but its journal says that no signer ever ran here: bring the journal back by causeway ` +
      "signer restore, or move the shares away (they are opened again from the ledger) and run causeway signer init",
  );
}
