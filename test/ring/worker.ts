// Runs the seeds that its parent names, one after the other, and tells the result of each.
import { runSeed } from "./simulate.ts";
import type { Strategy } from "./strategies.ts";

process.on("message", ({ seed, first }: { seed: number; first?: Strategy }) => {
  process.send?.(runSeed(seed, first));
});
process.on("disconnect", () => process.exit(0));
