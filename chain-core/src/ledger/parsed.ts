// Transactions are checked, built into a block and applied; their bytes are parsed once.
import type { Bytes32, Rejected } from "@causeway/primitives";
import { isRejected } from "@causeway/primitives";
import type { Action, Output } from "../codec/action.ts";
import type { Transaction } from "../codec/transaction.ts";
import { transactionCodec, transactionIdIn, transactionKey } from "../codec/transaction.ts";
import type { Genesis } from "./genesis.ts";
import type { RecentMap } from "./recent.ts";
import type { AnyRule } from "./rules.ts";

/** A transaction of canonical bytes. Shared: nobody may change it. */
export type Parsed = {
  readonly tx: Transaction;
  readonly id: Bytes32;
  /** By position, as the rule of that kind last read it. */
  readonly bodies: { readonly rule: AnyRule; readonly body: unknown }[];
  /** Once somebody asked whether it is one (transfer.ts). */
  transfer?: TransferForm | "other";
};

/** Keys in the state of what a transfer spends and of what it creates; `body` is that of its create. */
export type TransferForm = {
  readonly inputs: readonly Uint8Array[];
  readonly created: readonly Uint8Array[];
  readonly outputs: readonly Output[];
  readonly body: Uint8Array;
};

/** By hex of the SHA-256 of the bytes. */
export type ParsedMemory = RecentMap<Parsed>;

/** About 2 kB each for a transfer: three full blocks. */
export const parsedMax = 16_384;
/** Larger ones are parsed again, bytes: anybody can send thousands of 512 KiB that parse and are then refused. */
const parsedSizeMax = 16 * 1024;

export function parseTransaction(
  {
    genesis,
    parsed,
  }: { readonly genesis: Pick<Genesis, "networkId">; readonly parsed?: ParsedMemory | undefined },
  bytes: Uint8Array,
): Parsed | Rejected {
  const name = parsed === undefined ? "" : transactionKey(bytes);
  const known = parsed?.get(name);
  if (known !== undefined) return known;
  const tx = transactionCodec.parse(bytes);
  if (isRejected(tx)) return tx;
  const made: Parsed = { tx, id: transactionIdIn(genesis.networkId, bytes), bodies: [] };
  if (bytes.length <= parsedSizeMax) parsed?.set(name, made);
  return made;
}

/** The body of the action at `position`, as `rule` reads it. */
export function parseBody(
  { bodies }: Parsed,
  position: number,
  rule: AnyRule,
  action: Action,
): unknown {
  const known = bodies[position];
  if (known?.rule === rule) return known.body;
  const body: unknown = rule.codec.parse(action.body);
  if (!isRejected(body)) bodies[position] = { rule, body };
  return body;
}
