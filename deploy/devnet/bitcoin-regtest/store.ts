// The block file: an append-only list of records, so that a killed node comes back with its chain.
// A record is kind (1 byte), size (4, little-endian), the first 4 bytes of the payload's SHA-256, payload.
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { concat, equal, sha256 } from "@causeway/primitives";
import type { RecordKind } from "./node.ts";

const kinds: readonly RecordKind[] = ["block", "invalidate", "reconsider"];
const headSize = 9;

export type Store = {
  readonly append: (kind: RecordKind, payload: Uint8Array) => void;
  readonly close: () => void;
};

/** Opens or makes the file, hands every whole record to `onRecord`, and cuts off a torn tail. */
export function openStore(
  path: string,
  onRecord: (kind: RecordKind, payload: Uint8Array) => void,
): Store {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "a+", 0o600);
  const bytes = new Uint8Array(readFileSync(path));
  let at = 0;
  for (let end = recordEnd(bytes, at); end !== undefined; end = recordEnd(bytes, at)) {
    onRecord(kinds[bytes[at] as number] as RecordKind, bytes.slice(at + headSize, end));
    at = end;
  }
  if (at < bytes.length) ftruncateSync(file, at);
  return {
    append: (kind, payload) => {
      const head = new Uint8Array(headSize);
      head[0] = kinds.indexOf(kind);
      new DataView(head.buffer).setUint32(1, payload.length, true);
      head.set(sha256(payload).subarray(0, 4), 5);
      writeSync(file, concat(head, payload));
    },
    close: () => closeSync(file),
  };
}

/** Where the record at `at` ends, or undefined when no whole, intact record is there. */
function recordEnd(bytes: Uint8Array, at: number): number | undefined {
  if (at + headSize > bytes.length || kinds[bytes[at] as number] === undefined) return undefined;
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + 1, true);
  const end = at + headSize + size;
  if (end > bytes.length) return undefined;
  const sum = sha256(bytes.subarray(at + headSize, end)).subarray(0, 4);
  return equal(sum, bytes.subarray(at + 5, at + headSize)) ? end : undefined;
}
