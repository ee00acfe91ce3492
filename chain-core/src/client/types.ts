// What goes in and out of each RPC method, as types. Bytes are hex on the wire, bigints decimal strings; a field that
// may be undefined may be absent.

import type { Economy } from "../ledger/economy.ts";

export type Nothing = Record<never, never>;

export type StatusResult = {
  networkId: Uint8Array;
  name: string;
  /** Newest final height, its block's id and ledger time in ms. */
  height: number;
  block: Uint8Array;
  time: number;
  /** Seat in the committee, if it votes. */
  validator: number | undefined;
  peers: number;
  syncing: boolean;
  health: string;
};

/** In their codecs' bytes. `committee`: of the header's next committee, while the node knows it. */
export type FinalityResult = {
  header: Uint8Array;
  certificate: Uint8Array;
  committee: Uint8Array | undefined;
};
/** From one height on, ascending; a next page goes on after the last. */
export type EndsResult = { ends: readonly FinalityResult[] };
export type BlockResult = {
  header: Uint8Array;
  certificate: Uint8Array;
  transactions: readonly Uint8Array[];
};
export type ProvedRecordResult = {
  key: Uint8Array;
  value: Uint8Array | undefined;
  proof: Uint8Array;
};
export type ProveResult = FinalityResult & { records: readonly ProvedRecordResult[] };
export type RecordsResult = { height: number; values: readonly (Uint8Array | undefined)[] };

export type IdResult = { id: Uint8Array };
/** `id` when the mempool took it, else `code` and `message`. */
export type SubmittedResult = {
  id: Uint8Array | undefined;
  code: string | undefined;
  message: string | undefined;
};
/**
 * "unknown" or why it waits no more, as far as this node saw and still knows: "replaced" (outbid), "evicted" (a full
 * mempool kept those that pay more), "expired", "conflict" (a final one used up the same), "invalid" (the state changed).
 * Only "final" is for ever: whoever has the bytes can hand them in again.
 */
export const transactionStates = [
  "pending",
  "final",
  "replaced",
  "evicted",
  "expired",
  "conflict",
  "invalid",
  "unknown",
] as const;
export type TransactionState = (typeof transactionStates)[number];

export type TransactionResult = {
  id: Uint8Array;
  status: TransactionState;
  /** Of "replaced" and "conflict": the transaction in whose favour. */
  by: Uint8Array | undefined;
  height: number | undefined;
  position: number | undefined;
  /** Absent too where the node pruned its block. */
  bytes: Uint8Array | undefined;
};

export type UtxosParams = {
  lock: Uint8Array;
  asset: Uint8Array | undefined;
  after: Uint8Array | undefined;
  limit: number | undefined;
};
export type UtxoEntry = { txid: Uint8Array; index: number; asset: Uint8Array; amount: bigint };
export type UtxosResult = { utxos: readonly UtxoEntry[]; next: Uint8Array | undefined };

export type BalancesParams = {
  lock: Uint8Array;
  after: Uint8Array | undefined;
  limit: number | undefined;
};
export type BalanceEntry = { asset: Uint8Array; amount: bigint; outputs: number };
export type BalancesResult = { balances: readonly BalanceEntry[]; next: Uint8Array | undefined };

/** Of one lock and asset in one transaction; without `position` the ledger itself did it at the block's end. */
export type Movement = {
  readonly lock: Uint8Array;
  readonly asset: Uint8Array;
  readonly height: number;
  readonly position: number | undefined;
  readonly txid: Uint8Array;
  readonly received: bigint;
  readonly spent: bigint;
};
export type HistoryParams = {
  lock: Uint8Array;
  asset: Uint8Array | undefined;
  before: Uint8Array | undefined;
  limit: number | undefined;
};
export type HistoryResult = {
  movements: readonly Movement[];
  next: Uint8Array | undefined;
};

export type MemberEntry = {
  validator: Uint8Array;
  power: bigint;
  consensusKey: Uint8Array;
  attestKey: Uint8Array;
};
export type PageParams = { after: number | undefined; limit: number | undefined };
export type WaitingEntry = { id: Uint8Array; order: number; size: number; isEnvelope: boolean };
export type MempoolResult = {
  count: number;
  /** Bytes. */
  size: number;
  transactions: readonly WaitingEntry[];
  next: number | undefined;
};
/** BTM in units of 10^-8; unspent outputs of it add up to `issued` less all the others. */
export type SupplyResult = Economy & { height: number };
export type RequestsResult = { requests: readonly Uint8Array[]; next: number };
/** Tips per 1,000 of weight that a tenth, a half and nine tenths of `count` payments do not exceed, at the next base fee. */
export type TipsEntry = { count: number; p10: bigint; p50: bigint; p90: bigint };
/**
 * BTM units per 1,000 of weight. `feeRate`, the tip included, is enough while blocks are not full; when they are, those
 * that wait say what it takes.
 * `recent`: of payments in the newest 20 blocks that this node had in its mempool; `waiting`: of those in it now.
 */
export type FeesResult = {
  baseFee: bigint;
  feeRate: bigint;
  tip: bigint;
  recent: TipsEntry;
  waiting: TipsEntry;
};
/** Symbol and name as the issuer wrote them (ASCII); totals over all time. */
export type AssetResult = {
  asset: Uint8Array;
  symbol: string;
  name: string;
  decimals: number;
  issuer: Uint8Array;
  /** Most units in circulation; 0: no bound. */
  cap: bigint;
  issued: bigint;
  retired: bigint;
};
/** A wrapped asset: `chain` and `token` of its origin (token zero: the chain's own coin), and where it is wrapped. */
export type RegistryEntry = {
  asset: Uint8Array;
  symbol: string;
  decimals: number;
  chain: Uint8Array;
  token: Uint8Array;
  exports: readonly { chain: Uint8Array; token: Uint8Array }[];
  /** `units` of it were worth `btm` units of BTM when it entered the registry; `btm` 0: it had no price. */
  price: { btm: bigint; units: bigint };
};
export type AssetsResult = { height: number; assets: readonly RegistryEntry[] };
export type ParametersResult = {
  height: number;
  parameters: readonly { name: string; value: bigint }[];
};
