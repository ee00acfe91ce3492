// Block sync: which peer to ask for which final blocks, one range at a time, and what to answer others. The
// blocks prove themselves by their certificates, so that any peer will do; one that does not answer waits.
import type { FinalBlock } from "../node/port.ts";

/** How long a peer has to answer, ms. */
export const answerTimeoutMs = 5_000;
/** A peer that did not answer is not asked again for so long, ms. */
export const restMs = 10_000;
/** One block behind is normal for a moment: its votes are on their way. */
export const graceMs = 300;

export type Peer = {
  /** The newest final height that it claims. */
  height: number;
  /** The lowest height whose block it has; those below it pruned. */
  lowest: number;
  /** Not asked before, own clock, ms. */
  restUntil: number;
};

export type Request = {
  readonly peer: string;
  readonly from: number;
  readonly count: number;
  /** Own clock, ms. */
  readonly deadline: number;
};

/** A resource with one owner, updated in place. */
export type Sync = {
  readonly peers: Map<string, Peer>;
  request?: Request | undefined;
  /** Own clock since when some peer claims more than we have; ms. */
  behindSince?: number | undefined;
};

export function sync(): Sync {
  return { peers: new Map() };
}

export function connect(state: Sync, peer: string): void {
  if (!state.peers.has(peer)) state.peers.set(peer, { height: 0, lowest: 1, restUntil: 0 });
}

export function disconnect(state: Sync, peer: string): void {
  state.peers.delete(peer);
  if (state.request?.peer === peer) state.request = undefined;
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

/** The request to send now, if any, for a node whose newest final height is `height`. */
export function next(
  state: Sync,
  height: number,
  at: number,
  countMax: number,
): Request | undefined {
  if (claimed(state) <= height) {
    state.behindSince = undefined;
    return undefined;
  }
  state.behindSince ??= at;
  if (state.request !== undefined && at >= state.request.deadline) failed(state, at);
  if (state.request !== undefined) return undefined;
  const isClose = claimed(state) === height + 1;
  if (isClose && at < state.behindSince + graceMs) return undefined;
  // Of those that are ahead the one that rested longest, so that a silent one costs one time-out.
  let best: [string, Peer] | undefined;
  for (const [name, peer] of state.peers) {
    if (!hasNext(peer, height) || peer.restUntil > at) continue;
    if (best === undefined || peer.restUntil < best[1].restUntil) best = [name, peer];
  }
  if (best === undefined) return undefined;
  const count = Math.min(countMax, best[1].height - height);
  state.request = { peer: best[0], from: height + 1, count, deadline: at + answerTimeoutMs };
  return state.request;
}

/** When {@link next} may have something new to say without any message; undefined: never. */
export function deadline(state: Sync, height: number): number | undefined {
  if (claimed(state) <= height) return undefined;
  if (state.request !== undefined) return state.request.deadline;
  let first: number | undefined;
  for (const peer of state.peers.values())
    if (hasNext(peer, height) && (first === undefined || peer.restUntil < first))
      first = peer.restUntil;
  return first === undefined ? undefined : Math.max(first, (state.behindSince ?? 0) + graceMs);
}

/** The outstanding request was answered well. */
export function answered(state: Sync): void {
  state.request = undefined;
}

/** The outstanding request was answered badly or not at all: that peer rests, its claim is forgotten. */
export function failed(state: Sync, at: number): void {
  const peer = state.request && state.peers.get(state.request.peer);
  if (peer !== undefined) {
    peer.restUntil = at + restMs;
    peer.height = 0;
  }
  state.request = undefined;
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
