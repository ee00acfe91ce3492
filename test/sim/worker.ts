// Runs the seeds that its parent names, one after the other, and tells the result of each.
import { runSeed } from "./simulate.ts";

process.on("message", (seed: number) => {
  process.send?.(runSeed(seed));
});
process.on("disconnect", () => process.exit(0));
