// What the gateway needs of the world. Adapters bind the operator's own node, tests bind records in memory.
import type { NodeClient } from "@causeway/chain-core/client";

/** The operator's own node. Every method throws Failure when the node is away. */
export type Ledger = Pick<
  NodeClient,
  | "status"
  | "waitForHeight"
  | "records"
  | "submit"
  | "request"
  | "requests"
  | "evidence"
  | "duties"
  | "transaction"
>;

/** Whether a part of the operator works, since when (ms), and what it says. */
export type PartHealth = { readonly ok: boolean; readonly since: number; readonly message: string };
