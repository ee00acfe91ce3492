// A node's RPC as typed functions over a Transport (SEAMS, JSON-RPC of a node). What the rules refuse comes back
// as a Rejected with the rule's code; what fails on the way is thrown as a Failure.
import type { Bytes32, Rejected, Transport } from "@causeway/primitives";
import { bytes32, Failure, isRejected, RpcError, rejected, toHex } from "@causeway/primitives";
import {
  blockSizeMax,
  fields,
  heightMax,
  hexMax,
  keysMax,
  optional,
  pageMax,
  read,
  replySizeMax,
  transactionSizeMax,
  waitMsMax,
} from "./client/wire.ts";
import type { Output, OutputId } from "./codec/action.ts";
import type { Reader } from "./ledger/genesis-reader.ts";
import { decimal, hex, integer, list, oneOf } from "./ledger/genesis-reader.ts";

export { fallbackTransport } from "./client/fallback.ts";
export { keysMax, waitMsMax } from "./client/wire.ts";
export * from "./wallet/index.ts";

export type NodeStatus = {
  readonly networkId: Bytes32;
  readonly name: string;
  /** Newest final height, its block's id and ledger time in ms. */
  readonly height: number;
  readonly block: Bytes32;
  readonly time: number;
  /** Seat in the committee, if it votes. */
  readonly validator: number | undefined;
  readonly peers: number;
  readonly syncing: boolean;
  readonly health: string;
};

/** A final header in its codec's bytes, with what makes it final. */
export type Finality = {
  readonly header: Uint8Array;
  readonly certificate: Uint8Array;
  readonly committee: Uint8Array;
};

/** An absent value claims absence; `proof` is recordProofCodec bytes. */
export type ProvedRecord = {
  readonly key: Uint8Array;
  readonly value?: Uint8Array;
  readonly proof: Uint8Array;
};

export type FinalBlock = {
  readonly header: Uint8Array;
  readonly certificate: Uint8Array;
  readonly transactions: readonly Uint8Array[];
};

export type TransactionStatus = {
  readonly id: Bytes32;
  readonly status: "pending" | "final" | "unknown";
  /** Of a final one, with its position in the block and its bytes. */
  readonly height?: number;
  readonly position?: number;
  readonly bytes?: Uint8Array;
};

/** An unspent output and how it is named. */
export type Utxo = { readonly id: OutputId; readonly output: Output };

export type NodeClient = {
  readonly status: () => Promise<NodeStatus>;
  /** The two genesis files. */
  readonly genesis: () => Promise<{ readonly body: Uint8Array; readonly proofs: Uint8Array }>;
  /** Newest by default; undefined above the newest. */
  readonly finality: (height?: number) => Promise<Finality | undefined>;
  readonly block: (height: number) => Promise<FinalBlock | undefined>;
  readonly submit: (transaction: Uint8Array) => Promise<{ readonly id: Bytes32 } | Rejected>;
  readonly transaction: (id: Uint8Array) => Promise<TransactionStatus>;
  /** At most 256 keys, against one newest header. Unchecked: see the door /light. */
  readonly prove: (
    keys: readonly Uint8Array[],
  ) => Promise<Finality & { readonly records: readonly ProvedRecord[] }>;
  /** Newest values in the order of the keys (any number), without proof. */
  readonly records: (keys: readonly Uint8Array[]) => Promise<readonly (Uint8Array | undefined)[]>;
  /** Every unspent output of a lock, of one asset or of all. */
  readonly utxos: (lock: Uint8Array, asset?: Uint8Array) => Promise<Utxo[]>;
  readonly sequence: (validator: Uint8Array, role: number) => Promise<number>;
  /** Gossips depositRequestCodec bytes. */
  readonly request: (bytes: Uint8Array) => Promise<undefined | Rejected>;
  readonly requests: (
    after?: number,
  ) => Promise<{ readonly requests: readonly Uint8Array[]; readonly next: number }>;
  /** The newest final height as soon as it is at least `height`, or at the time-out (at most 30 s). */
  readonly waitForHeight: (height: number, timeoutMs: number) => Promise<number>;
};

const b32: Reader<Bytes32> = (value, place) => bytes32(hex(32)(value, place));
const height = integer(0, heightMax);
const anyBytes = hexMax(replySizeMax);
const anyText: Reader<string> = (value) => (typeof value === "string" ? value.slice(0, 1_000) : "");

