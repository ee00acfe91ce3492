// Runs seeds of the bridge's simulator: SEEDS (150), FIRST_SEED, WORKERS, SEED as in test/seeds/run.ts.
import { sum } from "../seeds/report.ts";
import { runSeeds } from "../seeds/run.ts";
import { faultKinds } from "./faults.ts";
import type { Result } from "./simulate.ts";

function summaryOf(results: readonly Result[]): unknown {
  return {
    seeds: results.length,
    faults: Object.fromEntries(
      faultKinds.map((kind) => [kind, sum(results, (one) => one.faults[kind])]),
    ),
    credits: sum(results, ({ credits }) => credits),
    settlements: sum(results, ({ settlements }) => settlements),
    blocks: sum(results, ({ blocks }) => blocks),
    outputs: sum(results, ({ outputs }) => outputs),
    simulatedHours: Math.round(sum(results, ({ tookMs }) => tookMs) / 36_000) / 100,
  };
}

await runSeeds({ name: "sim", seeds: 110, strategies: [], summaryOf });
