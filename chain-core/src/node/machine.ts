// The node as one pure machine: it composes the round machine, the mempool, block sync and gossip. Time, peers
// and the disk are events and effects; `initial` takes up where the disk left off.
//
//   message, gossip, submit, woke -> step -> journal < send,  persist < everything of the next height
import type { Rejected, Step } from "@causeway/primitives";
import { assert, equal, isRejected, unreachable } from "@causeway/primitives";
import { blockId } from "../codec/block.ts";
import { guard } from "../consensus/guard.ts";
import { genesisHeader } from "../consensus/header.ts";
import type { Entry } from "../consensus/journal.ts";
import { parseRecord } from "../consensus/journal.ts";
import * as round from "../consensus/round.ts";
import { pool } from "../mempool/pool.ts";
import { charges } from "../mempool/quota.ts";
import { requests } from "../mempool/requests.ts";
import * as standing from "../peers/standing.ts";
import * as sync from "../sync/sync.ts";
import { admitRequest, admitTransaction, flush, flushAt } from "./admission.ts";
import {
  answerBlocks,
  applyBlocks,
  askBlocks,
  asksMax,
  catchUpAt,
  receiveBlocks,
} from "./catch-up.ts";
import { answerWanted, compacts, receiveParts } from "./compact.ts";
import {
  drive,
  driveComplete,
  receiveCompact,
  receiveProposal,
  receiveVote,
  replayEarly,
} from "./consensus.ts";
import type { Effect, Event, PeerId, Topic } from "./event.ts";
import { greet, receiveStatus, tick } from "./exchange.ts";
import { readyAt, roundConfig, roundStart, termsOf, tickMs } from "./height.ts";
import type { Message } from "./message.ts";
import { parseMessage, transactionsCodec } from "./message.ts";
import type { Context, Stored } from "./port.ts";
import { sheltered } from "./shelter.ts";
import type { State, Turn } from "./state.ts";
import { blame, effectsOf, heightOf, order, readerOf, scoreMax, turn } from "./state.ts";

export type { Effect, Event, PeerId, Topic } from "./event.ts";
export type {
  Applied,
  BlockTime,
  Checked,
  Context,
  FinalBlock,
  LedgerPort,
  Stored,
} from "./port.ts";
export type { State } from "./state.ts";

/** A node that starts on what is stored, with the first effects. `at`: own clock, ms. */
export function initial(bound: Context, stored: Stored, at: number): Step<State, Effect> {
  const context = { ...bound, ledger: sheltered(bound.ledger) };
  const { genesis, ledger } = context;
  const network = genesis.networkId;
  const frame = ledger.frame(context.store);
  const header = stored.tip?.header ?? genesisHeader(network, genesis.time, frame.committee);
  const certificate = stored.tip?.certificate;
  assert(
    stored.root === undefined || equal(ledger.root(stored.tree), stored.root),
    "the stored state is damaged: its root is not the one that was written; sync it anew",
  );
  const { entries, size } = readJournal(stored.journal);
  const base = {
    context,
    network,
    ...termsOf(context, frame),
    guard: guard(),
    tip: {
      height: header.height,
      id: blockId(network, header),
      time: header.time,
      header,
      ...(certificate && { certificate }),
    },
    tree: stored.tree,
    // Not stored; one block too many is harmless.
    changed: true,
    hurried: false,
    applied: new Map(),
    pending: new Map(),
    pool: pool(),
    charges: charges(),
    requests: requests(),
    sync: sync.sync(),
    peers: new Map(),
    standings: new Map(),
    early: [],
    compacts: compacts(),
    recent: new Map(),
    evidence: [],
    outbox: [],
    flushedAt: 0,
    tickAt: at + tickMs,
    ticks: 0,
    journalSize: size,
    journalHeight: Math.max(0, ...entries.map(heightOf)),
    ahead: entries.filter((entry) => heightOf(entry) > header.height + 1),
    wakeAt: 0,
    lastAt: at,
  };
  round.replayGuard(network, base.guard, entries);
  const config = roundConfig(base);
  const state: State = Object.assign(base, {
    config,
    round: round.restore(config, roundStart(base), entries),
  });
  if (frame.stop !== undefined) return [state, [{ kind: "halt", reason: frame.stop }]];
  return step(state, { kind: "woke", at });
}

