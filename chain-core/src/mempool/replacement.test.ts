// Who leaves a mempool for whom: replacement by tip, the bound of each owner, chains of waiting transactions.
import type { NetworkId } from "@causeway/primitives";
import { bigEndian, isRejected, keyOf, must, sha256 } from "@causeway/primitives";
import { expect, test } from "vitest";
import { kinds, spendCodec } from "../codec/action.ts";
import { transactionCodec, transactionId } from "../codec/transaction.ts";
import * as mempool from "./pool.ts";

const network = sha256(new Uint8Array(1)) as unknown as NetworkId;
const output = (n: number): Uint8Array => sha256(bigEndian(n, 4));

type Sketch = {
  /** Ids of transactions whose first output it spends. */
  readonly spends: readonly Uint8Array[];
  readonly fee: number;
  readonly owner?: number;
  readonly size?: number;
};

/** Bytes of about `size`, and what the ledger would say of them. */
function sketch({ spends, fee, owner, size = 0 }: Sketch): {
  readonly id: Uint8Array;
  readonly bytes: Uint8Array;
  readonly put: (pool: mempool.Pool) => string;
} {
  const body = spendCodec.encode({ inputs: spends.map((txid) => ({ txid, index: 0 })) });
  const witnesses = [bigEndian(fee, 8)];
  for (let left = size; left > 0; left -= 1024)
    witnesses.push(new Uint8Array(Math.min(left, 1024)));
  const tx = {
    envelope: [],
    expires: 10_000 + fee,
    actions: [{ kind: kinds.spend, body }],
    witnesses,
  };
  const bytes = transactionCodec.encode(tx);
  const id = transactionId(network, tx);
  const lock = owner === undefined ? undefined : output(owner);
  const checked = { id, tx, weight: bytes.length, fee: BigInt(fee), ...(lock && { owner: lock }) };
  return {
    id,
    bytes,
    put: (pool) => {
      const entry = mempool.add(pool, checked, bytes, false, 0);
      return isRejected(entry) ? entry.code : "in";
    },
  };
}

const has = (pool: mempool.Pool, { id }: { id: Uint8Array }): boolean =>
  mempool.byId(pool, id) !== undefined;
/** Every index agrees with the entries. */
function expectWhole(pool: mempool.Pool): void {
  const all = [...pool.entries.values()];
  const sum = (of: (entry: mempool.Entry) => number): number =>
    all.reduce((total, entry) => total + of(entry), 0);
  expect(pool.size).toBe(sum(({ bytes }) => bytes.length));
  expect(pool.claims.size).toBe(sum(({ claims }) => claims.length));
  expect(pool.hashes.size).toBe(all.length);
  expect([...pool.owners.values()].reduce((a, b) => a + b, 0)).toBe(
    sum(({ owner }) => (owner === undefined ? 0 : 1)),
  );
  for (const { parents, children, key } of all) {
    for (const parent of parents) expect(pool.entries.get(parent)?.children.has(key)).toBe(true);
    for (const child of children) expect(pool.entries.get(child)?.parents.has(key)).toBe(true);
  }
}

test("who pays a tenth more, in sum and by the byte, replaces what spends the same", () => {
  const pool = mempool.pool();
  const first = sketch({ spends: [output(1)], fee: 1_000 });
  const second = sketch({ spends: [output(2)], fee: 1_000 });
  for (const one of [first, second]) expect(one.put(pool)).toBe("in");
  const both = [output(1), output(2)];
  // Enough for one, not for the two that would go.
  expect(sketch({ spends: both, fee: 2_199 }).put(pool)).toBe("conflict");
  // Enough in sum, too little a byte.
  expect(sketch({ spends: both, fee: 2_300, size: 2_000 }).put(pool)).toBe("conflict");
  expect(has(pool, first) && has(pool, second)).toBe(true);
  const winner = sketch({ spends: both, fee: 2_300 });
  expect(winner.put(pool)).toBe("in");
  expect([has(pool, first), has(pool, second), has(pool, winner)]).toEqual([false, false, true]);
  const gone = { reason: "replaced", by: keyOf(winner.id) };
  expect([pool.gone.get(keyOf(first.id)), pool.gone.get(keyOf(second.id))]).toEqual([gone, gone]);
  expectWhole(pool);
});

test("a replacement pays for all that builds on what it replaces, within a bound", () => {
  const pool = mempool.pool();
  const parent = sketch({ spends: [output(1)], fee: 1_000 });
  const child = sketch({ spends: [parent.id], fee: 5_000 });
  for (const one of [parent, child]) expect(one.put(pool)).toBe("in");
  expect(sketch({ spends: [output(1)], fee: 6_000 }).put(pool)).toBe("conflict");
  expect(sketch({ spends: [output(1)], fee: 6_600 }).put(pool)).toBe("in");
  expect(pool.entries.size).toBe(1);
  expectWhole(pool);

  const wide = mempool.pool({ ...mempool.defaultLimits, replacedMax: 3 });
  for (let n = 0; n < 4; n++) expect(sketch({ spends: [output(n)], fee: 10 }).put(wide)).toBe("in");
  const all = [0, 1, 2, 3].map(output);
  expect(sketch({ spends: all, fee: 1_000_000 }).put(wide)).toBe("conflict");
  expect(sketch({ spends: all.slice(1), fee: 1_000_000 }).put(wide)).toBe("in");
});

