// The node's indices, for its RPC alone: outputs by owner, transactions by id. They are written with the block
// and can be rebuilt from state and blocks.
import type { Put, Store } from "@causeway/primitives";
import { bigEndian, compare, fromBigEndian, isRejected, must } from "@causeway/primitives";
import type { Output, OutputId } from "../codec/action.ts";
import { outputType } from "../codec/action.ts";
import { blockCodec } from "../codec/block.ts";
import { transactionCodec, transactionId } from "../codec/transaction.ts";
import type { Genesis } from "../ledger/genesis.ts";
import type { StateReader } from "../ledger/state.ts";
import {
  outputIdOf,
  ownerKey,
  prefixes,
  prefixRange,
  rangeOf,
  transactionKey,
} from "./node-keys.ts";
import type { Place } from "./node-records.ts";
import { placeCodec } from "./node-records.ts";

/** Owner entries for the outputs that `puts` make and unmake. */
export function indexPuts(puts: readonly Put[], old: StateReader["get"]): Put[] {
  const out: Put[] = [];
  for (const { key, value } of puts) {
    const id = outputIdOf(key);
    if (id === undefined) continue;
    const before = old(key);
    if (before !== undefined) {
      const { lock, asset } = decodeOutput(before);
      out.push({ key: ownerKey(lock, asset, id) });
    }
    if (value !== undefined) {
      const { lock, asset, amount } = decodeOutput(value);
      out.push({ key: ownerKey(lock, asset, id), value: bigEndian(amount, 16) });
    }
  }
  return out;
}

function decodeOutput(bytes: Uint8Array): Output {
  return outputType.deserialize(bytes) as Output;
}

export function indexBlock(
  height: number,
  receipts: readonly { readonly id: Uint8Array }[],
): Put[] {
  return receipts.map(({ id }, position) => ({
    key: transactionKey(id),
    value: placeCodec.encode({ height, position }),
  }));
}

export type Utxo = { readonly id: OutputId; readonly output: Output };

/** Outputs of `lock`, of one asset or of all, in the order of the index; `next` goes on after the page. */
export async function utxosOf(
  db: Store,
  lock: Uint8Array,
  asset: Uint8Array | undefined,
  after: Uint8Array | undefined,
  limit: number,
): Promise<{ readonly utxos: Utxo[]; readonly next?: Uint8Array }> {
  const [start, end] = prefixRange(prefixes.owner, lock, ...(asset === undefined ? [] : [asset]));
  const head = prefixRange(prefixes.owner, lock)[0];
  const next = after === undefined ? start : rangeOf(Uint8Array.of(...head, ...after))[1];
  const from = compare(next, start) < 0 ? start : next;
  const utxos: Utxo[] = [];
  let last: Uint8Array | undefined;
  for await (const [key, value] of db.scan(from, end)) {
    if (utxos.length === limit) return { utxos, ...(last && { next: last }) };
    last = key.slice(head.length);
    const of = last.slice(0, 32);
    const id = { txid: last.slice(32, 64), index: Number(fromBigEndian(last.subarray(64))) };
    utxos.push({ id, output: { asset: of, amount: fromBigEndian(value), lock } });
  }
  return { utxos };
}

export function placeOf(db: Store, id: Uint8Array): Place | undefined {
  const bytes = db.get(transactionKey(id));
  return bytes === undefined ? undefined : placeCodec.decode(bytes);
}

/** Throws the indices away and makes them again, in batches; a crash on the way is repaired by another run. */
export async function rebuildIndices(db: Store, genesis: Genesis): Promise<void> {
  const write = batches(db);
  for (const prefix of [prefixes.owner, prefixes.transaction])
    for await (const [key] of db.scan(...prefixRange(prefix))) await write.add([{ key }]);
  for await (const [key, value] of db.scan(...prefixRange(prefixes.state)))
    await write.add(indexPuts([{ key: key.slice(1), value }], () => undefined));
  for await (const [key, value] of db.scan(...prefixRange(prefixes.block))) {
    const { transactions } = blockCodec.decode(value);
    const receipts = transactions.map((bytes) => {
      const tx = transactionCodec.parse(bytes);
      return { id: must(isRejected(tx) ? undefined : transactionId(genesis.networkId, tx), "tx") };
    });
    await write.add(indexBlock(Number(fromBigEndian(key.subarray(1))), receipts));
  }
  await write.flush();
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
      waiting.push(...puts);
      if (waiting.length >= 10_000) await flush();
    },
    flush,
  };
}
