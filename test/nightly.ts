// The long runs: every pair of step and operator killed, 20,000 seeds of the bridge, 10,000 of each Byzantine strategy
// of consensus, 5,000 of the ring and 500 of each of its strategies, 100,000 inputs for each decoder, the planted bugs,
// rings of all sizes. Many hours on 2 cores.
// `node test/nightly.ts [--quick] [kills|seeds|bft|ring|sizes|fuzz|planted]...`: --quick takes a thousandth of
// each, to try the wiring. Each part prints its own count; the last line is `N passed, N failed, N skipped` over the parts.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { strategies } from "./bft/strategies.ts";
import { runDemo } from "./e2e/demo-run.ts";
import { strategies as ringStrategies } from "./ring/strategies.ts";

const root: string = resolve(import.meta.dirname, "..");
const args = process.argv.slice(2);
const isQuick = args.includes("--quick");
const only = args.filter((arg) => arg !== "--quick");
const sum = { passed: 0, failed: 0, skipped: 0 };

/** How many of a long run. */
function many(count: number): number {
  return isQuick ? Math.ceil(count / 1_000) : count;
}

function count(what: string, ok: boolean, more: string = ""): void {
  if (ok) sum.passed++;
  else sum.failed++;
  process.stdout.write(`${ok ? "ok" : "FAILED"} ${what} ${more}\n`);
}

/** One pair when it is quick. */
async function kills(): Promise<void> {
  for (let step = 1; step <= (isQuick ? 1 : 8); step++)
    for (let operator = 0; operator < (isQuick ? 1 : 4); operator++) {
      const pair = ["--kill-step", String(step), "--kill-operator", String(operator)];
      const demo = await runDemo(pair).catch((error: unknown) => String(error));
      const ok = typeof demo !== "string" && demo.last.ok === true;
      const more = typeof demo === "string" ? demo : JSON.stringify(demo.last.error ?? {});
      count(`kill -9 of operator ${operator} in step ${step}`, ok, more);
    }
}

function run(what: string, command: readonly string[], env: Record<string, string>): void {
  const [file = "", ...more] = command;
  const ended = spawnSync(process.execPath, ["--no-warnings", join(root, file), ...more], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  count(what, ended.status === 0);
}

function seeds(): void {
  const SEEDS = String(many(20_000));
  run(`${SEEDS} seeds of the bridge`, ["test/sim/run.ts"], { SEEDS });
}

function bft(): void {
  const SEEDS = String(many(10_000));
  for (const STRATEGY of strategies)
    run(`${SEEDS} seeds, ${STRATEGY}`, ["test/bft/run.ts"], { SEEDS, STRATEGY });
}

function ring(): void {
  const SEEDS = String(many(5_000));
  run(`${SEEDS} seeds of the ring`, ["test/ring/run.ts"], { SEEDS });
  const few = String(many(500));
  for (const STRATEGY of ringStrategies)
    run(`${few} seeds of the ring, ${STRATEGY}`, ["test/ring/run.ts"], { SEEDS: few, STRATEGY });
}

function sizes(): void {
  const [whole, rounds] = isQuick ? [["10/4"], ["14/21"]] : [[], []];
  run("rings of all sizes, their whole life", ["test/ring/sizes.ts", ...whole], {});
  run("ROAST at all sizes", ["test/ring/roast.ts", ...rounds], {});
}

function fuzz(): void {
  const FUZZ_RUNS = String(many(100_000));
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--project", "spec"];
  // No single decoder may take an hour.
  const patience = ["--testTimeout", "3600000"];
  for (const file of ["test/spec/decoders.spec.ts", "test/spec/stored-files.spec.ts"])
    run(`${FUZZ_RUNS} inputs each, ${file}`, [...vitest, ...patience, file], { FUZZ_RUNS });
}

function planted(): void {
  if (isQuick) {
    sum.skipped += 3;
    process.stdout.write("skipped planted bugs: they have no short version\n");
    return;
  }
  run("planted bugs of the bridge", ["test/sim/planted.ts"], {});
  run("planted bugs of consensus", ["test/bft/planted.ts"], {});
  run("planted bugs of the ring", ["test/ring/planted.ts"], {});
}

const parts: Record<string, () => void | Promise<void>> = {
  kills,
  seeds,
  bft,
  ring,
  sizes,
  fuzz,
  planted,
};
const unknown = only.filter((name) => !(name in parts));
if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(", ")}`);
for (const [name, part] of Object.entries(parts))
  if (only.length === 0 || only.includes(name)) await part();
process.stdout.write(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
process.exitCode = sum.failed === 0 ? 0 : 1;
