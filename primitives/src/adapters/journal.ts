// The append-only file under every "journal before release" (building-blocks 4). A record that append
// returned for is on the disk; what a crash tore is cut at open; what rotted refuses to open.
//
//   file    "CWJL" version:u8 0:u8 x3 first:u64         16 bytes
//   record  length:u32 sequence:u64 headerCrc:u32 crc:u32 payload 0xa5     little-endian
//
// crc covers sequence and payload. The mark 0xa5 tells a rotten record from one whose file had grown
// before its bytes arrived, which a power cut leaves as zeros.
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { diskFailure, Failure } from "../failure.ts";
import type { Journal } from "../ports.ts";
import { lockFile } from "./file-lock.ts";

/** Largest record, bytes. */
export const recordSizeMax: number = 16 * 1024 * 1024;

const magic = Uint8Array.of(0x43, 0x57, 0x4a, 0x4c, 1, 0, 0, 0);
const fileHeaderSize = 16;
const headerSize = 20;
const mark = 0xa5;

type Opened = {
  fd: number;
  /** Bytes of the file that hold whole records. */
  size: number;
  next: bigint;
};

/**
 * Opens the journal at `path`, or creates it when `create`. Throws Failure: "missing" (no file and not
 * `create`), "locked" (another process), "journal-broken" (a bad record that no torn write explains), "disk".
 */
export function openJournal(path: string, options: { readonly create: boolean }): Journal {
  const unlock = lockFile(path);
  try {
    if (!existsSync(path)) {
      if (!options.create) throw new Failure("missing", `no journal at ${path}`);
      replaceFile(path, [fileHeader(1n)]);
    }
    return journal(path, open(path), unlock);
  } catch (cause) {
    unlock();
    throw diskFailure(`cannot open ${path}`, cause);
  }
}

function journal(path: string, opened: Opened, unlock: () => void): Journal {
  let at = opened;
  let broken: Failure | undefined;
  let closed = false;
  const check = (): void => {
    if (broken !== undefined) throw broken;
    if (closed) throw new Failure("closed", `journal ${path} is closed`);
  };
  /** After a failed fsync the kernel may have dropped the pages: nothing is certain any more. */
  const guarded = (work: () => void): void => {
    check();
    try {
      work();
    } catch (cause) {
      broken = diskFailure(`journal ${path} failed and takes no more`, cause);
      throw broken;
    }
  };
  return {
    append: (record) =>
      guarded(() => {
        const bytes = encode(at.next, record);
        writeFully(at.fd, bytes, at.size);
        fdatasyncSync(at.fd);
        at = { ...at, size: at.size + bytes.length, next: at.next + 1n };
      }),
    read: () => {
      check();
      return payloads(at.fd, at.size);
    },
    rewrite: (records) =>
      guarded(() => {
        const parts = [fileHeader(at.next)];
        for (const [i, record] of records.entries())
          parts.push(encode(at.next + BigInt(i), record));
        replaceFile(path, parts);
        closeSync(at.fd);
        at = open(path);
      }),
    close: () => {
      if (closed) return;
      closed = true;
      closeSync(at.fd);
      unlock();
    },
  };
}

function fileHeader(first: bigint): Uint8Array {
  const header = Buffer.alloc(fileHeaderSize);
  header.set(magic);
  header.writeBigUInt64LE(first, 8);
  return header;
}

function encode(sequence: bigint, payload: Uint8Array): Uint8Array {
  if (payload.length > recordSizeMax)
    throw new RangeError(`record of ${payload.length} bytes exceeds ${recordSizeMax}`);
  const bytes = Buffer.alloc(headerSize + payload.length + 1);
  bytes.writeUInt32LE(payload.length, 0);
  bytes.writeBigUInt64LE(sequence, 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
  bytes.writeUInt32LE(crc32(payload, crc32(bytes.subarray(4, 12))), 16);
  bytes.set(payload, headerSize);
  bytes[bytes.length - 1] = mark;
  return bytes;
}

/** Scans the whole file, cuts a torn tail, and leaves it ready for append. */
function open(path: string): Opened {
  const fd = openSync(path, "r+");
  try {
    const { size } = fstatSync(fd);
    const header = readAt(fd, 0, fileHeaderSize);
    if (header.length < fileHeaderSize || !header.subarray(0, 8).equals(magic))
      throw new Failure("journal-broken", `${path} is no journal`);
    let next = header.readBigUInt64LE(8);
    let offset = fileHeaderSize;
    while (offset < size) {
      const length = judge(fd, offset, size, next);
      if (length === "torn") break;
      if (length === "broken")
        throw new Failure("journal-broken", `${path}: record ${next} at byte ${offset} is broken`);
      offset += length;
      next += 1n;
    }
    if (offset < size) {
      ftruncateSync(fd, offset);
      fsyncSync(fd);
    }
    return { fd, size: offset, next };
  } catch (cause) {
    closeSync(fd);
    throw cause;
  }
}

/** The size of the whole record at `offset`, or what is wrong with it. */
function judge(fd: number, offset: number, size: number, next: bigint): number | "torn" | "broken" {
  if (size - offset < headerSize) return "torn";
  const header = readAt(fd, offset, headerSize);
  if (header.readUInt32LE(12) !== crc32(header.subarray(0, 12)))
    return readAt(fd, size - 1, 1)[0] === 0 && !recordFollows(fd, offset, size, next)
      ? "torn"
      : "broken";
  const length = header.readUInt32LE(0);
  if (length > recordSizeMax || header.readBigUInt64LE(4) !== next) return "broken";
  const end = offset + headerSize + length + 1;
  if (end > size) return "torn";
  const body = readAt(fd, offset + headerSize, length + 1);
  const crc = crc32(body.subarray(0, length), crc32(header.subarray(4, 12)));
  if (body[length] === mark && crc === header.readUInt32LE(16)) return end - offset;
  return body[length] === 0 && end === size ? "torn" : "broken";
}

/** Whether a later record begins anywhere after `offset`: then what is at `offset` is no torn tail. */
function recordFollows(fd: number, offset: number, size: number, next: bigint): boolean {
  const rest = readAt(fd, offset, Math.min(size - offset, recordSizeMax + 2 * headerSize));
  for (let i = 1; i + headerSize <= rest.length; i++) {
    if (rest.readBigUInt64LE(i + 4) !== next + 1n) continue;
    if (rest.readUInt32LE(i + 12) === crc32(rest.subarray(i, i + 12))) return true;
  }
  return false;
}

function* payloads(fd: number, size: number): Iterable<Uint8Array> {
  let offset = fileHeaderSize;
  while (offset < size) {
    const length = readAt(fd, offset, 4).readUInt32LE(0);
    yield Uint8Array.from(readAt(fd, offset + headerSize, length));
    offset += headerSize + length + 1;
  }
}

function readAt(fd: number, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const count = readSync(fd, buffer, done, length - done, offset + done);
    if (count === 0) return buffer.subarray(0, done);
    done += count;
  }
  return buffer;
}

function writeFully(fd: number, bytes: Uint8Array, offset: number): void {
  let done = 0;
  while (done < bytes.length)
    done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
}

/** Writes a file so that after a crash there is the old one or the new one, whole. Mode 0600. */
export function replaceFile(path: string, parts: readonly Uint8Array[]): void {
  const temporary = `${path}.new`;
  const fd = openSync(temporary, "w", 0o600);
  try {
    let offset = 0;
    for (const part of parts) {
      writeFully(fd, part, offset);
      offset += part.length;
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
