// What the pool tells of others' offers: goal, that percentiles are of tips at the next base fee, of payments alone, and
// that memory and work are bounded. Method: pools of payments with known rates, blocks that take some.
import { bigEndian } from "@causeway/primitives";
import { expect, test } from "vitest";
import type { Envelope } from "../codec/transaction.ts";
import type { Pool } from "./entry.ts";
import { recentTips, rememberOffers, waitingTips } from "./offers.ts";
import * as mempool from "./pool.ts";

/** A payment of weight 100 that offers `fee`, spending output `n`. */
function put(pool: Pool, n: number, fee: bigint, envelope: Envelope[] = []): Uint8Array {
  const id = bigEndian(n, 32);
  const tx = { envelope, expires: 9_000, actions: [], witnesses: [] };
  mempool.add(pool, { id, tx, weight: 100, fee }, bigEndian(n, 40), false, 0);
  return id;
}

/** Takes `ids` into a block. */
function take(pool: Pool, ids: readonly Uint8Array[]): void {
  const transactions = ids.map((id) => id.slice(0, 8));
  mempool.afterBlock(pool, { transactions, ids, time: 1, isFull: true });
}

test("tips of what waits and of what is final are counted above the next base fee", () => {
  const pool = mempool.pool();
  expect(waitingTips(pool, 10n)).toEqual({ count: 0, p10: 0n, p50: 0n, p90: 0n });
  // 10, 20 ... 100 units a payment: 100 to 1,000 by 1,000 of weight.
  const ids = Array.from({ length: 10 }, (_, i) => put(pool, i + 1, BigInt(10 * (i + 1))));
  ids.push(put(pool, 11, 0n, [{ validator: bigEndian(1, 32), role: 1, sequence: 1 }]));
  const tips = { count: 10, p10: 0n, p50: 350n, p90: 750n };
  expect(waitingTips(pool, 150n)).toEqual(tips);
  expect(recentTips(pool, 150n).count).toBe(0);
  take(pool, ids);
  expect(waitingTips(pool, 150n).count).toBe(0);
  expect(recentTips(pool, 150n)).toEqual(tips);
  expect(recentTips(pool, 500n)).toEqual({ count: 10, p10: 0n, p50: 0n, p90: 400n });
});

test("only the newest 20 blocks with payments count, with 256 samples each at most", () => {
  const pool = mempool.pool();
  rememberOffers(pool, new Array(1_000).fill(9));
  for (let block = 0; block < 19; block++) rememberOffers(pool, [1]);
  rememberOffers(pool, []);
  const { count, p90 } = recentTips(pool, 0n);
  expect([count <= 256 + 19, p90]).toEqual([true, 9_000n]);
  rememberOffers(pool, [1]);
  expect(recentTips(pool, 0n)).toEqual({ count: 20, p10: 1_000n, p50: 1_000n, p90: 1_000n });
});

test("of a full pool a sample is looked at, which keeps the shape", () => {
  const pool = mempool.pool();
  for (let i = 1; i <= 5_000; i++) put(pool, i, BigInt(i));
  const { count, p50 } = waitingTips(pool, 0n);
  expect(count).toBeLessThanOrEqual(2_048);
  expect(Number(p50)).toBeGreaterThan(24_900);
  expect(Number(p50)).toBeLessThan(25_100);
});
