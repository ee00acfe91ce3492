// Files that people hand to each other: JSON objects of one format and one network.
import type { Rejected } from "@causeway/primitives";
import { rejected, toHex } from "@causeway/primitives";
import type { Genesis } from "../ledger/genesis.ts";

/** Bytes of the largest. */
export const fileSizeMax: number = 16 * 1024;

export type FileCode =
  /** Not of this format, or a field is missing or wrong. */
  | "bad-file"
  /** Of another network. */
  | "wrong-network";

export function readFields(
  { networkId }: Genesis,
  format: string,
  bytes: Uint8Array,
): { readonly fields: Readonly<Record<string, unknown>> } | Rejected<FileCode> {
  const json = parse(bytes);
  if (json?.format !== format) return rejected("bad-file", `no JSON object of format ${format}`);
  const network = toHex(networkId);
  if (json.network === network) return { fields: json };
  return rejected("wrong-network", `of another network than ${network}`);
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  if (bytes.length > fileSizeMax) return undefined;
  try {
    const json: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
    return isObject ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
