// Snapshots of this node (CON-8, ADR 0010): one is written in the background at the begin of every epoch, offered once
// the epoch's last header has committed to it, and the newest two are kept.
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Bytes32, Log, NetworkId } from "@causeway/primitives";
import { equal, isRejected, isZero, must } from "@causeway/primitives";
import { replaceFile } from "@causeway/primitives/adapters/journal";
import { epochOf } from "../ledger/epoch/epochs.ts";
import type { Manifest } from "../snapshot/chunks.ts";
import { snapshotRoot } from "../snapshot/chunks.ts";
import { epochEnds, finalAt, pruneBlocks, pruneTarget } from "./node-blocks.ts";
import { prefixes, prefixRange } from "./node-keys.ts";
import type { NodeStore } from "./node-store.ts";
import type { SnapshotFiles, SnapshotOf } from "./snapshot-files.ts";
import { openSnapshot, writeSnapshot } from "./snapshot-files.ts";

export type Snapshots = {
  /** To be called in the same tick in which a block was persisted: the state after it is read from then on. */
  readonly onBlock: () => void;
  /** What the last header of `epoch` should commit to, once it is known here. */
  readonly rootOf: (epoch: number) => Bytes32 | undefined;
  /** Those that a final header committed to, newest first. */
  readonly offers: () => Manifest[];
  /** Undefined: not here, or damaged, after which the snapshot is offered no more. */
  readonly chunk: (
    epoch: number,
    index: number,
  ) => Promise<{ readonly chunk: Uint8Array; readonly path: Bytes32[] } | undefined>;
  /** Resolves when nothing is being written or pruned. */
  readonly idle: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export type SnapshotsOptions = {
  readonly folder: string;
  readonly network: NetworkId;
  readonly store: NodeStore;
  /** Keep every block for ever. */
  readonly archive: boolean;
  readonly log: Log;
};

/** Complete snapshots, newest committed ones. */
const keptMax = 2;
/** Made when a final header committed to the snapshot in the same folder. */
const markName = "committed";

/** Takes up what is in the folder; a snapshot of an epoch that ended without it is removed. */
export async function openSnapshots(options: SnapshotsOptions): Promise<Snapshots> {
  const { folder, store } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const known: Known = { committed: new Map(), fresh: undefined };
  await takeUp(options, known);
  return keeper(options, known, epochOf(store.state).number);
}

type Known = {
  readonly committed: Map<number, SnapshotFiles>;
  /** Of the running epoch, complete. */
  fresh: SnapshotFiles | undefined;
};

async function takeUp({ folder, network, store }: SnapshotsOptions, known: Known): Promise<void> {
  const ends = await epochEnds(store.db);
  const running = epochOf(store.state).number;
  for (const name of readdirSync(folder)) {
    const at = join(folder, name);
    const files = await openSnapshot(network, at);
    const end = files && ends.find((height) => height > files.manifest.height);
    const header = end === undefined ? undefined : finalAt(store.db, end)?.header;
    const isCommitted =
      files !== undefined &&
      (existsSync(join(at, markName)) ||
        (header !== undefined &&
          equal(header.snapshotRoot, snapshotRoot(network, files.manifest))));
    if (files !== undefined && isCommitted) {
      if (!existsSync(join(at, markName))) replaceFile(join(at, markName), []);
      known.committed.set(files.manifest.epoch, files);
    } else if (files?.manifest.epoch === running && end === undefined) known.fresh = files;
    else {
      await files?.close();
      rmSync(at, { recursive: true, force: true });
    }
  }
}

/** One thing at a time, in order; the disk's troubles end no node. */
type Queue = {
  readonly add: (what: string, job: () => Promise<void>) => void;
  readonly idle: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly isStopping: () => boolean;
};

function jobs(log: Log): Queue {
  let stopping = false;
  let work: Promise<void> = Promise.resolve();
  return {
    add: (what, job) => {
      work = work.then(async () => {
        if (stopping) return;
        await job().catch((error: unknown) => log.error(`${what} failed`, { error }));
      });
    },
    idle: () => work,
    isStopping: () => stopping,
    stop: async () => {
      stopping = true;
      await work;
    },
  };
}

function keeper(options: SnapshotsOptions, known: Known, running: number): Snapshots {
  const { folder, network, store, log } = options;
  const folderOf = (epoch: number): string => join(folder, `${epoch}`);
  let epoch = running;
  const queue = jobs(log);
  const write = async (
    of: SnapshotOf,
    records: AsyncIterable<readonly [Uint8Array, Uint8Array]>,
  ): Promise<void> => {
    const began = performance.now();
    const isLate = (): boolean => queue.isStopping() || epoch !== of.epoch;
    const manifest = await writeSnapshot(network, folderOf(of.epoch), of, records, isLate);
    // Its epoch is over: nobody waits for it any more.
    if (manifest === undefined || isLate())
      return rmSync(folderOf(of.epoch), { recursive: true, force: true });
    known.fresh = await openSnapshot(network, folderOf(of.epoch));
    const ms = Math.round(performance.now() - began);
    const { chunks, size } = manifest;
    log.info("snapshot written", { epoch: of.epoch, height: of.height, chunks, size, ms });
  };
  return {
    onBlock: () => {
      const { number } = epochOf(store.state);
      if (number === epoch || queue.isStopping()) return;
      const ended = epoch;
      epoch = number;
      const { height, id } = store.head();
      const committed = must(store.tip(), "tip").header.snapshotRoot;
      // The scan sees the database as it is now, whatever is written later.
      const records = stripped(store.db.scan(...prefixRange(prefixes.state)));
      queue.add("committing to a snapshot", () => commit(options, known, ended, committed));
      queue.add("writing a snapshot", () => write({ epoch: number, height, block: id }, records));
      queue.add("pruning", () => prune(options, known, queue.isStopping));
    },
    rootOf: (of) =>
      known.fresh?.manifest.epoch === of ? snapshotRoot(network, known.fresh.manifest) : undefined,
    offers: () => newestFirst(known).map(({ manifest }) => manifest),
    chunk: async (of, index) => {
      const files = known.committed.get(of);
      if (files === undefined || index >= files.manifest.chunks) return undefined;
      const read = await files.read(index);
      if (!isRejected(read)) return read;
      log.error(read.message);
      known.committed.delete(of);
      await remove(folder, files);
      return undefined;
    },
    idle: queue.idle,
    close: async () => {
      await queue.stop();
      await known.fresh?.close();
      for (const files of known.committed.values()) await files.close();
    },
  };
}

function newestFirst(known: Known): SnapshotFiles[] {
  return [...known.committed.values()].sort((a, b) => b.manifest.epoch - a.manifest.epoch);
}

async function remove(folder: string, files: SnapshotFiles): Promise<void> {
  await files.close();
  rmSync(join(folder, `${files.manifest.epoch}`), { recursive: true, force: true });
}

/** `committed`: what the last header of the epoch `ended` says. */
async function commit(
  { folder, network, log }: SnapshotsOptions,
  known: Known,
  ended: number,
  committed: Uint8Array,
): Promise<void> {
  const { fresh } = known;
  known.fresh = undefined;
  if (fresh === undefined) return;
  const isOurs =
    fresh.manifest.epoch === ended && equal(committed, snapshotRoot(network, fresh.manifest));
  if (!isOurs) {
    if (!isZero(committed)) log.error("the network committed to another snapshot", { ended });
    return remove(folder, fresh);
  }
  replaceFile(join(folder, `${ended}`, markName), []);
  known.committed.set(ended, fresh);
  log.info("snapshot committed", { epoch: ended, chunks: fresh.manifest.chunks });
  for (const old of newestFirst(known).slice(keptMax)) {
    known.committed.delete(old.manifest.epoch);
    await remove(folder, old);
  }
}

async function prune(
  { store, archive, log }: SnapshotsOptions,
  known: Known,
  stopped: () => boolean,
): Promise<void> {
  const newest = newestFirst(known)[0];
  if (archive || newest === undefined) return;
  const lowest = await pruneTarget(store.db, newest.manifest.height);
  const count = await pruneBlocks(store.db, lowest, stopped);
  if (count > 0) log.info("blocks pruned", { count, lowest });
}

async function* stripped(
  scan: AsyncIterable<readonly [Uint8Array, Uint8Array]>,
): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
  for await (const [key, value] of scan) yield [key.subarray(1), value];
}
