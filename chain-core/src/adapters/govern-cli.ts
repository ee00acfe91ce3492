// `causeway govern ...`: how a committee changes parameters, versions and the asset registry (GOV-1), and how guardians
// stop transfers (GOV-2). A proposal is a file that goes round; each signs on its own machine, against its own node, and
// only the signature travels; whoever has enough of them brings the action and pays its fee.
import type { Rejected } from "@causeway/primitives";
import { equal, Failure, isRejected, must } from "@causeway/primitives";
import { readKeyFile } from "@causeway/primitives/adapters/key-file";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { readState } from "../client.ts";
import type { Action } from "../codec/action.ts";
import type { Signed } from "../govern/approvals.ts";
import {
  combine,
  readAction,
  readSigned,
  signAsGuardian,
  signAsMember,
  writeAction,
  writeSigned,
} from "../govern/approvals.ts";
import { draftSlow } from "../govern/draft.ts";
import { consequences, objection, powerOf, refusalOf } from "../govern/judge.ts";
import type { Proposal } from "../govern/proposal.ts";
import { readProposal, sentenceOf } from "../govern/proposal.ts";
import { committeeAt } from "../ledger/epoch/epochs.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { createBls } from "./bls.ts";
import type { GovernFlags } from "./govern-files.ts";
import { options, readSmall, writeNew } from "./govern-files.ts";
import type { Network } from "./govern-propose.ts";
import { judged, next, propose } from "./govern-propose.ts";
import { status } from "./govern-status.ts";
import { connect, parseWords, session } from "./wallet-cli.ts";
import { deliver } from "./wallet-send.ts";
import type { Terminal } from "./wallet-terminal.ts";
import { show } from "./wallet-terminal.ts";

export const governUsage = `causeway govern status                       what is in force, and what is on its way
causeway govern propose set NAME VALUE       a parameter, in the genesis' unit
causeway govern propose add-asset FILE       an asset for the registry, JSON as in the genesis
causeway govern propose price SYMBOL BTM UNITS   what an asset is worth: so many units of it, so many of BTM (0: nothing)
causeway govern propose restitute NAME ADDRESS AMOUNT  BTM from the restitution pool, under a name for the case
causeway govern propose take-back KEY        a change that waits: a parameter's name, asset:SYMBOL, price:SYMBOL or restitution:NAME
causeway govern propose upgrade VERSION
causeway govern propose pause|lift CHAIN in|out      CHAIN: bitcoin, evm:1
causeway govern propose slow --guardian INDEX
        [--out proposal.json] [--epoch N] [--committee-epoch N] [--sequence N] [--dry-run]
causeway govern approve PROPOSAL --keys FILE | --guardian-keys FILE  [--out FILE] [--yes]
        FILE: the signer's key file, or {"guardian": "<hex>"}, mode 0600; it is read here and goes nowhere
causeway govern combine PROPOSAL APPROVAL... [--out action.json]
causeway govern bring ACTION                 the wallet pays; its flags as in causeway wallet send
causeway govern slow --guardian-keys FILE    one guardian: propose, approve and bring in one

Everywhere: [--node http://127.0.0.1:18501] [--network ID] [--json]`;

/** Throws Failure with a sentence; "usage" with the usage. */
export async function governCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = parseWords(args, options, governUsage);
  const flags: GovernFlags = values;
  const [command, ...words] = positionals;
  const counts: Readonly<Record<string, readonly [least: number, most: number]>> = {
    status: [0, 0],
    propose: [1, 9],
    approve: [1, 1],
    combine: [2, 200],
    bring: [1, 1],
    slow: [0, 0],
  };
  const [least, most] = counts[command ?? ""] ?? [1, 0];
  if (words.length < least || words.length > most) throw new Failure("usage", governUsage);
  const network = await connect(flags, terminal);
  const [file = "", ...files] = words;
  switch (command) {
    case "status":
      return status(flags, terminal, network);
    case "propose":
      return propose(words, flags, terminal, network);
    case "approve":
      return approve(file, flags, terminal, network);
    case "combine":
      return combineFiles(file, files, flags, terminal, network);
    case "bring":
      return bring(
        orFail(file, readAction(network.genesis, readSmall(file))),
        flags,
        terminal,
        network,
      );
    default:
      return slow(flags, terminal, network);
  }
}

/** The value, or the failure of a rejection. */
function orFail<T>(what: string, value: T): Exclude<T, Rejected> {
  if (isRejected(value)) throw new Failure(value.code, `${what}: ${value.message}`);
  return value as Exclude<T, Rejected>;
}

