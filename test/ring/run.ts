// Runs seeds of the ring simulator: SEEDS (120), FIRST_SEED, STRATEGY, WORKERS, SEED as in test/seeds/run.ts.
import { runSeeds } from "../seeds/run.ts";
import { shortcomingsOf, summaryOf } from "./report.ts";
import { strategies } from "./strategies.ts";

await runSeeds({ name: "ring", seeds: 90, strategies, summaryOf, shortcomingsOf });
