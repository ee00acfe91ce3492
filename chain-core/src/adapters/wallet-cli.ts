// `causeway wallet ...`: what a person or a script does with coins of the ledger. Secrets never leave this process;
// what a node says is not proved, but a signature covers the amounts that are spent, so that a lie makes a transaction
// that the ledger refuses, not a loss.
import { homedir } from "node:os";
import { join } from "node:path";
import type { ParseArgsConfig } from "node:util";
import { parseArgs } from "node:util";
import { Failure, isRejected, toHex } from "@causeway/primitives";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { addressOf, publicPoint } from "@causeway/primitives/secp256k1";
import type { Movement } from "../client.ts";
import { networkNow, nodeClient } from "../client.ts";
import { formatAddress, lockOfAddress } from "../ledger/assets.ts";
import { parseGenesis } from "../ledger/genesis-file.ts";
import { createBls } from "./bls.ts";
import {
  accountSecret,
  checkedMnemonic,
  newMnemonic,
  openWallet,
  saveWallet,
} from "./wallet-file.ts";
import type { Names } from "./wallet-names.ts";
import { assetNamed, assetNames } from "./wallet-names.ts";
import { send } from "./wallet-send.ts";
import type { Account, Flags, Session, Terminal } from "./wallet-terminal.ts";
import { options, show } from "./wallet-terminal.ts";

export const walletUsage = `causeway wallet new [--words 12|24]     make a wallet and show its words once
causeway wallet import                  make a wallet of words that you type
causeway wallet address                 where to send coins
causeway wallet balance                 what is there, by asset
causeway wallet send --to ADDRESS --amount 1.5 [--asset BTM]
        [--memo TEXT] [--fee-asset BBTC] [--fee-rate N] [--dry-run] [--yes] [--no-wait] [--typed-data]
causeway wallet history [--asset SYMBOL] [--limit 20]

Everywhere: [--file ~/.causeway/wallet.json] [--node http://127.0.0.1:18501] [--network ID] [--account 0] [--json]
The passphrase comes from CAUSEWAY_WALLET_PASSPHRASE or is asked for; the node also from CAUSEWAY_NODE_RPC.`;

/** Words and flags of a command line. Throws Failure "usage" with the mistake and the usage. */
export function parseWords<const Options extends NonNullable<ParseArgsConfig["options"]>>(
  args: readonly string[],
  known: Options,
  usage: string,
): ReturnType<typeof parseArgs<{ args: string[]; options: Options; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options: known, allowPositionals: true });
  } catch (cause) {
    throw new Failure("usage", `${(cause as Error).message}\n\n${usage}`, { cause });
  }
}

/** Throws Failure with a sentence; "usage" with the usage. */
export async function walletCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values: flags, positionals } = parseWords(args, options, walletUsage);
  const [command, ...rest] = positionals;
  if (rest.length > 0) throw new Failure("usage", `what is ${rest[0]}?\n\n${walletUsage}`);
  switch (command) {
    case "new":
      return create(flags, terminal, newMnemonic(terminal.entropy, wordsOf(flags)), true);
    case "import":
      return create(flags, terminal, checkedMnemonic(await terminal.secret("words")), false);
    case "address":
      return show(terminal, flags, { address: (await account(flags, terminal)).address });
    case "balance":
      return balance(flags, terminal);
    case "send":
      return send(flags, terminal, await session(flags, terminal));
    case "history":
      return history(flags, terminal);
    default:
      throw new Failure("usage", walletUsage);
  }
}

function wordsOf({ words }: Flags): 12 | 24 {
  if (words === "12") return 12;
  if (words === "24") return 24;
  throw new Failure("usage", "--words is 12 or 24");
}

const fileOf = ({ file }: Flags): string => file ?? join(homedir(), ".causeway", "wallet.json");

export function wholeNumber(name: string, text: string | undefined, max: number): number {
  const value = Number(text);
  if (text === undefined || !/^\d{1,10}$/.test(text) || value > max)
    throw new Failure("usage", `--${name} is a whole number of at most ${max}`);
  return value;
}

async function passphrase({ env, secret }: Terminal): Promise<string> {
  const given = env.CAUSEWAY_WALLET_PASSPHRASE ?? (await secret("passphrase"));
  if (given === "") throw new Failure("no-passphrase", "an empty passphrase protects nothing");
  return given;
}

