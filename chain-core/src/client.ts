// A node's RPC as typed functions over a Transport (SEAMS, JSON-RPC of a node). What the rules refuse comes back
// as a Rejected with the rule's code; what fails on the way is thrown as a Failure.
import type { Bytes32, Rejected, Transport } from "@causeway/primitives";
import { bytes32, Failure, isRejected, RpcError, rejected } from "@causeway/primitives";
import type { MethodName, ParamsOf, ResultOf } from "./client/api.ts";
import { api } from "./client/api.ts";
import type { Duty } from "./client/beacon-api.ts";
import type { MethodShape } from "./client/shape.ts";
import type {
  BalanceEntry,
  BlockResult,
  FinalityResult,
  HistoryResult,
  ProvedRecordResult,
  ProveResult,
  StatusResult,
  SubmittedResult,
  TransactionResult,
} from "./client/types.ts";
import { keysMax, pageMax, read, replySizeMax, waitMsMax } from "./client/wire.ts";
import type { Output, OutputId } from "./codec/action.ts";
import type { Genesis } from "./ledger/genesis.ts";
import { governingKeys, inForceBy } from "./ledger/governance/in-force.ts";

export type * from "./client/beacon-api.ts";
export { fallbackTransport } from "./client/fallback.ts";
export { follow } from "./client/follow.ts";
export { readState } from "./client/read-state.ts";
export type * from "./client/stake-api.ts";
export type { Note, Topic } from "./client/topics.ts";
export type * from "./client/types.ts";
export { keysMax, waitMsMax } from "./client/wire.ts";
export * from "./wallet/index.ts";

export type NodeStatus = Readonly<StatusResult> & {
  readonly networkId: Bytes32;
  readonly block: Bytes32;
};
/** A final header in its codec's bytes, with what makes it final. */
export type Finality = Readonly<FinalityResult>;
/** An absent value claims absence; `proof` is recordProofCodec bytes. */
export type ProvedRecord = Readonly<ProvedRecordResult>;
export type FinalBlock = Readonly<BlockResult>;
export type TransactionStatus = Readonly<TransactionResult>;

/** An unspent output and how it is named. */
export type Utxo = { readonly id: OutputId; readonly output: Output };

export type HistoryPage = {
  readonly asset?: Uint8Array;
  /** `next` of the page before. */
  readonly before?: Uint8Array;
  readonly limit?: number;
};

export type NodeClient = {
  /** Any method of the table in client/api.ts. */
  readonly ask: Ask;
  readonly status: () => Promise<NodeStatus>;
  /** The two genesis files. */
  readonly genesis: () => Promise<{ readonly body: Uint8Array; readonly proofs: Uint8Array }>;
  /** Newest by default; undefined above the newest. */
  readonly finality: (height?: number) => Promise<Finality | undefined>;
  readonly block: (height: number) => Promise<FinalBlock | undefined>;
  readonly submit: (transaction: Uint8Array) => Promise<{ readonly id: Bytes32 } | Rejected>;
  /** An answer for each, in order; at most 1,000. */
  readonly submitMany: (transactions: readonly Uint8Array[]) => Promise<readonly SubmittedResult[]>;
  readonly transaction: (id: Uint8Array) => Promise<TransactionStatus>;
  /** At most 256 keys, against one newest header. Unchecked: see the door /light. */
  readonly prove: (keys: readonly Uint8Array[]) => Promise<Readonly<ProveResult>>;
  /** Newest values in the order of the keys (any number), without proof. */
  readonly records: (keys: readonly Uint8Array[]) => Promise<readonly (Uint8Array | undefined)[]>;
  /** Every unspent output of a lock, of one asset or of all. */
  readonly utxos: (lock: Uint8Array, asset?: Uint8Array) => Promise<Utxo[]>;
  /** What a lock holds, by asset. */
  readonly balances: (lock: Uint8Array) => Promise<BalanceEntry[]>;
  /** What moved to and from a lock, newest first. */
  readonly history: (lock: Uint8Array, page?: HistoryPage) => Promise<HistoryResult>;
  readonly sequence: (validator: Uint8Array, role: number) => Promise<number>;
  /** Gossips depositRequestCodec bytes. */
  readonly request: (bytes: Uint8Array) => Promise<undefined | Rejected>;
  /** evidenceCodec bytes against validators that are not convicted yet. */
  readonly evidence: () => Promise<readonly Uint8Array[]>;
  /** Actions that the node's own validator owes the beacon now. */
  readonly duties: () => Promise<readonly Duty[]>;
  readonly requests: (
    after?: number,
  ) => Promise<{ readonly requests: readonly Uint8Array[]; readonly next: number }>;
  /** The newest final height as soon as it is at least `height`, or at the time-out (at most 30 s). */
  readonly waitForHeight: (height: number, timeoutMs: number) => Promise<number>;
};

