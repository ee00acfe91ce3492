// What every process of an operator does at its start and its end: one line of JSON when ready or when wrong,
// a clean end on SIGTERM, and the end at once when we are wrong.
import { Failure, isRejected } from "../failure.ts";

/** Prints {"ready":true,...} on stdout. */
export function printReady(fields: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify({ ready: true, ...fields })}\n`);
}

/** Exit codes of ends that a supervisor should tell from a mistake; every other is 1. */
const exitCodes: Readonly<Record<string, number>> = {
  // Starting again helps only after an update (GOV-1).
  "upgrade-needed": 3,
};

/** Prints {"error":{code,message,...}} on stderr and ends with 1, or the exit code of its own. */
export function exitWithError(
  code: string,
  message: string,
  more: Readonly<Record<string, unknown>> = {},
): never {
  process.stderr.write(`${JSON.stringify({ error: { code, message, ...more } })}\n`);
  process.exit(exitCodes[code] ?? 1);
}

/**
 * With `--prepare` on the command line: imports what the process will run by `load` and ends with 0, so that the folder
 * NODE_COMPILE_CACHE names has all of it before the first start. A thread that misses a single file there loads Node's
 * TypeScript stripper, and keeps the 18 MB that it takes.
 */
export async function prepareOnly(load: () => Promise<unknown>): Promise<void> {
  if (!process.argv.includes("--prepare")) return;
  await load();
  process.exit(0);
}

/**
 * Runs a process: `start` gives its end (rejecting ends the process with 1; a Rejected stops it in order and is then
 * printed) and how to stop it; SIGTERM and SIGINT stop it within 10 s. A Failure at start is printed with its code; anything else is our mistake and is printed so.
 */
export async function runProcess(
  start: () => Promise<{ readonly ended: Promise<unknown>; readonly stop: () => Promise<void> }>,
): Promise<void> {
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  const running = await start().catch(fail);
  let stopping = false;
  const stop = (end: () => void): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => exitWithError("stop-timeout", "did not stop within 10 s"), 10_000).unref();
    running.stop().then(end, fail);
  };
  const stopAsAsked = (): void => stop(() => process.exit(0));
  process.on("SIGTERM", stopAsAsked);
  process.on("SIGINT", stopAsAsked);
  const reason = await running.ended.catch(fail);
  if (isRejected(reason)) stop(() => exitWithError(reason.code, reason.message));
}

function fail(error: unknown): never {
  if (error instanceof Failure) return exitWithError(error.code, error.message);
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return exitWithError("internal", `${name}: ${message}`, { stack });
}

/**
 * Imports libsecp256k1, without which nothing may run: there is a fallback in plain JavaScript that leaks
 * secrets by its timing, and it is never used. Ends the process with a sentence when the addon is missing.
 */
export async function requireAddon(): Promise<void> {
  try {
    const { randomizeContext } = await import("../secp256k1.ts");
    randomizeContext(crypto.getRandomValues(new Uint8Array(32)));
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    exitWithError(
      "missing-addon",
      `the native addon of secp256k1 cannot be loaded (${reason}); run npm ci on this machine, or npm rebuild secp256k1`,
    );
  }
}
