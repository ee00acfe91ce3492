// The lanes in WebAssembly against another implementation of BLAKE3, for entries of every number of blocks.
import { concat } from "@causeway/primitives";
import { blake3 } from "@noble/hashes/blake3.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { entrySizeMax, ltHash, sumSize } from "./lthash.ts";

function lanesOf(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.slice().buffer);
}

/** `sum` and once more, `sign` times, the output of an entry. */
function slow(sum: Uint8Array, entry: Uint8Array, sign: 1 | -1): Uint8Array {
  const [lanes, output] = [lanesOf(sum), lanesOf(blake3(entry, { dkLen: sumSize }))];
  for (const [i, lane] of output.entries()) lanes[i] = (lanes[i] ?? 0) + sign * lane;
  return new Uint8Array(lanes.buffer);
}

const edges = [0, 1, 63, 64, 65, 127, 128, 129, 1_023, entrySizeMax];
const size = fc.oneof(fc.constantFrom(...edges), fc.nat(entrySizeMax));
const entry = size.chain((of) => fc.uint8Array({ minLength: of, maxLength: of }));
const start = fc.uint8Array({ minLength: sumSize, maxLength: sumSize });

test("entries of any size are added and removed as the definition says", () => {
  fc.assert(
    fc.property(start, entry, entry, (from, one, other) => {
      const sum = ltHash(from);
      sum.add([one]);
      expect(sum.bytes()).toEqual(slow(from, one, 1));
      sum.remove([other]);
      expect(sum.bytes()).toEqual(slow(slow(from, one, 1), other, -1));
    }),
  );
});

test("parts are hashed as one, and what an entry before left behind is not", () => {
  fc.assert(
    fc.property(
      entry,
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }),
      (one, parts) => {
        const sum = ltHash(new Uint8Array(sumSize));
        sum.add([one]);
        sum.remove([one]);
        sum.add(parts);
        expect(sum.bytes()).toEqual(slow(new Uint8Array(sumSize), concat(...parts), 1));
      },
    ),
  );
});

test("two sums at the same time do not touch each other", () => {
  fc.assert(
    fc.property(start, start, fc.array(fc.boolean(), { maxLength: 8 }), (a, b, turns) => {
      const sums = [ltHash(a), ltHash(b)] as const;
      const slows: [Uint8Array, Uint8Array] = [a, b];
      for (const [i, first] of turns.entries()) {
        const at = first ? 0 : 1;
        sums[at].add([Uint8Array.of(i)]);
        slows[at] = slow(slows[at], Uint8Array.of(i), 1);
      }
      expect([sums[0].bytes(), sums[1].bytes()]).toEqual(slows);
    }),
    { numRuns: 20 },
  );
});

test("what is too long is refused", () => {
  const sum = ltHash(new Uint8Array(sumSize));
  expect(() => sum.add([new Uint8Array(1_000), new Uint8Array(25)])).toThrow("more than 1024");
  expect(() => ltHash(new Uint8Array(2_047))).toThrow("2047 bytes");
});
