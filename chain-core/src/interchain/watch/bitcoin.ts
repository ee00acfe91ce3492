// The Bitcoin watcher: a pure machine over what one's own node says (WIT-3, WIT-4). It links headers by hash,
// survives reorganisations, scans the blocks of the best chain for payments to watched scripts and for spends of
// watched outputs, and keeps the inclusion proof of each.
//
//   tip -> read-headers -> headers (linked, or asked again from further back) -> read-block -> block (scanned)
//
// The state is a private resource that a step changes in place; it is deterministic and belongs to one owner.
import type { Bytes32, Step } from "@causeway/primitives";
import { compare, equal, isRejected, keyOf, must, sha256d } from "@causeway/primitives";
import type { Genesis } from "../../ledger/genesis.ts";
import type { ParsedBlock } from "../bitcoin/inclusion.ts";
import { parseBlock, proveInclusion } from "../bitcoin/inclusion.ts";
import { outpoint } from "../records.ts";
import type { BitcoinDeposit, DepositRequest, ForeignEvent, Settle } from "../statement.ts";
import {
  bitcoinDepositCodec,
  eventId,
  eventKinds,
  foreignTransactionSizeMax,
} from "../statement.ts";
import type { BlockRef } from "./facts.ts";

/** Headers asked for at once. */
export const headersPerRead = 2_000;
/** Blocks below the tip in which a newly watched script is still looked for: about a week. */
export const scanDepth = 1_008;

/** A payment to a watched script as an event to state, by its block's height. */
export type Found = { readonly id: Bytes32; readonly event: ForeignEvent };

type Entry = { readonly hash: Bytes32; readonly header: Uint8Array; scanned: number };

export type State = {
  readonly genesis: Genesis;
  /** Own best chain from the checkpoint on; index = height - base. */
  readonly chain: Entry[];
  readonly base: number;
  tip: BlockRef | undefined;
  /** How far back the next read-headers starts below the own top, grows while nothing links. */
  backOff: number;
  /** The read under way: a node's answers come one at a time. */
  reading: "headers" | "block" | undefined;
  /** Watched scripts (hex) and outpoints (hex); `version` counts additions. */
  readonly scripts: Map<string, DepositRequest>;
  readonly outpoints: Set<string>;
  version: number;
  /** By block hash (hex): what was found in it. */
  readonly found: Map<string, { deposits: Found[]; spends: Settle[] }>;
};

export type Event =
  /** The node's best block, whenever it may have changed. */
  | { readonly kind: "tip"; readonly tip: BlockRef }
  /** Answer to read-headers: 80 bytes each, of the node's best chain from `from` on; may be fewer or none. */
  | { readonly kind: "headers"; readonly from: number; readonly headers: readonly Uint8Array[] }
  /** Answer to read-block; no bytes when the node has it no more. */
  | { readonly kind: "block"; readonly hash: Uint8Array; readonly bytes?: Uint8Array }
  /** The read failed; it is asked again at the next tip. */
  | { readonly kind: "read-failed" }
  /** Look for payments to this request's script from now on, and in the last blocks. */
  | { readonly kind: "watch-script"; readonly script: Uint8Array; readonly request: DepositRequest }
  /** Look for the transaction that spends this output (36 bytes, {@link outpoint}). */
  | { readonly kind: "watch-outpoint"; readonly outpoint: Uint8Array };

export type Effect =
  | { readonly kind: "read-headers"; readonly from: number; readonly count: number }
  | { readonly kind: "read-block"; readonly hash: Bytes32 };

export function initial(genesis: Genesis): State {
  const { header, height } = genesis.bitcoin.checkpoint;
  return {
    genesis,
    chain: [{ hash: sha256d(header), header, scanned: Number.POSITIVE_INFINITY }],
    base: height,
    tip: undefined,
    backOff: 0,
    reading: undefined,
    scripts: new Map(),
    outpoints: new Set(),
    version: 0,
    found: new Map(),
  };
}

