// The state of the signing machine and a step of it in the making: shared by its parts.
import type { Action, Genesis } from "@causeway/chain-core/interchain";
import { keyOf, must } from "@causeway/primitives";
import type { Share } from "../ceremony/machine.ts";
import type { Roster } from "../follow/roster.ts";
import type { Guard } from "../guard.ts";
import { emptyGuard } from "../guard.ts";
import type { Release, SlotUse } from "../journal.ts";
import type { Ledger } from "../policy/approve.ts";
import type { NoncePool } from "../roast/participant.ts";
import { emptyPool } from "../roast/participant.ts";
import type { Turn } from "../turn.ts";
import type { Envelope } from "../wire.ts";
import { seal } from "../wire.ts";
import type { HostKey } from "../world.ts";
import type { Bundle } from "./bundle.ts";
import type { Request, Ring } from "./request.ts";

export type Context = {
  readonly genesis: Genesis;
  /** Own number in the register. */
  readonly number: number;
  readonly roster: Pick<Roster, "numbers" | "members">;
  /** Host keys of this and of earlier terms (RNG-5): what is said for a seat is signed by the one that it was given. */
  readonly hosts: readonly HostKey[];
};

export type State = {
  /** Number of this start of the process: commitments of earlier ones are dead. */
  readonly boot: number;
  readonly ledger: Ledger | undefined;
  /** By the name of the share: key, epoch, seat. */
  readonly shares: ReadonlyMap<string, Share>;
  readonly guard: Guard;
  readonly pool: NoncePool;
  /** By the hex of the plan's id. */
  readonly requests: ReadonlyMap<string, Request>;
  /** By the hex of their ids. */
  readonly bundles: ReadonlyMap<string, Bundle>;
  /** Commitments for bundles that are not drawn up here yet, by the sender's validator. */
  readonly early: ReadonlyMap<number, readonly Envelope[]>;
  /** Plans whose messages cannot be rebuilt, by hex: logged once. */
  readonly unsignable: ReadonlySet<string>;
};

type Uses = { readonly slots: readonly SlotUse[] };

export type Event =
  /** `uses`: the slots of every release and bar of the journal, oldest first. */
  | { readonly kind: "restored"; readonly boot: number; readonly uses: readonly Uses[] }
  /** Slots that another process of this seat may have signed (fence.ts). */
  | ({ readonly kind: "barred" } & Uses)
  | {
      readonly kind: "viewed";
      readonly ledger: Ledger;
      readonly shares: ReadonlyMap<string, Share>;
    }
  | { readonly kind: "message"; readonly from: number; readonly envelope: Envelope }
  | { readonly kind: "woke" };

export type Effect =
  | { readonly kind: "release"; readonly release: Release }
  | { readonly kind: "send"; readonly to: number; readonly bytes: Uint8Array }
  | { readonly kind: "act"; readonly key: string; readonly action: Action }
  | { readonly kind: "wake"; readonly atMs: number }
  | {
      readonly kind: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number>>;
    };

export const initial: State = {
  boot: 0,
  ledger: undefined,
  shares: new Map(),
  guard: emptyGuard,
  pool: emptyPool,
  requests: new Map(),
  bundles: new Map(),
  early: new Map(),
  unsignable: new Set(),
};

/** A step in the making: the state so far, the orders, and messages to the own seat. */
export type Work = {
  state: State;
  readonly context: Context;
  readonly turn: Turn;
  readonly effects: Effect[];
  readonly inbox: { readonly from: number; readonly envelope: Envelope }[];
};

export function log(
  work: Work,
  level: "debug" | "info" | "warn" | "error",
  message: string,
  fields: Readonly<Record<string, string | number>>,
): undefined {
  work.effects.push({ kind: "log", level, message, fields });
}

export function put(work: Work, request: Request): void {
  const requests = new Map(work.state.requests).set(keyOf(request.id), request);
  work.state = { ...work.state, requests };
}

export function putBundle(work: Work, bundle: Bundle): void {
  const bundles = new Map(work.state.bundles).set(keyOf(bundle.id), bundle);
  work.state = { ...work.state, bundles };
}

/** Approved at the last view, and not signed. */
export function isWaiting({ verdict, signed }: Request): boolean {
  return verdict.kind === "approved" && signed === undefined;
}

/** In the order of the bundle's messages. */
export function requestsOf({ state }: Work, { plans }: Bundle): Request[] {
  return plans.flatMap((plan) => state.requests.get(plan) ?? []);
}

/** Whether all of its plans wait for their signatures. */
export function isLive(work: Work, bundle: Bundle): boolean {
  const requests = requestsOf(work, bundle);
  return requests.length === bundle.plans.length && requests.every(isWaiting);
}

/** The bundle if `from` sits at `seat` of its ring. */
export function bundleFor(
  work: Work,
  from: number,
  message: { readonly request: Uint8Array; readonly keyId: number; readonly attempt: number },
  seat: number,
): Bundle | undefined {
  const bundle = work.state.bundles.get(keyOf(message.request));
  if (bundle === undefined || bundle.keyId !== message.keyId) return undefined;
  if (bundle.ring.attempt !== message.attempt) return undefined;
  return bundle.ring.validators[seat] === from ? bundle : undefined;
}

export function send(
  work: Work,
  { validators }: Ring,
  seat: number,
  kind: number,
  body: Uint8Array,
): undefined {
  const to = must(validators[seat], "validator of the seat");
  const own = work.context.number;
  if (to === own) {
    const envelope = { version: 1, kind, seat: own, body };
    work.inbox.push({ from: own, envelope });
  } else if (to >= 0) work.effects.push({ kind: "send", to, bytes: seal(kind, own, body) });
}

export function refuse(work: Work, from: number, code: string, what: string): undefined {
  log(work, "warn", "message refused", { code, from, what });
}
