// Unspent outputs, and what became of the ledger's own coin. Outputs are no part of the provable state; the
// index by owner is the RPC's own.
import {
  amountMax,
  assert,
  bigEndian,
  ContainerType,
  codec,
  concat,
  u128,
} from "@causeway/primitives";
import type { Output, OutputId } from "../../codec/action.ts";
import { outputCodec } from "../../codec/action.ts";
import type { State, Table } from "../state.ts";
import { modules, single, table } from "../state.ts";

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

/** BTM in units of 10^-8. Unspent outputs of it add up to issued - bonded - burnt. */
export type Economy = { issued: bigint; bonded: bigint; burnt: bigint };
export const economy: Table<"only", Economy> = table(
  modules.system,
  1,
  single,
  codec("economy", new ContainerType({ issued: u128, bonded: u128, burnt: u128 }), 48),
);

/** ACC-2: takes a block's fees out of existence. */
export function burnFees(state: State, fees: bigint): void {
  if (fees === 0n) return;
  const before = economy.get(state, "only") ?? { issued: 0n, bonded: 0n, burnt: 0n };
  economy.put(state, "only", { ...before, burnt: before.burnt + fees });
}
