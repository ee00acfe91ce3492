// Block sync: which peers to ask for which final blocks, several ranges at a time, and what to answer others. The
// blocks prove themselves by their certificates, so that any peer will do; one that does not answer waits.
import type { FinalBlock } from "../node/port.ts";

/** How long a peer has to answer, ms. */
export const answerTimeoutMs = 5_000;
/**
 * A peer that did not answer is not asked again for so long, ms; twice as long after each further failure, to 40 s: a
 * line that loses everything makes all of them look so, and then nobody is asked.
 */
export const restMs = 10_000;
const restDoublingsMax = 2;
/** One block behind is normal for a moment: its votes are on their way. */
export const graceMs = 300;
/** Ranges that are on their way or wait for those before them: with 4 MiB each at most 32 MiB. */
export const rangesMax = 8;
/** Ranges on their way at once; halved when a peer is silent, for a slow line of ours looks the same. */
export const inFlightMax = 4;
/** Of one peer: one on its way while it prepares the next. */
export const perPeerMax = 2;

export type Peer = {
  /** The newest final height that it claims. */
  height: number;
  /** The lowest height whose block it has; those below it pruned. */
  lowest: number;
  /** Not asked before, own clock, ms. */
  restUntil: number;
  /** Times in a row that it did not serve what it claims. */
  failures: number;
};

export type Request = {
  readonly peer: string;
  readonly from: number;
  readonly count: number;
  /** Own clock, ms. */
  readonly deadline: number;
};

/** `blocks`: the answer, which waits for the ranges before it. */
type Range = Request & { readonly blocks?: readonly FinalBlock[] };

/** A resource with one owner, updated in place. */
export type Sync = {
  readonly peers: Map<string, Peer>;
  /** Ascending, without overlaps. */
  ranges: readonly Range[];
  /** How many may be on their way now. */
  inFlight: number;
  /** Own clock since when some peer claims more than we have; ms. */
  behindSince?: number | undefined;
};

export function sync(): Sync {
  return { peers: new Map(), ranges: [], inFlight: inFlightMax };
}

export function connect(state: Sync, peer: string): void {
  if (state.peers.has(peer)) return;
  state.peers.set(peer, { height: 0, lowest: 1, restUntil: 0, failures: 0 });
}

export function disconnect(state: Sync, peer: string): void {
  state.peers.delete(peer);
  giveBack(state, peer);
}

/** What `peer` still owes is to be asked of others. */
function giveBack(state: Sync, peer: string): void {
  state.ranges = state.ranges.filter((range) => range.peer !== peer || range.blocks !== undefined);
}

/** `peer` claims that `height` is final, and that it has every block from `lowest` on. */
export function claim(state: Sync, peer: string, height: number, lowest?: number): void {
  const known = state.peers.get(peer);
  if (known === undefined) return;
  if (height > known.height) known.height = height;
  if (lowest !== undefined) known.lowest = lowest;
}

/** Whether it can serve the block after `height`. */
function hasNext(peer: Peer, height: number): boolean {
  return peer.height > height && peer.lowest <= height + 1;
}

/** Others are ahead, and every one of them pruned the block after `height`: only a snapshot helps. */
export function isCutOff(state: Sync, height: number): boolean {
  const ahead = [...state.peers.values()].filter((peer) => peer.height > height);
  return ahead.length > 0 && !ahead.some((peer) => hasNext(peer, height));
}

/** The highest height that a peer claims. */
export function claimed(state: Sync): number {
  let height = 0;
  for (const peer of state.peers.values()) height = Math.max(height, peer.height);
  return height;
}

/**
 * The requests to send now, for a node whose newest final height is `height`, each of at most `countMax` blocks; and
 * which peers let their time pass.
 */
export function next(
  state: Sync,
  height: number,
  at: number,
  countMax: number,
): { readonly requests: readonly Request[]; readonly silent: readonly string[] } {
  state.ranges = state.ranges.filter(({ from, count }) => from + count > height + 1);
  const silent = expire(state, at);
  const requests: Request[] = [];
  if (claimed(state) <= height) {
    state.behindSince = undefined;
    return { requests, silent };
  }
  state.behindSince ??= at;
  if (at < graceEnd(state, height)) return { requests, silent };
  while (onTheirWay(state).length < state.inFlight && state.ranges.length < rangesMax) {
    const [from, end] = firstGap(state.ranges, height + 1);
    const found = choose(state, from, at);
    if (found === undefined) break;
    const [peer, { height: newest }] = found;
    const count = Math.min(countMax, end - from, newest - from + 1);
    const request = { peer, from, count, deadline: at + answerTimeoutMs };
    requests.push(request);
    state.ranges = [...state.ranges, request].sort((a, b) => a.from - b.from);
  }
  return { requests, silent };
}

function onTheirWay(state: Sync): Range[] {
  return state.ranges.filter(({ blocks }) => blocks === undefined);
}

