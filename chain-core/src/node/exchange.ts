// What peers tell each other besides new votes: where they are, what they lack, final blocks. It repairs every
// loss, so that no lost message stops the network.
import type { Rejected } from "@causeway/primitives";
import { assert, equal, isRejected, rejected } from "@causeway/primitives";
import { certificateCodec } from "../codec/block.ts";
import { verifyCertificate } from "../consensus/certificate.ts";
import { checkHeader } from "../consensus/header.ts";
import * as round from "../consensus/round.ts";
import * as deposits from "../mempool/requests.ts";
import * as sync from "../sync/sync.ts";
import type { PeerId } from "./event.ts";
import { finalise, idleTickMs, nextCommitteeId, tickMs } from "./height.ts";
import type { Status } from "./message.ts";
import {
  batchMax,
  batchSizeMax,
  blocksMax,
  replySizeMax,
  requestsMax,
  viewsMax,
} from "./message.ts";
import type { FinalBlock } from "./port.ts";
import type { State, Turn } from "./state.ts";
import { blame, scoreMax, send } from "./state.ts";

/** Repairs and statuses for one peer are at least so far apart, ms. */
const answerMs = 200;
/** Own transactions that still wait are given to all peers again after this, ms. */
const resendMs = 5_000;
/** Blocks of a proposal are sent to one peer again only after this, ms. */
const proposalMs = 900;
/** For claiming blocks and then serving none; a reply that was lost costs nothing but a rest. */
const emptyPoints = 20;

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

// ---------------------------------------------------------------- final blocks

/** Asks the next peer for blocks when it is time to. */
export function askBlocks(turn: Turn): void {
  const { state, at } = turn;
  const request = sync.next(state.sync, state.tip.height, at, blocksMax);
  if (request === undefined) return;
  const { peer, from, count } = request;
  send(turn, { kind: "blocksRequest", from, count }, peer);
}

/** Requests for blocks that a peer may make at once; one more becomes free every {@link askMs}. */
export const asksMax = 16;
const askMs = 50;

/** Takes one of the peer's requests: few bytes make us read and send 4 MiB, for which others would wait. */
function mayAsk({ state, at }: Turn, from: PeerId): boolean {
  const peer = state.peers.get(from);
  if (peer === undefined) return false;
  const freed = Math.floor((at - peer.asksAt) / askMs);
  peer.asks = Math.min(asksMax, peer.asks + freed);
  peer.asksAt = peer.asks === asksMax ? at : peer.asksAt + freed * askMs;
  if (peer.asks === 0) return false;
  peer.asks -= 1;
  return true;
}

/** Unanswered where the peer asks faster than anyone can apply blocks. */
export function answerBlocks(turn: Turn, peer: PeerId, from: number, count: number): void {
  const { context, tip } = turn.state;
  if (!mayAsk(turn, peer)) return;
  const available = Math.min(count, blocksMax, Math.max(0, tip.height - from + 1));
  // A block that this step makes final is not in the store yet; the peer asks again.
  const blocks = from < 1 ? [] : sync.serve(context.blocks, from, available, replySizeMax);
  send(turn, { kind: "blocksReply", from, blocks }, peer);
}

export function receiveBlocks(
  turn: Turn,
  from: PeerId,
  first: number,
  blocks: readonly FinalBlock[],
): void {
  const { state, at } = turn;
  const { request } = state.sync;
  if (request === undefined || request.peer !== from || request.from !== first) return;
  for (const [i, final] of blocks.entries()) {
    if (state.frame.stop !== undefined) return;
    if (first + i <= state.tip.height) continue;
    const bad = acceptFinal(turn, final);
    if (bad === undefined) continue;
    sync.failed(state.sync, at);
    blame(turn, from, scoreMax, bad.message);
    return;
  }
  if (blocks.length === 0) {
    sync.failed(state.sync, at);
    blame(turn, from, emptyPoints, "claims blocks that it does not serve");
    return;
  }
  sync.answered(state.sync);
  const peer = state.peers.get(from);
  if (peer !== undefined) peer.score = 0;
}

/** A block that proves itself by its certificate. */
function acceptFinal(turn: Turn, final: FinalBlock): Rejected | undefined {
  const { state } = turn;
  const candidate = round.parseCandidate(state.network, final.block);
  if (isRejected(candidate)) return candidate;
  const certificate = certificateCodec.parse(final.certificate);
  if (isRejected(certificate)) return certificate;
  const { header } = candidate.block;
  if (certificate.height !== header.height || !equal(certificate.block, candidate.id))
    return rejected("wrong-block", `the certificate is not for block ${header.height}`);
  if (header.height !== state.tip.height + 1)
    return rejected("wrong-height", `block ${header.height} after ${state.tip.height}`);
  const { bls } = state.context;
  const bad = verifyCertificate(state.network, bls, state.voters, certificate);
  if (bad !== undefined) return bad;
  const wrong = checkHeader(state.voters, nextCommitteeId(state), state.tip, header);
  assert(wrong === undefined, `a quorum made another history final: ${wrong?.message}`);
  finalise(turn, candidate, certificate);
  return undefined;
}
