// The ledger's own chain of Bitcoin headers (WIT-4): a tree of records from the genesis' checkpoint, of which
// the branch with the most work is the best. Depth and inclusion are read from here and nowhere else.
import type { Rejected } from "@causeway/primitives";
import { equal, isRejected, must, rejected } from "@causeway/primitives";
import type { BlockHeader, ChainHeader, HeaderCode } from "../../interchain/bitcoin/headers.ts";
import { extendChain, headerSize, parseHeader } from "../../interchain/bitcoin/headers.ts";
import type { HeaderRecord, Tip } from "../../interchain/records.ts";
import { bitcoinBest, bitcoinHeaders, bitcoinTips } from "../../interchain/records.ts";
import type { Genesis } from "../genesis.ts";
import type { State, StateReader } from "../state.ts";

/** A branch that leaves the best chain deeper than this is refused: it bounds what one action may rewrite. */
export const forkDepthMax = 2016;

export function bitcoinTip(genesis: Genesis, state: StateReader): Tip {
  return must(bitcoinTips.get(state, genesis.bitcoin.chain), "tip of the header chain");
}

/** The best chain's hash at a height. */
export function bestHash(state: StateReader, height: number): Uint8Array | undefined {
  return bitcoinBest.get(state, height)?.hash;
}

/** The record of a block if it is on the best chain. */
export function bestBlock(state: StateReader, hash: Uint8Array): HeaderRecord | undefined {
  const record = bitcoinHeaders.get(state, hash);
  if (record === undefined) return undefined;
  const best = bestHash(state, record.height);
  return best !== undefined && equal(best, hash) ? record : undefined;
}

/** Blocks from `height` to the tip, both included: 1 for the tip itself. */
export function depthOf(genesis: Genesis, state: StateReader, height: number): number {
  return bitcoinTip(genesis, state).height - height + 1;
}

function asChainHeader({ header, height, work }: HeaderRecord): ChainHeader {
  return { ...parseHeader(header), height, work };
}

function headerAt(state: StateReader, height: number): ChainHeader | undefined {
  const hash = bestHash(state, height);
  const record = hash && bitcoinHeaders.get(state, hash);
  return record && asChainHeader(record);
}

export type HeadersCode =
  | HeaderCode
  /** Not a whole number of headers, or none. */
  | "bad-length"
  /** Every header is known. */
  | "nothing-new"
  /** The branch leaves the best chain too deep, or at the checkpoint. */
  | "fork-too-deep";

/** Headers that are new, each a child of the one before; `base` is the known parent of the first. */
export type Extension = {
  readonly base: ChainHeader;
  /** Stored ancestors of `base` above `forkHeight`, ascending, `base` the last; empty if base is on the best chain. */
  readonly branch: readonly ChainHeader[];
  /** Height of the newest best-chain block below the new headers. */
  readonly forkHeight: number;
  readonly added: readonly ChainHeader[];
};

/** Checks `bytes` (80 each) as an extension of the tree. Headers at the start that are known are passed over. */
export function readExtension(
  genesis: Genesis,
  state: StateReader,
  bytes: Uint8Array,
  time: number,
): Extension | Rejected<HeadersCode> {
  if (bytes.length === 0 || bytes.length % headerSize !== 0)
    return rejected("bad-length", `${bytes.length} bytes are no headers of 80`);
  const fresh = unknownHeaders(state, bytes);
  const [first] = fresh;
  if (first === undefined) return rejected("nothing-new", "every header is known");
  const parent = bitcoinHeaders.get(state, first.parent);
  if (parent === undefined)
    return rejected("unknown-parent", "the first new header follows no known block");
  const base = asChainHeader(parent);
  const branch = branchTo(genesis, state, base);
  if (isRejected(branch)) return branch;
  const forkHeight = base.height - branch.length;
  const added: ChainHeader[] = [];
  const at = (height: number): ChainHeader | undefined => {
    if (height <= forkHeight) return headerAt(state, height);
    return branch[height - forkHeight - 1] ?? added[height - base.height - 1];
  };
  const now = Math.floor(time / 1000);
  let tip = base;
  for (const header of fresh) {
    const next = extendChain({ chain: genesis.bitcoin, tip, at, now }, header);
    if (isRejected(next)) return next;
    added.push(next);
    tip = next;
  }
  return { base, branch, forkHeight, added };
}

function unknownHeaders(state: StateReader, bytes: Uint8Array): BlockHeader[] {
  const fresh: BlockHeader[] = [];
  for (let at = 0; at < bytes.length; at += headerSize) {
    const header = parseHeader(bytes.slice(at, at + headerSize));
    const isKnown = fresh.length === 0 && bitcoinHeaders.get(state, header.hash) !== undefined;
    if (!isKnown) fresh.push(header);
  }
  return fresh;
}

/** Stored headers from above the best chain to `base`. */
function branchTo(
  genesis: Genesis,
  state: StateReader,
  base: ChainHeader,
): ChainHeader[] | Rejected<HeadersCode> {
  const tip = bitcoinTip(genesis, state);
  const branch: ChainHeader[] = [];
  let at = base;
  while (!isBest(state, at)) {
    if (tip.height - at.height > forkDepthMax)
      return rejected("fork-too-deep", `the branch leaves over ${forkDepthMax} blocks below`);
    branch.push(at);
    at = asChainHeader(must(bitcoinHeaders.get(state, at.parent), "parent of a stored header"));
  }
  if (tip.height - at.height > forkDepthMax)
    return rejected("fork-too-deep", `the branch leaves over ${forkDepthMax} blocks below`);
  return branch.reverse();
}

function isBest(state: StateReader, { height, hash }: ChainHeader): boolean {
  const best = bestHash(state, height);
  return best !== undefined && equal(best, hash);
}

/** Stores an extension and, if its work is the greatest, makes its branch the best. True if the best chain changed. */
export function storeExtension(genesis: Genesis, state: State, extension: Extension): boolean {
  const { added, branch, forkHeight } = extension;
  for (const { bytes, hash, height, work } of added)
    bitcoinHeaders.put(state, hash, { header: bytes, height, work });
  const tip = bitcoinTip(genesis, state);
  const before = must(bitcoinHeaders.get(state, tip.hash), "tip's record");
  const last = must(added.at(-1), "new header");
  // Of two equal branches the first seen stays, as in Bitcoin.
  if (last.work <= before.work) return false;
  const best = [...branch, ...added];
  for (const { height, hash } of best) bitcoinBest.put(state, height, { hash });
  for (let height = forkHeight + best.length + 1; height <= tip.height; height++)
    bitcoinBest.delete(state, height);
  bitcoinTips.put(state, genesis.bitcoin.chain, { hash: last.hash, height: last.height });
  return true;
}
