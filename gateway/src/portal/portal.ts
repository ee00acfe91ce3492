// What the portal's handlers work on, and what they answer with.
import type { Genesis } from "@causeway/chain-core/interchain";
import type { Rejected } from "@causeway/primitives";
import type { Ledger, PartHealth } from "../ports.ts";
import type { State } from "../relay/machine.ts";

export type Portal = {
  readonly genesis: Genesis;
  readonly ledger: Ledger;
  /** What the own relay's watchers see now; to be read only. */
  readonly relay: State;
  /** Hands depositRequestCodec bytes to the own relay; they are durable there when it returns. */
  readonly post: (request: Uint8Array) => void;
  /** A time in ms as people read it. */
  readonly timeText: (ms: number) => string;
  readonly health: () => Promise<Readonly<Record<string, PartHealth>>>;
};

export type Request = {
  readonly method: string;
  /** Path without query, not decoded. */
  readonly path: string;
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown;
};

/** `json` is what JSON.stringify takes; amounts are decimal strings in the smallest unit. */
export type Reply = { readonly status: number; readonly json: unknown };

export function ok(json: unknown): Reply {
  return { status: 200, json };
}

export function problem(status: number, code: string, message: string): Reply {
  return { status, json: { error: { code, message } } };
}

/** 503 for what may be possible later, 404 for what is not there, 400 for the rest. */
export function refusal({ code, message }: Rejected): Reply {
  const later = ["no-key", "halted", "busy"].includes(code);
  return problem(later ? 503 : code === "not-found" ? 404 : 400, code, message);
}
