// Runs seeds of a simulator over all cores: past failures first, then SEEDS from FIRST_SEED (1), by WORKERS processes.
// STRATEGY=name makes every seed play that one, besides others. SEED=n replays one with its whole trace. A seed that
// fails belongs into the simulator's seeds.json, where it runs for ever (`--keep` puts it there).
import { fork } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";

type Kept = { readonly seed: number; readonly strategy?: string; readonly found: string };
export type Task = { readonly seed: number; readonly first?: string };
type Result = {
  readonly seed: number;
  /** Undefined: every rule held. */
  readonly failure?: string | undefined;
  readonly hash: string;
  readonly drawn?: readonly string[];
};

/** What `simulate.ts` of a simulator exports. */
export type Simulation<R extends Result> = {
  readonly runSeed: (seed: number, first: string | undefined, print?: (line: string) => void) => R;
};

export type Simulator<R extends Result> = {
  /** Of its folder: `test/<name>` with run.ts, simulate.ts and seeds.json. */
  readonly name: string;
  /** Seeds when SEEDS is not set. */
  readonly seeds: number;
  readonly strategies: readonly string[];
  readonly summaryOf: (results: readonly R[]) => unknown;
  /** What many seeds together fail to show; looked at from 500 on. */
  readonly shortcomingsOf?: (results: readonly R[]) => readonly string[];
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
  const folder = new URL(`../${simulator.name}/`, import.meta.url);
  const simulate = new URL("simulate.ts", folder);
  const seedsFile = new URL("seeds.json", folder);
  const first = strategyOf(simulator.strategies);
  if (env.SEED !== undefined) {
    const seed = numberOf("SEED", 1);
    const { runSeed } = (await import(simulate.href)) as Simulation<R>;
    const result = runSeed(seed, first, (line) => process.stdout.write(`${line}\n`));
    console.log([`seed ${seed}: trace ${result.hash}`, ...(result.drawn ?? [])].join(", "));
    if (result.failure !== undefined) tell(seed, result.failure, result.drawn);
    finish(simulator, [result], 0);
    return;
  }
  const kept = JSON.parse(readFileSync(seedsFile, "utf8")) as Kept[];
  const from = numberOf("FIRST_SEED", 1);
  const count = numberOf("SEEDS", simulator.seeds);
  const fresh = Array.from({ length: count }, (_, i) => taskOf(from + i, first));
  const past = process.argv.includes("--no-past")
    ? []
    : kept.map(({ seed, strategy }) => taskOf(seed, strategy));
  const startedAt = performance.now();
  const { results, died } = await runAll<R>(simulate, [...past, ...fresh]);
  const failed = results.filter(({ failure }) => failure !== undefined);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${results.length} seeds in ${seconds} s, ${past.length} of them past failures`);
  if (failed.length > 0) {
    console.log(`replay one with: SEED=${failed[0]?.seed} node test/${simulator.name}/run.ts`);
    if (process.argv.includes("--keep")) keep(seedsFile, kept, failed, first);
  }
  finish(simulator, results, died);
}

function tell(seed: number, failure: string, drawn: readonly string[] = []): void {
  console.log(`seed ${seed} fails: ${failure}${drawn.length > 0 ? ` (${drawn.join(", ")})` : ""}`);
}

/** The results of all seeds, in the order in which they came, and how many have none. Stops at a failure when told so. */
async function runAll<R extends Result>(
  simulate: URL,
  tasks: readonly Task[],
): Promise<{ readonly results: readonly R[]; readonly died: number }> {
  const results: R[] = [];
  let died = 0;
  const waiting = [...tasks];
  const failed = (seed: number, failure: string, drawn?: readonly string[]): void => {
    tell(seed, failure, drawn);
    if (process.argv.includes("--stop-at-failure")) waiting.length = 0;
  };
  const work = (): Promise<void> =>
    new Promise((resolve) => {
      const child = fork(new URL("worker.ts", import.meta.url), [simulate.href]);
      let current: Task | undefined;
      const next = (): void => {
        current = waiting.shift();
        if (current === undefined) child.disconnect();
        else child.send(current);
      };
      child.on("message", (result: R) => {
        results.push(result);
        if (result.failure !== undefined) failed(result.seed, result.failure, result.drawn);
        next();
      });
      child.on("exit", (code) => {
        if (code !== 0 && current !== undefined) {
          died += 1;
          failed(current.seed, `the worker ended with code ${code}`);
        }
        resolve();
      });
      next();
    });
  const count = Math.min(numberOf("WORKERS", availableParallelism()), waiting.length);
  await Promise.all(Array.from({ length: count }, work));
  return { results, died };
}

/** The counts as JSON, and the line that the tests' runner reads. */
function finish<R extends Result>(
  { summaryOf, shortcomingsOf }: Simulator<R>,
  results: readonly R[],
  died: number,
): void {
  const passed = results.filter(({ failure }) => failure === undefined).length;
  const missing = results.length >= 500 ? (shortcomingsOf?.(results) ?? []) : [];
  for (const line of missing) console.log(line);
  const failed = results.length - passed + died + missing.length;
  process.exitCode = failed === 0 ? 0 : 1;
  console.log(JSON.stringify(summaryOf(results)));
  console.log(`${passed} passed, ${failed} failed, 0 skipped`);
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
