// `causeway govern propose ...`: words to a proposal that the ledger would take once it is approved.
import type { Bytes32 } from "@causeway/primitives";
import { Failure, isRejected, must } from "@causeway/primitives";
import type { NodeClient } from "../client.ts";
import { readState } from "../client.ts";
import type { Terms } from "../govern/draft.ts";
import {
  chainNamed,
  draftAsset,
  draftPause,
  draftPrice,
  draftRestitution,
  draftSet,
  draftSlow,
  draftTakeBack,
  draftUpgrade,
  readAsset,
} from "../govern/draft.ts";
import { consequences, objection } from "../govern/judge.ts";
import type { Proposal } from "../govern/proposal.ts";
import { sentenceOf, writeProposal } from "../govern/proposal.ts";
import type { Genesis } from "../ledger/genesis.ts";
import type { StateReader } from "../ledger/state.ts";
import { createBls } from "./bls.ts";
import type { GovernFlags } from "./govern-files.ts";
import { readSmall, writeNew } from "./govern-files.ts";
import { amountOf, lockOf } from "./stake-cli.ts";
import { wholeNumber } from "./wallet-cli.ts";
import type { Terminal } from "./wallet-terminal.ts";
import { show } from "./wallet-terminal.ts";

export type Network = { readonly client: NodeClient; readonly genesis: Genesis };

export type Draft = (state: StateReader) => Proposal;

export async function propose(
  words: readonly string[],
  flags: GovernFlags,
  terminal: Terminal,
  network: Network,
): Promise<void> {
  const { genesis } = network;
  const draft = draftOf(words, flags, genesis);
  // What a person chose to be later is refused now, and is right.
  const later = [
    ...(flags.sequence === undefined ? [] : ["wrong-sequence"]),
    ...(flags["committee-epoch"] === undefined ? [] : ["unknown-epoch"]),
  ];
  const { proposal, notes } = await judged(network, draft, later);
  const text = sentenceOf(genesis, proposal);
  const { sequence, epoch } = proposal;
  const file = flags.out ?? "proposal.json";
  if (flags["dry-run"] !== true) writeNew(file, writeProposal(genesis, proposal));
  const status = flags["dry-run"] === true ? "dry-run" : "written";
  show(terminal, flags, { text, notes, committeeEpoch: epoch, sequence, file, status });
}

/** The proposal over the newest state; throws what the ledger has against it, but for the codes `later`. */
export async function judged(
  { client, genesis }: Network,
  draft: Draft,
  later: readonly string[] = [],
): Promise<{ readonly proposal: Proposal; readonly notes: readonly string[] }> {
  const at = await next(client);
  const found = await readState(client, (state) => {
    const proposal = draft(state);
    const refused = objection(state, genesis, createBls(), at, proposal);
    return { proposal, refused, notes: consequences(state, genesis, proposal) };
  });
  const { refused } = found;
  if (refused !== undefined && !later.includes(refused.code))
    throw new Failure(refused.code, refused.message);
  return found;
}

/** The block that something sent now would be in at best. */
export async function next(
  client: NodeClient,
): Promise<{ readonly height: number; readonly time: number }> {
  const { height, time } = await client.status();
  return { height: height + 1, time: time + 1 };
}

const usage = (what: string): Failure => new Failure("usage", `govern propose ${what}`);

/** Throws Failure "usage", or the code of what a word is not. */
function draftOf(words: readonly string[], flags: GovernFlags, genesis: Genesis): Draft {
  const [what, ...rest] = words;
  const terms = termsOf(flags);
  const [first, second] = rest;
  const counts = {
    set: 2,
    "add-asset": 1,
    price: 3,
    "take-back": 1,
    restitute: 3,
    upgrade: 1,
    pause: 2,
    lift: 2,
    slow: 0,
  };
  if (what === undefined || !Object.hasOwn(counts, what))
    throw usage(`${Object.keys(counts).join("|")} ...`);
  if (rest.length !== counts[what as keyof typeof counts])
    throw usage(`${what}: ${counts[what as keyof typeof counts]} words follow, not ${rest.length}`);
  switch (what) {
    case "set": {
      const value = must(second, "value");
      if (!/^\d{1,38}$/.test(value))
        throw usage("set NAME VALUE: the value is a whole number, in the genesis' unit");
      return (state) => draftSet(state, terms, must(first, "name"), BigInt(value));
    }
    case "add-asset": {
      const { symbol, asset } = assetIn(must(first, "file"), genesis);
      return (state) => draftAsset(state, terms, symbol, asset);
    }
    case "price": {
      const amounts = [second, rest[2]].map((word) => must(word, "amount"));
      if (!amounts.every((word) => /^\d{1,31}$/.test(word)))
        throw usage("price SYMBOL BTM UNITS: whole numbers, in the units of BTM and of the asset");
      const [btm = 0n, units = 0n] = amounts.map(BigInt);
      const price = { btm, units };
      return (state) => draftPrice(state, terms, must(first, "symbol"), price);
    }
    case "take-back":
      return (state) => draftTakeBack(state, terms, must(first, "key"));
    case "restitute": {
      const lock = lockOf("address", second);
      const payment = { lock, amount: amountOf(genesis, "amount", rest[2]) };
      return (state) => draftRestitution(state, terms, must(first, "name"), payment);
    }
    case "upgrade": {
      const version = wholeNumber("version", first, 65_535);
      return (state) => draftUpgrade(state, terms, version);
    }
    case "slow": {
      const guardian = wholeNumber("guardian", flags.guardian, 255);
      return (state) => draftSlow(state, terms, guardian);
    }
    default: {
      const chain = chainOf(genesis, must(first, "chain"));
      if (second !== "in" && second !== "out") throw usage(`${what} CHAIN in|out`);
      const act = what === "pause" ? "pause" : "lift";
      return (state) => draftPause(state, terms, act, { chain, direction: second });
    }
  }
}

function termsOf(flags: GovernFlags): Terms {
  const given = (name: "epoch" | "committee-epoch" | "sequence"): number | undefined =>
    flags[name] === undefined ? undefined : wholeNumber(name, flags[name], 2 ** 31);
  const [epoch, committeeEpoch] = [given("epoch"), given("committee-epoch")];
  const sequence = given("sequence");
  return {
    ...(epoch !== undefined && { epoch }),
    ...(committeeEpoch !== undefined && { committeeEpoch }),
    ...(sequence !== undefined && { sequence }),
  };
}

function chainOf(genesis: Genesis, name: string): Bytes32 {
  const chain = chainNamed(genesis, name);
  if (isRejected(chain)) throw new Failure(chain.code, chain.message);
  return chain;
}

function assetIn(
  path: string,
  genesis: Genesis,
): Exclude<ReturnType<typeof readAsset>, { kind: "rejected" }> {
  const asset = readAsset(genesis, parsed(path));
  if (isRejected(asset)) throw new Failure(asset.code, `${path}: ${asset.message}`);
  return asset;
}

function parsed(path: string): unknown {
  const bytes = readSmall(path);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new Failure("bad-file", `${path} is no JSON`, { cause });
  }
}
