// How many transfers a second one process takes in, proposes and applies (issue 4): signed transfers of one input
// and two outputs, of 10^5 owners, spending random outputs of a set of 10^6 opened from disk; LevelDB synced; every
// transaction decoded from bytes and its signature recovered once. Two nodes end with one root.
import { cp } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Log } from "@causeway/primitives";
import { equal, isRejected, must } from "@causeway/primitives";
import { createBls } from "../../chain-core/src/adapters/bls.ts";
import type { NodeStore } from "../../chain-core/src/adapters/node-store.ts";
import { openNodeStore } from "../../chain-core/src/adapters/node-store.ts";
import type { VerifyPool } from "../../chain-core/src/adapters/verify-pool.ts";
import { verifyPool } from "../../chain-core/src/adapters/verify-pool.ts";
import type { Block } from "../../chain-core/src/codec/block.ts";
import { blockCodec, blockSizeMax } from "../../chain-core/src/codec/block.ts";
import * as mempool from "../../chain-core/src/mempool/pool.ts";
import { bindLedger } from "../../chain-core/src/node/ledger.ts";
import type { Applied, LedgerPort } from "../../chain-core/src/node/port.ts";
import type { Cost, World } from "./ledger-world.ts";
import {
  certify,
  loadOutputs,
  makeBlock,
  makeWorld,
  measured,
  nextOf,
  persist,
  transfers,
} from "./ledger-world.ts";

const owners = 100_000;
const outputsCount = 1_000_000;
const transfersCount = 20_000;
/** Before the clock starts: what a process does first is slow, once. */
const warmUpTransfers = 5_000;
/** As many as come in one message of gossip. */
const batchTransfers = 256;
/** Besides the main thread. */
const threads = availableParallelism() - 1;

export type LedgerReport = {
  readonly admitTps: number;
  readonly proposeTps: number;
  /** Of a node that sees the block for the first time: parse, verify, apply, write. */
  readonly applyTps: number;
  /** Of a node that admitted its transactions before. */
  readonly applyCachedTps: number;
  /** Admit, propose and write: what building a block did is not done again when it is final (node/height.ts). */
  readonly producerPathTps: number;
  /** CPU time of all threads, and of the main one: what a busy machine leaves comparable. */
  readonly cpuUsPerTx: { readonly [Phase in Name]: number };
  readonly mainUsPerTx: { readonly [Phase in Name]: number };
  readonly transactions: number;
  readonly blocks: number;
  readonly utxos: number;
  readonly openMs: number;
  readonly rssMb: number;
};

const names = ["admit", "propose", "apply", "applyCached", "write"] as const;
type Name = (typeof names)[number];
type Costs = Record<Name, { wallMs: number; cpuMs: number; mainMs: number }>;

export async function run(): Promise<LedgerReport> {
  await using world = await makeWorld(owners);
  const [mine, other] = [join(world.folder, "a"), join(world.folder, "b")];
  await loadOutputs(world, mine, outputsCount);
  await cp(mine, other, { recursive: true });
  const signed = transfers(world, outputsCount, warmUpTransfers + transfersCount);
  const [producer, opened] = await measured(() => openNodeStore(mine, world.genesis));
  const follower = await openNodeStore(other, world.genesis);
  const costs = await measureAll(world, producer, follower, signed);
  const [{ root, height }, second] = [producer.head(), follower.head()];
  if (!equal(root, second.root) || !equal(producer.head().utxoCommitment, second.utxoCommitment))
    throw new Error("two nodes have different roots");
  await producer.close();
  await follower.close();
  return report(costs, { height, openMs: opened.wallMs });
}

const quiet = (): void => {};
const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => log };

function startPool(genesis: World["genesis"]): { pool: VerifyPool } & AsyncDisposable {
  const pool = verifyPool(genesis, threads, log);
  return { pool, [Symbol.asyncDispose]: pool.close };
}

type Nodes = {
  readonly producer: NodeStore;
  readonly ledger: LedgerPort;
  readonly follower: NodeStore;
  readonly others: LedgerPort;
};

async function measureAll(
  world: World,
  producer: NodeStore,
  follower: NodeStore,
  signed: readonly Uint8Array[],
): Promise<Costs> {
  const { genesis } = world;
  // The two never work at the same time.
  await using mine = startPool(genesis);
  await using theirs = startPool(genesis);
  const ledger = bindLedger(genesis, createBls(), undefined, mine.pool);
  const others = bindLedger(genesis, createBls(), undefined, theirs.pool);
  const nodes: Nodes = { producer, ledger, follower, others };
  await produce(world, nodes, signed.slice(0, warmUpTransfers));
  // Awaited here: the pools end with this function.
  return await produce(world, nodes, signed.slice(warmUpTransfers));
}

