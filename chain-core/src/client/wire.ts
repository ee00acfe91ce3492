// The words of the node's JSON-RPC (SEAMS): shapes that its server and its client both read by, and limits.
import type { Rejected } from "@causeway/primitives";
import { isRejected, parseHex, rejected } from "@causeway/primitives";
import { blockSizeMax } from "../codec/block.ts";
import { transactionSizeMax } from "../codec/transaction.ts";
import type { Reader } from "../ledger/genesis-reader.ts";
import { below, mistake, object } from "../ledger/genesis-reader.ts";

/** Keys of one `prove` or `records`. */
export const keysMax = 256;
/** Bytes of a record's key. */
export const keySizeMax = 256;
/** Transactions of one `submitMany`. */
export const batchMax = 1_000;
/** Longest `wait`, ms. */
export const waitMsMax = 30_000;
/** Entries of one page of `utxos` and `requests`. */
export const pageMax = 1_000;
/** Headers of one `ends`. */
export const endsMax = 32;
/** Body of a request, bytes. */
export const bodySizeMax: number = 2 * 1024 * 1024;
/** Of a reply, bytes: a block or 256 proofs in hex. */
export const replySizeMax: number = 64 * 1024 * 1024;
export const heightMax: number = Number.MAX_SAFE_INTEGER;
export { blockSizeMax, transactionSizeMax };

/** Hex of at most `sizeMax` bytes. */
export function hexMax(sizeMax: number): Reader<Uint8Array> {
  return (value, place) => {
    const bytes = parseHex(value, { sizeMax });
    if (!isRejected(bytes)) return bytes;
    mistake(place, bytes.message);
    return new Uint8Array(0);
  };
}

/** Undefined for null and for an absent field. */
export function optional<T>(reader: Reader<T>): Reader<T | undefined> {
  return (value, place) =>
    value === undefined || value === null ? undefined : reader(value, place);
}

/**
 * An object with these fields, each reader seeing undefined for an absent one. `open`: other fields are allowed,
 * as in the reply of a newer server.
 */
export function fields<T>(
  readers: { readonly [Name in keyof T]: Reader<T[Name]> },
  open: boolean = false,
): Reader<T> {
  const names = Object.keys(readers) as (keyof T & string)[];
  const strict = object(readers);
  return (value, place) => {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return strict(value, place);
    const given = value as Record<string, unknown>;
    const out: Partial<T> = {};
    for (const name of names)
      out[name] = readers[name](
        Object.hasOwn(given, name) ? given[name] : undefined,
        below(place, name),
      );
    if (!open)
      for (const name of Object.keys(given))
        if (!Object.hasOwn(readers, name)) mistake(below(place, name), "is not a field here");
    return out as T;
  };
}

/** What `reader` makes of `value`, or all mistakes in one sentence. */
export function read<T>(reader: Reader<T>, value: unknown): T | Rejected<"bad-params"> {
  const mistakes: string[] = [];
  const result = reader(value, { path: "params", mistakes });
  return mistakes.length === 0
    ? result
    : rejected("bad-params", mistakes.slice(0, 10).join("; ").slice(0, 1_000));
}
