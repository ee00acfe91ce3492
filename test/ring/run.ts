// Runs seeds of the ring simulator: SEEDS (120), FIRST_SEED, STRATEGY, WORKERS, SEED as in seed-runs.ts.
import { runSeeds } from "../seed-runs.ts";
import { shortcomingsOf, summaryOf } from "./report.ts";
import type { Strategy } from "./strategies.ts";
import { strategies } from "./strategies.ts";

await runSeeds({
  script: "test/ring/run.ts",
  seedsFile: new URL("seeds.json", import.meta.url),
  workerFile: new URL("worker.ts", import.meta.url),
  seeds: 120,
  strategies,
  replay: async (seed, first, print) => {
    const { runSeed } = await import("./simulate.ts");
    return runSeed(seed, first as Strategy | undefined, print);
  },
  summaryOf,
  shortcomingsOf,
});
