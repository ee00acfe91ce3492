// Configuration: KEY=value lines of one file, overridden by the environment. A spec says what each key is;
// all mistakes are listed at once, and the result is typed and frozen.
import { existsSync, readFileSync } from "node:fs";
import type { Rejected } from "../failure.ts";
import { isRejected, rejected } from "../failure.ts";

/**
 * What a value is. "file": the path of one that is there; "peers": comma separated multiaddrs with /p2p/;
 * "addresses": without, of IP addresses; "flag": true or false; "port": 0 to 65535; "count": 0 to 64.
 */
export type FieldKind =
  | "text"
  | "path"
  | "file"
  | "url"
  | "host"
  | "port"
  | "count"
  | "flag"
  | "peers"
  | "addresses"
  | "level";

/** A key without `default` must be there, unless it is `optional`. `secret` values are never shown. */
export type Field = {
  readonly key: string;
  readonly is: FieldKind;
  readonly default?: string;
  readonly optional?: true;
  readonly secret?: true;
};
export type ConfigSpec = Readonly<Record<string, Field>>;

export type LogLevelText = "debug" | "info" | "warn" | "error" | "silent";
type ValueOf<Kind extends FieldKind> = Kind extends "port" | "count"
  ? number
  : Kind extends "flag"
    ? boolean
    : Kind extends "peers" | "addresses"
      ? readonly string[]
      : Kind extends "level"
        ? LogLevelText
        : string;

export type Config<Spec extends ConfigSpec> = {
  readonly [Name in keyof Spec]:
    | ValueOf<Spec[Name]["is"]>
    | (Spec[Name] extends { readonly optional: true } ? undefined : never);
};

/** `mistakes` are sentences, in the order of the spec, then of the file. */
export type BadConfig = Rejected<"bad-config"> & { readonly mistakes: readonly string[] };

/** Every key that some process of an operator knows (SEAMS); any other with the prefix is a typing mistake. */
const keysKnown: ReadonlySet<string> = new Set(
  (
    "GENESIS GENESIS_PROOFS DATA KEYS NODE_RPC LISTEN_HOST P2P_PORT RPC_PORT PORTAL_PORT PEERS BITCOIN_RPC " +
    "BITCOIN_COOKIE BITCOIN_USER BITCOIN_PASSWORD ETHEREUM_RPC BUS LOG_LEVEL ONE_MACHINE GATEWAY_ARTIFACT " +
    "SIGNER_HEALTH INDEX SYNC CHECKPOINT ARCHIVE VERIFY_THREADS ANNOUNCE"
  )
    .split(" ")
    .map((key) => `CAUSEWAY_${key}`),
);

/** `text` is the file's content; a value in `env` wins over the file. */
export function readConfig<const Spec extends ConfigSpec>(
  spec: Spec,
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): Config<Spec> | BadConfig {
  const { values, mistakes: badLines } = parseLines(text);
  const known = new Set([...keysKnown, ...Object.values(spec).map(({ key }) => key)]);
  for (const key of values.keys()) if (!known.has(key)) badLines.push(`${key}: no such key`);
  const config: Record<string, unknown> = {};
  const mistakes: string[] = [];
  for (const [name, field] of Object.entries(spec)) {
    const given = env[field.key] ?? values.get(field.key) ?? field.default;
    if (given === undefined || given === "") {
      if (field.optional === undefined && given === undefined)
        mistakes.push(`${field.key}: missing`);
      else if (field.is === "peers" || field.is === "addresses") config[name] = Object.freeze([]);
      else if (field.optional === undefined) mistakes.push(`${field.key}: empty`);
      continue;
    }
    const value = parsers[field.is](given);
    if (!isRejected(value)) config[name] = value;
    else
      mistakes.push(
        `${field.key}: ${value.message}${field.secret ? "" : `, got ${JSON.stringify(given.slice(0, 100))}`}`,
      );
  }
  mistakes.push(...badLines);
  if (mistakes.length === 0) return Object.freeze(config) as Config<Spec>;
  const message = `${mistakes.length} mistakes in the configuration: ${mistakes.join("; ")}`;
  return { ...rejected("bad-config", message), mistakes };
}

/** Reads the file that `--config <file>` names in `argv` (as process.argv.slice(2)), then as readConfig. */
export function loadConfig<const Spec extends ConfigSpec>(
  spec: Spec,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Config<Spec> | BadConfig {
  const at = argv.indexOf("--config");
  const path = at < 0 ? undefined : argv[at + 1];
  const bad = (message: string): BadConfig => ({
    ...rejected("bad-config", message),
    mistakes: [message],
  });
  if (at >= 0 && path === undefined) return bad("--config needs a file");
  let text = "";
  if (path !== undefined)
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      return bad(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`);
    }
  return readConfig(spec, text, env);
}

function parseLines(text: string): { values: Map<string, string>; mistakes: string[] } {
  const values = new Map<string, string>();
  const mistakes: string[] = [];
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const match = /^([A-Z][A-Z0-9_]*)\s*=\s*(.*)$/.exec(line);
    if (match?.[1] === undefined) mistakes.push(`line ${i + 1}: not KEY=value`);
    else if (values.has(match[1])) mistakes.push(`line ${i + 1}: ${match[1]} is given twice`);
    else values.set(match[1], (match[2] ?? "").replace(/^"(.*)"$/, "$1"));
  }
  return { values, mistakes };
}

type Parser = (text: string) => unknown;
const bad = (message: string): Rejected => rejected("bad-value", message);

const list =
  (form: RegExp, words: string): Parser =>
  (text) => {
    const all = text.split(",").map((one) => one.trim());
    return all.every((one) => form.test(one))
      ? Object.freeze(all)
      : bad(`must be comma separated ${words}`);
  };

const parsers: Readonly<Record<FieldKind, Parser>> = {
  text: (text) => text,
  path: (text) => text,
  file: (text) => (existsSync(text) ? text : bad("must be a file that is there")),
  url: (text) => {
    const url = URL.parse(text);
    return url?.protocol === "http:" || url?.protocol === "https:"
      ? text
      : bad("must be an http or https address");
  },
  host: (text) => (/^[A-Za-z0-9.:-]+$/.test(text) ? text : bad("must be a host or an address")),
  port: (text) =>
    /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : bad("must be 0 to 65535"),
  count: (text) =>
    /^\d{1,2}$/.test(text) && Number(text) <= 64 ? Number(text) : bad("must be 0 to 64"),
  flag: (text) =>
    text === "true" || text === "false" ? text === "true" : bad("must be true or false"),
  peers: list(
    /^\/(ip4|ip6|dns4|dns6|dns)\/[^/]+\/tcp\/\d+\/p2p\/[A-Za-z0-9]+$/,
    "/ip4/<address>/tcp/<port>/p2p/<peer id>",
  ),
  addresses: list(/^\/ip[46]\/[^/]+\/tcp\/\d+$/, "/ip4/<address>/tcp/<port>"),
  level: (text) =>
    ["debug", "info", "warn", "error", "silent"].includes(text)
      ? text
      : bad("must be debug, info, warn, error or silent"),
};
