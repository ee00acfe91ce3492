// Final blocks in the node's database: which are here, what outlives pruning, and pruning itself (ADR 0010).
import { crc32 } from "node:zlib";
import type { Put, Store } from "@causeway/primitives";
import { bigEndian, concat, equal, Failure, fromBigEndian, must } from "@causeway/primitives";
import type { Certificate, Header } from "../codec/block.ts";
import {
  blockCodec,
  blockId,
  certificateCodec,
  committeeCodec,
  headerCodec,
} from "../codec/block.ts";
import { committeeAt, epochs } from "../ledger/epoch/epochs.ts";
import type { Genesis } from "../ledger/genesis.ts";
import type { StateReader } from "../ledger/state.ts";
import type { FinalBlock } from "../node/machine.ts";
import type { Finality } from "../snapshot/message.ts";
import { finalitiesMax, finalityCodec } from "../snapshot/message.ts";
import {
  blockKey,
  certificateKey,
  finalityKey,
  metaKeys,
  prefixes,
  prefixRange,
} from "./node-keys.ts";
import type { Head } from "./node-records.ts";

/** Lowest height whose block is here; one above the newest where there is none. */
export function lowestOf(db: Store): number {
  const bytes = db.get(metaKeys.lowest);
  return bytes === undefined ? 1 : Number(fromBigEndian(bytes));
}

/** What an operator does about a damaged store. */
export const resyncAdvice =
  "start the node once with --resync, which makes its store anew and keeps its votes";

/** Throws Failure "state-mismatch" when what is stored is not what was written. */
export function blockAt(db: Store, height: number): FinalBlock | undefined {
  const block = db.get(blockKey(height));
  const certificate = db.get(certificateKey(height));
  return (
    block &&
    certificate && { block: unsealed(block, height), certificate: unsealed(certificate, height) }
  );
}

export function blockPuts(height: number, { block, certificate }: FinalBlock): Put[] {
  return [
    { key: blockKey(height), value: sealed(block) },
    { key: certificateKey(height), value: sealed(certificate) },
  ];
}

/**
 * A block is read long after it was checked, and LevelDB hands out what rotted (building-blocks 4): its bytes are
 * followed by their CRC-32.
 */
function sealed(bytes: Uint8Array): Uint8Array {
  return concat(bytes, bigEndian(crc32(bytes), 4));
}

function unsealed(stored: Uint8Array, height: number): Uint8Array {
  const size = Math.max(0, stored.length - 4);
  const bytes = stored.subarray(0, size);
  if (Number(fromBigEndian(stored.subarray(size))) === crc32(bytes)) return bytes;
  throw damagedBlock(height);
}

export function damagedBlock(height: number): Failure {
  return new Failure("state-mismatch", `the stored block ${height} is damaged: ${resyncAdvice}`);
}

/** An end of an epoch as it is kept for ever. */
export function finalityPut(height: number, finality: Finality): Put {
  return { key: finalityKey(height), value: sealed(finalityCodec.encode(finality)) };
}

function readFinality(height: number, stored: Uint8Array): Finality {
  return finalityCodec.decode(unsealed(stored, height));
}

/** Ends of epochs from height `from` on, ascending. Throws Failure "state-mismatch" as {@link blockAt}. */
export async function* endsFrom(
  db: Store,
  from: number,
): AsyncGenerator<{ readonly height: number; readonly finality: Finality }> {
  const end = prefixRange(prefixes.finality)[1];
  for await (const [key, value] of db.scan(finalityKey(from), end)) {
    const height = Number(fromBigEndian(key.subarray(1)));
    yield { height, finality: readFinality(height, value) };
  }
}

/** Header and certificate at `height`, of a block or of an epoch's end whose block is gone. */
export function finalAt(
  db: Store,
  height: number,
): { readonly header: Header; readonly certificate: Certificate } | undefined {
  const final = blockAt(db, height);
  if (final !== undefined) {
    const { header } = blockCodec.decode(final.block);
    return { header, certificate: certificateCodec.decode(final.certificate) };
  }
  const kept = db.get(finalityKey(height));
  if (kept === undefined) return undefined;
  const { header, certificate } = readFinality(height, kept);
  return {
    header: headerCodec.decode(header),
    certificate: certificateCodec.decode(certificate),
  };
}

