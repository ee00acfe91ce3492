// What the gateway needs of the world. Adapters bind the operator's own node and foreign nodes; the simulator
// binds simulated ones.
import type { Rejected } from "@causeway/primitives";

/** The operator's own node (docs/SEAMS.md, JSON-RPC). Every method throws Failure when the node is away. */
export type Ledger = {
  /** Newest final height and its ledger time in ms. */
  readonly status: () => Promise<{ readonly height: number; readonly time: number }>;
  /** Resolves with the newest final height, at `height` or later, or at the time-out. */
  readonly waitFor: (height: number, timeoutMs: number) => Promise<number>;
  /** Newest values, in the order of the keys; undefined for an absent record. */
  readonly records: (keys: readonly Uint8Array[]) => Promise<readonly (Uint8Array | undefined)[]>;
  /** Into the mempool; a refusal of the rules is a value. */
  readonly submit: (transaction: Uint8Array) => Promise<{ readonly id: Uint8Array } | Rejected>;
  /** Next sequence of (validator, role) (CON-7). */
  readonly sequence: (validator: Uint8Array, role: number) => Promise<number>;
  /** Gossips a deposit request (depositRequestCodec). */
  readonly request: (bytes: Uint8Array) => Promise<undefined | Rejected>;
  /** Requests after a cursor. */
  readonly requests: (after: number) => Promise<{ requests: readonly Uint8Array[]; next: number }>;
  /** Where a transaction of the ledger is. */
  readonly transaction: (
    id: Uint8Array,
  ) => Promise<{ readonly status: "pending" | "final" | "unknown"; readonly height?: number }>;
};

/** Whether a part of the operator works, since when (ms), and what it says. */
export type PartHealth = { readonly ok: boolean; readonly since: number; readonly message: string };
