// The mempool's question: would this transaction be valid in the next block?
import type { Bytes32, Rejected } from "@causeway/primitives";
import { isRejected } from "@causeway/primitives";
import type { Transaction } from "../codec/transaction.ts";
import { blockContext } from "./context.ts";
import type { LedgerEnv } from "./env.ts";
import { executeTransaction } from "./execute.ts";
import { overlay } from "./overlay.ts";
import type { StateReader } from "./state.ts";

/** `weight` in bytes; `fee` in BTM units, 0 for an envelope. */
export type Checked = {
  readonly id: Bytes32;
  readonly tx: Transaction;
  readonly weight: number;
  readonly fee: bigint;
};

/**
 * `at` are height and time (ms) that the next block is expected to have. To accept a transaction that spends
 * outputs of one still waiting, hand in an overlay as reader.
 */
export function checkTransaction(
  env: LedgerEnv,
  reader: StateReader,
  at: { readonly height: number; readonly time: number },
  bytes: Uint8Array,
): Checked | Rejected {
  const executed = executeTransaction(env, blockContext(env, overlay(reader), at), bytes);
  if (isRejected(executed)) return executed;
  const { id, tx, weight, fee } = executed;
  return { id, tx, weight, fee };
}
