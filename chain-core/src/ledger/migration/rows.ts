// One row of a snapshot of the old chain's balances: CSV `address,amount`, or a JSON object a line with these two
// fields. Amounts are whole units of 10^-8 BTM; in JSON a string, for a JSON number cannot hold them all.
import type { Rejected } from "@causeway/primitives";
import { amountMax, isRejected, rejected } from "@causeway/primitives";
import { isLock, parseLock } from "../assets.ts";
import type { Row } from "./merkle.ts";

export const rowFormats = ["csv", "jsonl"] as const;
export type RowFormat = (typeof rowFormats)[number];
/** Bytes of a line, its end aside. */
export const lineMax = 256;

export type BadRow = Rejected<"bad-row">;
const bad = (message: string): BadRow => rejected("bad-row", message);

/** The first line of a CSV file may be this one. */
export const csvHeader = "address,amount";

export function parseRow(line: string, format: RowFormat): Row | BadRow {
  const fields = format === "csv" ? csvFields(line) : jsonFields(line);
  if (isRejected(fields)) return fields;
  const { address, amount: digits } = fields;
  const lock = parseLock(address);
  if (isRejected(lock)) return bad(lock.message);
  if (!isLock(lock)) return bad("nobody holds the key of this address");
  if (typeof digits !== "string" || !/^(0|[1-9]\d{0,38})$/.test(digits))
    return bad("an amount is a whole number of 10^-8 BTM in digits");
  const amount = BigInt(digits);
  if (amount === 0n || amount > amountMax) return bad(`an amount of ${digits}`);
  return { lock, amount };
}

type Fields = { readonly address: unknown; readonly amount: unknown };

function csvFields(line: string): Fields | BadRow {
  const parts = line.split(",");
  if (parts.length !== 2) return bad("expected address,amount");
  return { address: parts[0], amount: parts[1] };
}

function jsonFields(line: string): Fields | BadRow {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return bad("is no JSON");
  }
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const keys = isObject ? Object.keys(value as object).sort() : [];
  if (keys.join() !== "address,amount")
    return bad('expected {"address": "...", "amount": "..."} and nothing else');
  return value as Fields;
}
