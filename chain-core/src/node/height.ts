// From one height to the next: what a block must satisfy, what a proposer builds, what a final block changes.
import { assert, equal, isRejected, keyOf, must } from "@causeway/primitives";
import type { Block, Certificate } from "../codec/block.ts";
import {
  blockId,
  blockSizeMax,
  certificateCodec,
  committeeId,
  transactionsRoot,
  votesRoot,
} from "../codec/block.ts";
import { checkHeader } from "../consensus/header.ts";
import type { Candidate } from "../consensus/round.ts";
import * as round from "../consensus/round.ts";
import { convictOf } from "../consensus/vote-set.ts";
import { seatOf, votersOf } from "../consensus/voters.ts";
import * as mempool from "../mempool/pool.ts";
import * as deposits from "../mempool/requests.ts";
import { compacts } from "./compact.ts";
import { fullCertificate, keepRecent, lateVotes } from "./late.ts";
import type { Applied, Context, Frame } from "./port.ts";
import { checkSnapshotPlace, confirmSnapshotRoot, proposedSnapshotRoot } from "./snapshot-root.ts";
import type { State, Turn } from "./state.ts";
import { heightOf, order, readerOf } from "./state.ts";

/** Pause before lost messages of an active height are repeated, ms. */
export const tickMs = 1_000;
/** And of an idle one. */
export const idleTickMs = 3_000;
/** A block with less room than this counts as full. */
const roomMin = 64 * 1024;
const evidenceMax = 256;
const evidencePerSeatMax = 16;
/** Applied blocks of one height that are kept; an older one is applied again when it is decided. */
const appliedMax = 4;

/** How the height after the tip is decided. The functions read the state at the time of the call. */
export function roundConfig(state: Omit<State, "config" | "round">): round.Config {
  const { context, network, voters, signer, frame } = state;
  const live = state as State;
  return {
    network,
    bls: context.bls,
    voters,
    timing: frame.params,
    ...(signer && { signer }),
    build: (time) => build(live, time),
    validate: (block, id) => {
      const applied = applyTo(live, block, id);
      return isRejected(applied) ? applied : confirmSnapshotRoot(live, block.header);
    },
  };
}

/** Where and when the next height starts. */
export function roundStart(state: Omit<State, "config" | "round">): round.Start {
  const { tip, guard, frame } = state;
  return {
    height: tip.height + 1,
    parentTime: tip.time,
    proposeFrom: tip.time + frame.params.blockIntervalMs,
    guard,
  };
}

function build(state: State, time: number): Block {
  const { context, network, frame, voters, tip, pool, tree } = state;
  const { seat } = must(state.signer, "signer of a proposer");
  const height = tip.height + 1;
  const certificate = fullCertificate(state);
  const votes = { certificate: certificate ? [certificate] : [], late: lateVotes(state) };
  const built = context.ledger.build(
    readerOf(state),
    tree,
    { ...votes, height, time, parent: tip.id, proposer: seat },
    mempool.candidates(pool, blockSizeMax),
  );
  const transactions = [...built.transactions];
  const header = {
    version: frame.version,
    height,
    time,
    parent: tip.id,
    proposer: seat,
    transactionsRoot: transactionsRoot(network, transactions),
    stateRoot: context.ledger.root(tree),
    utxoCommitment: frame.utxoCommitment,
    votesRoot: votesRoot(network, votes),
    snapshotRoot: proposedSnapshotRoot(state, time, state.round.round),
    committee: voters.id,
    nextCommittee: nextCommitteeId(state),
  };
  const block = { header, ...votes, transactions };
  // To vote for it is then no more work.
  if (built.applied !== undefined) applyTo(state, block, blockId(network, header), built.applied);
  return block;
}

/** Applies a block on the tip, once: the result is kept until the height is decided. `built`: what it would be. */
function applyTo(
  state: State,
  block: Block,
  id: Uint8Array,
  built?: Applied,
): ReturnType<typeof applyFresh> {
  const key = keyOf(id);
  const known = state.applied.get(key);
  if (known !== undefined) return known;
  const applied = applyFresh(state, block, built);
  if (isRejected(applied)) return applied;
  // A height of many rounds has many valid blocks, each with megabytes of writes.
  const [oldest] = state.applied.keys();
  if (state.applied.size >= appliedMax && oldest !== undefined) state.applied.delete(oldest);
  state.applied.set(key, applied);
  return applied;
}

