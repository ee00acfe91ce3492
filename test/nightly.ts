// The long runs: every pair of step and operator killed, 20,000 seeds of the bridge and 10,000 of each Byzantine
// strategy, the planted bugs. About four hours on 2 cores. `node test/nightly.ts [kills|seeds|bft|planted]`; the last
// line is `N passed, N failed, N skipped`.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { strategies } from "./bft/strategies.ts";
import { runDemo } from "./e2e/demo-run.ts";

const root: string = resolve(import.meta.dirname, "..");
const only = process.argv.slice(2);
const wants = (name: string): boolean => only.length === 0 || only.includes(name);
const sum = { passed: 0, failed: 0 };

function count(what: string, ok: boolean, more: string = ""): void {
  if (ok) sum.passed++;
  else sum.failed++;
  process.stdout.write(`${ok ? "ok" : "FAILED"} ${what} ${more}\n`);
}

async function kills(): Promise<void> {
  for (let step = 1; step <= 8; step++)
    for (let operator = 0; operator < 4; operator++) {
      const args = ["--kill-step", String(step), "--kill-operator", String(operator)];
      const demo = await runDemo(args).catch((error: unknown) => String(error));
      const ok = typeof demo !== "string" && demo.last.ok === true;
      const more = typeof demo === "string" ? demo : JSON.stringify(demo.last.error ?? {});
      count(`kill -9 of operator ${operator} in step ${step}`, ok, more);
    }
}

function script(what: string, file: string, env: Record<string, string>): void {
  const run = spawnSync(process.execPath, [join(root, file)], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  count(what, run.status === 0);
}

if (wants("kills")) await kills();
if (wants("seeds")) script("20,000 seeds", "test/sim/run.ts", { SEEDS: "20000" });
if (wants("bft"))
  for (const strategy of strategies)
    script(`10,000 seeds, ${strategy}`, "test/bft/run.ts", { SEEDS: "10000", STRATEGY: strategy });
if (wants("planted")) {
  script("planted bugs of the bridge", "test/sim/planted.ts", {});
  script("planted bugs of consensus", "test/bft/planted.ts", {});
}
process.stdout.write(`${sum.passed} passed, ${sum.failed} failed, 0 skipped\n`);
process.exitCode = sum.failed === 0 ? 0 : 1;
