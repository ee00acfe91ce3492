// What the RPC reads of a node: answers are consistent with one newest block, because they are made between two
// events of the node's loop.
import type { Rejected } from "@causeway/primitives";
import { rejected } from "@causeway/primitives";
import type { ParamsOf, ResultOf } from "../client/api.ts";
import type { Duty } from "../client/beacon-api.ts";
import type { StakeApi } from "../client/stake-api.ts";
import type { Movement, TransactionState } from "../client/types.ts";
import type { Output, OutputId } from "../codec/action.ts";
import type { Genesis } from "../ledger/genesis.ts";
import type { RecordProof } from "../ledger/tree.ts";
import type { FinalBlock, Topic } from "../node/machine.ts";

/** The newest final block. */
export type Tip = {
  readonly height: number;
  readonly id: Uint8Array;
  /** Ledger time, ms. */
  readonly time: number;
};

export type Overview = Tip & {
  /** Own seat in the committee, if it votes. */
  readonly seat: number | undefined;
  readonly peers: number;
  /** A peer claims more final blocks than are here. */
  readonly syncing: boolean;
  /** All that claim more have pruned the next block: this node goes on by a snapshot only. */
  readonly cutOff: boolean;
};

export type Proved = {
  readonly finality: ResultOf<"finality">;
  readonly records: readonly {
    readonly key: Uint8Array;
    readonly value: Uint8Array | undefined;
    readonly proof: RecordProof;
  }[];
};

/** Without bytes a final one's block was pruned. */
export type Found = {
  readonly status: TransactionState;
  readonly by?: Uint8Array;
  readonly height?: number;
  readonly position?: number;
  readonly bytes?: Uint8Array;
};

export const noIndex: Rejected<"no-index"> = rejected(
  "no-index",
  "this node keeps no index: set CAUSEWAY_INDEX=true on a node that serves wallets",
);

export type Pruned = Rejected<"pruned">;
/** `lowest`: the first height whose block is here. */
export function pruned(height: number, lowest: number): Pruned {
  const sentence = `block ${height} is not kept here, only those from ${lowest} on: ask a node with CAUSEWAY_ARCHIVE=true`;
  return rejected("pruned", sentence);
}

export type UtxoPage = {
  readonly utxos: readonly { readonly id: OutputId; readonly output: Output }[];
  readonly next: Uint8Array | undefined;
};

/** The methods of stake, as the table has them. */
export type StakeReader = {
  readonly [N in keyof StakeApi]: (params: ParamsOf<N>) => Promise<ResultOf<N> | Rejected>;
};

export type RpcNode = {
  readonly staking: StakeReader;
  readonly genesis: Genesis;
  readonly genesisFiles: { readonly body: Uint8Array; readonly proofs: Uint8Array };
  readonly overview: () => Promise<Overview>;
  /** Newest by default; undefined above it. Ends of epochs are never pruned. */
  readonly finality: (height?: number) => Promise<ResultOf<"finality"> | Pruned | undefined>;
  readonly ends: (from: number) => Promise<readonly ResultOf<"finality">[]>;
  /** Undefined above the newest. */
  readonly block: (height: number) => Promise<FinalBlock | Pruned | undefined>;
  readonly submit: (
    topic: Topic,
    bytes: Uint8Array,
  ) => Promise<{ readonly id: Uint8Array } | Rejected>;
  readonly transaction: (id: Uint8Array) => Promise<Found>;
  /** State after the parent of the newest block; undefined at height 0. */
  readonly prove: (keys: readonly Uint8Array[]) => Promise<Proved | undefined>;
  readonly records: (keys: readonly Uint8Array[]) => Promise<{
    readonly height: number;
    readonly values: readonly (Uint8Array | undefined)[];
  }>;
  /** These three are refused with `no-index` by a node that keeps none. */
  readonly utxos: (
    lock: Uint8Array,
    asset: Uint8Array | undefined,
    after: Uint8Array | undefined,
    limit: number,
  ) => Promise<UtxoPage | Rejected>;
  readonly balances: (
    lock: Uint8Array,
    after: Uint8Array | undefined,
    limit: number,
  ) => Promise<ResultOf<"balances"> | Rejected>;
  readonly history: (
    lock: Uint8Array,
    asset: Uint8Array | undefined,
    before: Uint8Array | undefined,
    limit: number,
  ) => Promise<
    { readonly movements: Movement[]; readonly next: Uint8Array | undefined } | Rejected
  >;
  readonly supply: () => Promise<ResultOf<"supply">>;
  readonly fees: () => Promise<ResultOf<"fees">>;
  readonly asset: (id: Uint8Array) => Promise<ResultOf<"asset"> | undefined>;
  readonly assets: () => Promise<ResultOf<"assets">>;
  readonly parameters: () => Promise<ResultOf<"parameters">>;
  readonly mempool: (after: number | undefined, limit: number) => Promise<ResultOf<"mempool">>;
  readonly sequence: (validator: Uint8Array, role: number) => Promise<number>;
  /** evidenceCodec bytes of what the ledger would convict a validator of. */
  readonly evidence: () => Promise<readonly Uint8Array[]>;
  readonly beacon: () => Promise<ResultOf<"beacon">>;
  /** None without a consensus key. */
  readonly duties: () => Promise<readonly Duty[]>;
  /** Undefined where the epoch has no output (BCN-4), or none yet. */
  readonly randomness: (
    epoch: number,
    domain: string,
    context: Uint8Array | undefined,
  ) => Promise<ResultOf<"randomness"> | undefined>;
  /** Undefined where the term has not begun. */
  readonly ring: (term: number | undefined) => Promise<ResultOf<"ring"> | undefined>;
  readonly ringKeys: () => Promise<ResultOf<"ringKeys">>;
  readonly requests: (
    after: number,
    limit: number,
  ) => Promise<{ readonly requests: readonly Uint8Array[]; readonly next: number }>;
  /** The newest height once it is at least `height`, at the time-out, or when the caller went away. */
  readonly wait: (height: number, timeoutMs: number, signal: AbortSignal) => Promise<number>;
};
