// The real ledger behind the nodes' port, bound once a world. Applying a block is a pure function of state, header
// and transactions, and checking a transaction is one of state and time, so that in nineteen seeds of twenty the four
// nodes share the results; in the twentieth each computes all of them.

import type { Bls, Put } from "@causeway/primitives";
import { concat, keyOf, sha256 } from "@causeway/primitives";
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
  readonly checked: Map<string, ReturnType<LedgerPort["check"]>>;
  /** The tree after a block, by the puts that it made. */
  readonly trees: WeakMap<readonly Put[], Tree>;
  /** What was thrown: with honest proposers nothing is ever thrown, not even where CON-5 allows it. */
  thrown: unknown;
};

export function createLedger(genesis: Genesis, bls: Bls, shares: boolean): Ledger {
  const port = bindLedger(genesis, bls);
  const checked = new Map();
  return { port, shares, results: new Map(), checked, trees: new WeakMap(), thrown: undefined };
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
    frame: (reader) => port.frame(reader),
    openVotes: (reader) => port.openVotes(reader),
    build: (...args) => watched(() => port.build(...args)),
    check: (reader, at, bytes) =>
      watched(() => {
        if (!ledger.shares || at.height !== disk.blocks.length + 1)
          return port.check(reader, at, bytes);
        // Time matters by the second at most: a transaction expires.
        const second = Math.floor(at.time / 1_000);
        const name = `${disk.digest}:${at.height}:${second}:${keyOf(sha256(bytes))}`;
        const known = ledger.checked.get(name);
        if (known !== undefined) return known;
        const result = port.check(reader, at, bytes);
        ledger.checked.set(name, result);
        return result;
      }),
    apply: (reader, tree, block) =>
      watched(() => {
        const run = (): ReturnType<LedgerPort["apply"]> => port.apply(reader, tree, block);
        // While blocks are synced the state is not on the disk yet, whose digest would not name it.
        const isOnDisk = block.header.height === disk.blocks.length + 1;
        const name = isOnDisk ? nameOf(genesis, disk, block) : undefined;
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
  { header, transactions }: Parameters<LedgerPort["apply"]>[2],
): string {
  return (
    disk.digest +
    keyOf(concat(headerCodec.encode(header), transactionsRoot(networkId, transactions)))
  );
}

/** A set hash of records that costs little to change: two lanes of sums modulo 2^32. */
function entryHash(key: Uint8Array, value: Uint8Array): readonly [number, number] {
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
