// Short runs; test/sim/beacon-bias.ts has the long one of 10,000 epochs.
import { expect, test } from "vitest";
import { biasLimit, chiSquared, simulateBias } from "./testing-bias.ts";

test("a third that withholds does not move the output (BCN-3)", () => {
  expect(chiSquared(simulateBias("full", 100, "short"))).toBeLessThan(biasLimit);
}, 120_000);

test("without the delay the same adversary does", () => {
  expect(chiSquared(simulateBias("no-delay", 50, "short"))).toBeGreaterThan(biasLimit);
});

test("with starts that everybody knows it does, for it walks ahead of the epochs (BCN-2)", () => {
  expect(chiSquared(simulateBias("public-start", 50, "short"))).toBeGreaterThan(biasLimit);
}, 120_000);
