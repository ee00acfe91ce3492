// The set hash of the unspent outputs (CON-8) against a slow implementation written from the definition.
import { bigEndian, concat, utf8 } from "@causeway/primitives";
import { blake3 } from "@noble/hashes/blake3.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryState } from "../memory-state.ts";
import { overlay } from "../overlay.ts";
import { modules } from "../state.ts";
import { commitmentOf, moveUtxoSum, utxoCommitment, utxoSum, utxoSums } from "./commitment.ts";
import { outputs } from "./outputs.ts";

type Entry = { readonly key: Uint8Array; readonly value: Uint8Array };

/** Lane i is the sum over all entries of bytes 2 i and 2 i + 1 (little-endian) of their wide hashes, mod 2^16. */
function slowSum(entries: readonly Entry[]): Uint8Array {
  const lanes = new Array<bigint>(1_024).fill(0n);
  for (const { key, value } of entries) {
    const input = concat(utf8("causeway/utxo/v1"), bigEndian(key.length, 1), key, value);
    const wide = blake3(input, { dkLen: 2_048 });
    for (let i = 0; i < 1_024; i++)
      lanes[i] =
        ((lanes[i] ?? 0n) + BigInt(wide[2 * i] ?? 0) + 256n * BigInt(wide[2 * i + 1] ?? 0)) %
        65_536n;
  }
  return concat(...lanes.map((lane) => bigEndian(lane, 2).reverse()));
}

const entry = fc.record({
  key: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  value: fc.uint8Array({ maxLength: 90 }),
});

function sumOf(entries: readonly Entry[]): Uint8Array {
  const sum = utxoSum();
  for (const { key, value } of entries) sum.add(key, value);
  return sum.bytes();
}

describe("the UTXO commitment (CON-8)", () => {
  it("is the sum that the definition gives, in any order", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), (entries) => {
        expect(sumOf(entries)).toEqual(slowSum(entries));
        expect(sumOf([...entries].reverse())).toEqual(slowSum(entries));
      }),
      { numRuns: 15 },
    );
  });

  it("forgets what was removed", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 6 }), entry, (entries, gone) => {
        const sum = utxoSum(sumOf([...entries, gone]));
        sum.remove(gone.key, gone.value);
        expect(sum.bytes()).toEqual(sumOf(entries));
      }),
    );
  });

  it("tells bytes of the key from bytes of the value, and one entry from none or two", () => {
    const [a, b] = [
      { key: Uint8Array.of(1, 2), value: Uint8Array.of(3) },
      { key: Uint8Array.of(1), value: Uint8Array.of(2, 3) },
    ];
    const sums = [[], [a], [b], [a, a], [a, b]].map(sumOf);
    expect(new Set(sums.map((sum) => commitmentOf(sum).join())).size).toBe(sums.length);
  });

  it("follows every change of the outputs, whatever blocks they come in", () => {
    const change = fc.record({ n: fc.nat(6), amount: fc.option(fc.bigInt(1n, 9n)) });
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 5 }), (blocks) => {
        const state = memoryState();
        for (const changes of blocks) {
          const block = overlay(state);
          for (const { n, amount } of changes) {
            const id = { txid: new Uint8Array(32).fill(n), index: n };
            const of = { asset: new Uint8Array(32), lock: new Uint8Array(32).fill(1) };
            if (amount === null) outputs.delete(block, id);
            else outputs.put(block, id, { ...of, amount });
          }
          moveUtxoSum(block, block.differences());
          state.write(block.differences());
        }
        const left = [...state.entries()].filter(
          ({ key }) => key[0] === modules.utxo && key[1] === 1,
        );
        expect(utxoCommitment(state)).toEqual(commitmentOf(slowSum(left)));
        expect([...state.entries()].length - left.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 15 },
    );
  });

  it("of no outputs is that of a sum of zeros", () => {
    const state = memoryState();
    expect(utxoCommitment(state)).toEqual(commitmentOf(new Uint8Array(2_048)));
    expect(utxoSums.get(state, "only")).toBeUndefined();
  });
});
