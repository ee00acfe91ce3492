// Runs seeds of a simulator over all cores: past failures first, then SEEDS from FIRST_SEED (1), by WORKERS processes.
// STRATEGY=name makes every seed play that one, besides others. SEED=n replays one with its whole trace. A seed that
// fails belongs into the simulator's seeds.json, where it runs for ever (`--keep` puts it there).
import { fork } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";

type Kept = { readonly seed: number; readonly strategy?: string; readonly found: string };
type Task = { readonly seed: number; readonly first?: string };
type Result = {
  readonly seed: number;
  readonly failure?: string;
  readonly hash: string;
  readonly drawn: readonly string[];
};

export type Simulator<R extends Result> = {
  /** From the root, as it is called. */
  readonly script: string;
  readonly seedsFile: URL;
  /** A process that answers a {seed, first} with its result. */
  readonly workerFile: URL;
  /** Seeds when SEEDS is not set. */
  readonly seeds: number;
  readonly strategies: readonly string[];
  readonly replay: (
    seed: number,
    first: string | undefined,
    print: (line: string) => void,
  ) => Promise<R>;
  readonly summaryOf: (results: readonly R[]) => unknown;
  /** What many seeds together fail to show; looked at from 500 on. */
  readonly shortcomingsOf: (results: readonly R[]) => readonly string[];
};

const { env } = process;

function numberOf(name: string, byDefault: number): number {
  const text = env[name];
  if (text === undefined || text === "") return byDefault;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} is no number: ${text}`);
  return value;
}

function strategyOf(strategies: readonly string[]): string | undefined {
  const name = env.STRATEGY;
  if (name === undefined || name === "") return undefined;
  if (!strategies.includes(name))
    throw new Error(`STRATEGY is none of ${strategies.join(", ")}: ${name}`);
  return name;
}

function taskOf(seed: number, strategy: string | undefined): Task {
  return { seed, ...(strategy !== undefined && { first: strategy }) };
}

/** Sets the exit code, and ends with the counts as JSON and `N passed, N failed, 0 skipped`. */
export async function runSeeds<R extends Result>(simulator: Simulator<R>): Promise<void> {
  const first = strategyOf(simulator.strategies);
  if (env.SEED !== undefined) {
    const seed = numberOf("SEED", 1);
    const result = await simulator.replay(seed, first, (line) => process.stdout.write(`${line}\n`));
    console.log(`seed ${seed}: trace ${result.hash}, ${result.drawn.join(", ")}`);
    finish(simulator, [result]);
    return;
  }
  const kept = JSON.parse(readFileSync(simulator.seedsFile, "utf8")) as Kept[];
  const from = numberOf("FIRST_SEED", 1);
  const count = numberOf("SEEDS", simulator.seeds);
  const fresh = Array.from({ length: count }, (_, i) => taskOf(from + i, first));
  const past = process.argv.includes("--no-past")
    ? []
    : kept.map(({ seed, strategy }) => taskOf(seed, strategy));
  const startedAt = performance.now();
  const results = await runAll(simulator, [...past, ...fresh]);
  const failed = results.filter(({ failure }) => failure !== undefined);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${results.length} seeds in ${seconds} s, ${past.length} of them past failures`);
  if (failed.length > 0) {
    console.log(`replay one with: SEED=${failed[0]?.seed} node ${simulator.script}`);
    if (process.argv.includes("--keep")) keep(simulator.seedsFile, kept, failed, first);
  }
  finish(simulator, results);
}

/** The results of all seeds, in the order in which they came. Stops at the first failure when told so. */
async function runAll<R extends Result>(
  { workerFile }: Simulator<R>,
  tasks: readonly Task[],
): Promise<R[]> {
  const results: R[] = [];
  const waiting = [...tasks];
  const take = (result: R): void => {
    results.push(result);
    if (result.failure === undefined) return;
    console.log(`seed ${result.seed} fails: ${result.failure} (${result.drawn.join(", ")})`);
    if (process.argv.includes("--stop-at-failure")) waiting.length = 0;
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
      child.on("message", (result: R) => {
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
function finish<R extends Result>(simulator: Simulator<R>, results: readonly R[]): void {
  const failed = results.filter(({ failure }) => failure !== undefined).length;
  const missing = results.length >= 500 ? simulator.shortcomingsOf(results) : [];
  for (const line of missing) console.log(line);
  process.exitCode = failed + missing.length === 0 ? 0 : 1;
  console.log(JSON.stringify(simulator.summaryOf(results)));
  const passed = results.length - failed;
  console.log(`${passed} passed, ${failed + missing.length} failed, 0 skipped`);
}

function keep(
  file: URL,
  kept: readonly Kept[],
  failed: readonly Result[],
  first: string | undefined,
): void {
  const all = new Map(kept.map((one) => [`${one.seed}/${one.strategy ?? ""}`, one]));
  for (const { seed, failure } of failed)
    all.set(`${seed}/${first ?? ""}`, {
      seed,
      ...(first !== undefined && { strategy: first }),
      found: failure?.split("\n")[0] ?? "",
    });
  const lines = [...all.values()].map((one) => `  ${JSON.stringify(one)}`);
  writeFileSync(file, `[\n${lines.join(",\n")}\n]\n`);
}
