// The little that Bitcoin's formats share: compact sizes, little-endian integers, a reader that never runs
// past its end, and minimal script numbers.
import { assert, bigEndian, concat } from "@causeway/primitives";

export function littleEndian(value: bigint | number, size: number): Uint8Array {
  return bigEndian(value, size).reverse();
}

export function compactSize(value: number): Uint8Array {
  if (value < 0xfd) return Uint8Array.of(value);
  if (value <= 0xffff) return concat(Uint8Array.of(0xfd), littleEndian(value, 2));
  return concat(Uint8Array.of(0xfe), littleEndian(value, 4));
}

/** Length prefix and bytes. */
export function withSize(bytes: Uint8Array): Uint8Array {
  return concat(compactSize(bytes.length), bytes);
}

/** Bytes of 1 to 75 pushed by a script. */
export function push(bytes: Uint8Array): Uint8Array {
  assert(bytes.length > 0 && bytes.length <= 75, `no direct push of ${bytes.length} bytes`);
  return concat(Uint8Array.of(bytes.length), bytes);
}

/** The minimal push of a positive integer: OP_1 to OP_16, else a script number (BTC-1). */
export function pushNumber(value: number): Uint8Array {
  assert(Number.isSafeInteger(value) && value >= 1, `no positive integer: ${value}`);
  if (value <= 16) return Uint8Array.of(0x50 + value);
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256);
  // The highest bit is the sign, so a number that needs it takes one more byte.
  if (((bytes.at(-1) ?? 0) & 0x80) !== 0) bytes.push(0);
  return push(Uint8Array.from(bytes));
}

/** Reads untrusted bytes; every method answers undefined past the end, and stays there. */
export type Reader = {
  readonly offset: () => number;
  readonly isFailed: () => boolean;
  readonly take: (size: number) => Uint8Array;
  readonly uint: (size: number) => number;
  readonly int64: () => bigint;
  /** A count or length; it fails unless canonical (shortest form) and `unit` bytes each are left. */
  readonly count: (unit: number) => number;
};

const nothing = new Uint8Array(0);

/** A reader from `start`. After a failure it gives zeros: callers test `isFailed` once, at the end. */
export function reader(bytes: Uint8Array, start = 0): Reader {
  let at = start;
  let failed = false;
  const take = (size: number): Uint8Array => {
    if (failed || at + size > bytes.length) {
      failed = true;
      return nothing;
    }
    at += size;
    return bytes.subarray(at - size, at);
  };
  const uint = (size: number): number => {
    const part = take(size);
    let value = 0;
    for (let i = part.length - 1; i >= 0; i--) value = value * 256 + (part[i] as number);
    return value;
  };
  const count = (unit: number): number => {
    const first = uint(1);
    let value = first;
    if (first === 0xfd) value = uint(2);
    else if (first === 0xfe) value = uint(4);
    else if (first === 0xff) failed = true;
    if ((first === 0xfd && value < 0xfd) || (first === 0xfe && value <= 0xffff)) failed = true;
    if (value * unit > bytes.length - at) failed = true;
    return failed ? 0 : value;
  };
  return {
    offset: () => at,
    isFailed: () => failed,
    take,
    uint,
    int64: () => BigInt(uint(4)) + (BigInt(uint(4)) << 32n),
    count,
  };
}
