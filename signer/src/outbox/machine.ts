// Brings the signer's actions to its own node, one transaction each, in an envelope of the host key (CON-7):
//
//   queued --sequence known--> sent --effect seen in a proven view--> gone
//     ^  \--refused (the node's code): again after a growing delay--/  |
//     '-------- not seen for a while: a hole in the sequence ----------'
//
// Sequences are dense: asked of the node at start and after a hole, counted from there.
import type { Action, Genesis, StateReader } from "@causeway/chain-core/interchain";
import {
  badShareCodec,
  badShares,
  envelopeDigest,
  kinds,
  roles,
  transactionCodec,
  transactionId,
} from "@causeway/chain-core/interchain";
import type { Step } from "@causeway/primitives";
import { unreachable } from "@causeway/primitives";
import { signRecoverable } from "@causeway/primitives/secp256k1";
import type { Turn } from "../turn.ts";
import { isDone } from "./done.ts";

/** One action on its way. `key` names it: the same action is queued once. */
type Entry = {
  readonly key: string;
  readonly action: Action;
  readonly queuedAtMs: number;
  /** Not before; grows with every refusal. */
  readonly retryAtMs: number;
  readonly refusals: number;
  readonly sent?: {
    readonly sequence: number;
    readonly transaction: Uint8Array;
    readonly atMs: number;
    readonly expires: number;
  };
};

export type State = {
  readonly entries: readonly Entry[];
  /** The next sequence to use; undefined before the node said it, and after a hole. */
  readonly next: number | undefined;
  /** An order is under way: nothing else is ordered before its answer. */
  readonly busy: "no" | "sequence" | { readonly submitting: string };
  /** Newest ledger time seen, ms. */
  readonly ledgerMs: number;
};

export type Event =
  | { readonly kind: "queued"; readonly key: string; readonly action: Action }
  | { readonly kind: "sequence"; readonly next: number }
  | { readonly kind: "submitted" }
  | { readonly kind: "rejected"; readonly code: string; readonly message: string }
  | { readonly kind: "failed"; readonly code: string }
  | { readonly kind: "viewed"; readonly view: StateReader; readonly ledgerMs: number }
  | { readonly kind: "woke" };

export type Effect =
  | { readonly kind: "sequence" }
  | { readonly kind: "submit"; readonly sequence: number; readonly transaction: Uint8Array }
  | { readonly kind: "wake"; readonly atMs: number }
  | {
      readonly kind: "log";
      readonly level: "info" | "warn";
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number>>;
    };

/** What the outbox knows of its process. */
export type Context = {
  readonly genesis: Genesis;
  /** Own validator's owner, and the secret of its registered host key. */
  readonly owner: Uint8Array;
  readonly hostSecret: Uint8Array;
  /** True until the journal is known to be the newest (fence.ts): nothing leaves. */
  readonly isHeld: boolean;
};

/** An action is given up after this: statements are stated again, plans are signed again (WIT-1). */
const lifetimeMs = 10 * 60_000;
const entriesMax = 1024;
/** A transaction whose effect is not final after this long is behind a hole, or was dropped. */
const stallMs = 3_000;
const transactionTtlMs = 60_000;
const retryMs = { first: 250, most: 5_000 } as const;
/** The node has it already. */
const knownCodes: readonly string[] = ["known"];

export const initial: State = { entries: [], next: undefined, busy: "no", ledgerMs: 0 };

export function step(
  context: Context,
  state: State,
  event: Event,
  turn: Turn,
): Step<State, Effect> {
  switch (event.kind) {
    case "queued": {
      const { key, action } = event;
      if (state.entries.some((entry) => entry.key === key)) return [state, []];
      if (state.entries.length >= entriesMax) return [state, []];
      const entry = { key, action, queuedAtMs: turn.nowMs, retryAtMs: turn.nowMs, refusals: 0 };
      return advance(context, { ...state, entries: [...state.entries, entry] }, turn);
    }
    case "sequence":
      return advance(context, { ...state, busy: "no", next: event.next }, turn);
    case "submitted":
      return advance(context, accepted(state), turn);
    case "rejected":
      return refused(context, state, event, turn);
    case "failed": {
      const delayed = later(state, turn.nowMs + 1_000);
      return [{ ...delayed, busy: "no" }, [{ kind: "wake", atMs: turn.nowMs + 1_000 }]];
    }
    case "viewed":
      return advance(context, viewed(context, state, event, turn), turn);
    case "woke":
      return advance(context, reviveStalled(state, turn), turn);
    default:
      return unreachable(event);
  }
}

/** Keys of the records that say whether the ledger has what is on its way; of most actions others are read anyway. */
export function recordsOf({ entries }: State): Uint8Array[] {
  return entries.flatMap(({ action }) =>
    action.kind === kinds.badShare ? [badShares.key(badShareCodec.decode(action.body))] : [],
  );
}