/** What is kept for ever when a block ends its epoch (CON-3); `state` is the one before the block. */
export function finalityPuts(
  state: StateReader,
  block: FinalBlock & { readonly height: number; readonly puts: readonly Put[] },
): Put[] {
  const key = epochs.key("only");
  const put = block.puts.find((one) => equal(one.key, key));
  const before = epochs.get(state, "only");
  if (put?.value === undefined || before === undefined) return [];
  if (epochs.codec.decode(put.value).number === before.number) return [];
  const next = must(committeeAt(state, before.number + 1), "next committee");
  const finality = {
    header: headerCodec.encode(blockCodec.decode(block.block).header),
    certificate: block.certificate,
    committee: committeeCodec.encode(next),
  };
  return [finalityPut(block.height, finality)];
}

/** What light clients ask of one height; the next committee only at an epoch's end, else empty. */
export function finalityAt(db: Store, height: number): Finality | undefined {
  const kept = db.get(finalityKey(height));
  if (kept !== undefined) return readFinality(height, kept);
  const final = finalAt(db, height);
  if (final === undefined) return undefined;
  const header = headerCodec.encode(final.header);
  const certificate = certificateCodec.encode(final.certificate);
  return { header, certificate, committee: new Uint8Array(0) };
}

/** Ends of epochs from height `from` on, or what is known of exactly `from`. */
export async function finalities(db: Store, from: number, exact: boolean): Promise<Finality[]> {
  if (exact) {
    const one = finalityAt(db, from);
    // Its committees are known to who followed the ends of epochs so far.
    return one === undefined ? [] : [one];
  }
  const found: Finality[] = [];
  for await (const { finality } of endsFrom(db, from)) {
    found.push(finality);
    if (found.length === finalitiesMax) break;
  }
  return found;
}

/** Heights of epochs' ends that are kept, ascending. */
export async function epochEnds(db: Store): Promise<number[]> {
  const heights: number[] = [];
  for await (const [key] of db.scan(...prefixRange(prefixes.finality)))
    heights.push(Number(fromBigEndian(key.subarray(1))));
  return heights;
}

/**
 * A certificate for every height from the lowest on, and the newest block: what peers will ask for. Throws Failure
 * "state-mismatch".
 */
export async function checkBlocks(
  db: Store,
  genesis: Genesis,
  head: Head,
  damaged: (what: string) => Failure,
): Promise<void> {
  const end = prefixRange(prefixes.certificate)[1];
  const lowest = lowestOf(db);
  let next = lowest;
  for await (const [key] of db.scan(certificateKey(lowest), end)) {
    if (!equal(key, certificateKey(next))) throw damaged(`certificate ${next} is missing`);
    next += 1;
  }
  if (next !== head.height + 1) throw damaged(`certificates up to ${next - 1} of ${head.height}`);
  if (head.height === 0) return;
  const newest = finalAt(db, head.height);
  if (newest === undefined || !equal(blockId(genesis.networkId, newest.header), head.id))
    throw damaged("the newest block is missing or another");
}

/** Blocks that one batch deletes. */
const batchMax = 256;

/**
 * Deletes the blocks below `lowest` in batches; a crash on the way leaves the rest to the next run. The ends of epochs
 * stay. `stopped` is asked between batches.
 */
export async function pruneBlocks(
  db: Store,
  lowest: number,
  stopped: () => boolean,
): Promise<number> {
  const first = lowestOf(db);
  for (let from = first; from < lowest && !stopped(); from += batchMax) {
    const to = Math.min(lowest, from + batchMax);
    const puts: Put[] = [{ key: metaKeys.lowest, value: bigEndian(to, 8) }];
    for (let height = from; height < to; height++)
      puts.push({ key: blockKey(height) }, { key: certificateKey(height) });
    await db.write(puts);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return lowestOf(db) - first;
}

/**
 * The lowest height that stays when the newest snapshot that a header committed to is of the state after `height`:
 * the two epochs before it, so that a node that lacks less than that need not load a snapshot.
 */
export async function pruneTarget(db: Store, height: number): Promise<number> {
  const before = (await epochEnds(db)).filter((end) => end < height);
  const end = before.at(-2);
  return end === undefined ? 1 : end + 1;
}
