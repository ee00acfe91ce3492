// The mempool's question: would this transaction be valid in the next block?
import type { Bytes32, Rejected } from "@causeway/primitives";
import { isRejected } from "@causeway/primitives";
import { kinds, spendCodec } from "../codec/action.ts";
import type { Envelope, Transaction } from "../codec/transaction.ts";
import { transactionCodec, transactionId } from "../codec/transaction.ts";
import { blockContext } from "./context.ts";
import type { LedgerEnv } from "./env.ts";
import { executeTransaction } from "./execute.ts";
import { overlay } from "./overlay.ts";
import type { StateReader } from "./state.ts";
import { outputs } from "./utxo/outputs.ts";
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
  const state = overlay(reader);
  const context = blockContext(env, state, at);
  for (const parent of parents) {
    const done = executeTransaction(env, context, parent);
    if (isRejected(done)) return done;
  }
  const executed = executeTransaction(env, { ...context, state: overlay(state) }, bytes);
  if (isRejected(executed)) return executed;
  const { id, tx, weight, fee } = executed;
  const owner = ownerOf(state, tx);
  return { id, tx, weight, fee, ...(owner && { owner }) };
}

/** Who signed an envelope, whatever else is wrong with it (CON-7: it costs quota); undefined: nobody registered. */
export function envelopeSender(
  env: LedgerEnv,
  reader: StateReader,
  bytes: Uint8Array,
): (Envelope & { readonly id: Bytes32 }) | undefined {
  const tx = transactionCodec.parse(bytes);
  if (isRejected(tx)) return undefined;
  const [envelope] = tx.envelope;
  if (envelope === undefined) return undefined;
  const id = transactionId(env.genesis.networkId, tx);
  return checkEnvelope(env, reader, tx, id, envelope) ? undefined : { ...envelope, id };
}

function ownerOf(state: StateReader, tx: Transaction): Uint8Array | undefined {
  const [first] = tx.actions;
  if (tx.envelope.length > 0 || first?.kind !== kinds.spend) return undefined;
  const [input] = spendCodec.decode(first.body).inputs;
  return input && outputs.get(state, input)?.lock;
}