function readJournal(records: Iterable<Uint8Array>): {
  readonly entries: Entry[];
  readonly size: number;
} {
  const entries: Entry[] = [];
  let size = 0;
  for (const record of records) {
    const parsed = parseRecord(record);
    assert(!isRejected(parsed), "the vote journal is damaged: this key must not vote any more");
    entries.push(...parsed);
    size += record.length;
  }
  return { entries, size };
}

/** State is updated in place, see {@link State}. */
export function step(state: State, event: Event): Step<State, Effect> {
  state.pending.clear();
  const { stop } = state.frame;
  if (stop !== undefined) return [state, afterHalt(event, stop)];
  const { at } = event;
  if (at < state.lastAt) shiftClocks(state, at - state.lastAt);
  state.lastAt = at;
  const now = turn(state, at);
  switch (event.kind) {
    case "message":
      if (isBanned(now, event.from)) break;
      meet(state, event.from);
      receive(now, event.from, event.bytes);
      break;
    case "gossip":
      if (isBanned(now, event.from)) break;
      meet(state, event.from);
      receiveGossip(now, event.from, event.topic, event.bytes);
      break;
    case "submit":
      order(now, { kind: "reply", ticket: event.ticket, result: submit(now, event) });
      break;
    case "connected":
      connect(now, event.peer);
      break;
    case "disconnected":
      sync.disconnect(state.sync, event.peer);
      state.peers.delete(event.peer);
      state.early = state.early.filter((early) => early.from !== event.peer);
      break;
    case "woke":
      // However early it came, the order that it answers is used up.
      state.wakeAt = 0;
      break;
    default:
      return unreachable(event);
  }
  settle(now);
  return [state, effectsOf(now)];
}

/** What was on its way when the node halted. */
function afterHalt(event: Event, stop: Rejected): Effect[] {
  return event.kind === "submit" ? [{ kind: "reply", ticket: event.ticket, result: stop }] : [];
}

function isBanned({ state, at }: Turn, peer: PeerId): boolean {
  return standing.bannedUntil(state.standings, peer, at) !== undefined;
}

function connect(now: Turn, peer: PeerId): void {
  const { state, at } = now;
  const until = standing.bannedUntil(state.standings, peer, at);
  if (until !== undefined) {
    order(now, { kind: "ban", peer, until, reason: "banned before" });
    return;
  }
  meet(state, peer);
  greet(now, peer);
}

/** A peer that speaks is connected, whether or not the transport said so first. */
function meet(state: State, peer: PeerId): void {
  if (state.peers.has(peer)) return;
  state.peers.set(peer, { answeredAt: 0, proposedAt: 0, asks: asksMax, asksAt: 0 });
  sync.connect(state.sync, peer);
}

function submit(now: Turn, event: Event & { kind: "submit" }): { id: Uint8Array } | Rejected {
  if (event.topic === "transactions") return admitTransaction(now, event.bytes, true);
  return admitRequest(now, event.bytes);
}

function receive(now: Turn, from: PeerId, bytes: Uint8Array): void {
  const message = parseMessage(bytes);
  if (isRejected(message)) blame(now, from, scoreMax, message.message);
  else handle(now, from, message);
}

function handle(now: Turn, from: PeerId, message: Message): void {
  switch (message.kind) {
    case "proposal":
      receiveProposal(now, from, message.proposal, now.at);
      break;
    case "compact":
      receiveCompact(now, from, message.compact, now.at);
      break;
    case "wanted":
      answerWanted(now, from, message.wanted);
      break;
    case "parts":
      driveComplete(now, from, receiveParts(now, from, message.parts));
      break;
    case "votes":
      for (const vote of message.votes) {
        // A batch of wrong signatures costs one verification, not 256.
        if (isBanned(now, from)) break;
        receiveVote(now, from, vote, now.at);
      }
      break;
    case "status":
      receiveStatus(now, from, message.status);
      break;
    case "blocksRequest":
      answerBlocks(now, from, message.from, message.count);
      break;
    case "blocksReply":
      receiveBlocks(now, from, message.from, message.blocks);
      break;
    case "transactions":
      // They are the sender's own, which it checked itself, by keys and a registry that who is behind does not know yet.
      if (!admitBatch(now, message.transactions) && !isBehind(now))
        blame(now, from, scoreMax, "a transaction that its owners did not sign");
      break;
    case "requests":
      for (const bytes of message.requests) admitRequest(now, bytes, from);
      break;
    default:
      unreachable(message);
  }
}

