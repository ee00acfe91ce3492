// The node's index, for its RPC alone: outputs by owner, balances, history, transactions by id. It is written with the
// block in the same batch, can be rebuilt from the blocks, and a plain validator keeps none.
import type { NetworkId, Put, Store } from "@causeway/primitives";
import { bigEndian, compare, concat, equal, fromBigEndian, keyOf } from "@causeway/primitives";
import type { Movement } from "../client/types.ts";
import type { Output, OutputId } from "../codec/action.ts";
import { blockCodec } from "../codec/block.ts";
import type { StateReader } from "../ledger/state.ts";
import { outputs } from "../ledger/utxo/outputs.ts";
import type { Change } from "./movements.ts";
import { movementsOf } from "./movements.ts";
import {
  balanceKey,
  historyKey,
  metaKeys,
  outputIdOf,
  ownerKey,
  prefixes,
  prefixRange,
  rangeOf,
  transactionKey,
} from "./node-keys.ts";
import type { Place } from "./node-records.ts";
import { placeCodec } from "./node-records.ts";

/** What one block adds to the index. */
export type Indexed = { readonly puts: Put[]; readonly movements: readonly Movement[] };

type BlockChange = Omit<Change, "transactions"> & {
  readonly receipts: readonly { readonly id: Uint8Array; readonly bytes: Uint8Array }[];
};

/** `db` holds the index up to the block before. */
export function indexBlock(network: NetworkId, db: StateReader, change: BlockChange): Indexed {
  const { height, receipts } = change;
  const movements = movementsOf(network, {
    ...change,
    transactions: receipts.map(({ bytes }) => bytes),
  });
  const puts = [
    ...indexOutputs(change.puts, change.old),
    ...indexBalances(db, change.puts, change.old),
    ...movements.map(indexMovement),
    ...receipts.map(({ id }, position) => ({
      key: transactionKey(id),
      value: placeCodec.encode({ height, position }),
    })),
    { key: metaKeys.indexed, value: bigEndian(height, 8) },
  ];
  return { puts, movements };
}

/** The block after which the index stands, or undefined where there is none. */
export function indexedHeight(db: Store): number | undefined {
  const bytes = db.get(metaKeys.indexed);
  return bytes === undefined ? undefined : Number(fromBigEndian(bytes));
}

/** Calls `visit` with each output that `puts` make or unmake. */
function eachOutput(
  puts: readonly Put[],
  old: StateReader["get"],
  visit: (id: OutputId, output: Output, isMade: boolean) => void,
): void {
  for (const { key, value } of puts) {
    const id = outputIdOf(key);
    if (id === undefined) continue;
    const before = old(key);
    if (before !== undefined) visit(id, outputs.codec.decode(before), false);
    if (value !== undefined) visit(id, outputs.codec.decode(value), true);
  }
}

function indexOutputs(puts: readonly Put[], old: StateReader["get"]): Put[] {
  const out: Put[] = [];
  eachOutput(puts, old, (id, { lock, asset, amount }, isMade) => {
    const key = ownerKey(lock, asset, id);
    out.push(isMade ? { key, value: bigEndian(amount, 16) } : { key });
  });
  return out;
}

type Balance = { readonly key: Uint8Array; amount: bigint; outputs: bigint };

function indexBalances(db: StateReader, puts: readonly Put[], old: StateReader["get"]): Put[] {
  const balances = new Map<string, Balance>();
  eachOutput(puts, old, (_, { lock, asset, amount }, isMade) => {
    const key = balanceKey(lock, asset);
    const name = keyOf(key);
    const balance = balances.get(name) ?? readBalance(key, db.get(key));
    balance.amount += isMade ? amount : -amount;
    balance.outputs += isMade ? 1n : -1n;
    balances.set(name, balance);
  });
  return [...balances.values()].map(({ key, amount, outputs: count }) =>
    count === 0n ? { key } : { key, value: concat(bigEndian(amount, 24), bigEndian(count, 8)) },
  );
}

