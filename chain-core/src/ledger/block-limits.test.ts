import { describe, expect, test } from "vitest";
import { blockCodec, blockSizeMax } from "../codec/block.ts";
import {
  blockTransactionsMax,
  emptyRoom,
  paidSizeMax,
  reservedSize,
  roomAfter,
  sizeInBlock,
  transactionsSizeMax,
} from "./block-limits.ts";

/** The most that fits, in pieces of 100,000 bytes and then of one byte more than an empty one. */
function fill(isFeeFree: boolean): Uint8Array[] {
  const chosen: Uint8Array[] = [];
  let room = emptyRoom;
  for (const size of [100_000, 10_000, 1_000, 100, 10, 1])
    for (;;) {
      const bytes = new Uint8Array(size);
      const after = roomAfter(room, { bytes, weight: 1, isFeeFree }, 1_000_000);
      if (after === undefined) break;
      room = after;
      chosen.push(bytes);
    }
  return chosen;
}

const one = (isFeeFree: boolean) => ({ bytes: new Uint8Array(1), weight: 600, isFeeFree });

const total = (all: readonly Uint8Array[]): number =>
  all.reduce((sum, bytes) => sum + sizeInBlock(bytes), 0);

describe("the room of a block (FMT-9, CON-7)", () => {
  test("is four fifths for paid transactions and all of it for envelopes", () => {
    expect(reservedSize * 5).toBeGreaterThan(transactionsSizeMax - 5);
    for (const [left, isFeeFree] of [
      [paidSizeMax, false],
      [transactionsSizeMax, true],
    ] as const) {
      expect(left - total(fill(isFeeFree))).toBeGreaterThanOrEqual(0);
      expect(left - total(fill(isFeeFree))).toBeLessThan(6);
    }
  });

  test("when full still is a block that others parse", () => {
    const zero = new Uint8Array(32);
    const header = {
      version: 1,
      height: Number.MAX_SAFE_INTEGER,
      time: Number.MAX_SAFE_INTEGER,
      parent: zero,
      proposer: 65_535,
      transactionsRoot: zero,
      stateRoot: zero,
      utxoCommitment: zero,
      votesRoot: zero,
      snapshotRoot: zero,
      committee: zero,
      nextCommittee: zero,
    };
    const bytes = blockCodec.encode({
      header,
      certificate: [],
      late: [],
      transactions: fill(true),
    });
    expect(bytes.length).toBeLessThanOrEqual(blockSizeMax);
    expect(bytes.length).toBeGreaterThan(blockSizeMax - 12_000);
  });

  test("ends at the weight of paid transactions, which envelopes do not count in", () => {
    const half = roomAfter(emptyRoom, one(false), 1_000);
    expect(half).toMatchObject({ weight: 600, paid: 5, free: 0 });
    expect(roomAfter(half ?? emptyRoom, one(false), 1_000)).toBeUndefined();
    expect(roomAfter(half ?? emptyRoom, one(false), 1_200)).toMatchObject({ weight: 1_200 });
    expect(roomAfter(half ?? emptyRoom, one(true), 1_000)).toMatchObject({ weight: 600, free: 5 });
  });

  test("ends at the greatest number of transactions", () => {
    const almost = { ...emptyRoom, count: blockTransactionsMax - 1 };
    const full = roomAfter(almost, one(false), 1_000);
    expect(full?.count).toBe(blockTransactionsMax);
    expect(roomAfter(full ?? almost, one(true), 1_000)).toBeUndefined();
  });
});
