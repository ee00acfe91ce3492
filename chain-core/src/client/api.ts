// The node's JSON-RPC as data (SEAMS): every method with its parameters and its result. Server, client and OpenRPC
// document are made from this table.
import { committeeCodec } from "../codec/block.ts";
import { evidenceCodec } from "../codec/evidence.ts";
import { depositRequestCodec } from "../interchain/statement.ts";
import type { BeaconApi } from "./beacon-api.ts";
import { beaconApi } from "./beacon-api.ts";
import type { RingApi } from "./ring-api.ts";
import { ringApi } from "./ring-api.ts";
import type { MethodShape, Of, Shape } from "./shape.ts";
import {
  amount,
  anything,
  bytesOf,
  bytesUpTo,
  choice,
  flag,
  listOf,
  maybe,
  method,
  orNull,
  record,
  whole,
  words,
} from "./shape.ts";
import type { StakeApi } from "./stake-api.ts";
import { stakeApi } from "./stake-api.ts";
import { movementFields } from "./topics.ts";
import type {
  AssetResult,
  AssetsResult,
  BalancesParams,
  BalancesResult,
  BlockResult,
  EndsResult,
  FeesResult,
  FinalityResult,
  HistoryParams,
  HistoryResult,
  IdResult,
  MempoolResult,
  Movement,
  Nothing,
  PageParams,
  ParametersResult,
  ProveResult,
  RecordsResult,
  RegistryEntry,
  RequestsResult,
  StatusResult,
  SubmittedResult,
  SupplyResult,
  TipsEntry,
  TransactionResult,
  UtxosParams,
  UtxosResult,
} from "./types.ts";
import { transactionStates } from "./types.ts";
import {
  batchMax,
  blockSizeMax,
  endsMax,
  heightMax,
  keySizeMax,
  keysMax,
  pageMax,
  replySizeMax,
  transactionSizeMax,
  waitMsMax,
} from "./wire.ts";

const b32 = bytesOf(32);
const height = whole(0, heightMax);
const limit = maybe(whole(1, pageMax));
const nothing: Shape<Nothing> = record<Nothing>({});
const keys = listOf(bytesUpTo(keySizeMax), keysMax, 1);
const anyBytes = bytesUpTo(replySizeMax);

const finalityFields = {
  header: bytesUpTo(1_024),
  certificate: bytesUpTo(1_024),
  committee: maybe(bytesUpTo(committeeCodec.sizeMax)),
};
const tips: Shape<TipsEntry> = record<TipsEntry>(
  { count: whole(0), p10: amount, p50: amount, p90: amount },
  true,
);
const place = record({ chain: b32, token: bytesOf(20) }, true);
const registryAsset: Shape<RegistryEntry> = record<RegistryEntry>(
  {
    asset: b32,
    symbol: words(32),
    decimals: whole(0, 255),
    chain: b32,
    token: bytesOf(20),
    exports: listOf(place, 16),
    price: record({ btm: amount, units: amount }, true),
  },
  true,
);