async function produce(
  world: World,
  { producer, ledger, follower, others }: Nodes,
  signed: readonly Uint8Array[],
): Promise<Costs> {
  const costs = Object.fromEntries(
    names.map((name) => [name, { wallMs: 0, cpuMs: 0, mainMs: 0 }]),
  ) as Costs;
  const pool = mempool.pool();
  const time = async <T>(name: Name, work: () => Promise<T> | T): Promise<T> => {
    const [result, { wallMs, cpuMs, mainMs }]: readonly [T, Cost] = await measured(work);
    costs[name].wallMs += wallMs;
    costs[name].cpuMs += cpuMs;
    costs[name].mainMs += mainMs;
    return result;
  };
  await time("admit", () => admit(world, ledger, producer, pool, signed));
  while (pool.entries.size > 0) {
    const { block, bytes, applied } = await time("propose", () => {
      const candidates = mempool.candidates(pool, blockSizeMax);
      const { header, ...draft } = makeBlock(world, ledger, producer, []);
      const tree = producer.tree();
      const built = ledger.build(producer.state, tree, { ...draft, ...header }, candidates);
      const block = makeBlock(world, ledger, producer, [...built.transactions]);
      return { block, bytes: blockCodec.encode(block), applied: must(built.applied, "applied") };
    });
    const certificate = certify(world, ledger, producer, block);
    await time("applyCached", () => apply(ledger, producer, bytes));
    await time("write", async () => {
      await persist(world, ledger, producer, { block, bytes, certificate, applied });
      clear(pool, block, applied);
    });
    await time("apply", async () => {
      const seen = apply(others, follower, bytes);
      await persist(world, others, follower, { ...seen, bytes, certificate });
    });
  }
  return costs;
}

function admit(
  world: World,
  ledger: LedgerPort,
  store: NodeStore,
  pool: mempool.Pool,
  signed: readonly Uint8Array[],
): void {
  const next = nextOf(world, store);
  for (const [i, bytes] of signed.entries()) {
    if (i % batchTransfers === 0) ledger.expect?.(store.state, signed.slice(i, i + batchTransfers));
    if (mempool.find(pool, bytes) !== undefined) throw new Error("a transfer twice");
    const checked = ledger.check(store.state, next, bytes);
    const entry = isRejected(checked) ? checked : mempool.add(pool, checked, bytes, false, 0);
    if (isRejected(entry)) throw new Error(entry.message);
  }
}

function apply(
  ledger: LedgerPort,
  store: NodeStore,
  bytes: Uint8Array,
): { readonly block: Block; readonly applied: Applied } {
  const block = blockCodec.parse(bytes);
  if (isRejected(block)) throw new Error(block.message);
  const applied = ledger.apply(store.state, store.tree(), block);
  if (isRejected(applied)) throw new Error(applied.message);
  return { block, applied };
}

function clear(pool: mempool.Pool, { header, transactions }: Block, applied: Applied): void {
  if (transactions.length === 0) throw new Error("a block without transactions");
  const ids = applied.receipts.map(({ id }) => id);
  mempool.afterBlock(pool, { transactions, ids, time: header.time, isFull: true });
}

function report(
  costs: Costs,
  { height, openMs }: { readonly height: number; readonly openMs: number },
): LedgerReport {
  const tps = (...of: readonly Name[]): number => {
    const wallMs = of.reduce((sum, name) => sum + costs[name].wallMs, 0);
    return Math.round((transfersCount * 1_000) / wallMs);
  };
  const usPerTx = (of: "cpuMs" | "mainMs"): LedgerReport["cpuUsPerTx"] => {
    const all = names.map((name) => {
      const us = (costs[name][of] * 1_000) / transfersCount;
      return [name, Math.round(us * 10) / 10];
    });
    return Object.fromEntries(all) as LedgerReport["cpuUsPerTx"];
  };
  return {
    admitTps: tps("admit"),
    proposeTps: tps("propose"),
    applyTps: tps("apply"),
    applyCachedTps: tps("applyCached", "write"),
    producerPathTps: tps("admit", "propose", "write"),
    cpuUsPerTx: usPerTx("cpuMs"),
    mainUsPerTx: usPerTx("mainMs"),
    transactions: transfersCount,
    blocks: height,
    utxos: outputsCount,
    openMs: Math.round(openMs),
    rssMb: Math.round(process.memoryUsage.rss() / 1_048_576),
  };
}