/** `call` reaches one node, or several through {@link fallbackTransport}. */
export function nodeClient(call: Transport): NodeClient {
  const ask = typedCalls(call);
  return {
    ask,
    status: async () => {
      const { networkId, block, ...rest } = await ask("status", {});
      return { ...rest, networkId: bytes32(networkId), block: bytes32(block) };
    },
    genesis: () => ask("genesis", {}),
    finality: (height) => orUndefined(ask("finality", { height })),
    block: (height) => orUndefined(ask("block", { height })),
    submit: async (transaction) => {
      const answer = await orRejected(ask("submit", { transaction }));
      return isRejected(answer) ? answer : { id: bytes32(answer.id) };
    },
    submitMany: async (transactions) => (await ask("submitMany", { transactions })).results,
    transaction: (id) => ask("transaction", { id }),
    prove: (keys) => ask("prove", { keys }),
    records: (keys) => allRecords(ask, keys),
    utxos: (lock, asset) => allUtxos(ask, lock, asset),
    balances: (lock) => allBalances(ask, lock),
    history: (lock, page = {}) => {
      const { asset, before, limit } = page;
      return ask("history", { lock, asset, before, limit });
    },
    sequence: async (validator, role) => (await ask("sequence", { validator, role })).next,
    request: async (request) => {
      const accepted = await orRejected(ask("request", { request }));
      return isRejected(accepted) ? accepted : undefined;
    },
    evidence: async () => (await ask("evidence", {})).evidence,
    duties: async () => (await ask("duties", {})).duties,
    requests: (after) => ask("requests", { after, limit: undefined }),
    waitForHeight: async (height, timeoutMs) => {
      const waitMs = Math.min(timeoutMs, waitMsMax);
      return (await ask("wait", { height, timeoutMs: waitMs }, waitMs + 5_000)).height;
    },
  };
}

/**
 * `genesis` with the parameters and assets in force, as the node says; nothing is proved. Throws Failure
 * "bad-response".
 */
export async function networkNow(
  client: Pick<NodeClient, "records">,
  genesis: Genesis,
): Promise<Genesis> {
  const values = await client.records(governingKeys);
  try {
    return inForceBy(values, genesis);
  } catch (cause) {
    throw new Failure("bad-response", "the node's parameters are none", { cause });
  }
}

/** One method of the table: parameters written and the answer read by its shapes. */
export type Ask = <N extends MethodName>(
  method: N,
  params: ParamsOf<N>,
  timeoutMs?: number,
) => Promise<ResultOf<N>>;

function typedCalls(call: Transport): Ask {
  return async (method, params, timeoutMs) => {
    const { params: given, result } = api[method] as unknown as MethodShape<
      typeof params,
      ResultOf<typeof method>
    >;
    const options = { sizeMax: replySizeMax, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    const answer = read(result.read, await call(method, given.write(params), options));
    if (isRejected(answer))
      throw new Failure("bad-response", `the node's answer to ${method}: ${answer.message}`);
    return answer;
  };
}

async function allRecords(
  ask: Ask,
  keys: readonly Uint8Array[],
): Promise<(Uint8Array | undefined)[]> {
  const values: (Uint8Array | undefined)[] = [];
  for (let from = 0; from < keys.length; from += keysMax) {
    const part = keys.slice(from, from + keysMax);
    const answer = await ask("records", { keys: part });
    if (answer.values.length !== part.length)
      throw new Failure("bad-response", `${answer.values.length} values for ${part.length} keys`);
    values.push(...answer.values);
  }
  return values;
}

async function allUtxos(ask: Ask, lock: Uint8Array, asset?: Uint8Array): Promise<Utxo[]> {
  const found: Utxo[] = [];
  let after: Uint8Array | undefined;
  do {
    const page = await ask("utxos", { lock, asset, after, limit: pageMax });
    for (const { txid, index, asset: of, amount } of page.utxos)
      found.push({ id: { txid, index }, output: { asset: of, amount, lock } });
    after = page.next;
  } while (after !== undefined);
  return found;
}

async function allBalances(ask: Ask, lock: Uint8Array): Promise<BalanceEntry[]> {
  const found: BalanceEntry[] = [];
  let after: Uint8Array | undefined;
  do {
    const page = await ask("balances", { lock, after, limit: pageMax });
    found.push(...page.balances);
    after = page.next;
  } while (after !== undefined);
  return found;
}

const notFound = -32001;
/** -32000 the rules, -32602 malformed: both say what was wrong with what was sent. */
const refusals: readonly number[] = [-32000, -32602];

async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RpcError && error.rpcCode === notFound) return undefined;
    throw error;
  }
}

async function orRejected<T>(answer: Promise<T>): Promise<T | Rejected> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof RpcError) || !refusals.includes(error.rpcCode)) throw error;
    const code = (error.data as { code?: unknown } | undefined)?.code;
    return rejected(typeof code === "string" ? code : "rejected", error.message);
  }
}
