// The mempool's question: would this transaction be valid in the next block?
import type { Bytes32, Rejected } from "@causeway/primitives";
import { isRejected } from "@causeway/primitives";
import type { Envelope, Transaction } from "../codec/transaction.ts";
import { transactionCodec, transactionId } from "../codec/transaction.ts";
import { blockContext } from "./context.ts";
import type { LedgerEnv } from "./env.ts";
import { attemptTransaction, executeTransaction } from "./execute.ts";
import { weightOf } from "./fees/weight.ts";
import { overlay } from "./overlay.ts";
import type { StateReader } from "./state.ts";
import { checkEnvelope } from "./witness.ts";

/** `weight` in bytes; `fee` in BTM units, 0 for an envelope; `owner`: lock of the first spent output, if any. */
export type Checked = {
  readonly id: Bytes32;
  readonly tx: Transaction;
  readonly weight: number;
  readonly fee: bigint;
  readonly owner?: Uint8Array;
};

/**
 * `at` are height and time (ms) that the next block is expected to have. `parents` are transactions still waiting
 * whose outputs `bytes` may spend, each after its own; one that is not valid itself is the answer.
 */
export function checkTransaction(
  env: LedgerEnv,
  reader: StateReader,
  at: { readonly height: number; readonly time: number },
  bytes: Uint8Array,
  parents: readonly Uint8Array[] = [],
): Checked | Rejected {
  const context = blockContext(env, overlay(reader), at);
  for (const parent of parents) {
    const done = executeTransaction(env, context, parent);
    if (isRejected(done)) return done;
  }
  return attemptTransaction(env, context, bytes);
}

/**
 * Who signed a refused envelope, whatever else is wrong with it, and what that costs them (CON-7); undefined: nobody
 * who is registered for the role.
 */
export function refusedEnvelope(
  env: LedgerEnv,
  reader: StateReader,
  bytes: Uint8Array,
): RefusedEnvelope | undefined {
  const tx = transactionCodec.parse(bytes);
  if (isRejected(tx)) return undefined;
  const [envelope] = tx.envelope;
  if (envelope === undefined) return undefined;
  const id = transactionId(env.genesis.networkId, tx);
  if (checkEnvelope(env, reader, { tx, id, bytes }, envelope)) return undefined;
  const weight = weightOf({ size: bytes.length, signatures: 1, inputs: 0, outputs: 0, growth: 0 });
  return { ...envelope, id, weight };
}

export type RefusedEnvelope = Envelope & { readonly id: Bytes32; readonly weight: number };
