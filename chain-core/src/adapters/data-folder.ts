// The node's folder: lock, database, vote journal, and a mark that both were made completely. Only the first start
// on an empty folder makes them; anything missing later is a loss that must not pass in silence.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Journal } from "@causeway/primitives";
import { diskFailure, Failure, toHex, utf8 } from "@causeway/primitives";
import { lockFile } from "@causeway/primitives/adapters/file-lock";
import { openJournal, replaceFile } from "@causeway/primitives/adapters/journal";
import type { Genesis } from "../ledger/genesis.ts";
import { genesisState } from "../ledger/genesis-state.ts";
import type { NodeStore } from "./node-store.ts";
import { createNodeStore, openNodeStore } from "./node-store.ts";

export type DataFolder = {
  readonly store: NodeStore;
  readonly journal: Journal;
  readonly close: () => Promise<void>;
};

/**
 * Makes a store of a snapshot in `folder`, which may hold what an earlier try left; false: go on with blocks. `store`:
 * the folder of the one that is here, if any.
 */
export type Joiner = (store: string | undefined, folder: string) => Promise<boolean>;

/** Size of a journal without records. */
const emptyJournalSize = 16;

/**
 * Opens the folder, or makes it when nothing is there; `anew`: makes its store once more and keeps its votes. Throws
 * Failure "locked" (another process), "wrong-network", "incomplete", "missing", "journal-broken" (a part was lost: votes
 * may have been cast that nobody remembers), "state-mismatch", "store-broken", "disk"; each says what to do.
 */
export async function openDataFolder(
  folder: string,
  genesis: Genesis,
  joinBy?: Joiner,
  anew: boolean = false,
): Promise<DataFolder> {
  let unlock = (): void => {};
  let journal: Journal | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    unlock = lockFile(join(folder, "node"));
    await create(folder, genesis, joinBy, anew);
    journal = openVotes(votesFile(folder));
    const votes = journal;
    const store = await openNodeStore(storeFolder(folder), genesis);
    const close = async (): Promise<void> => {
      await store.close();
      votes.close();
      unlock();
    };
    return { store, journal, close };
  } catch (cause) {
    journal?.close();
    unlock();
    throw (cause as NodeJS.ErrnoException).syscall === undefined
      ? cause
      : diskFailure(`cannot use ${folder}`, cause);
  }
}

/** A lost vote may be contradicted: the key must not go on without its journal. */
function openVotes(path: string): Journal {
  try {
    return openJournal(path, { create: false });
  } catch (cause) {
    const { code, message } = cause as Failure;
    if (code !== "missing" && code !== "journal-broken") throw cause;
    throw new Failure(code, `${message}: ${votesAdvice}`, { cause });
  }
}

const votesAdvice =
  "votes may be lost, restore the file, or run without this consensus key on a new folder";

const storeFolder = (folder: string): string => join(folder, "store");
const votesFile = (folder: string): string => join(folder, "votes.journal");
const stagingFolder = (folder: string): string => join(folder, "staging");
const formerFolder = (folder: string): string => join(folder, "store.former");
const markFile = (folder: string): string => join(folder, "network");

async function create(
  folder: string,
  genesis: Genesis,
  joinBy: Joiner | undefined,
  anew: boolean,
): Promise<void> {
  const store = storeFolder(folder);
  const staging = stagingFolder(folder);
  const mark = `${toHex(genesis.networkId)}\n`;
  if (existsSync(markFile(folder))) {
    if (readFileSync(markFile(folder), "utf8") !== mark)
      throw new Failure(
        "wrong-network",
        `${folder} belongs to another network: give each genesis a folder of its own`,
      );
    takeBack(folder);
    if (anew) {
      rmSync(store, { recursive: true, force: true });
      await createStore(folder, genesis, joinBy);
      return;
    }
    if (joinBy === undefined || !(await joinBy(store, staging))) return;
    renameSync(store, formerFolder(folder));
    renameSync(staging, store);
    rmSync(formerFolder(folder), { recursive: true, force: true });
    return;
  }
  // Without the mark only a first start that did not come to its end is harmless: it has cast no vote.
  const votes = votesFile(folder);
  if (existsSync(votes) && statSync(votes).size > emptyJournalSize)
    throw new Failure("incomplete", `${folder} has votes but lost the file network: restore it`);
  rmSync(store, { recursive: true, force: true });
  rmSync(votes, { force: true });
  await createStore(folder, genesis, joinBy);
  openJournal(votes, { create: true }).close();
  replaceFile(markFile(folder), [utf8(mark)]);
}

async function createStore(
  folder: string,
  genesis: Genesis,
  joinBy: Joiner | undefined,
): Promise<void> {
  const [store, staging] = [storeFolder(folder), stagingFolder(folder)];
  if (joinBy !== undefined && (await joinBy(undefined, staging))) renameSync(staging, store);
  else {
    rmSync(staging, { recursive: true, force: true });
    await createNodeStore(store, genesis, genesisState(genesis));
  }
}

/** A crash between the two renames left no store: the former one is it again. */
function takeBack(folder: string): void {
  const former = formerFolder(folder);
  if (!existsSync(former)) return;
  if (existsSync(storeFolder(folder))) rmSync(former, { recursive: true, force: true });
  else renameSync(former, storeFolder(folder));
}
