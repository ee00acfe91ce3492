// blst and the stand-in of the simulations keep the same promises.
import { fromHex, toHex } from "@causeway/primitives";
import { blsCompliance, testBls } from "@causeway/primitives/testing";
import { expect, test } from "vitest";
import { createBls } from "./bls.ts";

for (const { name, run } of blsCompliance(createBls)) test(`blst: ${name}`, run);
for (const { name, run } of blsCompliance(testBls)) test(`stand-in: ${name}`, run);

test("a key outside of the group, though on the curve, is refused", () => {
  // x = 4 is on the curve of BLS12-381 and not in the subgroup of prime order.
  const outside = fromHex(`80${"00".repeat(46)}04`);
  const bls = createBls();
  const secret = new Uint8Array(32).fill(1);
  expect(bls.verify(outside, secret, bls.sign(secret, secret))).toBe(false);
});

test("the stand-in does not accept what nobody signed, even with the right bytes", () => {
  const [one, other] = [testBls(), testBls()];
  const secret = new Uint8Array(32).fill(1);
  const key = one.publicKey(secret);
  const forged = other.sign(secret, secret);
  expect(one.verify(key, secret, forged)).toBe(false);
  expect(toHex(one.sign(secret, secret))).toBe(toHex(forged));
  expect(one.verify(key, secret, forged)).toBe(true);
});
