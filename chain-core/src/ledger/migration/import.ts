// Reads a snapshot of balances piece by piece: any number of rows up to ten million and more in constant memory but for
// the locks that were seen. Every row counts or all are refused: mistakes come with the numbers of their lines.
import type { Bytes32, Rejected } from "@causeway/primitives";
import { amountMax, equal, isRejected, rejected } from "@causeway/primitives";
import { formatLock } from "../assets.ts";
import type { Row } from "./merkle.ts";
import { growTree, rowsMax } from "./merkle.ts";
import type { RowFormat } from "./rows.ts";
import { csvHeader, lineMax, parseRow } from "./rows.ts";
import { seenLocks } from "./seen.ts";

/** Mistakes that are told; after so many the rest is not read. */
const mistakesMax = 20;

/** `path` proves row `index`, which `wanted` holds. */
export type Proof = {
  readonly row: Row;
  readonly index: number;
  readonly path: readonly Bytes32[];
};
export type Snapshot = {
  readonly count: number;
  readonly total: bigint;
  readonly root: Bytes32;
  /** Of the wanted lock, if it was there. */
  readonly proof: Proof | undefined;
};
export type BadSnapshot = Rejected<"bad-snapshot">;

export type Import = {
  /** False when nothing more need be read. */
  readonly push: (chunk: Uint8Array) => boolean;
  readonly end: () => Snapshot | BadSnapshot;
};

export type ImportOptions = {
  readonly format: RowFormat;
  /** Keys the table of locks (seen.ts). */
  readonly seed: number;
  /** Whose row is to be proved. */
  readonly wanted?: Uint8Array;
  /** What the rows add up to, in units, if it is known. */
  readonly expected?: bigint;
  /** Sees every row that is right. */
  readonly onRow?: (row: Row) => void;
};

export function importBalances(options: ImportOptions): Import {
  const { format, seed, wanted, expected, onRow } = options;
  const seen = seenLocks(seed);
  const lineOfRow = lineNumbers();
  const tree = growTree();
  const mistakes: string[] = [];
  let found: { readonly row: Row; readonly index: number } | undefined;
  let [line, count, total] = [0, 0, 0n];
  const add = (row: Row): string | undefined => {
    const before = seen.add(row.lock);
    if (before !== undefined)
      return `${formatLock(row.lock)} is in line ${lineOfRow.of(before)} already`;
    lineOfRow.add(line);
    if (count >= rowsMax) return `more than ${rowsMax} rows`;
    total += row.amount;
    if (total > amountMax) return "the sum exceeds 2^128 - 1";
    const isOurs = wanted !== undefined && equal(wanted, row.lock);
    if (isOurs) found = { row, index: count };
    tree.add(row, isOurs);
    onRow?.(row);
    count += 1;
    return undefined;
  };
  const read = (text: string): boolean => {
    line += 1;
    if (line === 1 && format === "csv" && text === csvHeader) return true;
    const row = parseRow(text, format);
    const why = isRejected(row) ? row.message : add(row);
    if (why !== undefined) mistakes.push(`line ${line}: ${why}`);
    return mistakes.length < mistakesMax;
  };
  const lines = splitLines(read, () => mistakes.push(`line ${line + 1}: over ${lineMax} bytes`));
  return {
    push: lines.push,
    end: () => {
      lines.end();
      if (mistakes.length === 0 && expected !== undefined && total !== expected)
        mistakes.push(`the rows add up to ${total} units, not to ${expected}`);
      if (mistakes.length > 0) return rejected("bad-snapshot", mistakes.join("\n"));
      const { root, path } = tree.end();
      return { count, total, root, proof: found && { ...found, path } };
    },
  };
}

/** Bytes to lines of UTF-8 without their ends, \n or \r\n; `read` gives false to stop, and a line too long stops too. */
function splitLines(
  read: (line: string) => boolean,
  tooLong: () => void,
): { readonly push: (chunk: Uint8Array) => boolean; readonly end: () => void } {
  const decoder = new TextDecoder();
  let rest = new Uint8Array(0);
  let isOn = true;
  const take = (bytes: Uint8Array): boolean => {
    const end = bytes.at(-1) === 0x0d ? bytes.length - 1 : bytes.length;
    if (end > lineMax) {
      tooLong();
      return false;
    }
    return read(decoder.decode(bytes.subarray(0, end)));
  };
  return {
    push: (chunk) => {
      let from = 0;
      for (let to = chunk.indexOf(0x0a); isOn && to >= 0; to = chunk.indexOf(0x0a, from)) {
        const part = chunk.subarray(from, to);
        isOn = take(rest.length === 0 ? part : Buffer.concat([rest, part]));
        rest = new Uint8Array(0);
        from = to + 1;
      }
      if (!isOn) return false;
      rest = new Uint8Array(Buffer.concat([rest, chunk.subarray(from)]));
      // One byte for \r: more is a line too long.
      if (rest.length > lineMax + 1) isOn = take(rest);
      return isOn;
    },
    end: () => {
      if (isOn && rest.length > 0) take(rest);
      isOn = false;
    },
  };
}

/** Rows are numbered without gaps, lines are not: the header and mistakes are no rows. Only where they part is kept. */
function lineNumbers(): {
  readonly add: (line: number) => void;
  readonly of: (row: number) => number;
} {
  const shifts: { readonly row: number; readonly shift: number }[] = [];
  let rows = 0;
  return {
    add: (line) => {
      const shift = line - rows;
      if (shifts.at(-1)?.shift !== shift) shifts.push({ row: rows, shift });
      rows += 1;
    },
    of: (row) => row + (shifts.findLast((one) => one.row <= row)?.shift ?? 1),
  };
}