function isBehind({ state }: Turn): boolean {
  return sync.claimed(state.sync) > state.tip.height;
}

function receiveGossip(now: Turn, from: PeerId, topic: Topic, bytes: Uint8Array): void {
  if (topic === "requests") {
    admitRequest(now, bytes, from);
    return;
  }
  const batch = transactionsCodec.parse(bytes);
  if (isRejected(batch)) blame(now, from, scoreMax, batch.message);
  else admitBatch(now, batch.transactions);
}

/** What no state makes valid: nobody who checks what he sends on sends it. */
const forgedCodes: ReadonlySet<string> = new Set([
  "bad-bytes",
  "bad-signature",
  "wrong-witness-count",
  // Of a validator's key: two pairings.
  "bad-proof",
]);

/**
 * False at the first forged transaction, after which nothing of the batch is looked at: a signature of half a
 * millisecond each for a thousand of them would stop the node. The bringer of gossip is not blamed: a node that
 * does not know the outputs yet cannot tell.
 */
function admitBatch(now: Turn, transactions: readonly Uint8Array[]): boolean {
  now.state.context.ledger.expect?.(readerOf(now.state), transactions);
  for (const bytes of transactions) {
    const admitted = admitTransaction(now, bytes, false);
    if (isRejected(admitted) && forgedCodes.has(admitted.code)) return false;
  }
  return true;
}

/** What time or the event has made due, until nothing is, and the order for the next wake. */
function settle(now: Turn): void {
  const { state, at } = now;
  applyBlocks(now);
  // Others may need the votes that wait here to be checked.
  if (at >= state.tickAt) drive(now, { kind: "woke", at });
  for (let height = -1; height !== state.tip.height; ) {
    height = state.tip.height;
    replayEarly(now);
    if (!state.round.ready && at >= readyAt(state)) {
      drive(now, { kind: "ready", at });
    }
    const due = round.deadline(state.round);
    if (due !== undefined && due <= at) drive(now, { kind: "woke", at });
  }
  if (state.frame.stop !== undefined) {
    order(now, { kind: "halt", reason: state.frame.stop });
    return;
  }
  if (state.round.ready) state.tickAt = Math.min(state.tickAt, at + tickMs);
  if (at >= state.tickAt) tick(now);
  const leave = flushAt(now);
  if (leave !== undefined && leave <= at) flush(now);
  askBlocks(now);
  wake(now);
}

function wake(now: Turn): void {
  const { state, at } = now;
  const due = [
    state.tickAt,
    round.deadline(state.round),
    state.round.ready ? undefined : readyAt(state),
    flushAt(now),
    catchUpAt(now),
  ].filter((time) => time !== undefined);
  const next = Math.max(at + 1, Math.min(...due));
  if (next === state.wakeAt && state.wakeAt > at) return;
  state.wakeAt = next;
  order(now, { kind: "wake", at: next });
}

/** The own clock went back: durations stay what they were. Ledger time does not depend on it. */
function shiftClocks(state: State, by: number): void {
  state.tickAt += by;
  state.flushedAt += by;
  const { deadlines } = state.round;
  state.round.deadlines = Object.fromEntries(
    Object.entries(deadlines).map(([name, at]) => [name, name === "own" ? at : at + by]),
  );
  sync.shift(state.sync, by);
  standing.shift(state.standings, by);
  for (const peer of state.peers.values()) {
    peer.answeredAt += by;
    peer.proposedAt += by;
    peer.asksAt += by;
  }
}
