// The node's database: state, final blocks and indices in one LevelDB, one synced batch per block, or per several when it
// catches up. It also keeps what proofs are made of: the provable trees after the newest block and after its parent.
import type { NetworkId, Put, Store } from "@causeway/primitives";
import { equal, Failure, isRejected, keyOf, must } from "@causeway/primitives";
import { openLevelStore } from "@causeway/primitives/adapters/level-store";
import type { Movement } from "../client/types.ts";
import type { Certificate, Header } from "../codec/block.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { memoryState } from "../ledger/memory-state.ts";
import type { Change, StateReader } from "../ledger/state.ts";
import { modules } from "../ledger/state.ts";
import type { Tree } from "../ledger/tree.ts";
import { emptyTree, isProvable, root, update } from "../ledger/tree.ts";
import {
  commitmentOf,
  isSummed,
  utxoCommitment,
  utxoSum,
  utxoSums,
} from "../ledger/utxo/commitment.ts";
import type { Effect, FinalBlock } from "../node/machine.ts";
import {
  blockAt,
  blockPuts,
  checkBlocks,
  damagedBlock,
  finalAt,
  finalityPuts,
  lowestOf,
  resyncAdvice,
} from "./node-blocks.ts";
import { indexBlock, indexedHeight } from "./node-index.ts";
import { blockKey, metaKeys, prefixes, prefixRange, stateKey } from "./node-keys.ts";
import type { Head } from "./node-records.ts";
import { decodePuts, encodePuts, headCodec } from "./node-records.ts";
import { readCache } from "./read-cache.ts";
import { writeBatch } from "./write-batch.ts";

export type Persist = Effect & { readonly kind: "persist" };

/** State that proofs show: after the parent of the newest block, which that block's header commits to. */
export type ProvableState = StateReader & { readonly tree: Tree };

export type NodeStore = {
  readonly db: Store;
  /** The state after the newest block. */
  readonly state: StateReader;
  readonly head: () => Head;
  readonly tip: () => { readonly header: Header; readonly certificate: Certificate } | undefined;
  /** After the newest block, and before it; no proof can be made at height 0. */
  readonly tree: () => Tree;
  readonly provable: () => ProvableState | undefined;
  readonly blocks: (height: number) => FinalBlock | undefined;
  /** Of the blocks that are here; one above the newest where none is. */
  readonly lowest: () => number;
  /**
   * Successive blocks in one atomic write: durable when it resolves, with what moved in each if there is an index.
   * Nothing else may write meanwhile.
   */
  readonly persist: (...effects: readonly Persist[]) => Promise<readonly (readonly Movement[])[]>;
  /** Whether every block goes into the index too; it must stand at the newest block then. */
  readonly setIndexed: (isIndexed: boolean) => void;
  readonly close: () => Promise<void>;
};

/** Makes the database of a new node with the genesis state. Throws Failure "exists" where there is one. */
export async function createNodeStore(
  folder: string,
  genesis: Genesis,
  puts: readonly Put[],
): Promise<void> {
  const db = await openLevelStore(folder, { create: true });
  const head: Head = {
    height: 0,
    id: new Uint8Array(32),
    root: root(update(emptyTree, puts)),
    utxoCommitment: utxoCommitment(memoryState(puts)),
  };
  await db.write([
    ...puts.map(({ key, value }) => put(stateKey(key), value)),
    { key: metaKeys.head, value: headCodec.encode(head) },
    { key: metaKeys.undo, value: new Uint8Array(0) },
    { key: metaKeys.network, value: genesis.networkId },
  ]);
  await db.close();
}

/**
 * Opens the database and reads all of its state once. Throws Failure "wrong-network" (another network's data),
 * "state-mismatch" (records were lost or changed), and those of openLevelStore; each says what to do.
 */