export type Api = BeaconApi &
  RingApi &
  StakeApi & {
    readonly "rpc.discover": MethodShape<Nothing, unknown>;
    readonly status: MethodShape<Nothing, StatusResult>;
    readonly genesis: MethodShape<Nothing, { body: Uint8Array; proofs: Uint8Array }>;
    readonly finality: MethodShape<{ height: number | undefined }, FinalityResult>;
    readonly ends: MethodShape<{ from: number }, EndsResult>;
    readonly block: MethodShape<{ height: number }, BlockResult>;
    readonly submit: MethodShape<{ transaction: Uint8Array }, IdResult>;
    readonly submitMany: MethodShape<
      { transactions: readonly Uint8Array[] },
      { results: readonly SubmittedResult[] }
    >;
    readonly transaction: MethodShape<IdResult, TransactionResult>;
    readonly prove: MethodShape<{ keys: readonly Uint8Array[] }, ProveResult>;
    readonly records: MethodShape<{ keys: readonly Uint8Array[] }, RecordsResult>;
    readonly utxos: MethodShape<UtxosParams, UtxosResult>;
    readonly balances: MethodShape<BalancesParams, BalancesResult>;
    readonly history: MethodShape<HistoryParams, HistoryResult>;
    readonly sequence: MethodShape<{ validator: Uint8Array; role: number }, { next: number }>;
    readonly mempool: MethodShape<PageParams, MempoolResult>;
    readonly supply: MethodShape<Nothing, SupplyResult>;
    readonly fees: MethodShape<Nothing, FeesResult>;
    readonly asset: MethodShape<{ asset: Uint8Array }, AssetResult>;
    readonly assets: MethodShape<Nothing, AssetsResult>;
    readonly parameters: MethodShape<Nothing, ParametersResult>;
    readonly request: MethodShape<{ request: Uint8Array }, { accepted: boolean }>;
    readonly requests: MethodShape<PageParams, RequestsResult>;
    readonly evidence: MethodShape<Nothing, { evidence: readonly Uint8Array[] }>;
    readonly wait: MethodShape<{ height: number; timeoutMs: number }, { height: number }>;
  };
export type MethodName = keyof Api;
export type ParamsOf<N extends MethodName> = Of<Api[N]["params"]>;
export type ResultOf<N extends MethodName> = Of<Api[N]["result"]>;

