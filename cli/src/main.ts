// `causeway <room> ...`: hands the words over to the package that owns the room.
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { Terminal } from "@causeway/chain-core/cli";
import { Failure } from "@causeway/primitives";
import { systemClock } from "@causeway/primitives/adapters/clock";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { exitWithError, requireAddon } from "@causeway/primitives/adapters/process";

const usage = `causeway wallet ...    keys, balances and payments on the ledger
causeway govern ...    parameters, upgrades, assets and pauses: propose, approve, bring`;

const terminal: Terminal = {
  env: process.env,
  print: (line) => process.stdout.write(`${line}\n`),
  secret,
  confirm: async (question) => (await ask(`${question} [y/N] `, process.stderr)) === "y",
  entropy: systemEntropy,
  nowMs: systemClock.nowMs,
};

/** One line from the terminal, or from a pipe. */
async function ask(question: string, output: NodeJS.WritableStream): Promise<string> {
  const lines = createInterface({ input: process.stdin, output, terminal: process.stdin.isTTY });
  try {
    return (await lines.question(question)).trim();
  } finally {
    lines.close();
  }
}

/** What is typed is not shown. */
async function secret(what: string): Promise<string> {
  process.stderr.write(`${what}: `);
  const nowhere = new Writable({ write: (_, __, done) => done() });
  const answer = await ask("", nowhere);
  process.stderr.write("\n");
  return answer;
}

const [room, ...words] = process.argv.slice(2);
try {
  if (room !== "wallet" && room !== "govern") throw new Failure("usage", usage);
  await requireAddon();
  const { governCommand, walletCommand } = await import("@causeway/chain-core/cli");
  await (room === "wallet" ? walletCommand : governCommand)(words, terminal);
  process.exit(0);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  if (error.code === "usage") {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
  exitWithError(error.code, error.message);
}
