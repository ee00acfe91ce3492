import type { NetworkId } from "@causeway/primitives";
import { bigEndian, equal, isRejected, must, sha256 } from "@causeway/primitives";
import { testBls } from "@causeway/primitives/testing";
import { describe, expect, it } from "vitest";
import { roles, transactionCodec } from "../codec/transaction.ts";
import { testCommittee } from "../consensus/testing.ts";
import type { Checked } from "../node/port.ts";
import { testLedger, testTransaction } from "../node/testing.ts";
import * as mempool from "./pool.ts";

const network = sha256(new Uint8Array(1)) as unknown as NetworkId;
const ledger = testLedger(network, testCommittee(testBls(), 4));
const reader = { get: (): undefined => undefined };
const expires = 10_000;

const output = (n: number): Uint8Array => sha256(bigEndian(n, 4));
/** Pays 1000 + `tip`. */
const paid = (n: number, tip = 0): Uint8Array =>
  testTransaction({ spends: output(n), index: tip, expires });
const enveloped = (n: number, sequence: number): Uint8Array =>
  testTransaction({
    spends: output(n),
    expires,
    envelope: { validator: output(0), role: roles.relay, sequence },
  });

function put(pool: mempool.Pool, bytes: Uint8Array): string {
  const checked = ledger.check(reader, { height: 1, time: 1 }, bytes) as Checked;
  const entry = mempool.add(pool, checked, bytes, true, 0);
  return isRejected(entry) ? entry.code : "in";
}

describe("the mempool", () => {
  it("knows for two blocks what became final, so that what still arrives is not checked again", () => {
    const pool = mempool.pool();
    const block = { ids: [], time: 1, isFull: false };
    mempool.afterBlock(pool, { ...block, transactions: [paid(1)] });
    mempool.afterBlock(pool, { ...block, transactions: [paid(2)] });
    expect([1, 2, 3].map((n) => mempool.find(pool, paid(n)))).toEqual([
      "refused",
      "refused",
      undefined,
    ]);
    mempool.afterBlock(pool, { ...block, transactions: [] });
    expect(mempool.find(pool, paid(1))).toBe(undefined);
  });

  it("takes each transaction once and each output once", () => {
    const pool = mempool.pool();
    expect(put(pool, paid(1))).toBe("in");
    expect(put(pool, paid(1))).toBe("known");
    const rival = transactionCodec.encode({
      ...transactionCodec.decode(paid(1)),
      expires: expires - 1,
    });
    // It pays as much as the first, so it does not replace it.
    expect(put(pool, rival)).toBe("conflict");
    expect(put(pool, enveloped(2, 5))).toBe("in");
    expect(put(pool, enveloped(3, 5))).toBe("conflict");
    expect([pool.work, pool.entries.size]).toEqual([2, 2]);
  });

  it("offers envelopes by number, then who pays more, older first", () => {
    const pool = mempool.pool();
    const of = [paid(1, 1), paid(2, 9), enveloped(3, 8), paid(4, 9), enveloped(5, 7)];
    for (const bytes of of) put(pool, bytes);
    const order = mempool
      .candidates(pool, 1_000_000)
      .map((bytes) => of.findIndex((one) => equal(one, bytes)));
    expect(order).toEqual([4, 2, 1, 3, 0]);
    expect(mempool.candidates(pool, must(of[2], "bytes").length + 1).length).toBe(2);
  });

  it("evicts the cheapest when full, and refuses what is cheaper still", () => {
    const pool = mempool.pool({ ...mempool.defaultLimits, countMax: 40 });
    for (let n = 0; n < 40; n++) put(pool, paid(n, 10 + n));
    expect(put(pool, paid(100, 5))).toBe("mempool-full");
    expect(put(pool, paid(101, 500))).toBe("in");
    expect(pool.entries.size).toBe(40);
    expect(mempool.find(pool, paid(0, 10))).toBeUndefined();
    expect([...pool.gone.values()]).toEqual([{ reason: "evicted" }]);
    expect(mempool.find(pool, paid(39, 49))).toBeDefined();
    expect(pool.size).toBe(
      [...pool.entries.values()].reduce((sum, { bytes }) => sum + bytes.length, 0),
    );
  });

  it("is bounded by bytes, and by envelopes of one sender", () => {
    const limits = { ...mempool.defaultLimits, sizeMax: 5_000, envelopesMax: 2 };
    const pool = mempool.pool(limits);
    for (let n = 0; n < 100; n++) put(pool, paid(n, n));
    expect(pool.size).toBeLessThanOrEqual(5_000);
    const other = mempool.pool(limits);
    expect([1, 2, 3].map((n) => put(other, enveloped(n, n)))).toEqual([
      "in",
      "in",
      "too-many-envelopes",
    ]);
  });

  it("drops what a block included, what it made impossible and what expired", () => {
    const pool = mempool.pool();
    const [included, rival, late, stays] = [paid(1), paid(2), paid(3), paid(4)];
    for (const bytes of [included, rival, late, stays]) put(pool, bytes);
    const winner = transactionCodec.encode({
      ...transactionCodec.decode(rival),
      expires: expires - 1,
    });
    const ids = [included, winner].map(
      (bytes) => (ledger.check(reader, { height: 1, time: 1 }, bytes) as Checked).id,
    );
    const block = { transactions: [included, winner], ids, time: 100, isFull: false };
    mempool.afterBlock(pool, block);
    expect([...pool.entries.values()].map(({ bytes }) => bytes)).toEqual([late, stays]);
    mempool.afterBlock(pool, { transactions: [], ids: [], time: expires + 1, isFull: false });
    expect([pool.entries.size, pool.claims.size, pool.hashes.size, pool.size, pool.work]).toEqual([
      0, 0, 0, 0, 0,
    ]);
  });

  it("does not call for blocks on behalf of what blocks with room leave out (CON-1)", () => {
    const pool = mempool.pool();
    put(pool, paid(1));
    const empty = { transactions: [], ids: [], time: 100 };
    for (let i = 0; i < 20; i++) mempool.afterBlock(pool, { ...empty, isFull: true });
    expect(pool.work).toBe(1);
    for (let i = 0; i < mempool.passedOverMax; i++)
      mempool.afterBlock(pool, { ...empty, isFull: false });
    expect([pool.work, pool.entries.size]).toEqual([0, 1]);
    mempool.drop(pool, must([...pool.entries.values()][0], "entry"));
    expect(pool.work).toBe(0);
  });
});
