// What is sent to a node's JSON-RPC, and the number and literal code that answer it (SEAMS).
import { deepArray, deepObject, randomBytes } from "./http.ts";

export type Wrong = {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly refused: string;
};

const methods = [
  "status",
  "genesis",
  "finality",
  "block",
  "submit",
  "transaction",
  "prove",
  "records",
  "utxos",
  "sequence",
  "request",
  "requests",
  "wait",
] as const;

const call = (method: unknown, params: unknown): string =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });

/** Wrong for every method. */
const wrongParams: readonly unknown[] = [
  null,
  7,
  "height",
  true,
  [1, 2],
  { height: {} },
  { height: -1, nonsense: 1 },
  { height: 1.5, timeoutMs: 1e308 },
  { transaction: "0xzz", id: "00", keys: ["00"], lock: 1 },
  { keys: Array.from({ length: 257 }, () => "00") },
  { transaction: "ab".repeat(600_000) },
];

const params = "-32602 bad-params";

export const wrongParameters: readonly Wrong[] = methods.flatMap((method) =>
  wrongParams.map((one) => ({ body: call(method, one), refused: params })),
);

export const wrongEnvelopes: readonly Wrong[] = [
  ...Array.from({ length: 20 }, (_, i) => ({
    body: randomBytes(i, 1 + 37 * i),
    refused: "-32700 parse-error",
  })),
  { body: "", refused: "-32700 parse-error" },
  { body: '{"jsonrpc":"2.0","id":1,"method":"status"', refused: "-32700 parse-error" },
  { body: "[".repeat(1_000_000), refused: "-32700 parse-error" },
  { body: deepArray(500_000), refused: "-32600 bad-request" },
  { body: deepObject(200_000), refused: "-32600 bad-request" },
  {
    body: `{"jsonrpc":"2.0","id":1,"method":"block","params":${deepObject(100_000)}}`,
    refused: params,
  },
  {
    body: `{"jsonrpc":"2.0","id":1,"method":"utxos","params":{"lock":${deepArray(100_000)}}}`,
    refused: params,
  },
  { body: "[]", refused: "-32600 bad-request" },
  { body: JSON.stringify(Array.from({ length: 33 }, () => 1)), refused: "-32600 bad-request" },
  { body: "1", refused: "-32600 bad-request" },
  { body: "null", refused: "-32600 bad-request" },
  { body: '"status"', refused: "-32600 bad-request" },
  { body: "{}", refused: "-32600 bad-request" },
  { body: '{"jsonrpc":"1.0","id":1,"method":"status"}', refused: "-32600 bad-request" },
  { body: '{"jsonrpc":"2.0","id":{},"method":"status"}', refused: "-32600 bad-request" },
  { body: call(7, {}), refused: "-32600 bad-request" },
  { body: call("constructor", {}), refused: "-32601 unknown-method" },
  { body: call("__proto__", {}), refused: "-32601 unknown-method" },
  { body: call("x".repeat(1_000_000), {}), refused: "-32601 unknown-method" },
  { body: new Uint8Array(16 * 1024 * 1024), refused: "-32600 too-large" },
];

/** Well-formed calls whose bytes no rule takes. */
export const wrongBytes: readonly Wrong[] = [
  { body: call("submit", { transaction: "" }), refused: "-32000 bad-bytes" },
  { body: call("submit", { transaction: "00" }), refused: "-32000 bad-bytes" },
  {
    body: call("submit", { transaction: Buffer.from(randomBytes(99, 5_000)).toString("hex") }),
    refused: "-32000 bad-bytes",
  },
  { body: call("request", { request: "" }), refused: "-32000 bad-request" },
  {
    body: call("request", { request: Buffer.from(randomBytes(98, 200)).toString("hex") }),
    refused: "-32000 bad-request",
  },
  { body: call("block", { height: Number.MAX_SAFE_INTEGER }), refused: "-32001 not-found" },
];
