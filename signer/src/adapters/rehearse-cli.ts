// `causeway ring rehearse`: the whole life of a ring on scratch keys, in this process. Nothing of it reaches a network or
// a disk, and no key of the operator is read.
import { parseArgs } from "node:util";
import { createBls } from "@causeway/chain-core/adapters/bls";
import { nodeClient } from "@causeway/chain-core/client";
import type { Entropy } from "@causeway/primitives";
import { bytes32, Failure, keyOf } from "@causeway/primitives";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import type { RehearsalOptions, Stage } from "../rehearsal/rehearse.ts";
import { rehearse } from "../rehearsal/rehearse.ts";

export const rehearseUsage = `causeway ring rehearse                      every stage of a ring's life with the size and the stakes of the node's running ring
causeway ring rehearse --seats N            the same for a ring of N seats, of as many validators of equal stake
  [--validators V]                          or of V validators
  [--messages M]                            messages of each signature, 1 to 150 (20)

Everywhere: [--node http://127.0.0.1:18501] [--json]`;

const options = {
  seats: { type: "string" },
  validators: { type: "string" },
  messages: { type: "string", default: "20" },
  node: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

type Terminal = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (line: string) => void;
  readonly entropy: Entropy;
};

/** A ring has at most as many. */
const seatsMax = 150;
const equalStake = 1_000_000_00000000n;

/** Throws Failure: "usage", "rehearsal-failed" naming the stage, or what asking the node gives. */
export async function rehearseCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const flags = wordsOf(args);
  const messages = count("messages", flags.messages, seatsMax);
  const size =
    flags.seats === undefined
      ? await liveSize(flags.node ?? terminal.env.CAUSEWAY_NODE_RPC ?? "http://127.0.0.1:18501")
      : sizeOf(flags.seats, flags.validators);
  const tell = ({ stage, ok, detail, cpuMs, simulatedMs }: Stage): void => {
    const verdict = ok ? "ok" : `FAILED: ${detail}`;
    if (!flags.json)
      terminal.print(`${stage}: ${verdict} (${cpuMs} ms of CPU, ${simulatedMs} ms of the ledger)`);
  };
  const draw = () => bytes32(terminal.entropy(32));
  const result = rehearse({ ...size, messages }, createBls(), draw, cpuMs, tell);
  const { stages, warnings, ...figures } = result;
  if (flags.json) terminal.print(JSON.stringify(result));
  else {
    for (const [text, times] of Object.entries(warnings)) terminal.print(`  ${text} (${times})`);
    for (const [name, value] of Object.entries(figures)) terminal.print(`${name}: ${value}`);
  }
  const failed = stages.find(({ ok }) => !ok);
  if (failed !== undefined)
    throw new Failure("rehearsal-failed", `${failed.stage}: ${failed.detail}`);
}

function wordsOf(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (cause) {
    throw new Failure("usage", `${(cause as Error).message}\n\n${rehearseUsage}`, { cause });
  }
}

function count(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > most)
    throw new Failure("usage", `--${name} is a number from 1 to ${most}`);
  return value;
}

type Size = Pick<RehearsalOptions, "stakes" | "ringSeats">;

function sizeOf(seats: string, validators: string | undefined): Size {
  const ringSeats = count("seats", seats, seatsMax);
  const size = count("validators", validators ?? seats, seatsMax);
  return { ringSeats, stakes: Array.from({ length: size }, () => equalStake) };
}

/** The size of the running ring, and the stakes that it was drawn from; equal ones for the ring of the genesis. */
async function liveSize(url: string): Promise<Size> {
  const { seats, candidates } = await nodeClient(rpcClient({ url })).ask("ring", {
    term: undefined,
  });
  const known = candidates.filter(({ isGone }) => !isGone).map(({ stake }) => stake);
  const holders = new Set(seats.map(({ validator }) => keyOf(validator)));
  const stakes = known.length > 0 ? known : [...holders].map(() => equalStake);
  const ranked = stakes.toSorted((a, b) => (a > b ? -1 : a < b ? 1 : 0));
  return { ringSeats: seats.length, stakes: ranked.slice(0, seatsMax) };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