export async function openNodeStore(folder: string, genesis: Genesis): Promise<NodeStore> {
  const db = await openExisting(folder);
  try {
    const network = db.get(metaKeys.network);
    if (network === undefined || !equal(network, genesis.networkId))
      throw new Failure("wrong-network", `${folder} holds the data of another network`);
    const head = headOf(db, folder);
    const undo = db.get(metaKeys.undo);
    if (undo === undefined) throw damaged(folder, "the undo is missing");
    const tree = await readState(db, folder, head);
    await checkBlocks(db, genesis, head, (what) => damaged(folder, what));
    const store = nodeStore(db, genesis.networkId, head, tree, decodePuts(undo));
    checkUndo(folder, store);
    return store;
  } catch (cause) {
    await db.close();
    if (cause instanceof Failure) throw cause;
    // Whatever a decoder or LevelDB's iterator stumbles over here was once written whole.
    throw damaged(folder, cause instanceof Error ? cause.message : String(cause));
  }
}

/** The records before the newest block are those that its header commits to. */
function checkUndo(folder: string, { provable, tip }: NodeStore): void {
  const before = provable();
  if (before === undefined) return;
  const { header } = must(tip(), "the block that provable() has seen");
  if (!equal(root(before.tree), header.stateRoot))
    throw damaged(folder, "what undoes the newest block is another");
}

function openExisting(folder: string): Promise<Store> {
  return openLevelStore(folder, {
    create: false,
    compression: false,
    cacheSize: 16 * 1024 * 1024,
    advice: resyncAdvice,
  });
}

function headOf(db: Store, folder: string): Head {
  const stored = db.get(metaKeys.head);
  if (stored === undefined) throw damaged(folder, "the head is missing");
  const head = headCodec.parse(stored);
  if (isRejected(head)) throw damaged(folder, head.message);
  return head;
}

function damaged(folder: string, what: string): Failure {
  return new Failure("state-mismatch", `${folder} is damaged (${what}): ${resyncAdvice}`);
}

/** The tree of the stored state, when state and head agree. */
async function readState(db: Store, folder: string, head: Head): Promise<Tree> {
  let tree = emptyTree;
  const sum = utxoSum();
  let batch: Put[] = [];
  for await (const [key, value] of db.scan(...prefixRange(prefixes.state))) {
    const of = key.slice(1);
    if (isSummed(of)) sum.add(of, value);
    else if (!isProvable(of[0] ?? 0)) continue;
    else if (batch.push({ key: of, value }) >= 4_096) {
      tree = update(tree, batch);
      batch = [];
    }
  }
  tree = update(tree, batch);
  if (!equal(root(tree), head.root)) throw damaged(folder, "records do not add up to their root");
  const stored = utxoCommitment({ get: (key) => db.get(stateKey(key)) });
  if (!equal(stored, head.utxoCommitment) || !equal(commitmentOf(sum.bytes()), stored))
    throw damaged(folder, "outputs do not add up to their commitment");
  return tree;
}

function put(key: Uint8Array, value: Uint8Array | undefined): Put {
  return value === undefined ? { key } : { key, value };
}

/** The commitment after a block that moved outputs. */
function utxoSumIn(changes: readonly Change[]): Uint8Array | undefined {
  const sum = changes.find(({ key }) => equal(key, utxoSumKey))?.value;
  return sum && commitmentOf(sum);
}

const utxoSumKey = utxoSums.key("only");

/** For the index: by key. */
function oldOf(state: StateReader, changes: readonly Change[]): StateReader["get"] {
  const old = new Map(changes.map((change) => [keyOf(change.key), beforeOf(state, change)]));
  return (key) => old.get(keyOf(key));
}

/** What the ledger saw when it applied the block; what it did not look at is read. */
function beforeOf(state: StateReader, change: Change): Uint8Array | undefined {
  return "before" in change ? change.before : state.get(change.key);
}