/** Shows what is signed and what the ledger says of it, asks, and writes one signature to a file. */
async function approve(
  path: string,
  flags: GovernFlags,
  terminal: Terminal,
  network: Network,
): Promise<void> {
  const { genesis, client } = network;
  const proposal = orFail(path, readProposal(genesis, readSmall(path)));
  const text = sentenceOf(genesis, proposal);
  const at = await next(client);
  const { refused, notes, committee } = await readState(client, (state) => ({
    refused: objection(state, genesis, createBls(), at, proposal),
    notes: consequences(state, genesis, proposal),
    committee: committeeAt(state, proposal.epoch),
  }));
  const signed = sign(flags, genesis, proposal);
  const known = signed.by === "member" ? committee?.members : undefined;
  const keys = known?.map(({ attestKey }) => attestKey) ?? genesis.guardians.keys;
  const index = keys.findIndex((one) => equal(one, signed.key));
  const isAsked = signed.by === "guardian" || committee !== undefined;
  if (!isAsked || index < 0 || (proposal.guardian ?? index) !== index)
    throw new Failure("stranger", `the key of this file is not one that ${path} asks`);
  const warning = refused && `the ledger would refuse it now: ${refused.message}`;
  const facts = { text, notes, ...(warning !== undefined && { warning }) };
  const who = `${signed.by} ${index}`;
  if (flags.json !== true) show(terminal, flags, facts);
  if (flags.yes !== true && !(await terminal.confirm(`Approve as ${who}?`)))
    return show(terminal, flags, { text, status: "not-approved" });
  const file = flags.out ?? `${path.replace(/\.json$/, "")}.${signed.by}-${index}.json`;
  writeNew(file, writeSigned(genesis, signed));
  show(terminal, flags, { ...(flags.json === true && facts), by: who, file, status: "approved" });
}

function sign(flags: GovernFlags, genesis: Genesis, proposal: Proposal): Signed {
  const { keys, "guardian-keys": guardianKeys } = flags;
  if ((keys === undefined) === (guardianKeys === undefined))
    throw new Failure("usage", "approve needs --keys or --guardian-keys");
  if (guardianKeys !== undefined) {
    const { guardian } = readKeyFile(guardianKeys, { guardian: "required" });
    return orFail(guardianKeys, signAsGuardian(genesis, proposal, guardian));
  }
  const { attest } = readKeyFile(keys ?? "", signerKeyFields);
  return orFail(keys ?? "", signAsMember(genesis, createBls(), proposal, attest));
}

/** The signer's key file (SEAMS). */
export const signerKeyFields = {
  attest: "required",
  host: "required",
  peer: "required",
  passphrase: "text",
} as const;

async function combineFiles(
  path: string,
  approvals: readonly string[],
  flags: GovernFlags,
  terminal: Terminal,
  { genesis, client }: Network,
): Promise<void> {
  const proposal = orFail(path, readProposal(genesis, readSmall(path)));
  const all = approvals.map((one) => orFail(one, readSigned(genesis, readSmall(one))));
  const bls = createBls();
  const committee = await readState(client, (state) => committeeAt(state, proposal.epoch));
  if (committee === undefined)
    throw new Failure("unknown-epoch", `no committee of epoch ${proposal.epoch} now`);
  const { action, signers } = orFail(path, combine(genesis, bls, proposal, committee, all));
  await check(action, { genesis, client });
  const text = sentenceOf(genesis, proposal);
  const file = flags.out ?? "action.json";
  writeNew(file, writeAction(genesis, action, text));
  const by = all[0]?.by === "member" ? powerOf(committee, signers) : undefined;
  const power = by && `${by.power} of ${by.total}, the quorum is ${by.needed}`;
  show(terminal, flags, { text, signers, ...(power && { power }), file, status: "combined" });
}

/** Throws the code with which the ledger would refuse the action now. */
async function check(action: Action, { client, genesis }: Network): Promise<void> {
  const at = await next(client);
  const refused = await readState(client, (state) =>
    refusalOf(state, genesis, createBls(), at, action),
  );
  if (refused !== undefined) throw new Failure(refused.code, refused.message);
}

async function bring(
  action: Action,
  flags: GovernFlags,
  terminal: Terminal,
  network: Network,
): Promise<void> {
  await check(action, network);
  const content = { payments: [], others: [action] };
  return deliver(flags, terminal, await session(flags, terminal), content);
}

/** An emergency has no time for files. */
async function slow(flags: GovernFlags, terminal: Terminal, network: Network): Promise<void> {
  const { genesis, client } = network;
  const path = flags["guardian-keys"];
  if (path === undefined) throw new Failure("usage", "slow needs --guardian-keys");
  const { guardian: secret } = readKeyFile(path, { guardian: "required" });
  const own = publicPoint(secret);
  const index = genesis.guardians.keys.findIndex((key) => equal(key, own));
  if (index < 0) throw new Failure("stranger", `${path} is of no guardian of this network`);
  const { proposal } = await judged(network, (state) => draftSlow(state, {}, index));
  const signed = orFail(path, signAsGuardian(genesis, proposal, secret));
  const committee = must(
    await readState(client, (state) => committeeAt(state, proposal.epoch)),
    "committee of the running epoch",
  );
  const { action } = orFail(path, combine(genesis, createBls(), proposal, committee, [signed]));
  return bring(action, flags, terminal, network);
}
