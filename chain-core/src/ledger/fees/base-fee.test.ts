import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryState } from "../memory-state.ts";
import { baseFeeOf, feeAt, feeEstimate, moveBaseFee, nextBaseFee } from "./base-fee.ts";
import { weightOf } from "./weight.ts";

const params = { baseFeeInitial: 4_000n, baseFeeMin: 1_000n, weightTarget: 2_000_000 };
const weights = fc.nat(4_000_000);

describe("the base fee (ACC-2)", () => {
  test("moves by at most an eighth towards fuller or emptier blocks, and never below its minimum", () => {
    const fees = fc.bigInt(8n, 10n ** 15n);
    fc.assert(
      fc.property(
        fees,
        fees,
        weights,
        fc.integer({ min: 1, max: 4_000_000 }),
        (min, fee, weight, target) => {
          const of = { ...params, baseFeeMin: min, weightTarget: target };
          const before = fee > min ? fee : min;
          const next = nextBaseFee(of, before, weight);
          expect(next).toBeGreaterThanOrEqual(min);
          const step = next > before ? next - before : before - next;
          expect(step).toBeLessThanOrEqual(before / 8n);
          if (weight > target) expect(next).toBeGreaterThan(before);
          if (weight === target) expect(next).toBe(before);
          if (weight < target) expect(next).toBeLessThanOrEqual(before);
        },
      ),
    );
  });

  test("doubles within seven full blocks, and is at its minimum again after some empty ones", () => {
    const state = memoryState();
    const run = (blocks: number, weight: number): bigint => {
      for (let i = 0; i < blocks; i++) moveBaseFee(state, params, weight);
      return baseFeeOf(state, params);
    };
    expect(run(6, 4_000_000)).toBe(8_105n);
    expect(run(100, 2_000_000)).toBe(8_105n);
    expect(run(16, 0)).toBe(1_000n);
    expect(run(1, 2_000_001)).toBe(1_001n);
  });

  test("is never nothing for what has a weight", () => {
    fc.assert(
      fc.property(fc.bigInt(8n, 10n ** 15n), fc.integer({ min: 1 }), (fee, weight) => {
        expect(feeAt(fee, weight) * 1_000n).toBeGreaterThanOrEqual(fee * BigInt(weight));
        expect((feeAt(fee, weight) - 1n) * 1_000n).toBeLessThan(fee * BigInt(weight));
      }),
    );
  });

  test("is estimated so that four full blocks do not outrun it", () => {
    const state = memoryState();
    const { baseFee, feeRate } = feeEstimate(state, params);
    expect(baseFee).toBe(4_000n);
    for (let i = 0; i < 4; i++) moveBaseFee(state, params, 4_000_000);
    expect(feeRate).toBeGreaterThanOrEqual(baseFeeOf(state, params));
  });
});

test("weight grows with every signature and every output that stays, and is no less than the bytes", () => {
  const load = { size: 313, signatures: 1, inputs: 1, outputs: 2, growth: 0 };
  expect(weightOf(load)).toBe(813);
  expect(weightOf({ ...load, signatures: 3 })).toBe(1_213);
  expect(weightOf({ ...load, growth: 70 })).toBe(883);
  expect(weightOf({ ...load, inputs: 64, outputs: 1 })).toBe(513);
});
