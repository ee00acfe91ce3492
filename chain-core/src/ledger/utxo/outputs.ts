// Unspent outputs. They are no part of the provable state; the index by owner is the RPC's own.
import { amountMax, assert, bigEndian, concat } from "@causeway/primitives";
import type { Output, OutputId } from "../../codec/action.ts";
import { outputCodec } from "../../codec/action.ts";
import type { State, Table } from "../state.ts";
import { modules, table } from "../state.ts";

/** By txid || index: every output that nothing has spent. */
export const outputs: Table<OutputId, Output> = table(
  modules.utxo,
  1,
  ({ txid, index }) => concat(txid, bigEndian(index, 4)),
  outputCodec,
);

/**
 * Makes an output. `id.txid` is the transaction's id, or a tagged hash that names the cause (an event, a
 * refund), never used before; `amount` in 1 .. 2^128 - 1. `isNew` where the hash itself shows that: nobody looks
 * for an old record then.
 */
export function addOutput(state: State, id: OutputId, output: Output, isNew = false): void {
  assert(output.amount > 0n && output.amount <= amountMax, `output of ${output.amount}`);
  outputs.put(state, id, output, isNew);
}
