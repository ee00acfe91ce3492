// Starts a main of an operator that is expected to refuse: its exit code and the JSON error on its stderr.
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import type { Kind } from "../../../deploy/devnet/operators.ts";

const root: string = resolve(import.meta.dirname, "../../..");
const packages: Readonly<Record<Kind, string>> = {
  node: "chain-core",
  signer: "signer",
  gateway: "gateway",
};

export type Refusal = {
  readonly exitCode: number | null;
  /** The last line of stderr, when it is the JSON that SEAMS promises. */
  readonly error: {
    readonly code?: string;
    readonly message?: string;
    readonly mistakes?: string[];
  };
  readonly stdout: string;
  readonly stderr: string;
};

/** `change` is the environment, which wins over the file. */
export function startWrong(
  kind: Kind,
  configFile: string,
  change: Readonly<Record<string, string>>,
): Promise<Refusal> {
  const main = join(root, packages[kind], "src", "main.ts");
  const child = spawn(process.execPath, ["--no-warnings", main, "--config", configFile], {
    env: { ...process.env, ...change },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    texts.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    texts.stderr += chunk;
  });
  // A main that wrongly starts must not hold up the test.
  const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  return new Promise((done) => {
    child.once("close", (exitCode) => {
      clearTimeout(timer);
      done({ exitCode, ...texts, error: errorOf(texts.stderr) });
    });
  });
}

function errorOf(stderr: string): Refusal["error"] {
  try {
    return JSON.parse(stderr.trim().split("\n").at(-1) ?? "").error ?? {};
  } catch {
    return {};
  }
}
