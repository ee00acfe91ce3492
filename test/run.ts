// `npm test`: every kind of check in a fixed order, one summary line each, and the sum as the last line.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { constants, setPriority, tmpdir } from "node:os";
import { join } from "node:path";

type Count = { readonly passed: number; readonly failed: number; readonly skipped: number };
type Stage = {
  readonly name: string;
  readonly run: () => Promise<Count>;
  /** Runs from the beginning at the lowest priority, in the time that the others leave. */
  readonly background?: true;
};

const scratch = mkdtempSync(join(tmpdir(), "causeway-test-"));
const bin = (name: string): string => join("node_modules", ".bin", name);

/** Runs a command; resolves with the exit code and the end of stdout. In the background it shows only that. */
function run(
  command: string,
  args: readonly string[],
  background: boolean = false,
): Promise<{ code: number; tail: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    if (background && child.pid !== undefined)
      setPriority(child.pid, constants.priority.PRIORITY_LOW);
    let tail = "";
    child.stdout.on("data", (chunk: Buffer) => {
      if (!background) process.stdout.write(chunk);
      tail = (tail + chunk.toString()).slice(-4096);
    });
    child.on("error", (error) => {
      process.stdout.write(`${String(error)}\n`);
      resolve({ code: 1, tail });
    });
    child.on("close", (code) => {
      if (background) process.stdout.write(`\n== ${args.join(" ")}\n${tail}`);
      resolve({ code: code ?? 1, tail });
    });
  });
}

/** A command whose exit code is its one verdict. */
async function verdict(command: string, args: readonly string[]): Promise<Count> {
  const { code } = await run(command, args);
  return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

async function vitest(project: string): Promise<Count> {
  const report = join(scratch, `${project}.json`);
  const args = ["run", "--project", project, "--reporter=default", "--reporter=json"];
  const { code } = await run(bin("vitest"), [...args, `--outputFile=${report}`]);
  try {
    const json = JSON.parse(readFileSync(report, "utf8")) as Record<string, number>;
    const failed = (json.numFailedTests ?? 0) + (json.numRuntimeErrorTestSuites ?? 0);
    return {
      passed: json.numPassedTests ?? 0,
      failed: code !== 0 && failed === 0 ? 1 : failed,
      skipped: (json.numPendingTests ?? 0) + (json.numTodoTests ?? 0),
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

/** A script that ends with `N passed, N failed, N skipped`. */
async function counted(script: string, background: boolean = false): Promise<Count> {
  const { code, tail } = await run(process.execPath, [script], background);
  const match = /(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(tail);
  if (match === null) return { passed: 0, failed: 1, skipped: 0 };
  const [passed, failed, skipped] = match.slice(1).map(Number) as [number, number, number];
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed, skipped };
}

const stages: readonly Stage[] = [
  { name: "lint", run: () => verdict(bin("biome"), ["check", "."]) },
  { name: "types", run: () => verdict(bin("tsc"), []) },
  { name: "unit", run: () => vitest("unit") },
  { name: "spec", run: () => vitest("spec") },
  { name: "contracts", run: () => counted("contracts/test.ts") },
  { name: "e2e", run: () => vitest("e2e") },
  { name: "sim", run: () => counted("test/sim/run.ts", true), background: true },
  { name: "bft", run: () => counted("test/bft/run.ts", true), background: true },
  { name: "ring", run: () => counted("test/ring/run.ts", true), background: true },
];

const only = process.argv.slice(2);
const chosen = stages.filter(({ name }) => only.length === 0 || only.includes(name));
const startedAt = performance.now();

async function timed(stage: Stage): Promise<Count & { readonly row: string }> {
  const began = performance.now();
  if (stage.background !== true) process.stdout.write(`\n== ${stage.name}\n`);
  const count = await stage.run();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const { passed, failed, skipped } = count;
  const row = `${stage.name}: ${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s`;
  return { ...count, row };
}

/** One after the other: a node's own work of the lowest priority needs some of what is left, too. */
async function inTurn(stages: readonly Stage[]): Promise<Awaited<ReturnType<typeof timed>>[]> {
  const done = [];
  for (const stage of stages) done.push(await timed(stage));
  return done;
}

const background = inTurn(chosen.filter((stage) => stage.background === true));
const results = await inTurn(chosen.filter((stage) => stage.background !== true));
results.push(...(await background));
const sum = { passed: 0, failed: 0, skipped: 0 };
for (const { passed, failed, skipped } of results) {
  sum.passed += passed;
  sum.failed += failed;
  sum.skipped += skipped;
}
rmSync(scratch, { recursive: true, force: true });
process.stdout.write(`\n${results.map(({ row }) => row).join("\n")}\n`);
process.stdout.write(`total ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
process.exitCode = sum.failed === 0 ? 0 : 1;
process.stdout.write(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
