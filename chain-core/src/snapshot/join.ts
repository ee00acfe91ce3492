// Joining by a snapshot as a pure machine (CON-6, CON-8, ADR 0010): it follows the ends of epochs as a light client,
// takes the newest snapshot that one of them commits to, and checks every chunk before it is kept.
//
//   headers -> offers -> after (the header that shows the state's root) -> chunks -> ended
import type { Step } from "@causeway/primitives";
import { equal, isRejected, isZero, keyOf, must, rejected } from "@causeway/primitives";
import type { Trusted } from "../light.ts";
import type { Manifest } from "./chunks.ts";
import { chunkSizeMax, snapshotRoot } from "./chunks.ts";
import { askChunks, failPeer, receiveChunk, release } from "./join-chunks.ts";
import { isBeyondCheckpoint, take, takeAfter } from "./join-headers.ts";
import type {
  End,
  JoinCode,
  JoinConfig,
  JoinEffect,
  JoinEvent,
  JoinPeer,
  JoinState,
} from "./join-state.ts";
import { end } from "./join-state.ts";
import type { SyncMessage } from "./message.ts";
import { parseSync } from "./message.ts";

/** How long a peer has to answer, ms. */
export const answerMs = 5_000;
/** How long offers are collected once one is there, ms. */
const collectMs = 1_500;
/** How long any phase waits for a peer that can go on, ms. */
export const patienceMs = 30_000;
/** Headers that a snapshot is looked for in, newest first. */
const candidatesMax = 4;

export function initial(config: JoinConfig, at: number): Step<JoinState, JoinEffect> {
  const state: JoinState = {
    config,
    phase: "headers",
    trusted: config.start,
    since: config.start,
    confirmed: config.checkpoint === undefined || config.checkpoint.height <= config.start.height,
    seekingCheckpoint: false,
    ends: [],
    peers: new Map(),
    until: at + patienceMs,
    have: new Map(),
    waiting: new Map(),
    storing: new Set(),
  };
  return step(state, { kind: "woke", at });
}

export function step(state: JoinState, event: JoinEvent): Step<JoinState, JoinEffect> {
  const out: JoinEffect[] = [];
  if (state.phase === "ended") return [state, out];
  switch (event.kind) {
    case "connected":
      connect(state, event.peer);
      break;
    case "disconnected":
      disconnect(state, event.peer);
      break;
    case "message":
      connect(state, event.from);
      receive(state, event.from, event.bytes, event.at, out);
      break;
    case "stored":
      state.storing.delete(event.index);
      break;
    case "woke":
      break;
  }
  proceed(state, event.at, out);
  return [state, out];
}

function connect(state: JoinState, peer: string): void {
  if (state.peers.has(peer)) return;
  const fresh = { exhausted: false, answered: false, offers: new Map(), restUntil: 0, inFlight: 0 };
  state.peers.set(peer, fresh);
}

function disconnect(state: JoinState, peer: string): void {
  if (state.asked?.peer === peer) state.asked = undefined;
  release(state, peer);
  state.peers.delete(peer);
}

function ban(state: JoinState, peer: string, reason: string, out: JoinEffect[]): undefined {
  disconnect(state, peer);
  out.push({ kind: "ban", peer, reason });
}

function receive(
  state: JoinState,
  from: string,
  bytes: Uint8Array,
  at: number,
  out: JoinEffect[],
): void {
  const message = parseSync(bytes);
  if (isRejected(message)) {
    ban(state, from, message.message, out);
    return;
  }
  switch (message.kind) {
    case "headers":
      receiveHeaders(state, from, message, at, out);
      break;
    case "offers":
      receiveOffers(state, from, message.manifests);
      break;
    case "chunk": {
      const bad = receiveChunk(state, from, message, out);
      if (bad !== undefined) ban(state, from, bad, out);
      else if (state.waiting.size > 0 || state.storing.size > 0) state.until = at + patienceMs;
      break;
    }
    default:
      // Questions of others: nothing is here yet.
      break;
  }
}

// ---------------------------------------------------------------- headers

type Headers = SyncMessage & { readonly kind: "headers" };

