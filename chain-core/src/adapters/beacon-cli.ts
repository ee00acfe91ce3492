// `causeway beacon ...` and `causeway ring ...`: what the beacon says, replayed by whoever asks (BCN), and whom it would
// elect into a ring (RNG-1). Nothing needs a key.
import type { Bytes32 } from "@causeway/primitives";
import {
  bytes32,
  equal,
  Failure,
  isRejected,
  isZero,
  toHex,
  utf8,
  zero32,
} from "@causeway/primitives";
import { checkRing } from "../beacon/capture.ts";
import type { DrawnRing, Election, Share } from "../beacon/elect.ts";
import { drawRing, ringSeatsMax, thresholdOf } from "../beacon/elect.ts";
import { subSeed } from "../beacon/output.ts";
import { proposeDifficulty } from "../beacon/seqpow.ts";
import { replayTranscript } from "../beacon/transcript.ts";
import { epochRecord } from "../client/beacon-record.ts";
import type { RingKey } from "../client/ring-api.ts";
import { drawAgain } from "../client/ring-draw.ts";
import type { NodeClient } from "../client.ts";
import { networkNow, readState } from "../client.ts";
import { formatLock } from "../ledger/assets.ts";
import { outputs } from "../ledger/beacon/round.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { drawDelay, electable } from "../ledger/ring/election.ts";
import { candidates } from "../ledger/staking/candidates.ts";
import { createBls } from "./bls.ts";
import { transcriptCommand, transcriptUsage, transcriptWords } from "./transcript-cli.ts";
import { connect, parseWords, wholeNumber } from "./wallet-cli.ts";
import type { Terminal } from "./wallet-terminal.ts";
import { show } from "./wallet-terminal.ts";

export const beaconUsage = `causeway beacon show                                      the running epoch's, and the newest outputs
causeway beacon verify --epoch N                          its output once more, from the blocks alone
causeway beacon seed --epoch N --domain NAME [--context TEXT]  the seed of one use of its output
causeway beacon difficulty --steps-per-second A,B,...     beaconDifficulty for validators as fast as that (\`npm run bench -- beacon\`)

Everywhere: [--node http://127.0.0.1:18501] [--network ID] [--json]`;

export const ringUsage: string = `causeway ring elect --term K                whom the term's output elected, drawn again from the stakes of then, with the draws
causeway ring elect [--seats N]             whom the newest output would elect from the stakes of now
causeway ring show                          the running ring, and how its keys are
causeway ring check [--seats N]             the most that hostile stake could get of such a ring
causeway ring rehearse [--seats N]          every stage of a ring's life on scratch keys, in this process
${transcriptUsage}`;

const options = {
  node: { type: "string" },
  network: { type: "string" },
  json: { type: "boolean", default: false },
  epoch: { type: "string" },
  domain: { type: "string" },
  context: { type: "string", default: "" },
  term: { type: "string" },
  "steps-per-second": { type: "string" },
  seats: { type: "string" },
} as const;
type Flags = ReturnType<typeof parseWords<typeof options>>["values"];
type Command = (flags: Flags, terminal: Terminal, world: World) => Promise<void>;
type Run = (args: readonly string[], terminal: Terminal) => Promise<void>;
type World = { readonly client: NodeClient; readonly genesis: Genesis };

/** Throws Failure with a sentence; "usage" with the usage. */
export const beaconCommand: Run = commandOf(
  { show: showBeacon, verify, seed, difficulty },
  beaconUsage,
);
const electionCommand = commandOf({ elect, show: showRing, check }, ringUsage);
export const ringCommand: Run = (args, terminal) =>
  (transcriptWords.includes(args[0] ?? "") ? transcriptCommand : electionCommand)(args, terminal);

function commandOf(commands: Readonly<Record<string, Command>>, usage: string): Run {
  return async (args, terminal) => {
    const { values: flags, positionals } = parseWords(args, options, usage);
    const [name = "", ...rest] = positionals;
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command === undefined || rest.length > 0) throw new Failure("usage", usage);
    const { client, genesis } = await connect(flags, terminal);
    await command(flags, terminal, { client, genesis: await networkNow(client, genesis) });
  };
}

const epochOf = (flags: Flags, name: "epoch" | "term"): number =>
  wholeNumber(name, flags[name], 2 ** 31);

async function showBeacon(flags: Flags, terminal: Terminal, { client }: World): Promise<void> {
  const { seed: of, outputs: found, ...rest } = await client.ask("beacon", {});
  const shown = found.map(({ epoch, output }) => `${epoch}:${toHex(output)}`);
  show(terminal, flags, { ...rest, seed: toHex(of), outputs: shown });
}

