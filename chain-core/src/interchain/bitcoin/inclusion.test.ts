// Proofs of inclusion (WIT-4), and the trick with a transaction of 64 bytes.
import { concat, fromHex, isRejected, must, sha256, sha256d, toHex } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { merkleRoot, parseBlock, proveInclusion, verifyInclusion } from "./inclusion.ts";
import { encodeTransaction, parseTransaction } from "./transaction.ts";

function transaction(serial: number, script = Uint8Array.of(0x51, 0x51)): Uint8Array {
  const txid = sha256(Uint8Array.of(serial, serial >> 8));
  const inputs = [{ txid, vout: serial, script: new Uint8Array(0), sequence: 0xffffffff }];
  return encodeTransaction({ version: 2, inputs, outputs: [{ amount: 1n, script }], lockTime: 0 });
}

function headerOf(transactions: readonly Uint8Array[]): Uint8Array {
  return concat(new Uint8Array(36), merkleRoot(transactions), new Uint8Array(12));
}

describe("A proof of inclusion", () => {
  test("holds for every transaction of blocks of every size", () => {
    const property = fc.property(fc.integer({ min: 1, max: 40 }), (count) => {
      const all = Array.from({ length: count }, (_, i) => transaction(i));
      const header = headerOf(all);
      for (const position of all.keys()) {
        const verified = verifyInclusion(header, proveInclusion(all, position));
        const txid = isRejected(verified) ? verified.code : toHex(verified.txid);
        expect(txid).toBe(toHex(sha256d(must(all[position], "transaction"))));
      }
    });
    fc.assert(property, { numRuns: 40 });
  });

  test("is of Bitcoin's own tree: block 170 of mainnet, the first payment", () => {
    const [coinbase, payment] = [
      "b1fea52486ce0c62bb442b530a3f0132b826c74e473d1f2c220bfa78111c5082",
      "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16",
    ].map((id) => fromHex(id).reverse());
    const root = "7dac2c5666815c17a3b36427de37bb9d2e2c5ccec3f8633eb91a4205cb4c10ff";
    expect(toHex(sha256d(concat(must(coinbase, "id"), must(payment, "id"))).reverse())).toBe(root);
  });

  test("fails when any part of it changes", () => {
    const all = Array.from({ length: 7 }, (_, i) => transaction(i));
    const header = headerOf(all);
    const proof = proveInclusion(all, 3);
    const wrong = (change: Partial<typeof proof>): unknown =>
      verifyInclusion(header, { ...proof, ...change });
    expect(wrong({ position: 2 })).toMatchObject({ code: "bad-inclusion" });
    expect(wrong({ position: 11 })).toMatchObject({ code: "bad-inclusion" });
    expect(wrong({ branch: proof.branch.slice(1) })).toMatchObject({ code: "bad-inclusion" });
    expect(wrong({ transaction: transaction(9) })).toMatchObject({ code: "bad-inclusion" });
    expect(wrong({ transaction: Uint8Array.of(1, 2, 3) })).toMatchObject({
      code: "bad-transaction",
    });
  });

  test("is refused for a transaction with its witness, whose hash is not its id", () => {
    const bare = must(parsed(transaction(1)), "transaction");
    const full = encodeTransaction(bare, [[Uint8Array.of(1)]]);
    const proof = { transaction: full, position: 0, branch: [] };
    expect(verifyInclusion(headerOf([full]), proof)).toMatchObject({ code: "bad-transaction" });
  });

  test("is refused for a transaction of 64 bytes, which could be an inner node", () => {
    const short = transaction(1, Uint8Array.of(0x51, 0x51, 0x51, 0x51));
    expect(short.length).toBe(64);
    const proof = { transaction: short, position: 0, branch: [] };
    expect(verifyInclusion(headerOf([short]), proof)).toMatchObject({ code: "bad-transaction" });
  });

  test("cannot be made through a mined transaction of 64 bytes: its first half is the hash of nothing", () => {
    const fake = transaction(77);
    // A mined transaction of 64 bytes whose second half is the id of one that does not exist.
    const mined = concat(sha256(Uint8Array.of(1)).slice(0, 32), sha256d(fake));
    const header = headerOf([mined]);
    const firstHalf = mined.slice(0, 32);
    const classic = { transaction: fake, position: 1, branch: [firstHalf] };
    expect(sha256d(concat(firstHalf, sha256d(fake)))).toEqual(header.slice(36, 68));
    expect(verifyInclusion(header, classic)).toMatchObject({ code: "bad-inclusion" });
  });
});

function parsed(
  bytes: Uint8Array,
): Exclude<ReturnType<typeof parseTransaction>, { kind: string }> | undefined {
  const read = parseTransaction(bytes);
  return "kind" in read ? undefined : read;
}

describe("A block from a node", () => {
  const bare = [0, 1, 2].map((i) => must(parsed(transaction(i)), "transaction"));
  const stripped = bare.map((one) => encodeTransaction(one));
  const full = bare.map((one) => encodeTransaction(one, [[new Uint8Array(64)]]));

  test("is read with its witnesses left out", () => {
    const block = parseBlock(concat(headerOf(stripped), Uint8Array.of(3), ...full));
    expect(isRejected(block) ? block.message : block.stripped).toEqual(stripped);
  });

  test("is refused when cut, when longer than its transactions, or with another root", () => {
    const bytes = concat(headerOf(stripped), Uint8Array.of(3), ...full);
    for (const bad of [
      bytes.slice(0, -1),
      concat(bytes, Uint8Array.of(0)),
      concat(headerOf(stripped.slice(1)), bytes.slice(80)),
      new Uint8Array(0),
    ])
      expect(parseBlock(bad)).toMatchObject({ code: "bad-transaction" });
  });

  test("of random bytes never throws", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseBlock(bytes)));
  });
});
