// What every command of the wallet has: its flags, the terminal, the account and the node.
import type { Entropy } from "@causeway/primitives";
import type { NodeClient } from "../client.ts";
import type { Genesis } from "../ledger/genesis.ts";

/** The world of the command: the terminal or a test's. */
export type Terminal = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (line: string) => void;
  /** A secret that a person types or pipes in; `what` tells which. */
  readonly secret: (what: string) => Promise<string>;
  /** True when a person agrees. */
  readonly confirm: (question: string) => Promise<boolean>;
  readonly entropy: Entropy;
  readonly nowMs: () => number;
  /** scrypt's cost of a new wallet file; by default that of wallet-file.ts. */
  readonly logN?: number;
};

/** For node:util's parseArgs. */
export const options = {
  file: { type: "string" },
  node: { type: "string" },
  network: { type: "string" },
  account: { type: "string", default: "0" },
  json: { type: "boolean", default: false },
  words: { type: "string", default: "24" },
  to: { type: "string" },
  amount: { type: "string" },
  asset: { type: "string" },
  memo: { type: "string" },
  "fee-asset": { type: "string" },
  "fee-rate": { type: "string" },
  "dry-run": { type: "boolean", default: false },
  "typed-data": { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
  "no-wait": { type: "boolean", default: false },
  limit: { type: "string", default: "20" },
} as const;

export type Flags = {
  readonly [Name in keyof typeof options]?: (typeof options)[Name]["type"] extends "string"
    ? string
    : boolean;
};

export type Account = {
  readonly address: string;
  readonly lock: Uint8Array;
  readonly secret: Uint8Array;
};

export type Session = {
  readonly account: Account;
  readonly client: NodeClient;
  readonly genesis: Genesis;
};

/** One JSON object, or a line for each field. */
export function show({ print }: Terminal, { json }: Flags, fields: Record<string, unknown>): void {
  if (json === true) print(JSON.stringify(fields));
  else for (const [name, value] of Object.entries(fields)) print(`${name}: ${String(value)}`);
}
