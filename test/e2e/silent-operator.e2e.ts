// One operator is silent from the start, credit waits for the sweep: it still ends ok.
import { expect, test } from "vitest";
import { proposerOf } from "../../chain-core/src/consensus/proposer.ts";
import { runDemo } from "./demo-run.ts";

test("with the first proposer silent from the start, and E = 0, keys are made and the trip ends ok", async () => {
  const silent = proposerOf(4, 1, 0);
  const demo = await runDemo(["--silent", String(silent), "--no-loan"]);
  expect(demo.last).toMatchObject({ ok: true });
  expect(demo.last.operators[silent].pids).toEqual([]);
  // Final depth 3 before the sweep is planned, and 3 more blocks on the sweep: credit depth alone would be 2.
  expect(demo.step("deposit").receipt.from.confirmations).toBeGreaterThanOrEqual(6);
  expect(await demo.close()).toBe(0);
});
