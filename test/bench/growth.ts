// Does a ledger slow down as it grows (issue 4)? Blocks of transfers seen for the first time, applied on sets of 10^4
// to 5 x 10^6 outputs on a real disk. CPU time counts, of all threads: it is what a busy machine leaves comparable.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isRejected } from "@causeway/primitives";
import { Level } from "level";
import { createBls } from "../../chain-core/src/adapters/bls.ts";
import { openNodeStore } from "../../chain-core/src/adapters/node-store.ts";
import { blockCodec } from "../../chain-core/src/codec/block.ts";
import { bindLedger } from "../../chain-core/src/node/ledger.ts";
import type { World } from "./ledger-world.ts";
import {
  certify,
  loadOutputs,
  makeBlock,
  makeWorld,
  measured,
  persist,
  transfers,
} from "./ledger-world.ts";

const sizes = [10_000, 100_000, 1_000_000, 5_000_000] as const;
const owners = 10_000;
/** Half of the smallest set. */
const transfersCount = 5_000;
const blockTransfers = 1_000;
/** The first block of a store is not counted. */
const warmUpBlocks = 1;

export type GrowthPoint = {
  readonly utxos: number;
  readonly applyUsPerTx: number;
  readonly wallUsPerTx: number;
  readonly rssMb: number;
};

export type GrowthReport = {
  readonly points: readonly GrowthPoint[];
  /** Time of the largest set by that of the smallest; the goal is at most 1.5. */
  readonly ratio: number;
};

/** About three minutes: nearly all of it makes the largest set and reads it once, as a node does when it starts. */
export async function run(): Promise<GrowthReport> {
  await using world = await makeWorld(owners);
  const points: GrowthPoint[] = [];
  // Once for nothing: the first blocks of a process are slow, and that must not flatter the ratio.
  await measure(world, sizes[0]);
  for (const utxos of sizes) points.push(await measure(world, utxos));
  const [first, last] = [points[0], points.at(-1)];
  const ratio = (last?.applyUsPerTx ?? 0) / (first?.applyUsPerTx ?? 1);
  return { points, ratio: Math.round(ratio * 100) / 100 };
}

type Compact = (from: Uint8Array, to: Uint8Array) => Promise<void>;

/** Lets LevelDB finish with what was loaded at once: its threads would go on with that while blocks are applied. */
async function settle(folder: string): Promise<void> {
  const db = new Level<Uint8Array, Uint8Array>(folder, {
    keyEncoding: "view",
    valueEncoding: "view",
    compression: false,
  });
  await db.open();
  // `level` types what browsers have, too.
  const { compactRange } = db as unknown as { compactRange: Compact };
  await compactRange.call(db, new Uint8Array(0), new Uint8Array(64).fill(255));
  await db.close();
}

async function measure(world: World, utxos: number): Promise<GrowthPoint> {
  const folder = join(world.folder, String(utxos));
  await loadOutputs(world, folder, utxos);
  await settle(folder);
  const signed = transfers(world, utxos, transfersCount);
  const store = await openNodeStore(folder, world.genesis);
  const ledger = bindLedger(world.genesis, createBls());
  let [wallMs, cpuMs] = [0, 0];
  for (let from = 0; from < signed.length; from += blockTransfers) {
    const candidates = signed.slice(from, from + blockTransfers);
    // Not built on this store: nobody has read the outputs that it spends.
    const made = makeBlock(world, ledger, store, candidates);
    const certificate = certify(world, ledger, store, made);
    const bytes = blockCodec.encode(made);
    const [, cost] = await measured(async () => {
      const block = blockCodec.parse(bytes);
      if (isRejected(block)) throw new Error(block.message);
      const applied = ledger.apply(store.state, store.tree(), block);
      if (isRejected(applied)) throw new Error(applied.message);
      await persist(world, ledger, store, { block, bytes, certificate, applied });
    });
    if (from < warmUpBlocks * blockTransfers) continue;
    wallMs += cost.wallMs;
    cpuMs += cost.cpuMs;
  }
  await store.close();
  await rm(folder, { recursive: true });
  const perTx = (ms: number): number =>
    Math.round((ms * 10_000) / (transfersCount - warmUpBlocks * blockTransfers)) / 10;
  const rssMb = Math.round(process.memoryUsage.rss() / 1_048_576);
  return { utxos, applyUsPerTx: perTx(cpuMs), wallUsPerTx: perTx(wallMs), rssMb };
}
