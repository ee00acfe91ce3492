// Proposals travel without the transactions that everybody has (codec/compact.ts). Who lacks some asks the proposer for
// them; when that fails too, the status asks for the whole proposal (exchange.ts). A block counts only once it is complete
// and its transactions are its header's.
import { equal, H, isRejected, keyOf, must } from "@causeway/primitives";
import { bitmapOf, seatsOf } from "../codec/bitmap.ts";
import type { Block, Proposal } from "../codec/block.ts";
import { blockCodec, blockId, proposalDigest } from "../codec/block.ts";
import type { CompactProposal, Parts, Wanted } from "../codec/compact.ts";
import { blockBytes, compactOf, hashesOf } from "../codec/compact.ts";
import { transactionBytesHash, transactionKey } from "../codec/transaction.ts";
import { proposerAt } from "../consensus/proposer.ts";
import * as round from "../consensus/round.ts";
import { roundsAheadMax } from "../consensus/vote-set.ts";
import * as mempool from "../mempool/pool.ts";
import type { PeerId } from "./event.ts";
import type { State, Turn } from "./state.ts";
import { blame, scoreMax, send } from "./state.ts";

/** So long own transactions may wait here or be on their way to others, ms. */
const freshMs = 250;
/** Incomplete proposals of one height that are kept. */
const partialsMax = 8;

/** A proposal, signed by its round's proposer, some of whose transactions are not here. */
type Partial = {
  readonly from: PeerId;
  readonly compact: CompactProposal;
  readonly head: Block;
  readonly hashes: readonly Uint8Array[];
  readonly transactions: (Uint8Array | undefined)[];
  readonly arrivedAt: number;
};

/** Of one height. */
export type Compacts = {
  /** By hex of the block id. */
  readonly partials: Map<string, Partial>;
  /** Hex of the block id, and the peer that was given what it lacked of it. */
  readonly given: Set<string>;
};

export function compacts(): Compacts {
  return { partials: new Map(), given: new Set() };
}

/** A complete proposal for the round machine. */
export type Complete = {
  readonly proposal: Proposal;
  readonly candidate: round.Candidate;
  readonly arrivedAt: number;
};

/** The own proposal, to everyone; whole where the round before came to nothing. */
export function sendProposal(turn: Turn, proposal: Proposal): void {
  const { state, at } = turn;
  const isIt = ({ bytes }: round.Candidate): boolean => bytes === proposal.block;
  const { block } = must([...state.round.candidates.values()].find(isIt), "proposed block");
  if (block.transactions.length === 0 || proposal.round > 0) {
    send(turn, { kind: "proposal", proposal });
    return;
  }
  const compact = compactOf(proposal, block.transactions, freshOf(state, at));
  send(turn, { kind: "compact", compact });
}

function freshOf({ pool }: State, at: number): Set<Uint8Array> {
  const fresh = new Set<Uint8Array>();
  for (const key of pool.own) {
    const entry = pool.entries.get(key);
    if (entry !== undefined && entry.sentAt > at - freshMs) fresh.add(entry.bytes);
  }
  return fresh;
}

/** What of the present height a peer proposes: complete at once, or the peer is asked for the rest. */
export function openCompact(
  turn: Turn,
  from: PeerId,
  compact: CompactProposal,
  arrivedAt: number,
): Complete | undefined {
  const { state } = turn;
  const { height, round: of } = compact;
  if (height !== state.round.height || of > state.round.round + roundsAheadMax) return undefined;
  const known = state.round.proposals.get(of) ?? [];
  if (known.some(({ proposal }) => equal(proposal.signature, compact.signature))) return undefined;
  const head = blockCodec.parse(compact.head);
  const hashes = hashesOf(compact);
  if (isRejected(head) || hashes === undefined || !isHead(state, head, compact)) {
    blame(turn, from, scoreMax, "a compact proposal whose parts are not of one block");
    return undefined;
  }
  // A few hashes of large transactions make us join and hash 2 MiB: only for the round's proposer.
  if (!isSigned(state, head, compact)) {
    blame(turn, from, scoreMax, `a compact proposal of height ${height} without its signature`);
    return undefined;
  }
  const partial = {
    from,
    compact,
    head,
    hashes,
    arrivedAt,
    transactions: fill(state, compact, hashes),
  };
  return completed(turn, partial) ?? ask(turn, partial);
}

