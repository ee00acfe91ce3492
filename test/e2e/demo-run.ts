// Runs the demo as a user does, in a process of its own, and reads its lines.
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const root: string = resolve(import.meta.dirname, "../..");

// biome-ignore lint/suspicious/noExplicitAny: the lines are JSON for strangers, read here field by field
export type Line = Record<string, any>;

export type DemoRun = {
  /** The object of a step's line. */
  readonly step: (name: string) => Line;
  readonly last: Line;
  readonly lines: readonly Line[];
  /** Ends a held demo; resolves with its exit code. */
  readonly close: () => Promise<number>;
};

/** Runs to the last line. With `hold` the network stays up until `close`. */
export async function runDemo(args: readonly string[]): Promise<DemoRun> {
  const main = join(root, "deploy", "devnet", "demo.ts");
  const child: ChildProcess = spawn(process.execPath, [main, "--json", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: Line[] = [];
  const exited = once(child, "exit").then(([code]) => (typeof code === "number" ? code : -1));
  const finished = new Promise<Line>((done, fail) => {
    if (child.stdout === null) return fail(new Error("no output"));
    createInterface({ input: child.stdout }).on("line", (text) => {
      const line = JSON.parse(text) as Line;
      lines.push(line);
      if (line.ok !== undefined) done(line);
    });
    void exited.then((code) => fail(new Error(`the demo ended with ${code} and no last line`)));
  });
  const last = await finished;
  return {
    last,
    lines,
    step: (name) => {
      const line = lines.find((one) => one.step === name);
      if (line === undefined) throw new Error(`no step ${name} in ${JSON.stringify(last)}`);
      return line;
    },
    close: async () => {
      // A demo that holds waits for it; another one is stopping its network by itself.
      if (args.includes("--hold")) child.kill("SIGTERM");
      return exited;
    },
  };
}
