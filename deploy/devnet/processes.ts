// Child processes of the devnet: started with a ready line, logged to a file, stopped for certain.
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { createWriteStream, existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Failure } from "@causeway/primitives";

export type Process = {
  readonly name: string;
  readonly pid: number;
  /** The JSON object of its ready line. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Resolves with the exit code (or -1 for a signal) when the process has ended. */
  readonly ended: Promise<number>;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly isAlive: () => boolean;
};

export type Launch = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Tells the ready line; by default one JSON object with "ready": true. */
  readonly isReady?: (line: string) => Record<string, unknown> | undefined;
  readonly timeoutMs: number;
};

const setpriv = "/usr/bin/setpriv";

/** On Linux a child dies with its parent, however the parent ends; elsewhere only with an orderly end. */
function withParent(command: string, args: readonly string[]): [string, string[]] {
  if (!existsSync(setpriv)) return [command, [...args]];
  return [setpriv, ["--pdeathsig", "KILL", command, ...args]];
}

const alive = new Set<ChildProcess>();
let cleanUp = false;

/** Whatever ends this process also ends its children. */
function killAllAtExit(): void {
  if (cleanUp) return;
  cleanUp = true;
  process.once("exit", () => {
    for (const child of alive) child.kill("SIGKILL");
  });
}

function readyObject(line: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(line) as Record<string, unknown>;
    return value.ready === true ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Starts a process and waits for its ready line; Failure "not-ready" with the end of its log otherwise. */
export async function launch(options: Launch): Promise<Process> {
  killAllAtExit();
  const log = createWriteStream(options.logFile, { flags: "a" });
  const [command, args] = withParent(options.command, options.args);
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
  });
  alive.add(child);
  child.stderr.pipe(log, { end: false });
  const ended = new Promise<number>((resolve) => {
    child.once("close", (code) => {
      alive.delete(child);
      log.end();
      resolve(code ?? -1);
    });
    child.once("error", () => resolve(-1));
  });
  const ready = await firstReadyLine(child, options, log, ended);
  return {
    name: options.name,
    pid: child.pid ?? -1,
    ready,
    ended,
    kill: (signal) => void child.kill(signal),
    isAlive: () => alive.has(child),
  };
}

function firstReadyLine(
  child: ChildProcess,
  options: Launch,
  log: NodeJS.WritableStream,
  ended: Promise<number>,
): Promise<Record<string, unknown>> {
  const isReady = options.isReady ?? readyObject;
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill("SIGKILL");
      const tail = readLogTail(options.logFile);
      reject(new Failure("not-ready", `${options.name} ${why}\n${tail}`));
    };
    const timer = setTimeout(() => fail("was not ready in time"), options.timeoutMs);
    void ended.then(() => {
      clearTimeout(timer);
      setTimeout(() => fail("ended before it was ready"), 50);
    });
    if (child.stdout === null) return fail("has no output");
    createInterface({ input: child.stdout }).on("line", (line) => {
      log.write(`${line}\n`);
      const object = isReady(line);
      if (object === undefined) return;
      clearTimeout(timer);
      resolve(object);
    });
  });
}

function readLogTail(file: string): string {
  try {
    return readFileSync(file, "utf8").slice(-2_000);
  } catch {
    return "";
  }
}

/** Ends processes: SIGTERM, and SIGKILL after `graceMs`. */
export async function stopAll(processes: readonly Process[], graceMs: number): Promise<void> {
  await Promise.all(
    processes.map(async (one) => {
      if (!one.isAlive()) return;
      one.kill("SIGTERM");
      const timer = setTimeout(() => one.kill("SIGKILL"), graceMs);
      await one.ended;
      clearTimeout(timer);
    }),
  );
}

/** Largest resident size that the process ever had, MB (Linux); 0 when it cannot be read. */
export function peakMemoryMb(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const match = /VmHWM:\s+(\d+) kB/.exec(status);
    return match === null ? 0 : Math.round(Number(match[1]) / 1024);
  } catch {
    return 0;
  }
}
