// The chunks of a snapshot that is joined by: from several peers at once, each checked before it is kept (CON-8).
import { compare, isRejected, keyOf, must } from "@causeway/primitives";
import { parseChunk, verifyChunk } from "./chunks.ts";
import type { Edges, JoinEffect, JoinState } from "./join-state.ts";
import type { SyncMessage } from "./message.ts";

/** How long a peer has to send a chunk of 256 KiB, ms. */
const chunkMs = 15_000;
/** A peer that did not answer is not asked again for so long, ms. */
const restMs = 10_000;
const perPeerMax = 8;
/** Asked for or being stored: 16 MiB. */
const windowMax = 64;

/** Takes everything back that was asked of the peer. */
export function release(state: JoinState, peer: string): void {
  for (const [index, { peer: of }] of state.waiting) if (of === peer) state.waiting.delete(index);
  const known = state.peers.get(peer);
  if (known !== undefined) known.inFlight = 0;
}

/** It did not answer in time: it rests. */
export function failPeer(state: JoinState, peer: string, at: number): void {
  release(state, peer);
  const known = state.peers.get(peer);
  if (known !== undefined) known.restUntil = at + restMs;
}

/** Asks for what is missing, lowest first, of everyone that offers the snapshot. */
export function askChunks(state: JoinState, at: number, out: JoinEffect[]): void {
  const { root, manifest } = must(state.target, "target");
  const late = new Set<string>();
  for (const { peer, deadline } of state.waiting.values()) if (at >= deadline) late.add(peer);
  for (const peer of late) failPeer(state, peer, at);
  const name = keyOf(root);
  const able = [...state.peers].filter(
    ([, peer]) => peer.offers.has(name) && peer.restUntil <= at && peer.inFlight < perPeerMax,
  );
  let turn = 0;
  for (let index = 0; index < manifest.chunks && able.length > 0; index++) {
    if (state.waiting.size + state.storing.size >= windowMax) return;
    if (state.have.has(index) || state.waiting.has(index)) continue;
    turn %= able.length;
    const [name_, peer] = must(able[turn], "peer");
    peer.inFlight += 1;
    state.waiting.set(index, { peer: name_, deadline: at + chunkMs });
    const message = { kind: "chunkRequest", epoch: manifest.epoch, index } as const;
    out.push({ kind: "send", to: name_, message });
    if (peer.inFlight >= perPeerMax) able.splice(turn, 1);
    else turn += 1;
  }
}

type Chunk = SyncMessage & { readonly kind: "chunk" };

/** Why the peer is to be banned, or undefined. */
export function receiveChunk(
  state: JoinState,
  from: string,
  { epoch, index, chunk, path }: Chunk,
  out: JoinEffect[],
): string | undefined {
  const { target, config } = state;
  const peer = must(state.peers.get(from), "peer");
  if (state.phase !== "chunks" || target === undefined || epoch !== target.manifest.epoch)
    return undefined;
  if (state.waiting.get(index)?.peer !== from) return undefined;
  state.waiting.delete(index);
  peer.inFlight = Math.max(0, peer.inFlight - 1);
  if (chunk.length === 0) {
    // It keeps the newest two only.
    peer.offers.delete(keyOf(target.root));
    return undefined;
  }
  if (!verifyChunk(config.network, target.manifest, index, chunk, path))
    return `chunk ${index} is not under the root`;
  const entries = parseChunk(chunk);
  if (isRejected(entries)) return entries.message;
  const edges = {
    first: must(entries[0], "entry").key,
    last: must(entries.at(-1), "entry").key,
  };
  if (!isBetween(state, index, edges)) return `chunk ${index} is not in key order`;
  state.have.set(index, edges);
  state.storing.add(index);
  out.push({ kind: "store", index, edges, entries });
  return undefined;
}

function isBetween({ have }: JoinState, index: number, { first, last }: Edges): boolean {
  const before = have.get(index - 1);
  const after = have.get(index + 1);
  return (
    (before === undefined || compare(before.last, first) < 0) &&
    (after === undefined || compare(last, after.first) < 0)
  );
}