function receiveHeaders(
  state: JoinState,
  from: string,
  { from: first, headers }: Headers,
  at: number,
  out: JoinEffect[],
): void {
  if (state.asked?.peer !== from || state.asked.from !== first) return;
  state.asked = undefined;
  const peer = must(state.peers.get(from), "peer");
  if (headers.length === 0) {
    peer.exhausted = true;
    return;
  }
  state.until = at + patienceMs;
  for (const finality of headers) {
    if (isBeyondCheckpoint(state, finality)) {
      // It lies inside an epoch: it is asked for by itself.
      state.seekingCheckpoint = true;
      break;
    }
    const bad = state.phase === "after" ? takeAfter(state, finality) : take(state, finality, out);
    if (bad !== undefined) {
      ban(state, from, bad.message, out);
      return;
    }
    if (state.phase === "ended") return;
  }
  if (state.phase === "headers") for (const one of state.peers.values()) one.exhausted = false;
}

// ---------------------------------------------------------------- offers

/** Ends whose header committed to a snapshot, newest first. */
function candidates({ ends }: JoinState): End[] {
  return ends
    .filter(({ trusted }) => !isZero(trusted.header.snapshotRoot))
    .slice(-candidatesMax)
    .reverse();
}

function receiveOffers(state: JoinState, from: string, manifests: readonly Manifest[]): void {
  const peer = must(state.peers.get(from), "peer");
  peer.answered = true;
  peer.restUntil = 0;
  peer.offers.clear();
  for (const manifest of manifests)
    peer.offers.set(keyOf(snapshotRoot(state.config.network, manifest)), manifest);
}

function askOffers({ peers }: JoinState, at: number, out: JoinEffect[]): void {
  for (const [peer, one] of peers) {
    if (one.answered || one.restUntil > at) continue;
    one.restUntil = at + answerMs;
    out.push({ kind: "send", to: peer, message: { kind: "offersRequest" } });
  }
}

/** Of those that a final header committed to: the one that is half here already, else the newest. */
function choose(state: JoinState): void {
  const { config, ends, peers } = state;
  const found: NonNullable<JoinState["target"]>[] = [];
  for (const { trusted } of candidates(state)) {
    const root = trusted.header.snapshotRoot;
    const offer = [...peers.values()].map(({ offers }) => offers.get(keyOf(root)));
    const manifest = offer.find((one) => one !== undefined);
    const of = manifest && ends.find(({ trusted: at }) => equal(at.id, manifest.block));
    if (manifest === undefined || of === undefined || manifest.height !== of.trusted.height)
      continue;
    if (manifest.height <= config.above || manifest.size > manifest.chunks * chunkSizeMax) continue;
    found.push({ root: trusted.header.snapshotRoot as typeof trusted.id, manifest, end: of });
  }
  const before = config.loaded && snapshotRoot(config.network, config.loaded.manifest);
  state.target = found.find(({ root }) => before !== undefined && equal(root, before)) ?? found[0];
}

// ---------------------------------------------------------------- what is due

function proceed(state: JoinState, at: number, out: JoinEffect[]): void {
  if (state.asked !== undefined && at >= state.asked.deadline) {
    failPeer(state, state.asked.peer, at);
    state.asked = undefined;
  }
  if (state.phase === "headers") proceedHeaders(state, at, out);
  if (state.phase === "offers") proceedOffers(state, at, out);
  if (state.phase === "after") proceedAfter(state, at, out);
  if (state.phase === "chunks") proceedChunks(state, at, out);
  if (state.phase === "ended") return;
  if (at >= state.until) end(state, out, rejected<JoinCode>("no-snapshot", gaveUp(state)));
  else wake(state, at, out);
}

function gaveUp({ phase, peers, have, target }: JoinState): string {
  if (peers.size === 0) return "no peer is connected";
  if (phase !== "chunks") return `none of ${peers.size} peers offers a snapshot that is final`;
  return `nobody serves the other ${(target?.manifest.chunks ?? 0) - have.size} chunks`;
}

function proceedHeaders(state: JoinState, at: number, out: JoinEffect[]): void {
  const { config, peers } = state;
  const isKnown = [...peers.values()].some(({ exhausted }) => exhausted);
  // Who does not answer is not waited for.
  const isOpen = [...peers.values()].some((one) => !one.exhausted && one.restUntil <= at);
  if (isKnown && !isOpen) {
    if (!state.confirmed) {
      seekCheckpoint(state, at, out);
      return;
    }
    if (at - state.since.header.time > config.trustMsMax) {
      end(state, out, rejected("checkpoint-needed", tooOld(state.since, at)));
      return;
    }
    state.phase = "offers";
    state.until = at + patienceMs;
    return;
  }
  ask(state, at, out, nextHeader(state), ({ exhausted }) => !exhausted);
}

