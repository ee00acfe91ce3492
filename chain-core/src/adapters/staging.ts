// A store in the making: what is loaded of a snapshot, with a mark per chunk in the chunk's own batch, so that a killed
// run resumes (ADR 0010). It has no head until it is whole, so that nobody takes it for a store.
import { existsSync, rmSync } from "node:fs";
import type { Put, Store } from "@causeway/primitives";
import { bigEndian, concat, equal, Failure, fromBigEndian, isRejected } from "@causeway/primitives";
import { openLevelStore } from "@causeway/primitives/adapters/level-store";
import type { Genesis } from "../ledger/genesis.ts";
import { utxoCommitment as utxoCommitmentOf } from "../ledger/utxo/commitment.ts";
import type { Manifest } from "../snapshot/chunks.ts";
import { manifestCodec } from "../snapshot/chunks.ts";
import type { Edges, Joined, Loaded } from "../snapshot/join-state.ts";
import { finalityPut } from "./node-blocks.ts";
import { loadedKey, metaKeys, prefixes, prefixRange, stateKey } from "./node-keys.ts";
import { headCodec } from "./node-records.ts";

export type Staging = {
  /** What an earlier run left. */
  readonly loaded: Loaded | undefined;
  /** Throws away what is of another snapshot; gives how many chunks of this one are here. */
  readonly begin: (manifest: Manifest) => Promise<number>;
  /** Durable when it resolves. One at a time. */
  readonly store: (index: number, edges: Edges, entries: readonly Required<Put>[]) => Promise<void>;
  /**
   * Makes it a store at the snapshot's height. Throws Failure "state-mismatch" when its set hash is not what the next
   * header says; the outputs are compared with it, and the rest with that header's state root, when the store is opened.
   */
  readonly finish: (joined: Joined) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Throws Failure as openLevelStore. A folder of another network, or a damaged one, begins anew. */
export async function openStaging(folder: string, genesis: Genesis): Promise<Staging> {
  let db = await reopened(folder, genesis);
  let loaded = await readLoaded(db);
  const first = loaded;
  let manifest = loaded?.manifest;
  const loading = (): Put => ({
    key: metaKeys.loading,
    value: manifestCodec.encode(manifest as Manifest),
  });
  return {
    loaded: first,
    begin: async (of) => {
      if (
        loaded !== undefined &&
        equal(manifestCodec.encode(loaded.manifest), manifestCodec.encode(of))
      )
        return loaded.chunks.size;
      await db.close();
      db = await fresh(folder, genesis);
      loaded = undefined;
      manifest = of;
      await db.write([loading()]);
      return 0;
    },
    store: async (index, { first: from, last }, entries) => {
      await db.write([
        ...entries.map(({ key, value }) => ({ key: stateKey(key), value })),
        { key: loadedKey(index), value: concat(bigEndian(from.length, 2), from, last) },
        loading(),
      ]);
    },
    finish: async ({ manifest: of, after, ends }) => {
      const utxoCommitment = utxoCommitmentOf({ get: (key) => db.get(stateKey(key)) });
      if (!equal(utxoCommitment, after.utxoCommitment)) {
        // Nothing of it is used again.
        await db.write([{ key: metaKeys.loading }]);
        throw new Failure("state-mismatch", mismatch);
      }
      const head = { height: of.height, id: of.block, root: after.stateRoot, utxoCommitment };
      const marks: Put[] = [];
      for await (const [key] of db.scan(...prefixRange(prefixes.loaded))) marks.push({ key });
      await db.write([
        ...marks,
        { key: metaKeys.loading },
        ...ends.map(({ height, finality }) => finalityPut(height, finality)),
        { key: metaKeys.lowest, value: bigEndian(of.height + 1, 8) },
        { key: metaKeys.undo, value: new Uint8Array(0) },
        { key: metaKeys.head, value: headCodec.encode(head) },
      ]);
    },
    close: () => db.close(),
  };
}

const mismatch =
  "the loaded snapshot is not the state that its header names: start again to load it anew, and with CAUSEWAY_SYNC=blocks if it happens twice";

async function reopened(folder: string, genesis: Genesis): Promise<Store> {
  if (!existsSync(folder)) return fresh(folder, genesis);
  try {
    const db = await openLevelStore(folder, { create: false });
    const network = db.get(metaKeys.network);
    if (network !== undefined && equal(network, genesis.networkId)) return db;
    await db.close();
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.code === "locked") throw cause;
  }
  return fresh(folder, genesis);
}

async function fresh(folder: string, genesis: Genesis): Promise<Store> {
  rmSync(folder, { recursive: true, force: true });
  const db = await openLevelStore(folder, { create: true });
  await db.write([{ key: metaKeys.network, value: genesis.networkId }]);
  return db;
}

async function readLoaded(db: Store): Promise<Loaded | undefined> {
  const loading = db.get(metaKeys.loading);
  if (loading === undefined) return undefined;
  const manifest = manifestCodec.parse(loading);
  if (isRejected(manifest)) return undefined;
  const chunks = new Map<number, Edges>();
  for await (const [key, value] of db.scan(...prefixRange(prefixes.loaded))) {
    const split = 2 + Number(fromBigEndian(value.subarray(0, 2)));
    const edges = { first: value.slice(2, split), last: value.slice(split) };
    chunks.set(Number(fromBigEndian(key.subarray(1))), edges);
  }
  return { manifest, chunks };
}
