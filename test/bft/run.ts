// Runs seeds of the consensus simulator: SEEDS (1000), FIRST_SEED, STRATEGY, WORKERS, SEED as in test/seeds/run.ts.
import { runSeeds } from "../seeds/run.ts";
import { accountabilityOf, summaryOf } from "./report.ts";
import { strategies } from "./strategies.ts";

await runSeeds({
  name: "bft",
  seeds: 1_000,
  strategies,
  summaryOf,
  shortcomingsOf: accountabilityOf,
});
