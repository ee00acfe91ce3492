// Runs seeds of the ring simulator: SEEDS (120), FIRST_SEED, STRATEGY, WORKERS, SEED as in seed-runs.ts.
import { runSeeds } from "../seed-runs.ts";
import { shortcomingsOf, summaryOf } from "./report.ts";
import { strategies } from "./strategies.ts";

await runSeeds({ name: "ring", seeds: 120, strategies, summaryOf, shortcomingsOf });
