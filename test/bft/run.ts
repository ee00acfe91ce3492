// Runs seeds of the consensus simulator over all cores: past failures first, then SEEDS (1000) from FIRST_SEED (1).
// STRATEGY=name makes every seed play that one, besides others. SEED=n replays one with its whole trace. A seed that
// fails belongs into seeds.json, where it runs for ever (`--keep` puts it there).
import { fork } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { accountabilityOf, summaryOf } from "./report.ts";
import type { Result } from "./simulate.ts";
import type { Strategy } from "./strategies.ts";
import { strategies } from "./strategies.ts";

type Kept = { readonly seed: number; readonly strategy?: Strategy; readonly found: string };
type Task = { readonly seed: number; readonly first?: Strategy };

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

function strategyOf(): Strategy | undefined {
  const name = env.STRATEGY;
  if (name === undefined || name === "") return undefined;
  const known = strategies.find((one) => one === name);
  if (known === undefined) throw new Error(`STRATEGY is none of ${strategies.join(", ")}: ${name}`);
  return known;
}

const kept = JSON.parse(readFileSync(seedsFile, "utf8")) as Kept[];
const first = strategyOf();
const taskOf = (seed: number, strategy?: Strategy): Task => ({
  seed,
  ...(strategy !== undefined && { first: strategy }),
});

async function replay(seed: number): Promise<void> {
  const { runSeed } = await import("./simulate.ts");
  const result = runSeed(seed, first, (line) => process.stdout.write(`${line}\n`));
  console.log(`seed ${seed}: trace ${result.hash}, ${result.drawn.join(", ")}`);
  finish([result]);
}

/** The results of all seeds, in the order in which they came. Stops at the first failure when told so. */
async function runAll(tasks: readonly Task[], stopAtFailure: boolean): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...tasks];
  const take = (result: Result): void => {
    results.push(result);
    if (result.failure === undefined) return;
    console.log(`seed ${result.seed} fails: ${result.failure} (${result.drawn.join(", ")})`);
    if (stopAtFailure) waiting.length = 0;
  };
  const work = (): Promise<void> =>
    new Promise((resolve) => {
      const child = fork(workerFile);
      let current: Task | undefined;
      const next = (): void => {
        current = waiting.shift();
        if (current === undefined) child.disconnect();
        else child.send(current);
      };
      child.on("message", (result: Result) => {
        take(result);
        next();
      });
      child.on("exit", (code) => {
        if (code !== 0 && current !== undefined) throw new Error(`seed ${current.seed}: died`);
        resolve();
      });
      next();
    });
  const count = Math.min(numberOf("WORKERS", availableParallelism()), waiting.length);
  await Promise.all(Array.from({ length: count }, work));
  return results;
}

/** The counts as JSON, and the line that the tests' runner reads. */
function finish(results: readonly Result[]): void {
  const failed = results.filter(({ failure }) => failure !== undefined).length;
  const unproven = results.length >= 500 ? accountabilityOf(results) : [];
  for (const line of unproven) console.log(line);
  process.exitCode = failed + unproven.length === 0 ? 0 : 1;
  console.log(JSON.stringify(summaryOf(results)));
  const passed = results.length - failed;
  console.log(`${passed} passed, ${failed + unproven.length} failed, 0 skipped`);
}

async function main(): Promise<void> {
  if (env.SEED !== undefined) return replay(numberOf("SEED", 1));
  const from = numberOf("FIRST_SEED", 1);
  const fresh = Array.from({ length: numberOf("SEEDS", 1_000) }, (_, i) => taskOf(from + i, first));
  const past = process.argv.includes("--no-past")
    ? []
    : kept.map(({ seed, strategy }) => taskOf(seed, strategy));
  const startedAt = performance.now();
  const results = await runAll([...past, ...fresh], process.argv.includes("--stop-at-failure"));
  const failed = results.filter(({ failure }) => failure !== undefined);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${results.length} seeds in ${seconds} s, ${past.length} of them past failures`);
  if (failed.length > 0) {
    console.log(`replay one with: SEED=${failed[0]?.seed} node test/bft/run.ts`);
    if (process.argv.includes("--keep")) keep(failed);
  }
  finish(results);
}

function keep(failed: readonly Result[]): void {
  const all = new Map(kept.map((one) => [`${one.seed}/${one.strategy ?? ""}`, one]));
  for (const { seed, failure } of failed)
    all.set(`${seed}/${first ?? ""}`, {
      seed,
      ...(first !== undefined && { strategy: first }),
      found: failure?.split("\n")[0] ?? "",
    });
  const lines = [...all.values()].map((one) => `  ${JSON.stringify(one)}`);
  writeFileSync(seedsFile, `[\n${lines.join(",\n")}\n]\n`);
}

await main();