async function create(
  flags: Flags,
  terminal: Terminal,
  mnemonic: string,
  isNew: boolean,
): Promise<void> {
  const path = fileOf(flags);
  saveWallet(path, await passphrase(terminal), mnemonic, terminal.entropy, terminal.logN);
  const address = formatAddress(addressOf(publicPoint(accountSecret(mnemonic, 0))));
  show(terminal, flags, {
    file: path,
    address,
    ...(isNew && { words: mnemonic, note: "write the words down: they alone restore the wallet" }),
  });
}

async function account(flags: Flags, terminal: Terminal): Promise<Account> {
  const index = wholeNumber("account", flags.account, 2 ** 31 - 1);
  const mnemonic = openWallet(fileOf(flags), await passphrase(terminal));
  const secret = accountSecret(mnemonic, index);
  const address = addressOf(publicPoint(secret));
  return { address: formatAddress(address), lock: lockOfAddress(address), secret };
}

/** A node whose network is the one that `--network` names, if it does, and the genesis that it serves. */
export async function connect(
  flags: Flags,
  terminal: Terminal,
): Promise<Pick<Session, "client" | "genesis">> {
  const url = flags.node ?? terminal.env.CAUSEWAY_NODE_RPC ?? "http://127.0.0.1:18501";
  const client = nodeClient(rpcClient({ url }));
  const files = await client.genesis();
  const genesis = parseGenesis(files.body, files.proofs, createBls());
  if (isRejected(genesis)) throw new Failure(genesis.code, `${url}: ${genesis.message}`);
  const network = toHex(genesis.networkId);
  if (flags.network !== undefined && flags.network.toLowerCase() !== network)
    throw new Failure("wrong-network", `${url} is of the network ${network}`);
  return { client, genesis };
}

/** The account, and the network as it is now. */
export async function session(flags: Flags, terminal: Terminal): Promise<Session> {
  const own = await account(flags, terminal);
  const { client, genesis } = await connect(flags, terminal);
  return { account: own, client, genesis: await networkNow(client, genesis) };
}

async function balance(flags: Flags, terminal: Terminal): Promise<void> {
  const { account: own, client, genesis } = await session(flags, terminal);
  const balances = await client.balances(own.lock);
  const names = await assetNames(
    client,
    genesis,
    balances.map(({ asset }) => asset),
  );
  if (flags.json === true)
    return show(terminal, flags, {
      address: own.address,
      balances: balances.map(({ asset, amount, outputs }) => ({
        asset: toHex(asset),
        amount: String(amount),
        text: names.format(asset, amount),
        outputs,
      })),
    });
  if (balances.length === 0) terminal.print("nothing yet");
  for (const { asset, amount, outputs } of balances)
    terminal.print(
      `${names.format(asset, amount)}  (${outputs} ${outputs === 1 ? "coin" : "coins"})`,
    );
}

async function history(flags: Flags, terminal: Terminal): Promise<void> {
  const { account: own, client, genesis } = await session(flags, terminal);
  const limit = wholeNumber("limit", flags.limit, 1_000);
  const asset = flags.asset === undefined ? undefined : assetNamed(genesis, flags.asset);
  const { movements } = await client.history(own.lock, { limit, ...(asset && { asset }) });
  const all = movements.map((movement) => movement.asset);
  const names = await assetNames(client, genesis, all);
  const lines = movements.map((movement) => lineOf(names, movement));
  if (flags.json === true) show(terminal, flags, { address: own.address, movements: lines });
  else if (lines.length === 0) terminal.print("nothing yet");
  else
    for (const { height, change, text, txid } of lines)
      terminal.print(`${String(height).padStart(8)}  ${change}${text}  ${txid}`);
}

type Line = {
  readonly height: number;
  readonly change: "+" | "-" | " ";
  readonly text: string;
  readonly asset: string;
  readonly received: string;
  readonly spent: string;
  readonly txid: string;
};

function lineOf(names: Names, { height, asset, received, spent, txid }: Movement): Line {
  const net = received - spent;
  return {
    height,
    change: net > 0n ? "+" : net < 0n ? "-" : " ",
    text: names.format(asset, net < 0n ? -net : net),
    asset: toHex(asset),
    received: String(received),
    spent: String(spent),
    txid: toHex(txid),
  };
}
