// Shows that a simulator finds what it looks for: applies each planted bug of a folder to a copy of the sources, runs
// seeds until one fails, and expects that. The real tree is only read.
import { spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

type Edit = { readonly file: string; readonly find: string; readonly replace: string };
export type Planted = {
  readonly name: string;
  readonly about: string;
  readonly edits: readonly Edit[];
};

/**
 * `test/<simulator>` with planted/, a JSON file each, and run.ts, which takes SEEDS, FIRST_SEED and `--stop-at-failure`
 * and prints `seed N fails: <rule>: ...`.
 */
type Simulator = "bft" | "ring" | "sim";

const root = fileURLToPath(new URL("../..", import.meta.url));
const workspaces = ["primitives", "chain-core", "signer", "gateway"];
const sources = [
  ...workspaces,
  "deploy",
  "contracts/artifacts",
  "test/seeds",
  "test/sim",
  "test/bft",
  "test/ring",
  "package.json",
];

/**
 * Those named on the command line, none means all: each must be found in at most `seedsMax` seeds. Prints a JSON object
 * with the seed and the rule that found each, and sets the exit code.
 */
export async function plant(simulator: Simulator, seedsMax: number): Promise<void> {
  const wanted = process.argv.slice(2);
  const folder = join(root, "test", simulator, "planted");
  const found: Record<string, { seed?: number; rule?: string; seconds: number }> = {};
  for (const file of readdirSync(folder).sort()) {
    const planted = JSON.parse(readFileSync(join(folder, file), "utf8")) as Planted;
    if (wanted.length > 0 && !wanted.includes(planted.name)) continue;
    const startedAt = performance.now();
    const line = await find(simulator, seedsMax, planted).catch((error: unknown) => {
      console.log(String(error));
      return undefined;
    });
    console.log(`${planted.name}: ${line ?? `not found in ${seedsMax} seeds`}`);
    const match = /^seed (\d+) fails: ([^:]*)/.exec(line ?? "");
    found[planted.name] = {
      ...(match !== null && { seed: Number(match[1]), rule: match[2] ?? "" }),
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    };
  }
  if (Object.keys(found).length === 0) throw new Error(`no such bug: ${wanted.join(", ")}`);
  const missed = Object.values(found).filter(({ seed }) => seed === undefined).length;
  process.exitCode = missed === 0 ? 0 : 1;
  console.log(JSON.stringify({ seedsMax, found }));
  console.log(`${Object.keys(found).length - missed} passed, ${missed} failed, 0 skipped`);
}

/** A copy of the sources whose workspaces are the copied ones. */
function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), "causeway-planted-"));
  for (const path of sources)
    cpSync(join(root, path), join(copy, path), {
      recursive: true,
      filter: (source) => basename(source) !== "node_modules",
    });
  const modules = join(copy, "node_modules");
  mkdirSync(join(modules, "@causeway"), { recursive: true });
  for (const name of readdirSync(join(root, "node_modules")))
    if (name !== "@causeway") symlinkSync(join(root, "node_modules", name), join(modules, name));
  for (const name of workspaces) symlinkSync(join(copy, name), join(modules, "@causeway", name));
  return copy;
}

/** Throws when an edit does not fit its file exactly once: then the patch must be written anew. */
function apply(copy: string, { name, edits }: Planted): void {
  for (const { file, find, replace } of edits) {
    const path = join(copy, file);
    const parts = readFileSync(path, "utf8").split(find);
    if (parts.length !== 2)
      throw new Error(`"${name}" fits ${parts.length - 1} places of ${file}: ${find}`);
    writeFileSync(path, parts.join(replace));
  }
}

function simulate(simulator: Simulator, seedsMax: number, copy: string): Promise<string> {
  const args = [`test/${simulator}/run.ts`, "--stop-at-failure", "--no-past"];
  const env = { ...process.env, SEEDS: String(seedsMax), FIRST_SEED: "1" };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: copy, env });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}

/** The line of the first failing seed; undefined when none failed. */
async function find(
  simulator: Simulator,
  seedsMax: number,
  planted: Planted,
): Promise<string | undefined> {
  const copy = copyTree();
  try {
    apply(copy, planted);
    const output = await simulate(simulator, seedsMax, copy);
    const line = output.split("\n").find((one) => /^seed \d+ fails: /.test(one));
    if (line === undefined && !/ passed, 0 failed, /.test(output))
      throw new Error(`the simulator did not run:\n${output.slice(-2_000)}`);
    return line;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