function viewed(
  context: Context,
  state: State,
  event: Event & { kind: "viewed" },
  turn: Turn,
): State {
  const { genesis, owner } = context;
  const bringer = { owner, params: genesis.params, ledgerMs: event.ledgerMs };
  const entries = state.entries.filter(
    (entry) =>
      entry.queuedAtMs + lifetimeMs > turn.nowMs &&
      !isDone(genesis.networkId, event.view, entry.action, bringer),
  );
  return reviveStalled({ ...state, entries, ledgerMs: event.ledgerMs }, turn);
}

/** Sends again what was sent long ago, after asking for the sequence. */
function reviveStalled(state: State, turn: Turn): State {
  const stalled = (entry: Entry): boolean =>
    entry.sent !== undefined && turn.nowMs - entry.sent.atMs >= stallMs;
  if (!state.entries.some(stalled)) return state;
  const entries = state.entries.map((entry) =>
    entry.sent === undefined ? entry : { ...entry, retryAtMs: turn.nowMs },
  );
  return { ...state, entries: entries.map(unsent), next: undefined };
}

function unsent(entry: Entry): Entry {
  const { sent: _, ...rest } = entry;
  return rest;
}

function later(state: State, atMs: number): State {
  const entries = state.entries.map((entry) =>
    entry.sent === undefined ? { ...entry, retryAtMs: Math.max(entry.retryAtMs, atMs) } : entry,
  );
  return { ...state, entries };
}

function accepted(state: State): State {
  const next = state.next === undefined ? undefined : state.next + 1;
  return { ...state, busy: "no", next };
}

function refused(
  context: Context,
  state: State,
  event: Event & { kind: "rejected" },
  turn: Turn,
): Step<State, Effect> {
  if (typeof state.busy === "string") return [state, []];
  if (knownCodes.includes(event.code)) return advance(context, accepted(state), turn);
  const { submitting } = state.busy;
  const entries = state.entries.map((entry) => {
    if (entry.key !== submitting) return entry;
    const refusals = entry.refusals + 1;
    const delayMs = Math.min(retryMs.most, retryMs.first * 2 ** Math.min(refusals - 1, 8));
    return { ...unsent(entry), refusals, retryAtMs: turn.nowMs + delayMs };
  });
  // Nothing else is on its way: the refusal may be about the sequence itself, so it is asked again.
  const alone = entries.every((entry) => entry.sent === undefined);
  const next = alone ? undefined : state.next;
  const [after, effects] = advance(context, { ...state, entries, busy: "no", next }, turn);
  const fields = { code: event.code, action: submitting, reason: event.message };
  // Somebody else, or this seat before a restart, brought it: the next view shows it done.
  const isDone = event.code.startsWith("already-") || event.code === "nothing-new";
  const level = isDone ? "info" : "warn";
  return [after, [{ kind: "log", level, message: "submission refused", fields }, ...effects]];
}

/** Orders the next thing, if nothing is under way: the sequence, or the first entry that is due. */
function advance(context: Context, state: State, turn: Turn): Step<State, Effect> {
  const unsentEntries = state.entries.filter((entry) => entry.sent === undefined);
  const wake = nextWake(state, turn);
  if (state.busy !== "no" || context.isHeld) return [state, wake];
  const due = unsentEntries.find((entry) => entry.retryAtMs <= turn.nowMs);
  if (due === undefined) return [state, wake];
  if (state.next === undefined)
    return [{ ...state, busy: "sequence" }, [{ kind: "sequence" }, ...wake]];
  const sent = envelopeOf(context, state, due, state.next, turn);
  const entries = state.entries.map((entry) => (entry === due ? { ...entry, sent } : entry));
  const { transaction } = sent;
  const submit: Effect = { kind: "submit", sequence: state.next, transaction };
  return [{ ...state, entries, busy: { submitting: due.key } }, [submit, ...wake]];
}

function nextWake(state: State, turn: Turn): Effect[] {
  const times = state.entries.map((entry) =>
    entry.sent === undefined ? entry.retryAtMs : entry.sent.atMs + stallMs,
  );
  const future = times.filter((atMs) => atMs > turn.nowMs);
  return future.length === 0 ? [] : [{ kind: "wake", atMs: Math.min(...future) }];
}

function envelopeOf(
  context: Context,
  state: State,
  entry: Entry,
  sequence: number,
  turn: Turn,
): NonNullable<Entry["sent"]> {
  const { genesis, owner, hostSecret } = context;
  const ttlMs = Math.min(transactionTtlMs, genesis.params.expiryMaxMs);
  const expires = Math.max(state.ledgerMs, genesis.time) + ttlMs;
  const envelope = [{ validator: owner, role: roles.signer, sequence }];
  const unsigned = { envelope, expires, actions: [entry.action], witnesses: [] };
  const id = transactionId(genesis.networkId, unsigned);
  const witness = signRecoverable(hostSecret, envelopeDigest(genesis.networkId, id));
  const transaction = transactionCodec.encode({ ...unsigned, witnesses: [witness] });
  return { sequence, transaction, atMs: turn.nowMs, expires };
}
