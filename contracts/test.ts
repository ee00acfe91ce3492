// Tests the contracts: compiles them again and compares with the committed artifacts, then runs forge on
// those. The last line is "N passed, N failed, N skipped". `node contracts/test.ts`
import { spawn } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { build, readArtifact } from "./build.ts";
import { foundryBinary } from "./foundry.ts";

type Count = { readonly passed: number; readonly failed: number; readonly skipped: number };

const folder = dirname(fileURLToPath(import.meta.url));

/** What is committed is what the sources give. */
async function testArtifacts(): Promise<Count> {
  let failed = 0;
  const artifacts = await build();
  for (const artifact of artifacts) {
    const committed = await readArtifact(artifact.contract);
    const isTrue = isDeepStrictEqual(JSON.parse(JSON.stringify(artifact)), committed);
    const advice = isTrue ? "" : ": run `node contracts/build.ts`";
    process.stdout.write(
      `${isTrue ? "[PASS]" : "[FAIL]"} artifact ${artifact.contract}${advice}\n`,
    );
    if (!isTrue) failed += 1;
  }
  return { passed: artifacts.length - failed, failed, skipped: 0 };
}

/** forge without a home of its own: what it keeps goes to contracts/cache. */
async function testByForge(): Promise<Count> {
  const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}`;
  const home = join(folder, "cache");
  const env = { ...process.env, PATH: path, HOME: home, FOUNDRY_DISABLE_NIGHTLY_WARNING: "1" };
  const child = spawn(foundryBinary("forge"), ["test", "--color", "never"], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8");
  for await (const chunk of child.stdout) {
    output += chunk;
    process.stdout.write(chunk);
  }
  const found = /: (\d+) tests? passed, (\d+) failed, (\d+) skipped \(\d+ total tests?\)/.exec(
    output,
  );
  // A compile error has no such line.
  if (found === null) return { passed: 0, failed: 1, skipped: 0 };
  const [passed, failed, skipped] = found.slice(1).map(Number) as [number, number, number];
  return { passed, failed, skipped };
}

const [artifacts, forge] = [await testArtifacts(), await testByForge()];
const passed = artifacts.passed + forge.passed;
const failed = artifacts.failed + forge.failed;
process.stdout.write(`${passed} passed, ${failed} failed, ${forge.skipped} skipped\n`);
process.exitCode = failed === 0 ? 0 : 1;
