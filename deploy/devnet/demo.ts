// `npm run demo`: a network of four operators on this machine, and a bitcoin that goes round.
import { parseArgs } from "node:util";
import { Failure } from "@causeway/primitives";
import { killer } from "./kill.ts";
import type { Network } from "./network.ts";
import { createNetwork } from "./network.ts";
import type { Facts } from "./report.ts";
import { humanReporter, jsonReporter } from "./report.ts";
import { roundTrip, steps } from "./round-trip.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    // Stay up after the last line until a signal comes.
    hold: { type: "boolean", default: false },
    // Kill an operator (step mod 4 by default) with SIGKILL in the middle of this step (or of these: 2,4,7), and
    // restart it when the step has ended.
    "kill-step": { type: "string" },
    "kill-operator": { type: "string" },
    // This operator is never started.
    silent: { type: "string" },
    // E = 0: credit only after the final sweep (BTC-2).
    "no-loan": { type: "boolean", default: false },
    // Leave the folder with logs and data behind.
    keep: { type: "boolean", default: false },
    "log-level": { type: "string", default: "info" },
  },
});

function problemOf(error: unknown): Facts {
  const code = error instanceof Failure ? error.code : "internal";
  const message = error instanceof Error ? error.message : String(error);
  return { ok: false, error: { code, message } };
}

const reporter = values.json ? jsonReporter() : humanReporter();
const killSteps = (values["kill-step"] ?? "").split(",").filter(Boolean).map(Number);
const victimOf = (step: number): number => Number(values["kill-operator"] ?? step % 4);
let network: Network | undefined;
let finished = false;

async function main(): Promise<void> {
  if (!killSteps.every((step) => Number.isInteger(step) && steps[step - 1] !== undefined))
    throw new Failure("bad-option", `--kill-step is 1 to ${steps.length}`);
  if (![0, 1, 2, 3].includes(victimOf(0)))
    throw new Failure("bad-option", "--kill-operator is 0 to 3");
  const bitcoind = process.env.BITCOIND;
  network = await createNetwork({
    keep: values.keep,
    logLevel: values["log-level"],
    ...(bitcoind === undefined ? {} : { bitcoind }),
    ...(values.silent === undefined ? {} : { silent: Number(values.silent) }),
    ...(values["no-loan"] ? { params: { loanLimit: 0n } } : {}),
  });
  if (values.keep) reporter.note(`folder: ${network.folder}`);
  const kills = killer(network, reporter, killSteps, victimOf);
  const result = await roundTrip(network, reporter, { during: kills.during });
  reporter.finish({ ...result, ...(await kills.end()) });
  finished = true;
  if (values.hold) await stopped;
}

const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const stopped = new Promise<"stopped">((resolve) => {
  for (const signal of stopSignals) process.once(signal, () => resolve("stopped"));
});

try {
  const end = await Promise.race([main(), stopped]);
  if (end === "stopped" && !finished) process.exitCode = 130;
} catch (error) {
  reporter.finish(problemOf(error));
  process.exitCode = 1;
}
await network?.stop();
process.exit();