const statusReader: Reader<NodeStatus> = fields<NodeStatus>(
  {
    networkId: b32,
    name: anyText,
    height,
    block: b32,
    time: height,
    validator: optional(integer(0)),
    peers: integer(0),
    syncing: (value) => value === true,
    health: anyText,
  },
  true,
);
const genesisReader = fields({ body: anyBytes, proofs: anyBytes }, true);
const finalityFields = {
  header: hexMax(1_024),
  certificate: hexMax(1_024),
  committee: hexMax(65_536),
};
const finalityReader: Reader<Finality> = fields<Finality>(finalityFields, true);
const blockReader: Reader<FinalBlock> = fields<FinalBlock>(
  {
    header: hexMax(1_024),
    certificate: hexMax(1_024),
    transactions: list(hexMax(transactionSizeMax), { min: 0, max: blockSizeMax }),
  },
  true,
);
const idReader = fields({ id: b32 }, true);
type RawStatus = {
  id: Bytes32;
  status: TransactionStatus["status"];
  height: number | undefined;
  position: number | undefined;
  bytes: Uint8Array | undefined;
};
const transactionReader: Reader<RawStatus> = fields<RawStatus>(
  {
    id: b32,
    status: oneOf(["pending", "final", "unknown"]),
    height: optional(height),
    position: optional(integer(0)),
    bytes: optional(hexMax(transactionSizeMax)),
  },
  true,
);
type RawRecord = { key: Uint8Array; value: Uint8Array | undefined; proof: Uint8Array };
const provedReader = fields(
  {
    ...finalityFields,
    records: list(
      fields<RawRecord>({ key: anyBytes, value: optional(anyBytes), proof: anyBytes }, true),
      { min: 0, max: keysMax },
    ),
  },
  true,
);
const recordsReader = fields({ values: list(optional(anyBytes), { min: 0, max: keysMax }) }, true);
type RawUtxo = { txid: Uint8Array; index: number; asset: Uint8Array; amount: bigint };
const utxosReader = fields(
  {
    utxos: list(
      fields<RawUtxo>(
        { txid: hex(32), index: integer(0, 2 ** 32 - 1), asset: hex(32), amount: decimal(1n) },
        true,
      ),
      { min: 0, max: pageMax },
    ),
    next: optional(hexMax(64)),
  },
  true,
);
const nextReader = fields({ next: integer(0) }, true);
const requestsReader = fields(
  { requests: list(hexMax(4_096), { min: 0, max: pageMax }), next: integer(0) },
  true,
);
const heightReader = fields({ height }, true);

/** `call` reaches one node, or several through {@link fallbackTransport}. */
export function nodeClient(call: Transport): NodeClient {
  const ask = async <T>(
    reader: Reader<T>,
    method: string,
    params: Record<string, unknown> = {},
    timeoutMs?: number,
  ): Promise<T> => {
    const options = { sizeMax: replySizeMax, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    const result = read(reader, await call(method, params, options));
    if (isRejected(result))
      throw new Failure("bad-response", `the node's answer to ${method}: ${result.message}`);
    return result;
  };
  return {
    status: () => ask(statusReader, "status"),
    genesis: () => ask(genesisReader, "genesis"),
    finality: (at) =>
      orUndefined(ask(finalityReader, "finality", at === undefined ? {} : { height: at })),
    block: (at) => orUndefined(ask(blockReader, "block", { height: at })),
    submit: (transaction) =>
      orRejected(ask(idReader, "submit", { transaction: toHex(transaction) })),
    transaction: async (id) =>
      statusOf(await ask(transactionReader, "transaction", { id: toHex(id) })),
    prove: async (keys) => {
      const proved = await ask(provedReader, "prove", { keys: keys.map(toHex) });
      return { ...proved, records: proved.records.map(provedRecord) };
    },
    records: (keys) => allRecords(ask, keys),
    utxos: (lock, asset) => allUtxos(ask, lock, asset),
    sequence: async (validator, role) =>
      (await ask(nextReader, "sequence", { validator: toHex(validator), role })).next,
    request: async (bytes) => {
      const accepted = await orRejected(
        ask(fields({}, true), "request", { request: toHex(bytes) }),
      );
      return isRejected(accepted) ? accepted : undefined;
    },
    requests: (after) => ask(requestsReader, "requests", after === undefined ? {} : { after }),
    waitForHeight: async (at, timeoutMs) => {
      const waitMs = Math.min(timeoutMs, waitMsMax);
      const params = { height: at, timeoutMs: waitMs };
      return (await ask(heightReader, "wait", params, waitMs + 5_000)).height;
    },
  };
}

type Ask = <T>(reader: Reader<T>, method: string, params: Record<string, unknown>) => Promise<T>;

async function allRecords(
  ask: Ask,
  keys: readonly Uint8Array[],
): Promise<(Uint8Array | undefined)[]> {
  const values: (Uint8Array | undefined)[] = [];
  for (let from = 0; from < keys.length; from += keysMax) {
    const part = keys.slice(from, from + keysMax);
    const answer = await ask(recordsReader, "records", { keys: part.map(toHex) });
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
    const page = await ask(utxosReader, "utxos", {
      lock: toHex(lock),
      limit: pageMax,
      ...(asset === undefined ? {} : { asset: toHex(asset) }),
      ...(after === undefined ? {} : { after: toHex(after) }),
    });
    for (const { txid, index, asset: of, amount } of page.utxos)
      found.push({ id: { txid, index }, output: { asset: of, amount, lock } });
    after = page.next;
  } while (after !== undefined);
  return found;
}

function provedRecord({ key, value, proof }: RawRecord): ProvedRecord {
  return { key, proof, ...(value === undefined ? {} : { value }) };
}

function statusOf({ id, status, height: at, position, bytes }: RawStatus): TransactionStatus {
  return {
    id,
    status,
    ...(at === undefined ? {} : { height: at }),
    ...(position === undefined ? {} : { position }),
    ...(bytes === undefined ? {} : { bytes }),
  };
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
