import { expect, test } from "vitest";
import { ledgerEnv } from "./env.ts";
import { testBls, testGenesis, testHash, testSecret } from "./testing.ts";

test("a good signature is verified once, a bad one each time, and none for another's", () => {
  const genesis = testGenesis(1);
  let verified = 0;
  const { bls } = ledgerEnv(genesis, {
    ...testBls,
    verify: (...args) => {
      verified += 1;
      return testBls.verify(...args);
    },
  });
  const [secret, message] = [testSecret("a validator"), testHash(genesis.networkId, 1)];
  const [key, signature] = [testBls.publicKey(secret), testBls.sign(secret, message)];
  const other = testHash(genesis.networkId, 2);
  const twice = (of: Uint8Array): boolean[] => [0, 1].map(() => bls.verify(key, of, signature));
  expect([twice(message), verified]).toEqual([[true, true], 1]);
  expect([twice(other), verified]).toEqual([[false, false], 3]);
  // What holds for one signature is not known of an aggregate, which is another claim.
  expect(bls.verifyAggregate([key], other, signature)).toBe(false);
  expect(bls.verifyAggregate([key], message, signature)).toBe(true);
});
