import { expect, test } from "vitest";
import type { Bounds, FairQueue, Urgency } from "./fair-queue.ts";
import { fairQueue } from "./fair-queue.ts";

const bounds: Bounds = { laneCountMax: 1_000, laneSizeMax: 1_000, sizeMax: 2_000 };

function queue(of: Partial<Bounds> = {}): FairQueue<string> & { readonly dropped: string[] } {
  const dropped: string[] = [];
  return { ...fairQueue<string>({ ...bounds, ...of }, (job) => dropped.push(job)), dropped };
}
const put = (
  to: FairQueue<string>,
  from: string,
  jobs: readonly string[],
  urgency: Urgency = "bulk",
  size = 1,
): boolean[] => jobs.map((job) => to.push({ from, urgency }, size, job));
function all(from: FairQueue<string>): string[] {
  const out: string[] = [];
  for (let job = from.shift(); job !== undefined; job = from.shift()) out.push(job);
  return out;
}
const names = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${name}${i}`);

test("a flood waits behind itself: peers take turns, each in its own order", () => {
  const one = queue();
  put(one, "flood", names("f", 500));
  put(one, "a", ["a0", "a1"]);
  put(one, "b", ["b0"]);
  const order = all(one);
  expect(order.slice(0, 6)).toEqual(["f0", "a0", "b0", "f1", "a1", "f2"]);
  expect(order.filter((job) => job.startsWith("f"))).toEqual(names("f", 500));
  expect(one.count()).toBe(0);
});

test("votes go before transactions, of which one comes after every eight", () => {
  const one = queue();
  put(one, "a", names("t", 3));
  put(one, "b", names("v", 20), "urgent");
  one.pushFirst("woke");
  const order = all(one);
  expect(order[0]).toBe("woke");
  expect(order.slice(1, 11)).toEqual([...names("v", 8), "t0", "v8"]);
  expect(order.length).toBe(24);
});

test("a lane is bounded in count and in bytes, each peer by its own", () => {
  const few = queue({ laneCountMax: 2 });
  expect(put(few, "a", names("a", 3))).toEqual([true, true, false]);
  expect(put(few, "b", ["b0"])).toEqual([true]);
  expect(put(few, "a", ["v"], "urgent")).toEqual([true]);
  const small = queue({ laneSizeMax: 10 });
  expect(put(small, "a", ["a0", "a1", "a2"], "bulk", 5)).toEqual([true, true, false]);
  small.shift();
  expect(put(small, "a", ["a3"], "bulk", 5)).toEqual([true]);
});

test("when all is full the largest lane gives way to a smaller one, and to no larger", () => {
  const one = queue({ sizeMax: 100, laneSizeMax: 90 });
  put(one, "flood", names("f", 9), "bulk", 10);
  expect(put(one, "a", ["a0", "a1", "a2"], "urgent", 10)).toEqual([true, true, true]);
  expect(one.dropped).toEqual(["f0", "f1"]);
  expect(put(one, "flood", ["late"], "bulk", 10)).toEqual([false]);
  expect(all(one)).toEqual(["a0", "a1", "a2", ...names("f", 9).slice(2)]);
});

test("what waits of a peer that left is dropped", () => {
  const one = queue();
  put(one, "a", names("a", 3));
  put(one, "a", ["v"], "urgent");
  put(one, "b", ["b0"]);
  expect(one.forget("a").sort()).toEqual(["a0", "a1", "a2", "v"]);
  expect([one.count(), all(one)]).toEqual([1, ["b0"]]);
});

test("long lanes stay in order and cost no move each", () => {
  const one = queue({ laneCountMax: 100_000, laneSizeMax: 1e9, sizeMax: 1e9 });
  put(one, "a", names("a", 50_000));
  const began = performance.now();
  expect(all(one)).toEqual(names("a", 50_000));
  expect(performance.now() - began).toBeLessThan(2_000);
});
