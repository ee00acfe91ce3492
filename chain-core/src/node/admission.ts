// Transactions and deposit requests on their way in, from the own RPC, by gossip or from a peer.
import type { Rejected } from "@causeway/primitives";
import { isRejected, keyOf, rejected } from "@causeway/primitives";
import type { Envelope } from "../codec/transaction.ts";
import { transactionCodec } from "../codec/transaction.ts";
import * as mempool from "../mempool/pool.ts";
import { charge, isExhausted } from "../mempool/quota.ts";
import * as deposits from "../mempool/requests.ts";
import type { PeerId } from "./event.ts";
import { batchMax, batchSizeMax, transactionsCodec } from "./message.ts";
import type { BlockTime, Checked } from "./port.ts";
import type { State, Turn } from "./state.ts";
import { blame, order, readerOf, scoreMax } from "./state.ts";

/**
 * Own transactions leave together when they come within this time, ms; the first after a pause at once. A message costs
 * each of many peers as much as checking several transactions; an own proposal brings what has not left yet.
 */
const flushMs = 100;

type Accepted = { readonly id: Uint8Array };

/** Into the mempool, when the ledger would take it now. Submitting again what waits is a success. */
export function admitTransaction(turn: Turn, bytes: Uint8Array, own: boolean): Accepted | Rejected {
  const { state, at } = turn;
  const { pool, tip } = state;
  const known = mempool.find(pool, bytes);
  if (known === "refused" && !own) return rejected("refused", "refused at this height already");
  if (known !== undefined && known !== "refused") return { id: known.id };
  if (!own && isCutOff(state, bytes))
    return rejected("quota-exhausted", "the sender's refused envelopes used its quota up");
  const next = { height: tip.height + 1, time: Math.max(at, tip.time + 1) };
  const checked = check(turn, next, bytes);
  const entry = isRejected(checked) ? checked : mempool.add(pool, checked, bytes, own, at);
  if (isRejected(entry)) {
    mempool.refuse(pool, bytes);
    if (!own && isRejected(checked)) chargeSender(turn, bytes);
    return entry;
  }
  if (own) state.outbox.push(bytes);
  return { id: entry.id };
}

/** Whether nothing of the envelope's sender is looked at any more in this epoch (CON-7). */
function isCutOff({ charges, frame }: State, bytes: Uint8Array): boolean {
  if (charges.spent.size === 0) return false;
  const tx = transactionCodec.parse(bytes);
  const envelope = isRejected(tx) ? undefined : tx.envelope[0];
  if (envelope === undefined) return false;
  return isExhausted(charges, frame.epoch, keyOfSender(envelope), frame.params.envelopeQuota);
}

/** Once for each envelope: it is remembered longer than the pool remembers what it refused. */
function chargeSender(turn: Turn, bytes: Uint8Array): void {
  const { charges, frame, context } = turn.state;
  const refused = context.ledger.refused?.(readerOf(turn.state), bytes);
  if (refused === undefined) return;
  const { id, weight } = refused;
  charge(charges, frame.epoch, { sender: keyOfSender(refused), id: keyOf(id), weight });
}

const keyOfSender = ({ validator, role }: Pick<Envelope, "validator" | "role">): string =>
  `${keyOf(validator)}/${role}`;

/** By the ledger, on top of what waits when it spends outputs of that. */
function check({ state }: Turn, next: BlockTime, bytes: Uint8Array): Checked | Rejected {
  const { pool, context } = state;
  const checked = context.ledger.check(readerOf(state), next, bytes);
  if (!isRejected(checked) || checked.code !== "missing-output") return checked;
  const tx = transactionCodec.parse(bytes);
  const parents = isRejected(tx) ? tx : mempool.parentsOf(pool, tx);
  if (isRejected(parents)) return parents;
  return parents.length === 0
    ? checked
    : context.ledger.check(readerOf(state), next, bytes, parents);
}

/** When the outbox wants to leave; undefined while it is empty. */
export function flushAt({ state, at }: Turn): number | undefined {
  if (state.outbox.length === 0) return undefined;
  if (state.outbox.length >= batchMax) return at;
  return Math.max(at, state.flushedAt + flushMs);
}

/** The own new transactions, in batches. */
export function flush(turn: Turn): void {
  const { state, at } = turn;
  let batch: Uint8Array[] = [];
  let size = 16;
  const leave = (): void => {
    if (batch.length > 0)
      order(turn, {
        kind: "gossip",
        topic: "transactions",
        bytes: transactionsCodec.encode({ transactions: batch }),
      });
    batch = [];
    size = 16;
  };
  for (const bytes of state.outbox) {
    if (size + bytes.length + 4 > batchSizeMax || batch.length === batchMax) leave();
    batch.push(bytes);
    size += bytes.length + 4;
  }
  leave();
  state.outbox = [];
  state.flushedAt = at;
}

/** Among the remembered deposit requests; gossiped when it is this node's own (`from` no peer) and new. */
export function admitRequest(turn: Turn, bytes: Uint8Array, from?: PeerId): Accepted | Rejected {
  const { state } = turn;
  const { chain } = state.context.genesis.bitcoin;
  const added = deposits.add(state.requests, bytes, {
    time: state.tip.time,
    ttlMs: state.frame.params.requestTtlMs,
    chain,
    ...(from !== undefined && { origin: from }),
  });
  if (isRejected(added)) {
    if (from !== undefined && added.code === "bad-request")
      blame(turn, from, scoreMax, added.message);
    return added;
  }
  if (from === undefined && added.isNew) order(turn, { kind: "gossip", topic: "requests", bytes });
  return { id: added.id };
}
