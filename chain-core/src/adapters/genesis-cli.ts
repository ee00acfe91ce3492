// `causeway genesis ...`: makes the body of a network, and reads the balances of the old chain: into the body where they
// are few, else to a Merkle root, under which each holder can check the own row.
import { createReadStream } from "node:fs";
import { Failure, isRejected, parseHex, toHex, utf8, zero32 } from "@causeway/primitives";
import { formatLock } from "../ledger/assets.ts";
import {
  balancesMax,
  encodeGenesisBody,
  genesisSizeMax,
  parseGenesisBody,
} from "../ledger/genesis-file.ts";
import type { Snapshot } from "../ledger/migration/import.ts";
import { importBalances } from "../ledger/migration/import.ts";
import type { Row } from "../ledger/migration/merkle.ts";
import { verifyRow } from "../ledger/migration/merkle.ts";
import type { RowFormat } from "../ledger/migration/rows.ts";
import { rowFormats } from "../ledger/migration/rows.ts";
import { presets } from "../params/presets.ts";
import { joinProofs, proveKeys } from "./genesis-proofs.ts";
import { writeNew } from "./govern-files.ts";
import { objectIn, readProof } from "./migration-proof.ts";
import { keyOptions, keyUsage } from "./operator-keys.ts";
import { lockOf } from "./stake-cli.ts";
import { parseWords } from "./wallet-cli.ts";
import type { Terminal } from "./wallet-terminal.ts";
import { show } from "./wallet-terminal.ts";

export const genesisUsage: string = `causeway genesis new --preset ${Object.keys(presets).join("|")} --draft FILE --out genesis.json [--balances FILE] [--snapshot FILE]
        FILE: the body's JSON without "params" (or with those that differ from the preset's); "time" is now by default;
        balances are paid at once, 10,000 at most; a snapshot is committed to, and its holders bring their rows (stake migrate)
causeway genesis prove-keys GENESIS KEYS --out proof-0.json       each operator, over the body
causeway genesis join-proofs GENESIS PROOF... --out proofs.json
causeway genesis import FILE [--total UNITS]         rows, sum and Merkle root of a snapshot of balances
causeway genesis prove-line FILE --address ADDRESS [--out proof.json]
causeway genesis verify-line PROOF --root HEX --rows N

${keyUsage}
A snapshot has a row for each address: CSV "address,amount", or JSON lines {"address": "...", "amount": "..."}, amounts in
units of 10^-8 BTM. [--format csv|jsonl], by default as the file's name ends. Everywhere: [--json]`;

const options = {
  preset: { type: "string" },
  draft: { type: "string" },
  balances: { type: "string" },
  snapshot: { type: "string" },
  out: { type: "string" },
  total: { type: "string" },
  address: { type: "string" },
  format: { type: "string" },
  root: { type: "string" },
  rows: { type: "string" },
  ...keyOptions,
  json: { type: "boolean", default: false },
} as const;
type GenesisFlags = ReturnType<typeof parseWords<typeof options>>["values"];

/** Throws Failure with a sentence; "usage" with the usage. */
export async function genesisCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values: flags, positionals } = parseWords(args, options, genesisUsage);
  const [command, file, ...rest] = positionals;
  const isMany = command === "join-proofs";
  if (rest.length > 0 !== isMany || (file === undefined) !== (command === "new"))
    throw new Failure("usage", genesisUsage);
  switch (command) {
    case "new":
      return create(flags, terminal);
    case "import": {
      const { count, total, root } = await load(file ?? "", flags, terminal);
      const told = { rows: count, total: String(total), root: toHex(root) };
      return show(terminal, flags, told);
    }
    case "prove-keys": {
      const out = outOf(flags);
      return show(terminal, flags, { file: out, validator: proveKeys(file ?? "", flags, out) });
    }
    case "join-proofs": {
      const out = outOf(flags);
      const { networkId } = joinProofs(file ?? "", rest, out);
      return show(terminal, flags, { file: out, network: toHex(networkId) });
    }
    case "prove-line":
      return prove(file ?? "", flags, terminal);
    case "verify-line":
      return verify(file ?? "", flags, terminal);
    default:
      throw new Failure("usage", genesisUsage);
  }
}

function outOf({ out }: GenesisFlags): string {
  if (out === undefined) throw new Failure("usage", "--out is missing");
  return out;
}

function formatOf(path: string, { format }: GenesisFlags): RowFormat {
  const name = format ?? (path.endsWith(".csv") ? "csv" : "jsonl");
  const found = rowFormats.find((one) => one === name);
  if (found === undefined) throw new Failure("usage", `--format is ${rowFormats.join(" or ")}`);
  return found;
}

type Extra = { readonly wanted?: Uint8Array; readonly onRow?: (row: Row) => void };