/** Amount in 24 bytes, for many amounts of 16 may add up to more; number of outputs in 8. */
function readBalance(key: Uint8Array, value: Uint8Array | undefined): Balance {
  if (value === undefined) return { key, amount: 0n, outputs: 0n };
  return {
    key,
    amount: fromBigEndian(value.subarray(0, 24)),
    outputs: fromBigEndian(value.subarray(24)),
  };
}

/** Of a movement that the ledger made itself: after all transactions of its block. */
const noPosition = 0xffffffff;

function indexMovement(movement: Movement): Put {
  const { lock, asset, height, position = noPosition, txid, received, spent } = movement;
  return {
    key: historyKey(lock, height, position, asset, txid),
    value: concat(bigEndian(received, 24), bigEndian(spent, 24)),
  };
}

function readMovement(lock: Uint8Array, key: Uint8Array, value: Uint8Array): Movement {
  const below = (bytes: Uint8Array, bits: number): number =>
    Number(BigInt.asUintN(bits, ~fromBigEndian(bytes)));
  const position = below(key.subarray(8, 12), 32);
  return {
    lock,
    asset: key.slice(12, 44),
    height: below(key.subarray(0, 8), 64),
    position: position === noPosition ? undefined : position,
    txid: key.slice(44, 76),
    received: fromBigEndian(value.subarray(0, 24)),
    spent: fromBigEndian(value.subarray(24)),
  };
}

// ---------------------------------------------------------------- questions

type Page<T> = { readonly items: T[]; readonly next: Uint8Array | undefined };
/** Entries that one page looks at, of which it may show fewer. */
const scanMax = 20_000;

/** Entries below `head` after `after` (what followed `head` in the last entry seen), in key order. */
async function page<T>(
  db: Store,
  head: Uint8Array,
  after: Uint8Array | undefined,
  limit: number,
  item: (rest: Uint8Array, value: Uint8Array) => T | undefined,
): Promise<Page<T>> {
  const [start, end] = rangeOf(head);
  const next = after === undefined ? start : rangeOf(concat(head, after))[1];
  const items: T[] = [];
  let seen = 0;
  let last: Uint8Array | undefined;
  for await (const [key, value] of db.scan(compare(next, start) < 0 ? start : next, end)) {
    if (items.length === limit || seen === scanMax) return { items, next: last };
    seen += 1;
    last = key.slice(head.length);
    const one = item(last, value);
    if (one !== undefined) items.push(one);
  }
  return { items, next: undefined };
}

export type Utxo = { readonly id: OutputId; readonly output: Output };

/** Outputs of `lock`, of one asset or of all, by asset and id. */
export async function utxosOf(
  db: Store,
  lock: Uint8Array,
  asset: Uint8Array | undefined,
  after: Uint8Array | undefined,
  limit: number,
): Promise<{ readonly utxos: Utxo[]; readonly next: Uint8Array | undefined }> {
  const head = concat(Uint8Array.of(prefixes.owner), lock, asset ?? new Uint8Array(0));
  const from = asset === undefined ? after : after?.subarray(32);
  const { items, next } = await page(db, head, from, limit, (rest, value) => {
    const whole = asset === undefined ? rest : concat(asset, rest);
    const id = { txid: whole.slice(32, 64), index: Number(fromBigEndian(whole.subarray(64))) };
    return { id, output: { asset: whole.slice(0, 32), amount: fromBigEndian(value), lock } };
  });
  return { utxos: items, next: next && concat(asset ?? new Uint8Array(0), next) };
}

/** What `lock` holds, by asset. */
export async function balancesOf(
  db: Store,
  lock: Uint8Array,
  after: Uint8Array | undefined,
  limit: number,
): Promise<{
  readonly balances: {
    readonly asset: Uint8Array;
    readonly amount: bigint;
    readonly outputs: number;
  }[];
  readonly next: Uint8Array | undefined;
}> {
  const head = concat(Uint8Array.of(prefixes.balance), lock);
  const { items, next } = await page(db, head, after, limit, (asset, value) => {
    const { amount, outputs: count } = readBalance(asset, value);
    return { asset, amount, outputs: Number(count) };
  });
  return { balances: items, next };
}