function isHead(
  { network }: State,
  { header, transactions }: Block,
  compact: CompactProposal,
): boolean {
  return (
    header.height === compact.height &&
    transactions.length === 0 &&
    equal(H("transactions", network, compact.hashes), header.transactionsRoot)
  );
}

function isSigned(
  { network, voters, context }: State,
  { header }: Block,
  { height, round: of, polRound, signature }: CompactProposal,
): boolean {
  const seat = proposerAt(voters, height, of);
  const key = must(voters.members[seat], "proposer's seat").consensusKey;
  const content = { height, round: of, polRound, block: blockId(network, header) };
  return context.bls.verify(key, proposalDigest(network, content), signature);
}

function fill(
  { pool }: State,
  { fresh }: CompactProposal,
  hashes: readonly Uint8Array[],
): (Uint8Array | undefined)[] {
  const along = new Map(fresh.map((bytes) => [transactionKey(bytes), bytes]));
  return hashes.map((hash) => {
    const name = keyOf(hash);
    return mempool.byHash(pool, name)?.bytes ?? along.get(name);
  });
}

function completed({ state }: Turn, partial: Partial): Complete | undefined {
  const { compact, head, arrivedAt } = partial;
  const transactions = partial.transactions.filter((bytes) => bytes !== undefined);
  if (transactions.length < partial.transactions.length) return undefined;
  const bytes = blockBytes(compact.head, transactions);
  if (bytes === undefined) return undefined;
  const candidate = round.candidateFrom(state.network, { ...head, transactions }, bytes);
  if (isRejected(candidate)) return undefined;
  const { height, round: of, polRound, signature } = compact;
  return {
    proposal: { height, round: of, polRound, block: bytes, signature },
    candidate,
    arrivedAt,
  };
}

/** Asks for the rest, once. */
function ask(turn: Turn, partial: Partial): undefined {
  const { state } = turn;
  const id = blockId(state.network, partial.head.header);
  const { partials } = state.compacts;
  if (partials.has(keyOf(id))) return;
  const [oldest] = partials.keys();
  if (partials.size >= partialsMax && oldest !== undefined) partials.delete(oldest);
  partials.set(keyOf(id), partial);
  const missing = missingOf(partial);
  const bitmap = bitmapOf(missing, partial.transactions.length);
  send(turn, { kind: "wanted", wanted: { block: id, bitmap } }, partial.from);
}

function missingOf({ transactions }: Partial): number[] {
  const missing: number[] = [];
  for (const [i, bytes] of transactions.entries()) if (bytes === undefined) missing.push(i);
  return missing;
}

/** Once for a peer and block: who needs more asks for the whole by its status. */
export function answerWanted(turn: Turn, from: PeerId, { block, bitmap }: Wanted): void {
  const { round: machine, compacts } = turn.state;
  const name = keyOf(block);
  const candidate = machine.candidates.get(name);
  if (candidate === undefined || compacts.given.has(`${name}/${from}`)) return;
  const { transactions } = candidate.block;
  const wanted = seatsOf(bitmap, transactions.length);
  if (isRejected(wanted)) {
    blame(turn, from, scoreMax, wanted.message);
    return;
  }
  compacts.given.add(`${name}/${from}`);
  const parts = wanted.map((i) => must(transactions[i], "wanted transaction"));
  send(turn, { kind: "parts", parts: { block, transactions: parts } }, from);
}

/** The proposal that these transactions complete. Whoever was not asked is not heard. */
export function receiveParts(turn: Turn, from: PeerId, parts: Parts): Complete | undefined {
  const { partials } = turn.state.compacts;
  const name = keyOf(parts.block);
  const partial = partials.get(name);
  if (partial === undefined || partial.from !== from) return undefined;
  partials.delete(name);
  const missing = missingOf(partial);
  const isAnswer =
    parts.transactions.length === missing.length &&
    missing.every((at, i) => {
      const bytes = parts.transactions[i];
      const hash = partial.hashes[at];
      return bytes !== undefined && hash !== undefined && equal(transactionBytesHash(bytes), hash);
    });
  if (!isAnswer) {
    blame(turn, from, scoreMax, "transactions that are not those of its proposal");
    return undefined;
  }
  for (const [i, at] of missing.entries()) partial.transactions[at] = parts.transactions[i];
  return completed(turn, partial);
}
