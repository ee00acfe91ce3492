// Operators die in the middle of things, one is silent from the start, credit waits for the sweep: it still ends ok.
import { expect, test } from "vitest";
import { proposerOf } from "../../chain-core/src/consensus/proposer.ts";
import { runDemo } from "./demo-run.ts";

// The proposer, the coordinator and the user's portal are each hit; the nightly script runs all 32 pairs.
for (const step of [2, 4, 7])
  test(`kill -9 of operator ${step % 4} in step ${step}: ends ok, and it catches up`, async () => {
    const demo = await runDemo(["--kill-step", String(step)]);
    expect(demo.last).toMatchObject({ ok: true, restarted: { operator: step % 4 } });
    expect(demo.last.restarted.height).toBeGreaterThan(0);
    await demo.close();
  });

test("with the first proposer silent from the start both keys are made and the trip ends ok", async () => {
  const silent = proposerOf(4, 1, 0);
  const demo = await runDemo(["--silent", String(silent)]);
  expect(demo.last).toMatchObject({ ok: true });
  expect(demo.last.operators[silent].pids).toEqual([]);
  await demo.close();
});

test("with E = 0 a deposit is credited after its final sweep, and the round trip ends ok", async () => {
  const demo = await runDemo(["--no-loan"]);
  expect(demo.last).toMatchObject({ ok: true });
  await demo.close();
});
