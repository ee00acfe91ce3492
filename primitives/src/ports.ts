// The world as a list of ports. Real ones in adapters/, in-memory twins in testing.ts.

/** The only source of time. */
export type Clock = { readonly nowMs: () => number };

/** The only source of randomness: cryptographic, fresh at every call. */
export type Entropy = (size: number) => Uint8Array;

/** Structured log; never given a secret. */
export type Log = {
  readonly debug: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
  readonly info: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
  readonly warn: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
  readonly error: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
  readonly child: (fields: Readonly<Record<string, unknown>>) => Log;
};

/**
 * Append-only record with a sequence number and a CRC each (building-blocks 4). `append` returns when the
 * record is durable. A torn tail is cut at open; a broken record before it refuses to open.
 */
export type Journal = {
  readonly append: (record: Uint8Array) => void;
  /** Every durable record, oldest first. */
  readonly read: () => Iterable<Uint8Array>;
  /** Replaces the content, atomically, by `records`. */
  readonly rewrite: (records: readonly Uint8Array[]) => void;
  readonly close: () => void;
};

/** One write of a batch; an absent value deletes the key. */
export type Put = { readonly key: Uint8Array; readonly value?: Uint8Array };

/** Flat keys; `write` is atomic and durable when it resolves. */
export type Store = {
  readonly get: (key: Uint8Array) => Uint8Array | undefined;
  readonly write: (puts: readonly Put[]) => Promise<void>;
  /** Entries with from <= key < to in key order. */
  readonly scan: (
    from: Uint8Array,
    to: Uint8Array,
  ) => AsyncIterable<readonly [Uint8Array, Uint8Array]>;
  readonly close: () => Promise<void>;
};

/** BLS12-381 signatures, public keys of 48 bytes in G1, signatures of 96 bytes in G2 (a port, DESIGN 8). */
export type Bls = {
  readonly publicKey: (secret: Uint8Array) => Uint8Array;
  readonly sign: (secret: Uint8Array, message: Uint8Array) => Uint8Array;
  /** False for any malformed key or signature; never throws. */
  readonly verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
  /**
   * Each of `signatures` is valid for the key at its place and the one message, by one check instead of many. Absent: verify
   * them singly.
   */
  readonly verifyEach?: (
    publicKeys: readonly Uint8Array[],
    message: Uint8Array,
    signatures: readonly Uint8Array[],
  ) => boolean;
  /** Sum of valid signatures. */
  readonly aggregate: (signatures: readonly Uint8Array[]) => Uint8Array;
  /** All of `publicKeys`, distinct, signed the one message. */
  readonly verifyAggregate: (
    publicKeys: readonly Uint8Array[],
    message: Uint8Array,
    signature: Uint8Array,
  ) => boolean;
};

/**
 * A JSON-RPC endpoint. Resolves with the result; rejects with a Failure: "unreachable", "timeout",
 * "too-large", "bad-response", "unauthorized", "warming-up", or "rpc-error" (an RpcError with the code).
 */
export type Transport = (
  method: string,
  params: unknown,
  options?: { readonly timeoutMs?: number; readonly sizeMax?: number },
) => Promise<unknown>;

/** Topics of an operator's bus (DESIGN 1). */
export type BusTopic = "hints" | "requests" | "broadcasts";

/**
 * At-least-once delivery between the processes of one operator. `publish` resolves when the message is in
 * the bus's journal. A subscriber names itself and gets every message after the last one it acknowledged.
 */
export type Bus = {
  readonly publish: (topic: BusTopic, message: Uint8Array) => Promise<void>;
  readonly subscribe: (
    topic: BusTopic,
    subscriber: string,
    handle: (message: Uint8Array) => Promise<void>,
  ) => () => void;
  readonly close: () => Promise<void>;
};