function applyFresh(
  state: State,
  block: Block,
  built: Applied | undefined,
): ReturnType<State["context"]["ledger"]["apply"]> {
  const bad =
    checkHeader(state.voters, nextCommitteeId(state), state.tip, block.header) ??
    checkSnapshotPlace(state, block.header);
  if (bad !== undefined) return bad;
  return built ?? state.context.ledger.apply(readerOf(state), state.tree, block);
}

export function nextCommitteeId({ network, frame }: Pick<State, "network" | "frame">): Uint8Array {
  return committeeId(network, frame.nextCommittee);
}

/** By which rules the height after the state is decided, and whether this node votes in it (CON-3). */
export function termsOf(
  { genesis, bls, secretKey }: Context,
  frame: Frame,
): Pick<State, "frame" | "voters" | "signer"> {
  const voters = votersOf(genesis.networkId, frame.committee, frame.barred);
  const seat = secretKey && seatOf(voters, bls.publicKey(secretKey));
  const isVoter = seat !== undefined && !voters.barred.has(seat);
  const signer = secretKey && isVoter ? { seat, secretKey } : undefined;
  return { frame, voters, signer };
}

/** The certified block becomes the tip. From here on nothing about it may fail (CON-5). */
export function finalise(turn: Turn, candidate: Candidate, certificate: Certificate): void {
  const { state } = turn;
  const { block, id, bytes } = candidate;
  const { header, transactions } = block;
  const applied = applyTo(state, block, id);
  assert(
    !isRejected(applied),
    `final block ${header.height} is not valid here: ${isRejected(applied) ? applied.message : ""}`,
  );
  assert(equal(certificate.block, id), "certificate of another block");
  const { ledger } = state.context;
  order(turn, {
    kind: "persist",
    height: header.height,
    id,
    time: header.time,
    block: bytes,
    certificate: certificateCodec.encode(certificate),
    puts: applied.puts,
    root: ledger.root(applied.tree),
    receipts: applied.receipts,
  });
  for (const put of applied.puts) state.pending.set(keyOf(put.key), put);
  state.tip = { height: header.height, id, time: header.time, header, certificate };
  state.tree = applied.tree;
  state.changed = applied.changed;
  state.hurried = applied.hurried;
  keepEvidence(state);
  keepRecent(state, certificate);
  Object.assign(state, termsOf(state.context, ledger.frame(readerOf(state))));
  state.config = roundConfig(state);
  clearMempool(turn, applied, transactions, bytes.length);
  state.applied = new Map();
  state.compacts = compacts();
  const { height } = state.tip;
  state.round = round.restore(state.config, roundStart(state), state.ahead);
  state.ahead = state.ahead.filter((entry) => heightOf(entry) > height + 1);
  state.tickAt = turn.at + (isWork(state) ? tickMs : idleTickMs);
}

/** The newest, of a height's seats what is in its vote set; one seat must not push out the others'. */
function keepEvidence({ evidence, round }: State): void {
  for (const found of round.votes.evidence) {
    const same = evidence.filter((known) => convictOf(known) === convictOf(found));
    const [oldest] = same;
    if (oldest !== undefined && same.length >= evidencePerSeatMax)
      evidence.splice(evidence.indexOf(oldest), 1);
    evidence.push(found);
  }
  if (evidence.length > evidenceMax) evidence.splice(0, evidence.length - evidenceMax);
}

function clearMempool(
  { state, at }: Turn,
  applied: Applied,
  transactions: readonly Uint8Array[],
  size: number,
): void {
  const { pool, tip, context } = state;
  const ids = applied.receipts.map((receipt) => receipt.id);
  const isFull = size > blockSizeMax - roomMin;
  mempool.afterBlock(pool, { transactions, ids, time: tip.time, isFull });
  deposits.expire(state.requests, tip.time);
  const reader = readerOf(state);
  const next = { height: tip.height + 1, time: Math.max(at, tip.time + 1) };
  for (const entry of mempool.suspects(pool, applied.changed)) {
    const parents = mempool.parentsOfEntry(pool, entry);
    if (isRejected(context.ledger.check(reader, next, entry.bytes, parents)))
      mempool.drop(pool, entry);
  }
}

/** CON-1: something waits for the next block. */
function isWork(state: State): boolean {
  return state.pool.work > 0 || state.changed || state.hurried;
}

/** CON-1: from when a proposal of round 0 may be expected, own clock, ms. */
export function readyAt(state: State): number {
  const { blockIntervalMs, heartbeatMs } = state.frame.params;
  return state.tip.time + (isWork(state) ? blockIntervalMs : heartbeatMs);
}
