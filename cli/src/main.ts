// `causeway <room> ...`: hands the words over to the package that owns the room.
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type * as commands from "@causeway/chain-core/cli";
import { Failure } from "@causeway/primitives";
import { systemClock } from "@causeway/primitives/adapters/clock";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { exitWithError, requireAddon } from "@causeway/primitives/adapters/process";

const usage = `causeway wallet ...       keys, balances and payments on the ledger
causeway stake ...        delegate BTM to validators, take it back, claim rewards
causeway validator ...    register, update and leave; who the validators are
causeway beacon ...       the network's randomness, and its proof
causeway ring ...         whom it elects to sign, how safe such a ring is, and a rehearsal of its life
causeway signer ...       an operator's signer: its folder, backups, drills, health
causeway govern ...       parameters, upgrades, assets and pauses: propose, approve, bring
causeway genesis ...      make a network's genesis; read and prove the old chain's balances`;

type Rooms = Readonly<
  Record<string, (words: readonly string[], terminal: commands.Terminal) => Promise<void>>
>;
const roomsOf = (of: typeof commands): Rooms => ({
  wallet: of.walletCommand,
  stake: of.stakeCommand,
  validator: of.validatorCommand,
  beacon: of.beaconCommand,
  ring: (words, on) =>
    words[0] === "rehearse" ? rehearse(words.slice(1), on) : of.ringCommand(words, on),
  signer: async (words, on) => (await import("@causeway/signer/cli")).signerCommand(words, on),
  govern: of.governCommand,
  genesis: of.genesisCommand,
});

/** The signer's machines are loaded for this alone. */
async function rehearse(words: readonly string[], on: commands.Terminal): Promise<void> {
  const { rehearseCommand } = await import("@causeway/signer/cli");
  await rehearseCommand(words, on);
}

const terminal: commands.Terminal = {
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
  await requireAddon();
  const rooms = roomsOf(await import("@causeway/chain-core/cli"));
  const command = Object.hasOwn(rooms, room ?? "") ? rooms[room ?? ""] : undefined;
  if (command === undefined) throw new Failure("usage", usage);
  await command(words, terminal);
  process.exit(0);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  if (error.code === "usage") {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
  exitWithError(error.code, error.message);
}