function nodeStore(
  db: Store,
  network: NetworkId,
  first: Head,
  firstTree: Tree,
  firstUndo: readonly Put[],
): NodeStore {
  const state = readCache({ get: (key) => db.get(stateKey(key)) });
  /** The database, its state through the cache. */
  const cached: StateReader = {
    get: (key) => (key[0] === prefixes.state ? state.get(key.subarray(1)) : db.get(key)),
  };
  let head = first;
  let tree = firstTree;
  let before = previous(tree, firstUndo);
  let tip: ReturnType<NodeStore["tip"]>;
  let isIndexed = indexedHeight(db) === first.height;
  const blocks = (height: number): FinalBlock | undefined => {
    const block = blockAt(db, height);
    if (block === undefined && height >= lowestOf(db) && height <= head.height)
      throw damagedBlock(height);
    return block;
  };
  return {
    db,
    state,
    blocks,
    lowest: () => lowestOf(db),
    head: () => head,
    tree: () => tree,
    tip: () => {
      if (head.height === 0) return undefined;
      if (tip?.header.height !== head.height) tip = must(finalAt(db, head.height), "newest block");
      return tip;
    },
    provable: () => {
      // What a snapshot began with has no state before it.
      if (db.get(blockKey(head.height)) === undefined) return undefined;
      const { values, tree: of } = before;
      const get: StateReader["get"] = (key) => {
        const name = keyOf(key);
        return values.has(name) ? values.get(name) : state.get(key);
      };
      return { tree: of, get };
    },
    persist: async (...effects) => {
      const batch = writeBatch(cached);
      const next = { head, tree, before };
      const movements = effects.map((effect) => {
        const written = blockWrites(network, batch, next.head, effect, isIndexed);
        batch.add(written.puts);
        next.head = written.head;
        next.before = { tree: next.tree, values: valuesOf(written.undo) };
        next.tree = update(next.tree, effect.puts);
        return written.movements;
      });
      await db.write(batch.puts());
      for (const { puts } of effects) state.wrote(puts);
      ({ head, tree, before } = next);
      return movements;
    },
    setIndexed: (value) => {
      isIndexed = value;
    },
    close: () => db.close(),
  };
}

type BlockWrites = {
  readonly puts: readonly Put[];
  readonly head: Head;
  /** Of the provable records. */
  readonly undo: readonly Put[];
  readonly movements: readonly Movement[];
};

/** What a block writes into the database `db`, which holds all before it. */
function blockWrites(
  network: NetworkId,
  db: StateReader,
  parent: Head,
  effect: Persist,
  isIndexed: boolean,
): BlockWrites {
  const { puts, height, id, root: after, receipts } = effect;
  const state: StateReader = { get: (key) => db.get(stateKey(key)) };
  const head: Head = {
    height,
    id,
    root: after,
    utxoCommitment: utxoSumIn(puts) ?? parent.utxoCommitment,
  };
  const undo = puts
    .filter(({ key }) => (key[0] ?? 0) >= modules.interchain)
    .map((change) => put(change.key, beforeOf(state, change)));
  const indexed = isIndexed
    ? indexBlock(network, db, { height, puts, old: oldOf(state, puts), receipts })
    : { puts: [], movements: [] };
  return {
    puts: [
      ...puts.map(({ key, value }) => put(stateKey(key), value)),
      ...indexed.puts,
      ...finalityPuts(state, effect),
      ...blockPuts(height, effect),
      { key: metaKeys.undo, value: encodePuts(undo) },
      { key: metaKeys.head, value: headCodec.encode(head) },
    ],
    head,
    undo,
    movements: indexed.movements,
  };
}

type Before = { readonly tree: Tree; readonly values: ReadonlyMap<string, Uint8Array | undefined> };

function previous(tree: Tree, undo: readonly Put[]): Before {
  return { tree: update(tree, undo), values: valuesOf(undo) };
}

function valuesOf(undo: readonly Put[]): Map<string, Uint8Array | undefined> {
  return new Map(undo.map(({ key, value }) => [keyOf(key), value]));
}
