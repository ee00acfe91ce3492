// Final blocks from other nodes: ranges are asked of several peers at once, each is looked at as it arrives, and
// applied in order, some per step, so that a node that catches up answers others meanwhile.
import type { Rejected } from "@causeway/primitives";
import { assert, equal, isRejected, rejected } from "@causeway/primitives";
import { blockId, blockSizeMax, certificateCodec, headerIn } from "../codec/block.ts";
import { verifyCertificate } from "../consensus/certificate.ts";
import { checkHeader } from "../consensus/header.ts";
import * as round from "../consensus/round.ts";
import * as sync from "../sync/sync.ts";
import type { PeerId } from "./event.ts";
import { finalise, nextCommitteeId } from "./height.ts";
import { blocksMax, replySizeMax } from "./message.ts";
import type { FinalBlock } from "./port.ts";
import type { State, Turn } from "./state.ts";
import { blame, scoreMax, send } from "./state.ts";

/** For claiming blocks and then serving none; a reply that was lost costs nothing but a rest. */
const emptyPoints = 20;
/** For letting the time for an answer pass: a slow line is no crime, ten such lines in a row are. */
const silentPoints = 10;
/** Blocks that one step applies, and after how many bytes of blocks it ends besides. */
const stepBlocksMax = 16;
const stepSizeMax: number = 256 * 1024;

/** Asks peers for blocks when it is time to. */
export function askBlocks(turn: Turn): void {
  const { state, at } = turn;
  const { requests, silent } = sync.next(state.sync, state.tip.height, at, blocksMax);
  for (const peer of silent) blame(turn, peer, silentPoints, "lets questions for blocks pass");
  for (const { peer, from, count } of requests)
    send(turn, { kind: "blocksRequest", from, count }, peer);
}

/** When there is something to ask or to apply without any message, own clock, ms. */
export function catchUpAt({ state, at }: Turn): number | undefined {
  if (sync.take(state.sync, state.tip.height) !== undefined) return at;
  return sync.deadline(state.sync, state.tip.height, at);
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

/** Blocks that were asked for wait for those before them; {@link applyBlocks} takes them. */
export function receiveBlocks(
  turn: Turn,
  from: PeerId,
  first: number,
  blocks: readonly FinalBlock[],
): void {
  const { state } = turn;
  const request = sync.awaited(state.sync, from, first);
  if (request === undefined) return;
  const bad = checkRange(state, first, blocks);
  if (blocks.length === 0) refuse(turn, from, emptyPoints, "serves none of the blocks it claims");
  else if (bad !== undefined) refuse(turn, from, scoreMax, bad.message);
  else {
    const size = blocks.reduce((sum, { block }) => sum + block.length, 0);
    sync.answered(state.sync, request, blocks, size > replySizeMax - blockSizeMax);
  }
}

function refuse(turn: Turn, peer: PeerId, points: number, reason: string): void {
  sync.failed(turn.state.sync, peer, turn.at);
  blame(turn, peer, points, reason);
}

/**
 * What can be known of a range before the one in front of it is here: that its headers build on one another, and that
 * the certificate of the last one verifies, which makes all of them final. Each block's own is verified when it is
 * applied; so is all of a range that another committee decides.
 */
function checkRange(
  state: State,
  first: number,
  blocks: readonly FinalBlock[],
): Rejected | undefined {
  const { network, tip, voters, context } = state;
  let parent = first === tip.height + 1 ? tip.id : undefined;
  for (const [i, { block, certificate: bytes }] of blocks.entries()) {
    const header = headerIn(block);
    if (isRejected(header)) return header;
    const certificate = certificateCodec.parse(bytes);
    if (isRejected(certificate)) return certificate;
    const id = blockId(network, header);
    const isHeight = header.height === first + i && certificate.height === header.height;
    if (!isHeight || !equal(certificate.block, id))
      return rejected("wrong-block", `not block ${first + i} and its certificate`);
    if (parent !== undefined && !equal(header.parent, parent))
      return rejected("wrong-block", `block ${first + i} is not built on the one before it`);
    parent = id;
    if (i < blocks.length - 1 || !equal(header.committee, voters.id)) continue;
    const bad = verifyCertificate(network, context.bls, voters, certificate);
    // Whose votes count may change before that height.
    if (bad !== undefined && bad.code !== "no-quorum") return bad;
  }
  return undefined;
}

/** Applies what is next of the blocks that are here. */
export function applyBlocks(turn: Turn): void {
  const { state } = turn;
  let size = 0;
  for (let count = 0; count < stepBlocksMax && size < stepSizeMax; count++) {
    if (state.frame.stop !== undefined) return;
    const next = sync.take(state.sync, state.tip.height);
    if (next === undefined) return;
    size += next.block.block.length;
    const bad = acceptFinal(turn, next.block);
    if (bad === undefined) continue;
    refuse(turn, next.peer, scoreMax, bad.message);
    return;
  }
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
