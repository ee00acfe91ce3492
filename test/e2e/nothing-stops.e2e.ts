// Operators die in the middle of things, one is silent from the start, credit waits for the sweep: it still ends ok.
import { expect, test } from "vitest";
import { proposerOf } from "../../chain-core/src/consensus/proposer.ts";
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

test("with the first proposer silent from the start, and E = 0, keys are made and the trip ends ok", async () => {
  const silent = proposerOf(4, 1, 0);
  const demo = await runDemo(["--silent", String(silent), "--no-loan"]);
  expect(demo.last).toMatchObject({ ok: true });
  expect(demo.last.operators[silent].pids).toEqual([]);
  // Final depth 3 before the sweep is planned, and 3 more blocks on the sweep: credit depth alone would be 2.
  expect(demo.step("deposit").receipt.from.confirmations).toBeGreaterThanOrEqual(6);
  expect(await demo.close()).toBe(0);
});
