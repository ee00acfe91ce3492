// `npm run demo`: a network of four operators on this machine, and a bitcoin that goes round.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Failure } from "@causeway/primitives";
import { anyNode, nodeAt, until } from "./follow.ts";
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
    // Kill an operator (step mod 4 by default) with SIGKILL in the middle of this step; restart it at the end.
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

/** Milliseconds into a step at which its operator is killed: in the middle of things. */
const killAfterMs = 400;

async function kill(network: Network, index: number): Promise<void> {
  // In step 1 there is nothing to kill before it runs.
  const victim = network.operators[index];
  if (victim === undefined) return;
  await until("the operator to be up", async () => (victim.isAlive() ? true : undefined));
  await sleep(killAfterMs);
  reporter.note(`kill -9: operator ${index}, processes ${victim.pids().join(", ")}`);
  await victim.kill();
}

/** Restarts the killed operator and waits until it has every block that the others have. */
async function restart(network: Network, index: number): Promise<Facts> {
  const operator = network.operators[index];
  if (operator === undefined) return {};
  await operator.start();
  const { height } = await anyNode(network).status();
  const node = nodeAt(operator.nodeUrl);
  const reached = await until("the restarted operator to catch up", async () => {
    const now = await node.status();
    return now.height >= height ? now.height : undefined;
  });
  return { restarted: { operator: index, height: reached } };
}

function problemOf(error: unknown): Facts {
  const code = error instanceof Failure ? error.code : "internal";
  const message = error instanceof Error ? error.message : String(error);
  return { ok: false, error: { code, message } };
}

const reporter = values.json ? jsonReporter() : humanReporter();
const killStep = values["kill-step"] === undefined ? undefined : Number(values["kill-step"]);
const victim = Number(values["kill-operator"] ?? (killStep ?? 0) % 4);
let network: Network | undefined;

async function main(): Promise<void> {
  if (killStep !== undefined && !(Number.isInteger(killStep) && steps[killStep - 1] !== undefined))
    throw new Failure("bad-option", `--kill-step is 1 to ${steps.length}`);
  if (![0, 1, 2, 3].includes(victim)) throw new Failure("bad-option", "--kill-operator is 0 to 3");
  const bitcoind = process.env.BITCOIND;
  network = await createNetwork({
    keep: values.keep,
    logLevel: values["log-level"],
    ...(bitcoind === undefined ? {} : { bitcoind }),
    ...(values.silent === undefined ? {} : { silent: Number(values.silent) }),
    ...(values["no-loan"] ? { params: { loanLimit: 0n } } : {}),
  });
  if (values.keep) reporter.note(`folder: ${network.folder}`);
  const running = network;
  const result = await roundTrip(running, reporter, {
    during: async (step) => {
      if (step === killStep) await kill(running, victim);
    },
  });
  const extra = killStep === undefined ? {} : await restart(running, victim);
  reporter.finish({ ...result, ...extra });
  if (values.hold) await new Promise((resolve) => process.once("SIGTERM", resolve));
}

for (const signal of ["SIGINT", "SIGHUP"] as const) process.once(signal, () => process.exit(130));
try {
  await main();
} catch (error) {
  reporter.finish(problemOf(error));
  process.exitCode = 1;
}
await network?.stop();
