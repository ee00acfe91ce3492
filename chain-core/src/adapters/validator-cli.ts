// `causeway validator ...`: what an operator does with a registration (STK-1). The wallet's account is the owner, a key
// that no process of the operator holds.
import { Failure, isRejected, parseAmount, toHex, utf8 } from "@causeway/primitives";
import type { NodeClient, ValidatorEntry } from "../client.ts";
import type { Action } from "../codec/action.ts";
import { kinds } from "../codec/action.ts";
import type { Profile } from "../codec/stake.ts";
import {
  exitCodec,
  nameSizeMax,
  registerCodec,
  siteSizeMax,
  unjailCodec,
  updateCodec,
} from "../codec/stake.ts";
import { btm, formatAsset, formatLock, parseLock } from "../ledger/assets.ts";
import { keyOptions, keyUsage, provedKeys } from "./operator-keys.ts";
import { amountOf } from "./stake-cli.ts";
import { connect, parseWords, session } from "./wallet-cli.ts";
import { deliver } from "./wallet-send.ts";
import type { Session, Terminal } from "./wallet-terminal.ts";
import { show, options as walletOptions } from "./wallet-terminal.ts";

export const validatorUsage: string = `causeway validator register --stake 10000 --name NAME [--site URL] [--commission 5] KEYS
causeway validator update [--name NAME] [--site URL] [--commission 5] [KEYS]   holds two epochs later
causeway validator exit                  out of service, for good
causeway validator unjail
causeway validator show ADDRESS
causeway validator list

${keyUsage}
--commission is in percent of the delegators' rewards. The wallet's account owns the validator.
Everywhere the wallet's flags: [--file FILE] [--node URL] [--account 0] [--dry-run] [--yes] [--no-wait] [--json]`;

const own = {
  stake: { type: "string" },
  name: { type: "string" },
  site: { type: "string" },
  commission: { type: "string" },
  ...keyOptions,
} as const;
const options: typeof walletOptions & typeof own = { ...walletOptions, ...own };
type ValidatorFlags = ReturnType<typeof parseWords<typeof options>>["values"];

/** Throws Failure with a sentence; "usage" with the usage. */
export async function validatorCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values: flags, positionals } = parseWords(args, options, validatorUsage);
  const [command, address, ...rest] = positionals;
  if (rest.length > 0 || (address !== undefined) !== (command === "show"))
    throw new Failure("usage", validatorUsage);
  if (command === "list") return list(flags, terminal);
  if (command === "show") return showOne(address ?? "", flags, terminal);
  const make = makers[command ?? ""];
  if (make === undefined) throw new Failure("usage", validatorUsage);
  const opened = await session(flags, terminal);
  return deliver(flags, terminal, opened, { payments: [], others: [await make(flags, opened)] });
}

type Maker = (flags: ValidatorFlags, session: Session) => Action | Promise<Action>;
const makers: Readonly<Record<string, Maker>> = {
  register: (flags, { account, genesis }) => {
    const proved = provedKeys(flags, genesis.networkId, () => account.lock);
    if (proved === undefined)
      throw new Failure("usage", `register needs keys\n\n${validatorUsage}`);
    if (flags.name === undefined) throw new Failure("usage", "--name is missing");
    const body = registerCodec.encode({
      owner: account.lock,
      profile: profileOf(flags, { name: "", site: "", commission: 0 }),
      ...proved,
      stake: amountOf(genesis, "stake", flags.stake),
    });
    return { kind: kinds.register, body };
  },
  update: async (flags, { account, client, genesis }) => {
    const before = await client.ask("validator", { owner: account.lock });
    const proved = provedKeys(flags, genesis.networkId, () => account.lock);
    const body = updateCodec.encode({
      owner: account.lock,
      profile: profileOf(flags, before),
      keys: proved === undefined ? [] : [proved],
    });
    return { kind: kinds.update, body };
  },
  exit: (_, { account }) => ({
    kind: kinds.exit,
    body: exitCodec.encode({ owner: account.lock }),
  }),
  unjail: (_, { account }) => ({
    kind: kinds.unjail,
    body: unjailCodec.encode({ owner: account.lock }),
  }),
};

type Told = Pick<ValidatorEntry, "name" | "site" | "commission">;

function profileOf(flags: ValidatorFlags, before: Told): Profile {
  const text = (name: "name" | "site", sizeMax: number): Uint8Array => {
    const bytes = utf8(flags[name] ?? before[name]);
    if (bytes.length > sizeMax)
      throw new Failure("usage", `--${name} has at most ${sizeMax} bytes`);
    return bytes;
  };
  const commission =
    flags.commission === undefined ? BigInt(before.commission) : parseAmount(flags.commission, 2);
  if (typeof commission !== "bigint" || commission > 10_000n)
    throw new Failure("usage", "--commission is a percentage with at most two decimals");
  return {
    name: text("name", nameSizeMax),
    site: text("site", siteSizeMax),
    commission: Number(commission),
  };
}

async function allValidators(client: NodeClient): Promise<readonly ValidatorEntry[]> {
  const all: ValidatorEntry[] = [];
  let after: number | undefined;
  do {
    const page = await client.ask("validators", { after, limit: undefined });
    all.push(...page.validators);
    after = page.more;
  } while (after !== undefined);
  return all;
}

const plain = (entry: ValidatorEntry): Record<string, unknown> => ({
  address: formatLock(entry.owner),
  name: entry.name,
  site: entry.site,
  status: entry.status,
  since: entry.since,
  jailedUntil: entry.jailedUntil,
  commission: entry.commission,
  stake: String(entry.stake),
  selfStake: String(entry.selfStake),
});

async function list(flags: ValidatorFlags, terminal: Terminal): Promise<void> {
  const { client, genesis } = await connect(flags, terminal);
  const sets = await client.ask("validators", { after: undefined, limit: 1 });
  const formal = new Set(sets.committee.map(({ validator }) => formatLock(validator)));
  const standby = new Set(sets.standby.map((owner) => formatLock(owner)));
  const lines = (await allValidators(client)).map((entry) => {
    const address = formatLock(entry.owner);
    const set = formal.has(address) ? "formal" : standby.has(address) ? "standby" : "-";
    return { ...plain(entry), set };
  });
  if (flags.json === true)
    return show(terminal, flags, { epoch: sets.epoch, endsAt: sets.endsAt, validators: lines });
  for (const { address, name, status, set, stake, commission } of lines as Record<string, string>[])
    terminal.print(
      `${address}  ${set}  ${status}  ${formatAsset(genesis, btm(genesis), BigInt(stake ?? 0))}  ` +
        `${(Number(commission) / 100).toFixed(2)} %  ${name}`,
    );
}

async function showOne(address: string, flags: ValidatorFlags, terminal: Terminal): Promise<void> {
  const owner = parseLock(address);
  if (isRejected(owner)) throw new Failure(owner.code, owner.message);
  const { client, genesis } = await connect(flags, terminal);
  const found = await client.ask("validator", { owner });
  const { keys, updateIn, missed, earned, slashes } = found;
  const told = {
    ...plain(found),
    keys: Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, toHex(key)])),
    updateIn: updateIn ?? null,
    missed,
    earned: earned.map(({ asset, amount }) => formatAsset(genesis, asset, amount)),
    slashes: slashes.map((one) => ({ ...one, amount: String(one.amount) })),
  };
  if (flags.json === true) return show(terminal, flags, told);
  for (const [name, value] of Object.entries(told))
    terminal.print(`${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`);
}