/** Believes the node only what blocks there are and who had which key. */
async function verify(flags: Flags, terminal: Terminal, { client, genesis }: World): Promise<void> {
  const epoch = epochOf(flags, "epoch");
  const { transcript, output } = await epochRecord(client, genesis, epoch);
  if (output === undefined) throw new Failure("no-output", `epoch ${epoch} has no output`);
  const replayed = replayTranscript(createBls(), transcript);
  if (isRejected(replayed)) throw new Failure(replayed.code, replayed.message);
  if (!equal(replayed, output))
    throw new Failure("wrong-output", `the blocks give ${toHex(replayed)}, not ${toHex(output)}`);
  show(terminal, flags, {
    epoch,
    output: toHex(output),
    seed: toHex(transcript.round.seed),
    contributions: transcript.contributions.map(
      ({ seat, steps }) => `seat ${seat}: ${steps} steps`,
    ),
    steps: transcript.segments * transcript.segmentSteps,
    verified: true,
  });
}

async function seed(flags: Flags, terminal: Terminal, { client, genesis }: World): Promise<void> {
  const epoch = epochOf(flags, "epoch");
  const { domain = "", context = "" } = flags;
  if (domain === "") throw new Failure("usage", "--domain names what the seed is for");
  const output = await outputOf(client, epoch);
  const made = subSeed(genesis.networkId, output, domain, utf8(context));
  show(terminal, flags, { epoch, domain, context, seed: toHex(made), output: toHex(output) });
}

/** GOV-1's parameter from measured speeds, at the window in force. */
async function difficulty(flags: Flags, terminal: Terminal, { genesis }: World): Promise<void> {
  const speeds = (flags["steps-per-second"] ?? "").split(",").map(Number);
  if (!speeds.every((speed) => speed >= 1 && speed < 1e9))
    throw new Failure("usage", "--steps-per-second lists what each validator measured");
  const { beaconDifficulty, beaconWindowMs } = genesis.params;
  show(terminal, flags, {
    validators: speeds.length,
    windowMs: beaconWindowMs,
    inForce: beaconDifficulty,
    proposed: proposeDifficulty(speeds, beaconWindowMs),
  });
}

async function outputOf(client: NodeClient, epoch: number): Promise<Bytes32> {
  const found = await readState(client, (state) => outputs.get(state, epoch));
  if (found === undefined) throw new Failure("no-output", `epoch ${epoch} has no output`);
  return bytes32(found.output);
}

/** Who could be elected, were they candidates long enough. */
function stakesNow({ client, genesis }: World, epoch: number) {
  const { params } = genesis;
  return readState(client, (state) => electable(candidates(state, params, epoch), params));
}

/** As many as there are candidates, of a ring's largest size, unless `--seats` says another. */
function seatsOf(flags: Flags, count: number): number {
  const n = flags.seats === undefined ? Math.min(count, ringSeatsMax) : Number(flags.seats);
  if (!Number.isSafeInteger(n) || n < 1 || n > ringSeatsMax)
    throw new Failure("usage", `--seats is a number from 1 to ${ringSeatsMax}`);
  return n;
}

/** The newest output and the stakes of now, as if it had drawn; or what the ledger has recorded. */
async function elect(flags: Flags, terminal: Terminal, world: World): Promise<void> {
  if (flags.term !== undefined) return proveRing(flags, terminal, world);
  const { client, genesis } = world;
  const { epoch, outputs: found } = await client.ask("beacon", {});
  const [newest] = found;
  if (newest === undefined) throw new Failure("no-output", "the beacon has no output yet");
  const { term } = await client.ask("ring", { term: undefined });
  const { height } = await client.status();
  const stakes = await stakesNow(world, epoch);
  const n = seatsOf(flags, stakes.length);
  const of = { term: term + 1, output: bytes32(newest.output), n };
  const present = stakes.map(({ owner, stake }) => ({ owner, stake, isGone: false }));
  const drawn = drawRing(genesis.networkId, of, present);
  if ("code" in drawn) throw new Failure(drawn.code, drawn.message);
  showDraw(flags, terminal, { recorded: false, height, term: term + 1, ...newest, drawn });
}

