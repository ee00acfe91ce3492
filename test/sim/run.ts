// Runs seeds of the bridge's simulator: SEEDS (150), FIRST_SEED, WORKERS, SEED as in test/seeds/run.ts.
import { runSeeds } from "../seeds/run.ts";
import { faultKinds } from "./faults.ts";
import type { Result } from "./simulate.ts";

function summaryOf(results: readonly Result[]): unknown {
  const sum = (of: (result: Result) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  return {
    seeds: results.length,
    faults: Object.fromEntries(faultKinds.map((kind) => [kind, sum((one) => one.faults[kind])])),
    credits: sum(({ credits }) => credits),
    settlements: sum(({ settlements }) => settlements),
    blocks: sum(({ blocks }) => blocks),
    outputs: sum(({ outputs }) => outputs),
    simulatedHours: Math.round(sum(({ tookMs }) => tookMs) / 36_000) / 100,
  };
}

await runSeeds({ name: "sim", seeds: 150, strategies: [], summaryOf });
