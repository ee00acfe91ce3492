// Runs the seeds that its parent names, one after the other, and tells the result of each: `worker.ts <simulate.ts>`
import type { Simulation, Task } from "./run.ts";

const simulation = import(process.argv[2] ?? "") as Promise<
  Simulation<{ seed: number; hash: string }>
>;

process.on("message", async ({ seed, first }: Task) => {
  const { runSeed } = await simulation;
  process.send?.(runSeed(seed, first));
});
process.on("disconnect", () => process.exit(0));
