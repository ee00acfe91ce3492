// The fast paths of bytes and hashes against plain implementations of the same.
import { sha256 as sha2_256 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bigEndian, concat, fromBigEndian, toHex } from "./bytes.ts";
import { keccak256, keccak256Text, sha256, taggedHash } from "./hash.ts";
import {
  addressOf,
  combine,
  multiply,
  multiplyAdd,
  multiplyBase,
  order,
  publicPoint,
  recover,
  recoverAddress,
  scalarBytes,
  signRecoverable,
  sum,
  uncompressed,
} from "./secp256k1.ts";

const anyBytes = fc.uint8Array({ maxLength: 500 });

describe("hashes", () => {
  it("are those of another implementation", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(sha256(bytes)).toEqual(sha2_256(bytes));
        expect(keccak256(bytes)).toEqual(keccak_256(bytes));
      }),
    );
    const long = new Uint8Array(100_000).fill(7);
    expect(keccak256(long)).toEqual(keccak_256(long));
    expect(sha256(long)).toEqual(sha2_256(long));
  });

  it("take parts, short and long, as one", () => {
    const part = fc.oneof(anyBytes, fc.constant(new Uint8Array(4_000).fill(3)));
    const tag = sha2_256(utf8ToBytes("a tag"));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
        const whole = concat(...parts);
        expect(keccak256(...parts)).toEqual(keccak_256(whole));
        expect(taggedHash("a tag", ...parts)).toEqual(sha2_256(concat(tag, tag, whole)));
      }),
    );
  });

  it("of a text are those of its UTF-8", () => {
    const texts = fc.string({ unit: "binary", maxLength: 2_000 });
    fc.assert(
      fc.property(texts, (text) => {
        expect(keccak256Text(text)).toEqual(keccak_256(new TextEncoder().encode(text)));
      }),
    );
  });

  it("do not share memory with the next one", () => {
    const first = keccak256(Uint8Array.of(1));
    const copy = first.slice();
    keccak256(Uint8Array.of(2));
    expect(first).toEqual(copy);
  });
});

describe("bytes", () => {
  it("in hex are those of another implementation", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(toHex(bytes)).toBe(bytesToHex(bytes));
      }),
    );
  });

  it("of numbers and of bigints are the same, and joined they keep their order", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(bigEndian(value, 8)).toEqual(bigEndian(BigInt(value), 8));
        expect(fromBigEndian(bigEndian(value, 8))).toBe(BigInt(value));
      }),
    );
    const sized = fc
      .integer({ min: 1, max: 100 })
      .chain((size) => fc.tuple(fc.constant(size), fc.bigInt({ min: 0n, max: 256n ** 100n - 1n })));
    fc.assert(
      fc.property(sized, ([size, value]) => {
        const most = 256n ** BigInt(size);
        const hex = (value % most).toString(16).padStart(2 * size, "0");
        expect(bytesToHex(bigEndian(value % most, size))).toBe(hex);
        if (value >= most) expect(() => bigEndian(value, size)).toThrow();
        expect(() => bigEndian(most, size)).toThrow();
      }),
    );
    expect(() => bigEndian(-1n, 8)).toThrow();
    expect(() => bigEndian(256, 1)).toThrow();
    expect(() => bigEndian(-1, 1)).toThrow();
    expect(() => bigEndian(1.5, 1)).toThrow();
    expect(concat(Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3))).toEqual(
      Uint8Array.of(1, 2, 3),
    );
  });
});

describe("recoverAddress", () => {
  const secret = sha256(Uint8Array.of(1));
  const digest = sha256(Uint8Array.of(2));
  const signature = signRecoverable(secret, digest);

  it("is the address of the recovered point", () => {
    expect(recoverAddress(digest, signature)).toEqual(addressOf(publicPoint(secret)));
    expect(recover(digest, signature)).toEqual(publicPoint(secret));
  });

  it("refuses a high s, s = 0, another v and other sizes, as recover does (FMT-6)", () => {
    const s = fromBigEndian(signature.subarray(32, 64));
    const withS = (value: bigint): Uint8Array =>
      concat(signature.subarray(0, 32), bigEndian(value, 32), signature.subarray(64));
    const bad = [
      withS(order - s),
      withS(0n),
      withS(order / 2n + 1n),
      concat(signature.subarray(0, 64), Uint8Array.of(0)),
      signature.subarray(0, 64),
    ];
    for (const one of bad)
      expect([recoverAddress(digest, one), recover(digest, one)]).toEqual([undefined, undefined]);
  });
});

describe("public scalars", () => {
  const scalar = fc.bigInt({ min: 1n, max: order - 1n });

  it("multiply and add at once as they do one by one", () => {
    const any = fc.oneof(scalar, fc.constantFrom(0n, 1n, -1n, order));
    fc.assert(
      fc.property(scalar, any, any, (secret, a, b) => {
        const point = publicPoint(scalarBytes(secret));
        expect(multiplyAdd(point, a, b)).toEqual(sum([multiply(point, a), multiplyBase(b)]));
        expect(multiplyAdd(point, a, -a * secret)).toBeUndefined();
      }),
    );
    const noPoint = new Uint8Array(33).fill(255).fill(2, 0, 1);
    expect(() => multiplyAdd(noPoint, 1n, 1n)).toThrow();
  });

  it("combine points of both encodings, to infinity too", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(scalar, scalar), { maxLength: 6 }), (pairs) => {
        const total = pairs.reduce((all, [secret, k]) => all + secret * k, 0n);
        const terms = pairs.map(([secret, k], i) => {
          const point = publicPoint(scalarBytes(secret));
          return [i % 2 === 0 ? point : uncompressed(point), k] as const;
        });
        expect(combine(terms)).toEqual(multiplyBase(total));
        const minus = [publicPoint(scalarBytes(1n)), -total] as const;
        expect(combine([...terms, minus])).toBeUndefined();
      }),
    );
  });
});
