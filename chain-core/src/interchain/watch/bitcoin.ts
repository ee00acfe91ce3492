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
import { parseBlock } from "../bitcoin/inclusion.ts";
import type { Tip } from "../records.ts";
import type { DepositRequest } from "../statement.ts";
import type { Found, InBlock, Spend } from "./bitcoin-scan.ts";
import { fingerprint, fingerprints, scanBlock } from "./bitcoin-scan.ts";
import type { BlockRef } from "./facts.ts";

export type { Found, Spend } from "./bitcoin-scan.ts";

/** Headers asked for at once. */
export const headersPerRead = 2_000;
/** Blocks below the tip in which a newly watched script or output is still looked for: about a week. */
const scanDepth = 1_008;
/** Scripts watched at once, about 300 bytes each; the oldest leave, and can be watched again. */
const scriptsMax = 100_000;

/** `prints`: {@link fingerprints} of a scanned block, so that what is watched later costs no second read of all. */
type Entry = {
  readonly hash: Bytes32;
  readonly header: Uint8Array;
  isDue: boolean;
  prints: Uint32Array | undefined;
};

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
  /** Watched scripts (hex) and outpoints (hex). */
  readonly scripts: Map<string, DepositRequest>;
  readonly outpoints: Set<string>;
  /** By block hash (hex): what was found in it. Blocks of the best chain only. */
  readonly found: Map<string, InBlock>;
};

export type Event =
  /** The node's best block; again whenever it may have changed, and now and then when it has not. */
  | { readonly kind: "tip"; readonly tip: BlockRef }
  /** Answer to read-headers: 80 bytes each, of the node's best chain from `from` on; may be fewer or none. */
  | { readonly kind: "headers"; readonly from: number; readonly headers: readonly Uint8Array[] }
  /** Answer to read-block; no bytes when the node has it no more. */
  | { readonly kind: "block"; readonly hash: Uint8Array; readonly bytes?: Uint8Array }
  /** The read failed; it is asked again at the next tip. */
  | { readonly kind: "read-failed" }
  /** Look for payments to this request's script from now on, and in the last blocks. */
  | { readonly kind: "watch-script"; readonly script: Uint8Array; readonly request: DepositRequest }
  /** Look for the transactions that spend these outputs (36 bytes, {@link outpoint}) and no others. */
  | { readonly kind: "watch-outpoints"; readonly outpoints: readonly Uint8Array[] }
  /** These deposits (event ids) need no statement any more. */
  | { readonly kind: "forget"; readonly ids: readonly Uint8Array[] };

export type Effect =
  | { readonly kind: "read-headers"; readonly from: number; readonly count: number }
  | { readonly kind: "read-block"; readonly hash: Bytes32 };

export function initial(genesis: Genesis): State {
  const { header, height } = genesis.bitcoin.checkpoint;
  return {
    genesis,
    chain: [{ hash: sha256d(header), header, isDue: false, prints: undefined }],
    base: height,
    tip: undefined,
    backOff: 0,
    reading: undefined,
    scripts: new Map(),
    outpoints: new Set(),
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
      // What brings nothing is not asked again at once: the node is elsewhere than its last tip.
      return link(state, event.from, event.headers) ? next(state) : [state, []];
    case "block":
      state.reading = undefined;
      scan(state, event.hash, event.bytes);
      return next(state);
    case "read-failed":
      state.reading = undefined;
      return [state, []];
    case "watch-script":
      watchScript(state, event.script, event.request);
      return next(state);
    case "watch-outpoints":
      watchOutpoints(state, event.outpoints);
      return next(state);
    case "forget":
      forget(state, event.ids);
      return [state, []];
  }
}

function top(state: State): number {
  return state.base + state.chain.length - 1;
}

/** What to read now: headers while the chain does not end in the tip, else the newest block to scan. */
function next(state: State): Step<State, Effect> {
  const { tip } = state;
  if (state.reading !== undefined || tip === undefined || tip.height < state.base)
    return [state, []];
  if (!isAt(state, tip)) return readHeaders(state, tip.height);
  truncate(state, tip.height);
  const entry = state.chain.slice(-scanDepth).findLast(({ isDue }) => isDue);
  if (entry === undefined) return [state, []];
  state.reading = "block";
  return [state, [{ kind: "read-block", hash: entry.hash }]];
}

function isAt(state: State, { hash, height }: BlockRef): boolean {
  const own = hashAt(state, height);
  return own !== undefined && equal(own, hash);
}

function readHeaders(state: State, tipHeight: number): Step<State, Effect> {
  const highest = Math.min(top(state), tipHeight - 1);
  const from = Math.max(state.base + 1, highest + 1 - state.backOff);
  const count = Math.min(headersPerRead, tipHeight - from + 1);
  // A node at the checkpoint itself, but with another block there, is of another chain.
  if (count <= 0) return [state, []];
  state.reading = "headers";
  return [state, [{ kind: "read-headers", from, count }]];
}

function truncate(state: State, height: number): void {
  for (const { hash } of state.chain.splice(height - state.base + 1))
    state.found.delete(keyOf(hash));
}

