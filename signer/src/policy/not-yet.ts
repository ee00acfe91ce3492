// What keeps a plan from being signed for now, and may pass (BTC-3): never a refusal.
import type { StateReader } from "@causeway/chain-core/interchain";
import { accountings } from "@causeway/chain-core/interchain";
import { toHex } from "@causeway/primitives";

export type NotYetCode =
  /** RNG-6: the newest final header is too old to know what happened since. */
  | "stale-finality"
  /** The plan is signed, final or dead by now. */
  | "not-planned"
  /** The key is not active. */
  | "key-inactive"
  /** ACC-1 is violated for the asset: only what stays with the ring goes on (GOV-2). */
  | "asset-halted"
  /** GOV-2: what goes out to the plan's chain is paused. What pays nobody never is. */
  | "paused"
  /** ETH-1: the contract is to get a later key than this, or has it. */
  | "superseded"
  /** A record that the plan rests on has not been proven yet. */
  | "record-missing";

export type NotYet = {
  readonly kind: "not-yet";
  readonly code: NotYetCode;
  readonly message: string;
};

export function notYet(code: NotYetCode, message: string): NotYet {
  return { kind: "not-yet", code, message };
}

/** No payment of the asset: it is unknown, halted, or lacks backing that a reorganisation took (WIT-4). */
export function isHalted(view: StateReader, asset: Uint8Array): boolean {
  const account = accountings.get(view, asset);
  return account === undefined || account.halted || account.deficit > 0n;
}

/** The own node has not proven this record (yet). */
export function recordMissing(what: string, key: Uint8Array): NotYet {
  return notYet("record-missing", `no proven ${what} ${toHex(key)}`);
}
