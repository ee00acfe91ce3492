// `causeway signer ...`: an operator's tools around its signer. Secrets come from files and descriptors, never from the
// command line, and go into files of mode 0600 alone: not into what is printed.
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { createBls } from "@causeway/chain-core/adapters/bls";
import type { NodeClient } from "@causeway/chain-core/client";
import { nodeClient } from "@causeway/chain-core/client";
import type { Genesis } from "@causeway/chain-core/interchain";
import { parseGenesis } from "@causeway/chain-core/light";
import { Failure, isRejected, toHex } from "@causeway/primitives";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { readKeyFile } from "@causeway/primitives/adapters/key-file";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { makeBackup, openBackup, restoreSeat } from "./backup.ts";
import type { SignerConfig } from "./config.ts";
import { loadSignerConfig } from "./config.ts";
import type { Level } from "./doctor.ts";
import { examine } from "./doctor.ts";
import { drill } from "./drill.ts";
import { freshKeyFile } from "./fresh-keys.ts";
import { bitcoinAuth } from "./run-signer.ts";
import { assertUnused, initSeat } from "./seat-folder.ts";
import { awayText, statusOf } from "./signer-status.ts";
import { keyFields } from "./vault.ts";

/** The world of the command: the terminal or a test's. */
export type SignerTerminal = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (line: string) => void;
  readonly nowMs: () => number;
  /** scrypt's cost of a backup; 17 by default. */
  readonly logN?: number;
};

export const signerUsage = `causeway signer init --data FOLDER --keys FILE [PASSPHRASE]     a new seat: key file (with fresh keys, if there is none) and empty journal
causeway signer status --config FILE                            the process, its seats and shares, what waits
causeway signer backup --config FILE --out FILE PASSPHRASE      keys, shares and journal in one sealed file; the signer may run
causeway signer restore BACKUP --drill --config FILE PASSPHRASE proves that the backup's shares are the seats', and shows none
causeway signer restore BACKUP --data FOLDER --keys FILE --genesis FILE --proofs FILE PASSPHRASE
                                                                brings a lost folder back; what was open meanwhile is not signed by it
causeway signer doctor --config FILE                            clock, disk, modes, core dumps, addon, heads; ends with 1 if one fails

FILE of --config is the signer's own. PASSPHRASE: --passphrase-file FILE or --passphrase-fd N, one line; a backup's is not the shares'.
Everywhere: [--json]`;

const options = {
  config: { type: "string" },
  data: { type: "string" },
  keys: { type: "string" },
  genesis: { type: "string" },
  proofs: { type: "string" },
  out: { type: "string" },
  drill: { type: "boolean", default: false },
  "passphrase-file": { type: "string" },
  "passphrase-fd": { type: "string" },
  json: { type: "boolean", default: false },
} as const;
type Flags = ReturnType<typeof parse>["values"];

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch {
    // The parser's own words quote what was typed, which may have been a secret in the wrong place.
    throw new Failure("usage", signerUsage);
  }
}

/** Throws Failure with a sentence; "usage" with the usage; "unhealthy" where the doctor found a failure. */
export async function signerCommand(
  args: readonly string[],
  terminal: SignerTerminal,
): Promise<void> {
  const { values: flags, positionals } = parse(args);
  const [command, file, ...rest] = positionals;
  if (rest.length > 0 || (file === undefined) !== (command !== "restore"))
    throw new Failure("usage", signerUsage);
  if (command === "init") return init(flags, terminal);
  if (command === "status") return status(flags, terminal);
  if (command === "backup") return backup(flags, terminal);
  if (command === "restore") return restore(file ?? "", flags, terminal);
  if (command === "doctor") return doctor(flags, terminal);
  throw new Failure("usage", signerUsage);
}

function show({ print }: SignerTerminal, { json }: Flags, fields: Record<string, unknown>): void {
  const text = (one: unknown): string =>
    typeof one === "object" ? JSON.stringify(one) : String(one);
  if (json) print(JSON.stringify(fields));
  else
    for (const [name, value] of Object.entries(fields))
      for (const one of Array.isArray(value) ? value : [value]) print(`${name}: ${text(one)}`);
}

function needed(
  flags: Flags,
  ...names: readonly ("config" | "data" | "keys" | "genesis" | "proofs" | "out")[]
): string[] {
  return names.map((name) => {
    const value = flags[name];
    if (value === undefined || value === "")
      throw new Failure("usage", `--${name} is missing\n\n${signerUsage}`);
    return value;
  });
}

const passphraseSizeMin = 12;

/** One line of a file or a descriptor; undefined where neither is named. */
function passphraseOf(flags: Flags): string | undefined {
  const { "passphrase-file": path, "passphrase-fd": fd } = flags;
  if (path === undefined && fd === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(path ?? Number(fd), "utf8");
  } catch (cause) {
    throw new Failure("no-file", "the passphrase cannot be read", { cause });
  }
  const line = text.replace(/\r?\n$/, "");
  if (line.length < passphraseSizeMin || line.includes("\n"))
    throw new Failure(
      "weak-passphrase",
      `a passphrase is one line of at least ${passphraseSizeMin} characters`,
    );
  return line;
}

