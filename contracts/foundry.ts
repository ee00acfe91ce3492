// Foundry's native binaries out of their npm packages, not npm's wrapper, whose death would leave the program
// alive (building-blocks 5). The manifest names the packages of linux-amd64; other platforms have their own.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** Path of the program; throws with the package that is missing. */
export function foundryBinary(name: "anvil" | "forge"): string {
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const wanted = `@foundry-rs/${name}-${process.platform}-${arch}`;
  try {
    const folder = dirname(require.resolve(`${wanted}/package.json`));
    const binary = join(folder, "bin", process.platform === "win32" ? `${name}.exe` : name);
    if (existsSync(binary)) return binary;
  } catch {
    // Said below.
  }
  throw new Error(`the npm package ${wanted} is missing: npm install --no-save ${wanted}@1.7.1`);
}
