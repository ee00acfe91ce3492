import { isRejected } from "@causeway/primitives";
import { negate, order, publicPoint, scalarBytes } from "@causeway/primitives/secp256k1";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { outputKey, taprootTweak, tweakPoint } from "./tweak.ts";

const { Point } = secp256k1;
const secret = fc.bigInt({ min: 1n, max: order - 1n });

test("a Taproot output key is lift_x(K) + t G for either parity of the threshold point (BIP341)", () => {
  const root = fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }), { nil: undefined });
  const property = fc.property(secret, root, (k, merkleRoot) => {
    const K = publicPoint(scalarBytes(k));
    const tweak = taprootTweak(K, merkleRoot);
    const t = BigInt(`0x${Buffer.from(tweak.tweak).toString("hex")}`);
    const lifted = Point.fromBytes(Uint8Array.of(2, ...K.subarray(1)));
    const Q = lifted.add(Point.BASE.multiply(t)).toBytes();
    const parity = Q[0] === 2 ? 0 : 1;
    expect(outputKey(K, [tweak])).toEqual({ key: Q.subarray(1), parity });
    expect(outputKey(negate(K), [tweak])).toEqual({ key: Q.subarray(1), parity });
  });
  void fc.assert(property, { numRuns: 20 });
});

test("no tweak leaves x of the threshold point", () => {
  const K = publicPoint(scalarBytes(5n));
  expect(outputKey(K, [])).toMatchObject({ key: K.subarray(1) });
});

test("a tweak that is too large, too long or cancels the key is refused with its code", () => {
  const K = publicPoint(scalarBytes(5n));
  const code = (tweak: Uint8Array, point: Uint8Array = K) => {
    const tweaked = tweakPoint(point, [{ tweak, xOnly: false }]);
    return isRejected(tweaked) ? tweaked.code : "accepted";
  };
  expect(code(new Uint8Array(32).fill(255))).toBe("bad-tweak");
  expect(code(new Uint8Array(33))).toBe("bad-tweak");
  expect(code(scalarBytes(-5n))).toBe("infinite-key");
  expect(code(scalarBytes(0n))).toBe("accepted");
  expect(code(scalarBytes(1n), new Uint8Array(33))).toBe("bad-point");
});
