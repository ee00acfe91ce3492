// Operators die in the middle of things: it still ends ok.
import { expect, test } from "vitest";
import type { Line } from "./demo-run.ts";
import { runDemo } from "./demo-run.ts";

// The proposer, the coordinator and the user's portal are each hit; the nightly script runs all 32 pairs apart.
test("kill -9 of operator step mod 4 in steps 2, 4 and 7: ends ok, and each catches up", async () => {
  const demo = await runDemo(["--kill-step", "2,4,7"]);
  expect(demo.last).toMatchObject({ ok: true });
  expect(demo.last.restarted.map(({ operator }: Line) => operator)).toEqual([2, 0, 3]);
  for (const { height } of demo.last.restarted) expect(height).toBeGreaterThan(0);
  expect(await demo.close()).toBe(0);
});
