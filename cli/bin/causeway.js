#!/usr/bin/env node
// Runs the command under the Node of this project: the system's may be too old for TypeScript.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const node = join(dirname(require.resolve("node/package.json")), "bin", "node");
const main = join(import.meta.dirname ?? ".", "..", "src", "main.ts");
const run = spawnSync(node, ["--no-warnings", main, ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exitCode = run.status ?? 1;
