// What a method of the RPC is, its errors, and the parsing of arguments that methods share.
import { isRejected, parseHex } from "@causeway/primitives";
import type { Entry } from "./chain.ts";
import type { Node } from "./node.ts";
import { fromAddress } from "./script.ts";
import type { Tx } from "./tx.ts";
import { parseTx } from "./tx.ts";

export type ParamType = "string" | "number" | "bool" | "array" | "object" | "any" | "amount";

/** One parameter; `name` may list aliases after a bar, as "verbosity|verbose". */
export type Param = {
  readonly name: string;
  readonly type: ParamType;
  readonly optional?: true;
};

/** A method: `run` gets one argument per parameter, undefined where an optional one is missing. */
export type Method = {
  readonly params: readonly Param[];
  readonly about: string;
  readonly run: (node: Node, args: readonly unknown[]) => unknown;
};

/** An error reply with one of Core's codes. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The name of a value's type in Core's messages. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** 64 hex digits, lower-cased; `name` is the argument's name in Core's message. */
export function parseHash(value: unknown, name: string): string {
  const text = String(value);
  if (text.length !== 64)
    throw new RpcError(-8, `${name} must be of length 64 (not ${text.length}, for '${text}')`);
  if (!/^[0-9a-fA-F]*$/.test(text))
    throw new RpcError(-8, `${name} must be hexadecimal string (not '${text}')`);
  return text.toLowerCase();
}

export function findEntry(node: Node, hash: string): Entry {
  const entry = node.chain.entries.get(hash);
  if (entry === undefined) throw new RpcError(-5, "Block not found");
  return entry;
}

/** A raw transaction in hex; `failure` is the message when it does not decode. */
export function parseRawTx(value: unknown, failure: string): Tx {
  if (typeof value !== "string") throw notOfType(value, "string");
  const raw = parseHex(value.startsWith("0x") ? "" : value, { sizeMax: 4_000_000 });
  if (isRejected(raw)) throw new RpcError(-22, failure);
  const tx = parseTx(raw);
  if (isRejected(tx)) throw new RpcError(-22, failure);
  return tx;
}

function notOfType(value: unknown, expected: ParamType): RpcError {
  const actual = typeName(value);
  return new RpcError(-3, `JSON value of type ${actual} is not of expected type ${expected}`);
}

/** An integer argument in Core's 32-bit range, or the value that stands for a missing one. */
export function parseInteger(value: unknown, missing: number): number {
  if (value === undefined) return missing;
  if (typeof value !== "number" || !Number.isInteger(value) || Math.abs(value) > 0x7fffffff)
    throw new RpcError(-1, "JSON integer out of range");
  return value;
}

/** Verbosity as a number, or as the boolean that older clients send. */
export function parseVerbosity(value: unknown, missing: number): number {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value !== undefined && typeof value !== "number") throw notOfType(value, "number");
  return parseInteger(value, missing);
}

/** An amount in coins as satoshi, exact to the eighth decimal. */
export function parseAmount(value: unknown): bigint {
  const text = typeof value === "number" ? value.toFixed(10).replace(/0+$/, "") : String(value);
  const parts = /^(-?)(\d{1,8})(?:\.(\d{0,8}))?$/.exec(text);
  if (parts === null) throw new RpcError(-3, "Invalid amount");
  const [, sign, whole = "0", decimals = ""] = parts;
  if (sign === "-") throw new RpcError(-3, "Amount out of range");
  return BigInt(whole) * 100_000_000n + BigInt(decimals.padEnd(8, "0"));
}

export function parseAddress(value: unknown, failure: string): Uint8Array {
  const script = fromAddress(String(value));
  if (script === undefined) throw new RpcError(-5, failure);
  return script;
}