/** Believes the node the candidates and the output, and draws itself. */
async function proveRing(flags: Flags, terminal: Terminal, world: World): Promise<void> {
  const { client, genesis } = world;
  const term = epochOf(flags, "term");
  const { height } = await client.status();
  const told = await client.ask("ring", { term });
  const epoch = told.epoch - drawDelay;
  const output = isZero(told.output) ? zero32 : await outputOf(client, epoch);
  const drawn = drawAgain(genesis.networkId, told, output);
  if (isRejected(drawn)) throw new Failure(drawn.code, drawn.message);
  showDraw(flags, terminal, { recorded: true, height, term, epoch, output, drawn });
}

/** `epoch`: the output's. */
function showDraw(
  flags: Flags,
  terminal: Terminal,
  of: {
    readonly recorded: boolean;
    readonly height: number;
    readonly term: number;
    readonly epoch: number;
    readonly output: Uint8Array;
    readonly drawn: DrawnRing;
  },
): void {
  const { drawn, output, ...rest } = of;
  const { election, seats } = drawn;
  show(terminal, flags, {
    ...rest,
    output: toHex(output),
    seats: seats.length,
    threshold: thresholdOf(seats.length),
    seatsEach: election.seatsEach,
    total: String(election.total),
    elected: seats.map(formatLock),
    ...(flags.json === true ? proofOf(election) : { proof: textOf(election) }),
  });
}

async function showRing(flags: Flags, terminal: Terminal, { client }: World): Promise<void> {
  const { term, epoch, threshold, election, seats } = await client.ask("ring", { term: undefined });
  const { keys } = await client.ask("ringKeys", {});
  show(terminal, flags, {
    term,
    "since epoch": epoch,
    "last election": election,
    threshold,
    seats: seats.map(
      ({ validator, inService }, i) =>
        `${i}: ${formatLock(validator)}${inService ? "" : ", out of service"}`,
    ),
    keys: keys.map(lineOf),
  });
}

function lineOf({ keyId, chain, key, ceremony }: RingKey): string {
  const { purpose, stage, term, attempt, seats, dealt, voided, wronged, confirmed } = ceremony;
  const held = key && `of term ${key.term}, held by the ring of ${key.heldBy}`;
  const until = key?.lastCredit && `, deposits until ${new Date(key.lastCredit).toISOString()}`;
  const open = `${purpose} for term ${term}, attempt ${attempt}: ${stage}, ${dealt} dealt, ${voided} void, ${confirmed} of ${seats} confirmed`;
  const isOpen = stage !== "active" && stage !== "retired";
  const cheated = wronged > 0 && `${wronged} wronged`;
  const parts = [held && `${held}${until ?? ""}`, isOpen && open, cheated].filter(Boolean);
  return `${keyId} for ${toHex(chain)}: ${parts.join("; ")}`;
}

function proofOf({ shares, seats }: Election): Record<string, unknown> {
  const draws = shares.map(({ owner, stake, counted, seats: own, duel }) => ({
    owner: formatLock(owner),
    stake: String(stake),
    counted: String(counted),
    seats: own,
    ...(duel && {
      duel: Object.fromEntries(Object.entries(duel).map(([name, value]) => [name, String(value)])),
    }),
  }));
  return { order: draws, drawn: seats.map(formatLock) };
}

/** A line for each candidate in the order in which the seats are filled. */
function textOf({ shares }: Election): string {
  const line = ({ owner, stake, counted, seats, duel }: Share): string => {
    const drawn =
      duel && `; drew ${duel.drawn} of ${duel.of}, below ${duel.wins} the one before wins`;
    return `\n  ${formatLock(owner)}: stake ${stake}, counts ${counted}, seats [${seats}]${drawn ?? ""}`;
  };
  return shares.map(line).join("");
}

async function check(flags: Flags, terminal: Terminal, world: World): Promise<void> {
  const { height } = await world.client.status();
  const { epoch } = await world.client.ask("beacon", {});
  const stakes = await stakesNow(world, epoch + 2);
  if (stakes.length === 0) throw new Failure("no-candidates", "nobody with stake can be elected");
  const n = seatsOf(flags, stakes.length);
  const { capture, veto, isSafe } = checkRing(
    stakes.map(({ stake }) => stake),
    n,
  );
  const told = ({ seats, seatsMax, log2 }: typeof capture): string =>
    seatsMax < seats
      ? `impossible: ${seats} seats are needed, ${seatsMax} is the most`
      : `at most 2^${log2.toFixed(1)}: ${seats} seats are needed, ${seatsMax} is the most`;
  show(terminal, flags, {
    height,
    candidates: stakes.length,
    seats: n,
    threshold: thresholdOf(n),
    "capture by a third": told(capture),
    "veto by a fifth": told(veto),
    safe: isSafe,
  });
}