export function step(state: State, event: Event): Step<State, Effect> {
  switch (event.kind) {
    case "tip":
      state.tip = event.tip;
      return next(state);
    case "headers":
      state.reading = undefined;
      link(state, event.from, event.headers);
      return next(state);
    case "block":
      state.reading = undefined;
      scan(state, event.hash, event.bytes);
      return next(state);
    case "read-failed":
      state.reading = undefined;
      return [state, []];
    case "watch-script":
      if (state.scripts.has(keyOf(event.script))) return [state, []];
      state.scripts.set(keyOf(event.script), event.request);
      state.version++;
      return next(state);
    case "watch-outpoint":
      if (state.outpoints.has(keyOf(event.outpoint))) return [state, []];
      state.outpoints.add(keyOf(event.outpoint));
      state.version++;
      return next(state);
  }
}

function top(state: State): number {
  return state.base + state.chain.length - 1;
}

/** What to read now: headers while the chain does not end in the tip, else the next block to scan. */
function next(state: State): Step<State, Effect> {
  const { tip } = state;
  if (state.reading !== undefined || tip === undefined) return [state, []];
  const isCurrent = equal(hashAt(state, tip.height) ?? new Uint8Array(0), tip.hash);
  if (!isCurrent || top(state) !== tip.height) {
    if (tip.height < state.base) return [state, []];
    if (isCurrent) truncate(state, tip.height);
    else return readHeaders(state, tip.height);
  }
  const entry = state.chain.slice(-scanDepth).find(({ scanned }) => scanned < state.version);
  if (entry === undefined) return [state, []];
  state.reading = "block";
  return [state, [{ kind: "read-block", hash: entry.hash }]];
}

function readHeaders(state: State, tipHeight: number): Step<State, Effect> {
  const highest = Math.min(top(state), tipHeight - 1);
  const from = Math.max(state.base + 1, highest + 1 - state.backOff);
  state.reading = "headers";
  return [state, [{ kind: "read-headers", from, count: headersPerRead }]];
}

function truncate(state: State, height: number): void {
  for (const { hash } of state.chain.splice(height - state.base + 1))
    state.found.delete(keyOf(hash));
}

/** Takes headers that link to the own chain; otherwise the next read starts further back. */
function link(state: State, from: number, headers: readonly Uint8Array[]): void {
  const parent = hashAt(state, from - 1);
  const [first] = headers;
  const links = first !== undefined && parent !== undefined && equal(first.subarray(4, 36), parent);
  if (!links) {
    state.backOff = Math.min(2 * state.backOff + 1, headersPerRead);
    return;
  }
  state.backOff = 0;
  for (const [i, header] of headers.entries()) {
    const hash = sha256d(header);
    const height = from + i;
    if (equal(hashAt(state, height) ?? new Uint8Array(0), hash)) continue;
    const before = must(hashAt(state, height - 1), "parent of a header");
    if (header.length !== 80 || !equal(header.subarray(4, 36), before)) return;
    truncate(state, height - 1);
    state.chain.push({ hash, header, scanned: -1 });
  }
}

function scan(state: State, hash: Uint8Array, bytes: Uint8Array | undefined): void {
  const height = state.chain.findLastIndex((one) => equal(one.hash, hash)) + state.base;
  const entry = state.chain[height - state.base];
  if (entry === undefined) return;
  entry.scanned = state.version;
  const block = bytes === undefined ? undefined : parseBlock(bytes);
  // A pruned block, or one that the node garbles, is skipped: the next operator sees it.
  if (block === undefined || isRejected(block) || !equal(block.hash, hash)) return;
  const found = { deposits: depositsIn(state, block, height), spends: spendsIn(state, block) };
  if (found.deposits.length + found.spends.length > 0) state.found.set(keyOf(hash), found);
  else state.found.delete(keyOf(hash));
}

