import fc from "fast-check";
import { expect, test } from "vitest";
import { charge, charges, isExhausted } from "./quota.ts";

test("refused envelopes use up their sender's quota of the epoch, each once (CON-7)", () => {
  const refusal = fc.record({
    sender: fc.constantFrom("a", "b"),
    id: fc.nat(30).map(String),
    weight: fc.integer({ min: 1, max: 50 }),
    epoch: fc.constantFrom(0, 0, 0, 1),
  });
  fc.assert(
    fc.property(fc.array(refusal, { maxLength: 80 }), (all) => {
      const state = charges();
      let epoch = 0;
      let seen = new Set<string>();
      let spent: Record<string, number> = {};
      for (const { epoch: step, ...refused } of all) {
        epoch += step;
        if (step > 0) [seen, spent] = [new Set(), {}];
        const isNew = !seen.has(refused.id);
        expect(charge(state, epoch, refused)).toBe(isNew);
        seen.add(refused.id);
        if (isNew) spent[refused.sender] = (spent[refused.sender] ?? 0) + refused.weight;
        for (const sender of ["a", "b", "c"])
          expect(isExhausted(state, epoch, sender, 100)).toBe((spent[sender] ?? 0) >= 100);
      }
    }),
  );
});
