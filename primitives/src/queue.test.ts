import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Queue } from "./queue.ts";

test("gives what was added by its time, and in the order of arrival within a millisecond", () => {
  const property = fc.property(fc.array(fc.option(fc.nat(20), { nil: undefined })), (orders) => {
    const queue = new Queue<number>();
    let waiting: { atMs: number; name: number }[] = [];
    for (const [name, atMs] of orders.entries())
      if (atMs !== undefined) {
        queue.add(atMs, name);
        waiting.push({ atMs, name });
      } else {
        const [first, ...rest] = waiting.toSorted((a, b) => a.atMs - b.atMs || a.name - b.name);
        expect(queue.nextMs()).toBe(first?.atMs);
        expect(queue.take()).toBe(first?.name);
        waiting = rest;
      }
  });
  void fc.assert(property);
});