/** Newest first; a page may hold fewer than `limit` and still have a `next`, when it looked at many others. */
export async function historyOf(
  db: Store,
  lock: Uint8Array,
  asset: Uint8Array | undefined,
  before: Uint8Array | undefined,
  limit: number,
): Promise<{ readonly movements: Movement[]; readonly next: Uint8Array | undefined }> {
  const head = concat(Uint8Array.of(prefixes.history), lock);
  const { items, next } = await page(db, head, before, limit, (key, value) => {
    const movement = readMovement(lock, key, value);
    return asset === undefined || equal(asset, movement.asset) ? movement : undefined;
  });
  return { movements: items, next };
}

export function placeOf(db: Store, id: Uint8Array): Place | undefined {
  const bytes = db.get(transactionKey(id));
  return bytes === undefined ? undefined : placeCodec.decode(bytes);
}

// ---------------------------------------------------------------- making and removing it

const indexPrefixes = [
  prefixes.owner,
  prefixes.transaction,
  prefixes.balance,
  prefixes.history,
] as const;

/** Removes the index; a crash on the way leaves one that is known to be none. */
export async function dropIndex(db: Store): Promise<void> {
  await db.write([{ key: metaKeys.indexed }]);
  const write = batches(db);
  for (const prefix of indexPrefixes)
    for await (const [key] of db.scan(...prefixRange(prefix))) await write.add([{ key }]);
  await write.flush();
}

/**
 * Makes the index anew. Outputs and balances come from the state; history and transactions from `replay`, which
 * gives every block that is here with what it changed, oldest first.
 */
export async function rebuildIndex(
  db: Store,
  network: NetworkId,
  height: number,
  replay: () => AsyncIterable<BlockChange>,
): Promise<void> {
  await dropIndex(db);
  const write = batches(db);
  const balances = new Map<string, Balance>();
  for await (const [key, value] of db.scan(...prefixRange(prefixes.state))) {
    const puts = [{ key: key.slice(1), value }];
    eachOutput(
      puts,
      () => undefined,
      (_, { lock, asset, amount }) => {
        const of = balanceKey(lock, asset);
        const balance = balances.get(keyOf(of)) ?? readBalance(of, undefined);
        balance.amount += amount;
        balance.outputs += 1n;
        balances.set(keyOf(of), balance);
      },
    );
    await write.add(indexOutputs(puts, () => undefined));
  }
  for (const { key, amount, outputs: count } of balances.values())
    await write.add([{ key, value: concat(bigEndian(amount, 24), bigEndian(count, 8)) }]);
  for await (const change of replay()) {
    const transactions = change.receipts.map(({ bytes }) => bytes);
    await write.add(movementsOf(network, { ...change, transactions }).map(indexMovement));
    await write.add(
      change.receipts.map(({ id }, position) => ({
        key: transactionKey(id),
        value: placeCodec.encode({ height: change.height, position }),
      })),
    );
  }
  await write.add([{ key: metaKeys.indexed, value: bigEndian(height, 8) }]);
  await write.flush();
}

/** Transactions of a stored block as they are indexed. */
export function transactionsOf(block: Uint8Array): readonly Uint8Array[] {
  return blockCodec.decode(block).transactions;
}

function batches(db: Store): {
  readonly add: (puts: readonly Put[]) => Promise<void>;
  readonly flush: () => Promise<void>;
} {
  let waiting: Put[] = [];
  const flush = async (): Promise<void> => {
    await db.write(waiting);
    waiting = [];
  };
  return {
    add: async (puts) => {
      for (const put of puts) waiting.push(put);
      if (waiting.length >= 10_000) await flush();
    },
    flush,
  };
}
