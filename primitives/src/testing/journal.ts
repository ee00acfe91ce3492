// A journal in memory. Its `records` outlive close, as a disk does: open it again on the same array.
import { Failure } from "../failure.ts";
import type { Journal } from "../ports.ts";

/** `records` is the disk; what append returned for is in it. */
export function memoryJournal(records: Uint8Array[] = []): Journal {
  let closed = false;
  const check = (): void => {
    if (closed) throw new Failure("closed", "journal is closed");
  };
  return {
    append: (record) => {
      check();
      records.push(Uint8Array.from(record));
    },
    read: () => {
      check();
      return records.map((record) => Uint8Array.from(record));
    },
    rewrite: (content) => {
      check();
      records.splice(0, records.length, ...content.map((record) => Uint8Array.from(record)));
    },
    close: () => {
      closed = true;
    },
  };
}