/** Who let its time pass rests, and less is asked at once from now on. */
function expire(state: Sync, at: number): string[] {
  const late = onTheirWay(state).filter(({ deadline }) => at >= deadline);
  const silent = [...new Set(late.map(({ peer }) => peer))];
  for (const peer of silent) failed(state, peer, at);
  if (silent.length > 0) state.inFlight = Math.max(1, Math.floor(state.inFlight / 2));
  return silent;
}

/** Until then a block that is one ahead may still come by its votes. */
function graceEnd(state: Sync, height: number): number {
  return claimed(state) === height + 1 ? (state.behindSince ?? 0) + graceMs : 0;
}

/** The first heights from `start` on that nobody was asked for; the end is not among them. */
function firstGap(ranges: readonly Range[], start: number): readonly [from: number, end: number] {
  let from = start;
  for (const range of ranges) {
    if (from < range.from) return [from, range.from];
    from = range.from + range.count;
  }
  return [from, Number.POSITIVE_INFINITY];
}

/** Of those that have the block the most reliable, of these the one with the least to do. */
function choose(state: Sync, from: number, at: number): [string, Peer] | undefined {
  const tasks = (name: string): number =>
    onTheirWay(state).filter(({ peer }) => peer === name).length;
  let best: { readonly found: [string, Peer]; readonly tasks: number } | undefined;
  for (const found of state.peers) {
    const [name, peer] = found;
    if (!hasNext(peer, from - 1) || peer.restUntil > at) continue;
    const candidate = { found, tasks: tasks(name) };
    if (candidate.tasks >= perPeerMax) continue;
    const order =
      best === undefined
        ? -1
        : peer.failures - best.found[1].failures || candidate.tasks - best.tasks;
    if (order < 0) best = candidate;
  }
  return best?.found;
}

/** When {@link next} may have something new to say without any message; undefined: never. */
export function deadline(state: Sync, height: number, at: number): number | undefined {
  const due = onTheirWay(state).map((range) => range.deadline);
  const isRoom = due.length < state.inFlight && state.ranges.length < rangesMax;
  const grace = graceEnd(state, height);
  if (isRoom && grace > at) due.push(grace);
  if (isRoom)
    for (const peer of state.peers.values())
      if (hasNext(peer, height) && peer.restUntil > at) due.push(peer.restUntil);
  return due.length === 0 ? undefined : Math.min(...due);
}

/** What `peer` was asked for from height `from` on, if its answer is awaited. */
export function awaited(state: Sync, peer: string, from: number): Request | undefined {
  return onTheirWay(state).find((range) => range.peer === peer && range.from === from);
}

/** `peer` answered what was {@link awaited} with at least one block; `isAll`: there was no room for more. */
export function answered(
  state: Sync,
  request: Request,
  blocks: readonly FinalBlock[],
  isFull: boolean,
): void {
  const count = Math.min(request.count, blocks.length);
  state.ranges = state.ranges.map((range) =>
    range === request ? { ...range, count, blocks } : range,
  );
  state.inFlight = Math.min(inFlightMax, state.inFlight + 1);
  const peer = state.peers.get(request.peer);
  if (peer === undefined) return;
  peer.failures = 0;
  // It has no more than that, whatever it said.
  if (count < request.count && !isFull) peer.height = request.from + count - 1;
}

/** The block after `height`, when it is here, and who brought it. */
export function take(
  state: Sync,
  height: number,
): { readonly peer: string; readonly block: FinalBlock } | undefined {
  const range = state.ranges.find(
    ({ from, count }) => from <= height + 1 && height + 1 < from + count,
  );
  const block = range?.blocks?.[height + 1 - range.from];
  return range && block && { peer: range.peer, block };
}

/** What `peer` brought or did not bring is of no use: it rests, its claim and its ranges are forgotten. */
export function failed(state: Sync, peer: string, at: number): void {
  state.ranges = state.ranges.filter((range) => range.peer !== peer);
  const known = state.peers.get(peer);
  if (known === undefined) return;
  known.restUntil = at + restMs * 2 ** Math.min(known.failures, restDoublingsMax);
  known.failures += 1;
  known.height = 0;
}

/** The own clock went by so much, ms. */
export function shift(state: Sync, by: number): void {
  state.ranges = state.ranges.map((range) => ({ ...range, deadline: range.deadline + by }));
  if (state.behindSince !== undefined) state.behindSince += by;
  for (const peer of state.peers.values()) peer.restUntil += by;
}

/** The blocks of a reply: from `from` on while there are any, at most `count`, at most `sizeMax` bytes. */
export function serve(
  blocks: (height: number) => FinalBlock | undefined,
  from: number,
  count: number,
  sizeMax: number,
): FinalBlock[] {
  const found: FinalBlock[] = [];
  let size = 0;
  for (let height = from; height < from + count; height++) {
    const block = blocks(height);
    if (block === undefined) break;
    size += block.block.length;
    if (size > sizeMax) break;
    found.push(block);
  }
  return found;
}