/** Throws Failure "bad-snapshot" with every line that is wrong, "no-file". */
async function load(
  path: string,
  flags: GenesisFlags,
  { entropy }: Terminal,
  extra: Extra = {},
): Promise<Snapshot> {
  if (flags.total !== undefined && !/^\d{1,39}$/.test(flags.total))
    throw new Failure("usage", "--total is a whole number of 10^-8 BTM");
  const importing = importBalances({
    format: formatOf(path, flags),
    seed: Buffer.from(entropy(4)).readUInt32BE(),
    ...(flags.total !== undefined && { expected: BigInt(flags.total) }),
    ...extra,
  });
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
      if (!importing.push(chunk as Uint8Array)) break;
  } catch (cause) {
    throw new Failure("no-file", `${path} cannot be read`, { cause });
  }
  const snapshot = importing.end();
  if (isRejected(snapshot)) throw new Failure(snapshot.code, `${path}:\n${snapshot.message}`);
  return snapshot;
}

async function create(flags: GenesisFlags, terminal: Terminal): Promise<void> {
  const { preset, draft, out, balances, snapshot } = flags;
  if (preset === undefined || draft === undefined || out === undefined)
    throw new Failure("usage", `new needs --preset, --draft and --out\n\n${genesisUsage}`);
  const params = Object.hasOwn(presets, preset) ? presets[preset] : undefined;
  if (params === undefined)
    throw new Failure("usage", `--preset is one of ${Object.keys(presets).join(", ")}`);
  const given = objectIn(draft, genesisSizeMax);
  const body = {
    time: terminal.nowMs(),
    balances: balances === undefined ? [] : await fewBalances(balances, flags, terminal),
    migration: await migrationOf(snapshot, flags, terminal),
    ...given,
    params: { ...params, ...(given.params as object | undefined) },
  };
  const write = (_: string, value: unknown): unknown =>
    typeof value === "bigint" ? value.toString() : value;
  const parsed = parseGenesisBody(utf8(JSON.stringify(body, write)));
  if (isRejected(parsed)) throw new Failure(parsed.code, parsed.message);
  const bytes = encodeGenesisBody(parsed);
  const again = parseGenesisBody(bytes);
  if (isRejected(again)) throw new Failure(again.code, again.message);
  writeNew(out, Buffer.from(bytes).toString());
  show(terminal, flags, {
    file: out,
    network: toHex(again.networkId),
    validators: again.validators.length,
    balances: again.balances.length,
  });
}

/** What the genesis says of an older chain's balances; nothing of none. */
async function migrationOf(
  path: string | undefined,
  flags: GenesisFlags,
  terminal: Terminal,
): Promise<{ readonly root: string; readonly rows: number; readonly total: string }> {
  if (path === undefined) return { root: toHex(zero32), rows: 0, total: "0" };
  const { root, count, total } = await load(path, flags, terminal);
  return { root: toHex(root), rows: count, total: String(total) };
}

async function fewBalances(
  path: string,
  flags: GenesisFlags,
  terminal: Terminal,
): Promise<readonly { lock: string; amount: string }[]> {
  const balances: { lock: string; amount: string }[] = [];
  const onRow = ({ lock, amount }: Row): void => {
    if (balances.length <= balancesMax)
      balances.push({ lock: formatLock(lock), amount: String(amount) });
  };
  await load(path, flags, terminal, { onRow });
  if (balances.length > balancesMax)
    throw new Failure("too-many", `a genesis holds ${balancesMax} balances: see genesis import`);
  return balances;
}

async function prove(path: string, flags: GenesisFlags, terminal: Terminal): Promise<void> {
  const wanted = lockOf("address", flags.address);
  const { count, total, root, proof } = await load(path, flags, terminal, { wanted });
  if (proof === undefined) throw new Failure("not-found", `${flags.address} has no row`);
  const file = {
    address: formatLock(wanted),
    amount: String(proof.row.amount),
    index: proof.index,
    rows: count,
    path: proof.path.map((hash) => toHex(hash)),
  };
  if (flags.out === undefined) return terminal.print(JSON.stringify(file));
  writeNew(flags.out, `${JSON.stringify(file, undefined, 2)}\n`);
  show(terminal, flags, { file: flags.out, root: toHex(root), rows: count, total: String(total) });
}

/** `--rows` and `--root` are what the network committed to; the proof cannot choose them. */
function verify(path: string, flags: GenesisFlags, terminal: Terminal): void {
  const root = parseHex(flags.root, { size: 32 });
  const count = Number(flags.rows);
  if (isRejected(root) || !/^\d{1,10}$/.test(flags.rows ?? ""))
    throw new Failure("usage", `verify-line needs --root and --rows\n\n${genesisUsage}`);
  const { lock, amount, index, path: hashes } = readProof(path);
  if (!verifyRow({ lock, amount }, { index, count, path: hashes }, root))
    throw new Failure("not-proved", `${path} proves no row under this root`);
  show(terminal, flags, { address: formatLock(lock), amount: String(amount), isProved: true });
}