export const api: Api = {
  ...beaconApi,
  ...ringApi,
  ...stakeApi,
  "rpc.discover": method("This document (OpenRPC).", nothing, anything),
  status: method(
    "Where the node is and how it is.",
    nothing,
    record(
      {
        networkId: b32,
        name: words(1_000),
        height,
        block: b32,
        time: height,
        validator: orNull(whole(0)),
        peers: whole(0),
        syncing: flag,
        health: words(1_000),
      },
      true,
    ),
  ),
  genesis: method(
    "The two genesis files.",
    nothing,
    record({ body: anyBytes, proofs: anyBytes }, true),
  ),
  finality: method(
    "A final header, newest by default, with what makes it final.",
    record({ height: maybe(height) }),
    record(finalityFields, true),
  ),
  ends: method(
    "The last headers of epochs from a height on, which a light client follows to the newest committee (CON-6).",
    record({ from: height }),
    record({ ends: listOf(record(finalityFields, true), endsMax) }, true),
  ),
  block: method(
    'A final block; the error "pruned" where the node does not keep it any more.',
    record({ height }),
    record(
      {
        header: bytesUpTo(1_024),
        certificate: bytesUpTo(1_024),
        transactions: listOf(bytesUpTo(transactionSizeMax), blockSizeMax),
      },
      true,
    ),
  ),
  submit: method(
    "Gives a transaction to the mempool.",
    record({ transaction: bytesUpTo(transactionSizeMax) }),
    record({ id: b32 }, true),
  ),
  submitMany: method(
    "Gives several to the mempool; each has an answer of its own, in order.",
    record({ transactions: listOf(bytesUpTo(transactionSizeMax), batchMax, 1) }),
    record(
      {
        results: listOf(
          record<SubmittedResult>(
            { id: maybe(b32), code: maybe(words(100)), message: maybe(words(2_000)) },
            true,
          ),
          batchMax,
        ),
      },
      true,
    ),
  ),
  transaction: method(
    "Whether a transaction waits or is final, or why it does not wait any more.",
    record({ id: b32 }),
    record(
      {
        id: b32,
        status: choice(transactionStates),
        by: maybe(b32),
        height: maybe(height),
        position: maybe(whole(0)),
        bytes: maybe(bytesUpTo(transactionSizeMax)),
      },
      true,
    ),
  ),
  prove: method(
    "Records after height - 1 with their proofs against the newest header.",
    record({ keys }),
    record(
      {
        ...finalityFields,
        records: listOf(
          record({ key: anyBytes, value: orNull(anyBytes), proof: anyBytes }, true),
          keysMax,
        ),
      },
      true,
    ),
  ),
  records: method(
    "Newest records without proof, in the order of the keys.",
    record({ keys }),
    record({ height, values: listOf(orNull(anyBytes), keysMax) }, true),
  ),
  utxos: method(
    "Unspent outputs of a lock, of one asset or of all.",
    record({ lock: b32, asset: maybe(b32), after: maybe(bytesUpTo(68)), limit }),
    record(
      {
        utxos: listOf(
          record({ txid: b32, index: whole(0, 2 ** 32 - 1), asset: b32, amount }, true),
          pageMax,
        ),
        next: maybe(bytesUpTo(68)),
      },
      true,
    ),
  ),
  balances: method(
    "What a lock holds, by asset.",
    record({ lock: b32, after: maybe(b32), limit }),
    record(
      {
        balances: listOf(record({ asset: b32, amount, outputs: whole(0) }, true), pageMax),
        next: maybe(b32),
      },
      true,
    ),
  ),
  history: method(
    "What moved to and from a lock, of one asset or of all, newest first.",
    record({ lock: b32, asset: maybe(b32), before: maybe(bytesUpTo(80)), limit }),
    record(
      {
        movements: listOf(record<Movement>(movementFields, true), pageMax),
        next: maybe(bytesUpTo(80)),
      },
      true,
    ),
  ),
  sequence: method(
    "The next number of an operator's envelopes.",
    record({ validator: b32, role: whole(0, 255) }),
    record({ next: height }, true),
  ),
  mempool: method(
    "What waits for a block, in order of arrival.",
    record({ after: maybe(height), limit }),
    record(
      {
        count: whole(0),
        size: whole(0),
        transactions: listOf(
          record({ id: b32, order: height, size: whole(0), isEnvelope: flag }, true),
          pageMax,
        ),
        next: maybe(height),
      },
      true,
    ),
  ),
  supply: method(
    "BTM issued so far, and what of it is not in outputs: burnt, staked, unbonding, rewards not claimed, the foundation's not vested, an older chain's not brought.",
    nothing,
    record(
      {
        height,
        issued: amount,
        burnt: amount,
        staked: amount,
        unbonding: amount,
        rewards: amount,
        foundation: amount,
        unclaimed: amount,
        restitution: amount,
      },
      true,
    ),
  ),
  fees: method(
    "What a transaction should offer, and what others offer, in BTM units per 1,000 of weight.",
    nothing,
    record({ baseFee: amount, feeRate: amount, tip: amount, recent: tips, waiting: tips }, true),
  ),
  asset: method(
    "An asset that somebody issued on this ledger.",
    record({ asset: b32 }),
    record(
      {
        asset: b32,
        symbol: words(32),
        name: words(200),
        decimals: whole(0, 255),
        issuer: b32,
        cap: amount,
        issued: amount,
        retired: amount,
      },
      true,
    ),
  ),
  assets: method(
    "The registry: wrapped assets of the genesis, and those that the committee added since.",
    nothing,
    record({ height, assets: listOf(registryAsset, 256) }, true),
  ),
  parameters: method(
    "The parameters in force.",
    nothing,
    record(
      { height, parameters: listOf(record({ name: words(64), value: amount }, true), 256) },
      true,
    ),
  ),
  request: method(
    "Announces the terms of a deposit to all relays.",
    record({ request: bytesUpTo(depositRequestCodec.sizeMax) }),
    record({ accepted: flag }, true),
  ),
  requests: method(
    "Deposit requests that were announced, oldest first.",
    record({ after: maybe(height), limit }),
    record({ requests: listOf(bytesUpTo(4_096), pageMax), next: height }, true),
  ),
  evidence: method(
    "What the node can prove against validators that are not convicted yet.",
    nothing,
    record({ evidence: listOf(bytesUpTo(evidenceCodec.sizeMax), 150) }, true),
  ),
  wait: method(
    "The newest height as soon as it is reached, or at the time-out.",
    record({ height, timeoutMs: whole(0, waitMsMax) }),
    record({ height }, true),
  ),
};