function passphraseNeeded(flags: Flags): string {
  const found = passphraseOf(flags);
  if (found === undefined)
    throw new Failure("usage", `--passphrase-file or --passphrase-fd is missing\n\n${signerUsage}`);
  return found;
}

function configOf(flags: Flags, { env }: SignerTerminal): SignerConfig {
  const [file = ""] = needed(flags, "config");
  const config = loadSignerConfig(["--config", file], env);
  if (isRejected(config)) throw new Failure(config.code, config.mistakes.join("; "));
  return config;
}

function genesisOf(genesis: string, proofs: string): Genesis {
  const [body, proof] = [genesis, proofs].map((path) => {
    try {
      return Uint8Array.from(readFileSync(path));
    } catch (cause) {
      throw new Failure("no-file", `${path} cannot be read`, { cause });
    }
  });
  const parsed = parseGenesis(body as Uint8Array, proof as Uint8Array, createBls());
  if (isRejected(parsed)) throw new Failure(parsed.code, parsed.message);
  return parsed;
}

const clientOf = ({ nodeRpc }: SignerConfig): NodeClient => nodeClient(rpcClient({ url: nodeRpc }));

async function init(flags: Flags, terminal: SignerTerminal): Promise<void> {
  const [data = "", keysFile = ""] = needed(flags, "data", "keys");
  assertUnused(data);
  if (!existsSync(keysFile)) freshKeyFile(keysFile, passphraseOf(flags));
  const { attest, host, peer } = readKeyFile(keysFile, keyFields);
  initSeat(data);
  show(terminal, flags, {
    data,
    keys: keysFile,
    attestKey: toHex(createBls().publicKey(attest)),
    hostKey: toHex(publicPoint(host)),
    signerPeerKey: toHex(publicPoint(peer)),
  });
}

async function status(flags: Flags, terminal: SignerTerminal): Promise<void> {
  const config = configOf(flags, terminal);
  const { host, olderHosts } = readKeyFile(config.keys, keyFields);
  const hosts = [host, ...olderHosts].map(publicPoint);
  const told = await statusOf(clientOf(config), config.data, hosts, terminal.nowMs());
  const { health, ...rest } = told;
  const parts = Object.entries(health?.parts ?? {}).filter(([, { ok }]) => !ok);
  const { connected = [], away = [] } = health?.signers ?? {};
  show(terminal, flags, {
    ...rest,
    ...(flags.json && { health }),
    signers: `${connected.length} of ${connected.length + away.length} connected`,
    away: away.map(awayText),
    unwell: parts.map(([name]) => name),
    fence: health?.summary?.fence ?? "unknown",
    barred: health?.summary?.barred ?? 0,
  });
}

async function backup(flags: Flags, terminal: SignerTerminal): Promise<void> {
  const config = configOf(flags, terminal);
  const [out = ""] = needed(flags, "out");
  const manifest = makeBackup({
    network: genesisOf(config.genesis, config.proofs).networkId,
    dataFolder: config.data,
    keysFile: config.keys,
    out,
    passphrase: passphraseNeeded(flags),
    nowMs: terminal.nowMs(),
    logN: terminal.logN ?? 17,
  });
  show(terminal, flags, { written: out, ...manifest });
}

async function restore(file: string, flags: Flags, terminal: SignerTerminal): Promise<void> {
  if (flags.drill) {
    const config = configOf(flags, terminal);
    const genesis = genesisOf(config.genesis, config.proofs);
    const opened = openBackup(file, genesis.networkId, passphraseNeeded(flags));
    const drilled = await drill(opened, genesis, createBls(), clientOf(config));
    show(terminal, flags, { ...opened.manifest, ...drilled });
    if (!drilled.ok)
      throw new Failure("drill-failed", "a share of the backup is not its seat's on the ledger");
    return;
  }
  const [data = "", keysFile = "", genesisFile = "", proofsFile = ""] = needed(
    flags,
    "data",
    "keys",
    "genesis",
    "proofs",
  );
  const genesis = genesisOf(genesisFile, proofsFile);
  const opened = openBackup(file, genesis.networkId, passphraseNeeded(flags));
  restoreSeat(opened, data, keysFile);
  show(terminal, flags, { restored: data, ...opened.manifest });
}

async function doctor(flags: Flags, terminal: SignerTerminal): Promise<void> {
  const config = configOf(flags, terminal);
  const auth = bitcoinAuth(config);
  const findings = await examine({
    genesis: genesisOf(config.genesis, config.proofs),
    dataFolder: config.data,
    keysFile: config.keys,
    client: clientOf(config),
    bitcoin: rpcClient({ url: config.bitcoinRpc, ...(auth && { auth }) }),
    ethereum: rpcClient({ url: config.ethereumRpc }),
    nowMs: terminal.nowMs(),
  });
  const count = (of: Level): number => findings.filter(({ level }) => level === of).length;
  if (flags.json) terminal.print(JSON.stringify({ ok: count("fail") === 0, findings }));
  else
    for (const { level, check, found, todo } of findings)
      terminal.print(`${level.padEnd(4)}  ${check}: ${found}${todo === "" ? "" : ` -- ${todo}`}`);
  if (count("fail") > 0)
    throw new Failure("unhealthy", `${count("fail")} of ${findings.length} checks failed`);
}
