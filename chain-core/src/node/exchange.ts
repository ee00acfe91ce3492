// What peers tell each other besides new votes: where they are and what they lack. It repairs every loss, so that no
// lost message stops the network.
import * as round from "../consensus/round.ts";
import * as deposits from "../mempool/requests.ts";
import * as sync from "../sync/sync.ts";
import type { PeerId } from "./event.ts";
import { idleTickMs, tickMs } from "./height.ts";
import type { Status } from "./message.ts";
import { batchMax, batchSizeMax, requestsMax, viewsMax } from "./message.ts";
import type { State, Turn } from "./state.ts";
import { send } from "./state.ts";

/** Repairs and statuses for one peer are at least so far apart, ms. */
const answerMs = 200;
/** Own transactions that still wait are given to all peers again after this, ms. */
const resendMs = 5_000;
/** Blocks of a proposal are sent to one peer again only after this, ms. */
const proposalMs = 900;

export function statusOf(state: State): Status {
  return {
    height: state.tip.height,
    lowest: state.context.lowest?.() ?? 1,
    round: state.round.round,
    views: round.view(state.round).slice(0, viewsMax),
  };
}

/** A new peer hears where we are, and what only we may have. */
export function greet(turn: Turn, peer: PeerId): void {
  const { state } = turn;
  send(turn, { kind: "status", status: statusOf(state) }, peer);
  const requests = deposits.newest(state.requests, requestsMax);
  if (requests.length > 0) send(turn, { kind: "requests", requests }, peer);
  sendOwn(turn, 0, peer);
}

export function receiveStatus(turn: Turn, from: PeerId, status: Status): void {
  const { state, at } = turn;
  sync.claim(state.sync, from, status.height, status.lowest);
  const peer = state.peers.get(from);
  if (peer === undefined || status.height > state.tip.height) return;
  if (at < peer.answeredAt + answerMs) return;
  peer.answeredAt = at;
  if (status.height < state.tip.height) {
    send(turn, { kind: "status", status: statusOf(state) }, from);
    return;
  }
  const { proposals, votes } = round.missing(state.round, status.round, status.views);
  if (proposals.length > 0 && at >= peer.proposedAt + proposalMs) {
    peer.proposedAt = at;
    for (const proposal of proposals) send(turn, { kind: "proposal", proposal }, from);
  }
  if (votes.length > 0) send(turn, { kind: "votes", votes }, from);
}

/**
 * Repeats what may have been lost: the own votes, the status, and own transactions. A missing block is asked of
 * one peer after the other, so that not all of them send 2 MiB.
 */
export function tick(turn: Turn): void {
  const { state, at } = turn;
  state.ticks += 1;
  state.tickAt = at + (state.round.ready ? tickMs : idleTickMs);
  const votes = round.ownVotes(state.config, state.round);
  if (votes.length > 0) send(turn, { kind: "votes", votes });
  const status = statusOf(state);
  const modest = { ...status, views: status.views.map((seen) => ({ ...seen, proposal: true })) };
  const asked = [...state.peers.keys()][state.ticks % Math.max(1, state.peers.size)];
  const lacks = status.views.some((seen) => !seen.proposal);
  if (!lacks) send(turn, { kind: "status", status });
  else
    for (const peer of state.peers.keys())
      send(turn, { kind: "status", status: peer === asked ? status : modest }, peer);
  sendOwn(turn, resendMs);
}

/** Own waiting transactions that were last sent `ageMs` ago or earlier. */
function sendOwn({ state, at, out }: Turn, ageMs: number, peer?: PeerId): void {
  const transactions: Uint8Array[] = [];
  let size = 0;
  for (const key of state.pool.own) {
    const entry = state.pool.entries.get(key);
    if (entry === undefined || entry.sentAt + ageMs > at) continue;
    size += entry.bytes.length + 4;
    if (size > batchSizeMax - 16 || transactions.length === batchMax) break;
    transactions.push(entry.bytes);
    if (peer === undefined) entry.sentAt = at;
  }
  if (transactions.length > 0)
    send({ state, at, out }, { kind: "transactions", transactions }, peer);
}