/** Takes headers that link to the own chain; otherwise the next read starts further back. False: wait. */
function link(state: State, from: number, headers: readonly Uint8Array[]): boolean {
  const parent = hashAt(state, from - 1);
  const [first] = headers;
  if (first === undefined || first.length !== 80) return false;
  if (parent === undefined || !equal(first.subarray(4, 36), parent)) {
    state.backOff = 2 * state.backOff + 1;
    return from > state.base + 1;
  }
  state.backOff = 0;
  let isNew = false;
  for (const [i, header] of headers.entries()) {
    const hash = sha256d(header);
    const height = from + i;
    if (isAt(state, { hash, height })) continue;
    const before = must(hashAt(state, height - 1), "parent of a header");
    if (header.length !== 80 || !equal(header.subarray(4, 36), before)) return isNew;
    truncate(state, height - 1);
    state.chain.push({ hash, header, isDue: true, prints: undefined });
    const leaving = state.chain.at(-1 - scanDepth);
    if (leaving !== undefined) leaving.prints = undefined;
    isNew = true;
  }
  return isNew;
}

function scan(state: State, hash: Uint8Array, bytes: Uint8Array | undefined): void {
  const height = state.chain.findLastIndex((one) => equal(one.hash, hash)) + state.base;
  const entry = state.chain[height - state.base];
  if (entry === undefined) return;
  entry.isDue = false;
  const block = bytes === undefined ? undefined : parseBlock(bytes);
  // A pruned block, or one that the node garbles, is skipped: the next operator sees it.
  if (block === undefined || isRejected(block) || !equal(block.hash, hash)) return;
  entry.prints = fingerprints(block);
  const found = scanBlock(state.genesis, state, block, height);
  if (found.deposits.length + found.spends.length > 0) state.found.set(keyOf(hash), found);
  else state.found.delete(keyOf(hash));
}

function watchScript(state: State, script: Uint8Array, request: DepositRequest): void {
  const name = keyOf(script);
  if (state.scripts.has(name)) return;
  const [oldest] = state.scripts.size >= scriptsMax ? state.scripts.keys() : [];
  if (oldest !== undefined) state.scripts.delete(oldest);
  state.scripts.set(name, request);
  lookBack(state, [fingerprint(script)]);
}

function watchOutpoints(state: State, outpoints: readonly Uint8Array[]): void {
  const names = new Set(outpoints.map(keyOf));
  const removed = [...state.outpoints].filter((name) => !names.has(name));
  for (const name of removed) state.outpoints.delete(name);
  const added = outpoints.filter((one) => !state.outpoints.has(keyOf(one)));
  for (const one of added) state.outpoints.add(keyOf(one));
  if (added.length > 0) lookBack(state, added.map(fingerprint));
  if (removed.length === 0) return;
  // The ledger has a final spend of those that are gone.
  keepFound(state, (one) => ({
    ...one,
    spends: one.spends.filter((spend) => spend.outpoints.some((name) => names.has(name))),
  }));
}

function keepFound(state: State, keep: (one: InBlock) => InBlock): void {
  for (const [block, one] of state.found) {
    const kept = keep(one);
    if (kept.deposits.length + kept.spends.length === 0) state.found.delete(block);
    else state.found.set(block, kept);
  }
}

/** Scanned blocks that may hold one of these are read again. */
function lookBack(state: State, prints: readonly number[]): void {
  const wanted = new Set(prints);
  for (const entry of state.chain.slice(-scanDepth))
    if (!entry.isDue && entry.prints?.some((print) => wanted.has(print)) === true)
      entry.isDue = true;
}

function forget(state: State, ids: readonly Uint8Array[]): void {
  const gone = new Set(ids.map(keyOf));
  keepFound(state, (one) => ({
    ...one,
    deposits: one.deposits.filter(({ id }) => !gone.has(keyOf(id))),
  }));
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
 * Headers to bring to a ledger that has the blocks of `locator`, highest first: those after the first that is on
 * the own chain too, or after the checkpoint; concatenated, at most `count`. Empty when there are none.
 */
export function headersAfter(state: State, locator: readonly Tip[], count: number): Uint8Array {
  const common = locator.find(({ hash, height }) => {
    const own = hashAt(state, height);
    return own !== undefined && equal(own, hash);
  });
  const from = (common?.height ?? state.base) + 1;
  const entries = state.chain.slice(from - state.base, from - state.base + count);
  const bytes = new Uint8Array(80 * entries.length);
  for (const [i, { header }] of entries.entries()) bytes.set(header, 80 * i);
  return bytes;
}

/** Payments to watched scripts in blocks of the best chain, lowest block first, then by event id. */
export function deposits(state: State): Found[] {
  const all = [...state.found.values()].flatMap((one) => one.deposits);
  return all.sort((a, b) => a.event.height - b.event.height || compare(a.id, b.id));
}

/** Transactions that spend watched outputs, in blocks with at least `depth` confirmations, lowest first. */
export function spends(state: State, depth: number): Spend[] {
  const deep = [...state.found.values()].filter(({ height }) => top(state) - height + 1 >= depth);
  return deep.sort((a, b) => a.height - b.height).flatMap((one) => one.spends);
}

/** The request of a watched script, or undefined when it is not watched. */
export function requestOf(state: State, script: Uint8Array): DepositRequest | undefined {
  return state.scripts.get(keyOf(script));
}