function depositsIn(state: State, block: ParsedBlock, height: number): Found[] {
  const found: Found[] = [];
  for (const [position, transaction] of block.transactions.entries()) {
    if ((block.stripped[position]?.length ?? 0) > foreignTransactionSizeMax) continue;
    for (const [index, { amount, script }] of transaction.outputs.entries()) {
      const request = state.scripts.get(keyOf(script));
      if (request === undefined) continue;
      const inclusion = proveInclusion(block.stripped, position);
      const { version, keyId, destination, maxFee, refund } = request;
      const terms = { version, keyId, amount, destination, maxFee, refund };
      const deposit: BitcoinDeposit = { ...terms, ...inclusion };
      const txid = sha256d(inclusion.transaction);
      const { networkId, bitcoin } = state.genesis;
      found.push({
        id: eventId(networkId, bitcoin.chain, undefined, txid, index),
        event: {
          kind: eventKinds.bitcoinDeposit,
          txid,
          index,
          blockHash: block.hash,
          height,
          body: bitcoinDepositCodec.encode(deposit),
        },
      });
    }
  }
  return found;
}

function spendsIn(state: State, block: ParsedBlock): Settle[] {
  const spends: Settle[] = [];
  for (const [position, transaction] of block.transactions.entries()) {
    const isWatched = transaction.inputs.some(({ txid, vout }) =>
      state.outpoints.has(keyOf(outpoint(txid, vout))),
    );
    if (!isWatched || (block.stripped[position]?.length ?? 0) > foreignTransactionSizeMax) continue;
    const { chain } = state.genesis.bitcoin;
    spends.push({ chain, blockHash: block.hash, ...proveInclusion(block.stripped, position) });
  }
  return spends;
}

// ------------------------------------------------------------------------------------------ queries

/** Hash at a height of the own best chain. */
export function hashAt(state: State, height: number): Bytes32 | undefined {
  return state.chain[height - state.base]?.hash;
}

export function tipOf(state: State): BlockRef {
  const { hash } = must(state.chain.at(-1), "the checkpoint");
  return { hash, height: top(state) };
}

/**
 * Headers to bring to a ledger whose best tip is `ledgerTip`: those after it, or after the checkpoint or
 * `overlap` blocks below it where the two chains differ; concatenated, at most `count`. Empty when there are none.
 */
export function headersAfter(
  state: State,
  ledgerTip: { readonly hash: Uint8Array; readonly height: number },
  count: number,
  overlap: number = 100,
): Uint8Array {
  const own = hashAt(state, ledgerTip.height);
  const agrees = own !== undefined && equal(own, ledgerTip.hash);
  if (!agrees && top(state) <= ledgerTip.height) return new Uint8Array(0);
  const from = agrees ? ledgerTip.height + 1 : Math.max(state.base + 1, ledgerTip.height - overlap);
  const entries = state.chain.slice(from - state.base, from - state.base + count);
  const bytes = new Uint8Array(80 * entries.length);
  for (const [i, { header }] of entries.entries()) bytes.set(header, 80 * i);
  return bytes;
}

/** Payments to watched scripts in blocks of the best chain, lowest block first, then by event id. */
export function deposits(state: State): Found[] {
  const all = state.chain.flatMap(({ hash }) => state.found.get(keyOf(hash))?.deposits ?? []);
  return all.sort((a, b) => a.event.height - b.event.height || compare(a.id, b.id));
}

/** Transactions that spend watched outputs, in blocks with at least `depth` confirmations. */
export function spends(state: State, depth: number): Settle[] {
  const deep = state.chain.slice(0, Math.max(0, state.chain.length - depth + 1));
  return deep.flatMap(({ hash }) => state.found.get(keyOf(hash))?.spends ?? []);
}

/** The request of a watched script, and whether the script is watched at all. */
export function requestOf(state: State, script: Uint8Array): DepositRequest | undefined {
  return state.scripts.get(keyOf(script));
}