/** It lies in the running epoch, whose end nobody has: it is asked for by itself. */
function seekCheckpoint(state: JoinState, at: number, out: JoinEffect[]): void {
  if (state.seekingCheckpoint) {
    const sentence = `no peer has block ${state.config.checkpoint?.height}, or all pruned it: confirm the last block of an epoch`;
    end(state, out, rejected("checkpoint-mismatch", sentence));
    return;
  }
  state.seekingCheckpoint = true;
  for (const one of state.peers.values()) one.exhausted = false;
  ask(state, at, out, nextHeader(state), ({ exhausted }) => !exhausted);
}

export function tooOld({ height, header }: Trusted, at: number): string {
  const days = Math.floor((at - header.time) / 86_400_000);
  return `block ${height} is ${days} days old, too old to be believed: confirm a newer block from a second source and set CAUSEWAY_CHECKPOINT=height:hash`;
}

function nextHeader(state: JoinState): { readonly from: number; readonly exact: boolean } {
  const { checkpoint } = state.config;
  if (checkpoint !== undefined && state.seekingCheckpoint && !state.confirmed)
    return { from: checkpoint.height, exact: true };
  return { from: state.trusted.height + 1, exact: false };
}

function proceedOffers(state: JoinState, at: number, out: JoinEffect[]): void {
  const { peers, config } = state;
  if (candidates(state).length === 0) {
    end(state, out, rejected("no-snapshot", "no final header commits to a snapshot yet"));
    return;
  }
  askOffers(state, at, out);
  const all = [...peers.values()];
  if (!all.some(({ answered }) => answered)) return;
  const isWaiting = all.some(({ answered }) => !answered);
  if (isWaiting && at < state.until - patienceMs + collectMs) return;
  choose(state);
  const { target } = state;
  if (target === undefined) {
    if (!isWaiting) end(state, out, rejected("no-snapshot", gaveUp(state)));
    return;
  }
  out.push({ kind: "begin", manifest: target.manifest });
  const { loaded } = config;
  if (loaded !== undefined && equal(snapshotRoot(config.network, loaded.manifest), target.root))
    for (const [index, edges] of loaded.chunks) state.have.set(index, edges);
  for (const one of all) one.exhausted = false;
  for (const one of all) one.restUntil = 0;
  state.phase = "after";
  state.until = at + patienceMs;
}

function proceedAfter(state: JoinState, at: number, out: JoinEffect[]): void {
  if (state.after !== undefined) {
    state.phase = "chunks";
    state.until = at + patienceMs;
    return;
  }
  const from = must(state.target, "target").manifest.height + 1;
  ask(state, at, out, { from, exact: true }, ({ exhausted }) => !exhausted);
}

function proceedChunks(state: JoinState, at: number, out: JoinEffect[]): void {
  const { manifest } = must(state.target, "target");
  if (state.have.size === manifest.chunks && state.storing.size === 0) {
    const ends = state.ends
      .filter(({ trusted }) => trusted.height <= manifest.height)
      .map(({ trusted, finality }) => ({ height: trusted.height, finality }));
    end(state, out, {
      kind: "joined",
      manifest,
      after: must(state.after, "header after the snapshot"),
      ends,
    });
    return;
  }
  askOffers(state, at, out);
  askChunks(state, at, out);
}

/** One question for headers at a time, to a peer that may have them. */
function ask(
  state: JoinState,
  at: number,
  out: JoinEffect[],
  question: { readonly from: number; readonly exact: boolean },
  may: (peer: JoinPeer) => boolean,
): void {
  if (state.asked !== undefined) return;
  for (const [peer, one] of state.peers) {
    if (!may(one) || one.restUntil > at) continue;
    state.asked = { peer, from: question.from, deadline: at + answerMs };
    out.push({ kind: "send", to: peer, message: { kind: "headersRequest", ...question } });
    return;
  }
}

function wake(state: JoinState, at: number, out: JoinEffect[]): void {
  const due = [
    state.until,
    state.asked?.deadline,
    ...[...state.waiting.values()].map(({ deadline }) => deadline),
    ...[...state.peers.values()].map(({ restUntil }) => restUntil),
    state.phase === "offers" ? state.until - patienceMs + collectMs : undefined,
  ].filter((time) => time !== undefined && time > at);
  out.push({ kind: "wake", at: Math.min(...(due as number[])) });
}