test("nothing replaces what it builds on", () => {
  const pool = mempool.pool();
  const parent = sketch({ spends: [output(1)], fee: 100 });
  expect(parent.put(pool)).toBe("in");
  expect(sketch({ spends: [output(1), parent.id], fee: 100_000 }).put(pool)).toBe("conflict");
  expect(has(pool, parent)).toBe(true);
});

test("one owner fills only its part, and may replace its own there", () => {
  const pool = mempool.pool({ ...mempool.defaultLimits, ownerMax: 3 });
  for (let n = 0; n < 3; n++)
    expect(sketch({ spends: [output(n)], fee: 100, owner: 7 }).put(pool)).toBe("in");
  expect(sketch({ spends: [output(9)], fee: 9_000, owner: 7 }).put(pool)).toBe("too-many-of-owner");
  expect(sketch({ spends: [output(2)], fee: 9_000, owner: 7 }).put(pool)).toBe("in");
  expect(sketch({ spends: [output(9)], fee: 100, owner: 8 }).put(pool)).toBe("in");
  expectWhole(pool);
});

test("a chain enters up to its bound, is offered in order and leaves from its end", () => {
  const pool = mempool.pool({ ...mempool.defaultLimits, ancestorsMax: 4, countMax: 5 });
  const chain = [sketch({ spends: [output(1)], fee: 500 })];
  for (let n = 1; n < 5; n++)
    chain.push(sketch({ spends: [must(chain.at(-1), "parent").id], fee: 500 + 1_000 * n }));
  const parents = ({ bytes }: { bytes: Uint8Array }): unknown => {
    const found = mempool.parentsOf(pool, transactionCodec.decode(bytes));
    return isRejected(found) ? found.code : found;
  };
  for (const [n, one] of chain.slice(0, 4).entries()) {
    expect(parents(one)).toEqual(chain.slice(0, n).map(({ bytes }) => bytes));
    expect(one.put(pool)).toBe("in");
  }
  expect(parents(must(chain[4], "end"))).toBe("too-long-chain");
  // However much a child pays, it follows its parent.
  expect(mempool.candidates(pool, 1_000_000)).toEqual(chain.slice(0, 4).map(({ bytes }) => bytes));
  expect(sketch({ spends: [output(2)], fee: 900 }).put(pool)).toBe("in");
  expect(sketch({ spends: [output(3)], fee: 900 }).put(pool)).toBe("in");
  // Five are too many: the newest of those that pay like the chain's root left.
  expect(chain.map((one) => has(pool, one))).toEqual([true, true, true, false, false]);
  expectWhole(pool);
});

test("a child whose parent is final stands on its own, one whose parent is impossible goes", () => {
  const pool = mempool.pool();
  const [cheap, lost] = [1, 2].map((n) => sketch({ spends: [output(n)], fee: 100 }));
  if (cheap === undefined || lost === undefined) throw new Error();
  const rich = sketch({ spends: [cheap.id], fee: 9_000 });
  const orphan = sketch({ spends: [lost.id], fee: 9_000 });
  const other = sketch({ spends: [output(3)], fee: 5_000 });
  for (const one of [cheap, lost, rich, orphan, other]) expect(one.put(pool)).toBe("in");
  expect(mempool.candidates(pool, 1_000_000)[0]).toEqual(other.bytes);
  const winner = sketch({ spends: [output(2)], fee: 1 });
  mempool.afterBlock(pool, {
    transactions: [cheap.bytes, winner.bytes],
    ids: [cheap.id, winner.id],
    time: 1,
    isFull: true,
  });
  expect(mempool.candidates(pool, 1_000_000)).toEqual([rich.bytes, other.bytes]);
  expect(pool.gone.get(keyOf(orphan.id))).toEqual({ reason: "conflict", by: keyOf(winner.id) });
  expectWhole(pool);
});

test("a large newcomer for which there is no room evicts nobody", () => {
  const pool = mempool.pool({ ...mempool.defaultLimits, sizeMax: 4_000 });
  const small = [1, 2].map((n) => sketch({ spends: [output(n)], fee: 1, size: 500 }));
  const dear = sketch({ spends: [output(3)], fee: 900_000, size: 1_500 });
  for (const one of [...small, dear]) expect(one.put(pool)).toBe("in");
  expect(sketch({ spends: [output(4)], fee: 50_000, size: 3_000 }).put(pool)).toBe("mempool-full");
  expect(pool.entries.size).toBe(3);
  // And the order of eviction is what it was.
  expect(sketch({ spends: [output(5)], fee: 50_000, size: 1_700 }).put(pool)).toBe("in");
  expect([...small, dear].map((one) => has(pool, one))).toEqual([true, false, true]);
  expectWhole(pool);
});

test("5,000 evictions from a full mempool of 20,000 cost no sort each", () => {
  const pool = mempool.pool({ ...mempool.defaultLimits, countMax: 20_000 });
  let n = 0;
  const flood = (fee: number): string => sketch({ spends: [output(n++)], fee }).put(pool);
  for (let i = 0; i < 20_000; i++) flood(1_000 + (i % 997));
  const began = performance.now();
  for (let i = 0; i < 5_000; i++) expect(flood(5_000 + i)).toBe("in");
  // Sorting at each would take minutes; making and hashing them is most of this.
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(pool.entries.size).toBe(20_000);
  expect(pool.cheapest.size()).toBeLessThan(62_000);
  expectWhole(pool);
});
