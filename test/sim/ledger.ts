// The real ledger behind the nodes' port, bound once a world. Applying a block is a pure function of state, header
// and transactions, so that in nine seeds of ten the four nodes share its results; the tenth computes each alone.

import type { Bls, Put } from "@causeway/primitives";
import { concat, keyOf } from "@causeway/primitives";
import { headerCodec, transactionsRoot } from "../../chain-core/src/codec/block.ts";
import type { Genesis } from "../../chain-core/src/ledger/genesis.ts";
import type { StateReader } from "../../chain-core/src/ledger/state.ts";
import type { Tree } from "../../chain-core/src/ledger/tree.ts";
import { bindLedger } from "../../chain-core/src/node/ledger.ts";
import type { Applied, LedgerPort } from "../../chain-core/src/node/port.ts";
import type { NodeDisk } from "./model.ts";

export type Ledger = {
  readonly port: LedgerPort;
  readonly shares: boolean;
  readonly results: Map<string, Applied>;
  /** The tree after a block, by the puts that it made. */
  readonly trees: WeakMap<readonly Put[], Tree>;
  /** What was thrown: with honest proposers nothing is ever thrown, not even where CON-5 allows it. */
  thrown: unknown;
};

export function createLedger(genesis: Genesis, bls: Bls, shares: boolean): Ledger {
  const port = bindLedger(genesis, bls);
  return { port, shares, results: new Map(), trees: new WeakMap(), thrown: undefined };
}

/** The ledger as the node of `disk` has it. */
export function portOf(ledger: Ledger, genesis: Genesis, disk: NodeDisk): LedgerPort {
  const { port } = ledger;
  const watched = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      ledger.thrown ??= error;
      throw error;
    }
  };
  return {
    genesis: () => port.genesis(),
    root: (tree) => port.root(tree),
    build: (...args) => watched(() => port.build(...args)),
    check: (...args) => watched(() => port.check(...args)),
    apply: (reader, tree, header, transactions) =>
      watched(() => {
        const run = (): ReturnType<LedgerPort["apply"]> =>
          port.apply(reader, tree, header, transactions);
        // While blocks are synced the state is not on the disk yet, whose digest would not name it.
        const isOnDisk = header.height === disk.blocks.length + 1;
        const name = isOnDisk ? nameOf(genesis, disk, header, transactions) : undefined;
        const known = name === undefined || !ledger.shares ? undefined : ledger.results.get(name);
        if (known !== undefined) return known;
        const applied = run();
        if ("kind" in applied) return applied;
        ledger.trees.set(applied.puts, applied.tree);
        if (name !== undefined) ledger.results.set(name, applied);
        return applied;
      }),
  };
}

function nameOf(
  { networkId }: Genesis,
  disk: NodeDisk,
  header: Parameters<LedgerPort["apply"]>[2],
  transactions: readonly Uint8Array[],
): string {
  return (
    disk.digest +
    keyOf(concat(headerCodec.encode(header), transactionsRoot(networkId, transactions)))
  );
}

/** A set hash of records that costs little to change: two lanes of sums modulo 2^32. */
export function entryHash(key: Uint8Array, value: Uint8Array): readonly [number, number] {
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (const bytes of [key, value])
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b ^ (byte + i), 0x85ebca6b) ^ (b >>> 15);
    }
  a = Math.imul(a ^ (a >>> 16), 0x21f0aaad);
  return [(a ^ (a >>> 15)) >>> 0, Math.imul(b ^ (b >>> 13), 0xc2b2ae35) >>> 0];
}

/** The digest after `puts`; writes them into the records and gives what they overwrote. */
export function writeRecords(disk: NodeDisk, puts: readonly Put[]): Put[] {
  let [a, b] =
    disk.digest === "" ? [0, 0] : (disk.digest.split(":").map(Number) as [number, number]);
  const undo: Put[] = [];
  for (const { key, value } of puts) {
    const name = keyOf(key);
    const before = disk.records.get(name);
    if (before !== undefined) {
      const [x, y] = entryHash(key, before.value);
      a = (a - x) >>> 0;
      b = (b - y) >>> 0;
    }
    undo.push(before === undefined ? { key } : { key, value: before.value });
    if (value === undefined) {
      disk.records.delete(name);
      continue;
    }
    const [x, y] = entryHash(key, value);
    a = (a + x) >>> 0;
    b = (b + y) >>> 0;
    disk.records.set(name, { key, value });
  }
  disk.digest = `${a}:${b}`;
  return undo;
}

export function readerOf(disk: NodeDisk): StateReader {
  return { get: (key) => disk.records.get(keyOf(key))?.value };
}
