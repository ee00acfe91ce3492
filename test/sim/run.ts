// Runs seeds of the simulator over all cores: past failures first, then SEEDS (150) from FIRST_SEED (1). SEED=n replays
// one with its whole trace. A seed that fails belongs into seeds.json, where it runs for ever (`--keep` puts it there).
import { fork } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { faultKinds } from "./faults.ts";
import type { Result } from "./simulate.ts";

type Kept = { readonly seed: number; readonly found: string };

const seedsFile = new URL("seeds.json", import.meta.url);
const workerFile = new URL("worker.ts", import.meta.url);
const { env } = process;

function numberOf(name: string, byDefault: number): number {
  const text = env[name];
  if (text === undefined || text === "") return byDefault;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} is no number: ${text}`);
  return value;
}

const kept = JSON.parse(readFileSync(seedsFile, "utf8")) as Kept[];

async function replay(seed: number): Promise<void> {
  const { runSeed } = await import("./simulate.ts");
  const result = runSeed(seed, (line) => process.stdout.write(`${line}\n`));
  console.log(`seed ${seed}: trace ${result.hash}`);
  for (const line of summary([result])) console.log(line);
  if (result.failure !== undefined) console.log(`seed ${seed} fails: ${result.failure}`);
  finish(result.failure === undefined ? 1 : 0, result.failure === undefined ? 0 : 1);
}

/** The results of all seeds, in the order in which they came. Stops at the first failure when told so. */
async function runAll(seeds: readonly number[], stopAtFailure: boolean): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...seeds];
  const count = Math.min(numberOf("WORKERS", availableParallelism()), waiting.length);
  await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<void>((resolve) => {
          const child = fork(workerFile);
          let current: number | undefined;
          const next = (): void => {
            current = waiting.shift();
            if (current === undefined) child.disconnect();
            else child.send(current);
          };
          child.on("message", (result: Result) => {
            results.push(result);
            if (result.failure !== undefined) {
              console.log(`seed ${result.seed} fails: ${result.failure}`);
              if (stopAtFailure) waiting.length = 0;
            }
            next();
          });
          child.on("exit", (code) => {
            if (code !== 0 && current !== undefined)
              results.push(died(current, `the worker ended with code ${code}`));
            resolve();
          });
          next();
        }),
    ),
  );
  return results;
}

function died(seed: number, failure: string): Result {
  console.log(`seed ${seed} fails: ${failure}`);
  const faults = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Result["faults"];
  return {
    seed,
    failure,
    hash: "",
    faults,
    credits: 0,
    settlements: 0,
    blocks: 0,
    outputs: 0,
    tookMs: 0,
  };
}

function summary(results: readonly Result[]): string[] {
  const sum = (of: (result: Result) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const faults = faultKinds.map((kind) => `${kind} ${sum((one) => one.faults[kind])}`);
  return [
    `faults: ${faults.join(", ")}`,
    `credits ${sum((one) => one.credits)}, settlements ${sum((one) => one.settlements)}, ` +
      `blocks ${sum((one) => one.blocks)}, outputs ${sum((one) => one.outputs)}, ` +
      `simulated hours ${(sum((one) => one.tookMs) / 3_600_000).toFixed(1)}`,
  ];
}

function finish(passed: number, failed: number): void {
  process.exitCode = failed === 0 ? 0 : 1;
  console.log(`${passed} passed, ${failed} failed, 0 skipped`);
}

async function main(): Promise<void> {
  if (env.SEED !== undefined) return replay(numberOf("SEED", 1));
  const first = numberOf("FIRST_SEED", 1);
  const fresh = Array.from({ length: numberOf("SEEDS", 150) }, (_, i) => first + i);
  const past = process.argv.includes("--no-past") ? [] : kept.map(({ seed }) => seed);
  const stopAtFailure = process.argv.includes("--stop-at-failure");
  const startedAt = performance.now();
  const results = await runAll([...new Set([...past, ...fresh])], stopAtFailure);
  const failed = results.filter(({ failure }) => failure !== undefined);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${results.length} seeds in ${seconds} s, ${past.length} of them past failures`);
  for (const line of summary(results)) console.log(line);
  if (failed.length > 0) {
    console.log(`replay one with: SEED=${failed[0]?.seed} node test/sim/run.ts`);
    if (process.argv.includes("--keep")) keep(failed);
  }
  finish(results.length - failed.length, failed.length);
}

function keep(failed: readonly Result[]): void {
  const all = new Map(kept.map((one) => [one.seed, one]));
  for (const { seed, failure } of failed)
    all.set(seed, { seed, found: failure?.split("\n")[0] ?? "" });
  const lines = [...all.values()].map((one) => `  ${JSON.stringify(one)}`);
  writeFileSync(seedsFile, `[\n${lines.join(",\n")}\n]\n`);
}

await main();
