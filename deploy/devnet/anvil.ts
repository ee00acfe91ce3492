// Anvil, the Ethereum node of the devnet: the native binary out of its npm package, not npm's wrapper, whose
// death would leave the node alive (building-blocks 5).
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Failure } from "@causeway/primitives";
import type { Process } from "./processes.ts";
import { launch } from "./processes.ts";

const require = createRequire(import.meta.url);

function anvilBinary(): string {
  const platform = process.platform === "win32" ? "win32" : process.platform;
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const name = `@foundry-rs/anvil-${platform}-${arch}`;
  try {
    const folder = dirname(require.resolve(`${name}/package.json`));
    const binary = join(folder, "bin", process.platform === "win32" ? "anvil.exe" : "anvil");
    if (existsSync(binary)) return binary;
  } catch {
    // Said below, with the name of the package that is missing.
  }
  throw new Failure("no-anvil", `the npm package ${name} is not installed: run npm ci`);
}

export const anvilChainId = 31_337;

/** One block a second, `finalized` one block behind: the default lags 64 blocks (building-blocks 5). */
export async function startAnvil(options: {
  readonly port: number;
  readonly logFile: string;
}): Promise<Process & { readonly url: string }> {
  const args = ["--host", "127.0.0.1", "--port", String(options.port), "--accounts", "1"];
  const timing = ["--block-time", "1", "--slots-in-an-epoch", "1", "--chain-id"];
  const one = await launch({
    name: "anvil",
    command: anvilBinary(),
    args: [...args, ...timing, String(anvilChainId)],
    logFile: options.logFile,
    isReady: (line) => (line.includes("Listening on") ? { ready: true } : undefined),
    timeoutMs: 30_000,
  });
  return { ...one, url: `http://127.0.0.1:${options.port}` };
}
