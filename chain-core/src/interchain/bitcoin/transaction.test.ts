// Transactions as bytes: what others made is bounded, what we write is fixed (BTC-4), and sizes are Core's.
import { concat, must, sha256, toHex } from "@causeway/primitives";
import { initEccLib, Transaction } from "bitcoinjs-lib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  encodeTransaction,
  feeOf,
  keyPathSize,
  ownTransaction,
  parseTransaction,
  sighashes,
  signedTransaction,
  transactionHash,
} from "./transaction.ts";

initEccLib(undefined);
const p2tr = concat(Uint8Array.of(0x51, 32), sha256(Uint8Array.of(1)));
const coin = (i: number): { txid: Uint8Array; vout: number } => ({
  txid: sha256(Uint8Array.of(i)),
  vout: i,
});

describe("A transaction", () => {
  test("of random bytes is refused or reads back to the same bytes, and never throws", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const read = parseTransaction(bytes);
      if (!("kind" in read))
        expect(encodeTransaction(read).length).toBeLessThanOrEqual(bytes.length);
    });
    fc.assert(property, { numRuns: 500 });
  });

  test("whose counts promise more than its bytes hold is refused at once", () => {
    const head = Uint8Array.of(2, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x7f);
    expect(parseTransaction(concat(head, new Uint8Array(100)))).toMatchObject({
      code: "bad-transaction",
    });
    const padded = Uint8Array.of(2, 0, 0, 0, 0xfd, 1, 0);
    expect(parseTransaction(concat(padded, new Uint8Array(60)))).toMatchObject({
      code: "bad-transaction",
    });
  });

  test("has the id, the bytes and the signature hashes that bitcoinjs-lib computes", () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
      (inputs, outputs) => {
        const coins = Array.from({ length: inputs }, (_, i) => coin(i));
        const paid = Array.from({ length: outputs }, (_, i) => ({
          amount: BigInt(i) * 999n,
          script: p2tr,
        }));
        const own = ownTransaction(coins, paid);
        const bytes = encodeTransaction(own);
        const theirs = Transaction.fromBuffer(Buffer.from(bytes));
        expect(toHex(theirs.getHash())).toBe(toHex(transactionHash(own)));
        expect(theirs.version).toBe(3);
        expect(theirs.ins.every(({ sequence }) => sequence === 0xfffffffd)).toBe(true);
        const spent = coins.map((_, i) => ({ amount: BigInt(i + 1) * 5_000n, script: p2tr }));
        const scripts = spent.map(({ script }) => script);
        const amounts = spent.map(({ amount }) => amount);
        const hashes = sighashes(own, spent);
        for (const i of coins.keys())
          expect(toHex(must(hashes[i], "hash"))).toBe(
            toHex(theirs.hashForWitnessV1(i, scripts, amounts, 0)),
          );
        const signed = signedTransaction(
          bytes,
          coins.map(() => new Uint8Array(64)),
        );
        const full = Transaction.fromBuffer(Buffer.from(signed));
        expect(full.virtualSize()).toBe(
          keyPathSize(
            inputs,
            paid.map(({ script }) => script.length),
          ),
        );
      },
    );
    fc.assert(property, { numRuns: 30 });
  });

  test.each([
    [1, 1, 111],
    [1, 2, 154],
    [1, 20, 928],
    [20, 182, 8_987],
  ])(
    "with %s inputs and %s P2TR outputs takes %s vB, as measured on Core",
    (inputs, outputs, size) => {
      expect(
        keyPathSize(
          inputs,
          Array.from({ length: outputs }, () => 34),
        ),
      ).toBe(size);
    },
  );

  test("pays a fee that is rounded up", () => {
    expect(feeOf(111, 1_000)).toBe(111n);
    expect(feeOf(111, 1_001)).toBe(112n);
  });
});
