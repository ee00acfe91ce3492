// What the witness machine is made of: shared by machine.ts and list.ts.
import type {
  Action,
  Committee,
  Facts,
  ForeignEvent,
  Genesis,
  Statement,
  StateReader,
} from "@causeway/chain-core/interchain";
import type { Bls, Bytes32 } from "@causeway/primitives";
import { equal, keyOf } from "@causeway/primitives";
import type { Roster } from "../follow/roster.ts";
import type { Envelope } from "../wire.ts";
import type { Item } from "./item.ts";

/** A statement under way: an own proposal, or one of others that waits for an answer. */
export type List = {
  readonly digest: Bytes32;
  readonly statement: Statement;
  /** Keys of its items, in the order of the events. */
  readonly items: readonly string[];
  /** This seat proposed it. */
  readonly mine: boolean;
  /** Validators that proposed it here and wait for an answer. */
  readonly askers: ReadonlySet<number>;
  /** Own answer to a list of others; a refusal may be asked for again after a while. */
  readonly answer?: { readonly bytes: Uint8Array; readonly refusedAtMs: number | undefined };
  /** Endorsements by validator, own included; of own lists. */
  readonly signatures: ReadonlyMap<number, Uint8Array>;
  /** Validators that refused it; of own lists. */
  readonly refusers: ReadonlySet<number>;
  /** The quorum was reached and the ledger told. */
  readonly done: boolean;
  readonly openedAtMs: number;
  readonly sentAtMs: number;
  readonly sends: number;
};

export type Context = {
  readonly genesis: Genesis;
  readonly bls: Bls;
  /** Own number in the register; the committee's seat may be another, see {@link memberSeat}. */
  readonly number: number;
  readonly roster: Pick<Roster, "owners" | "numbers">;
  readonly attestSecret: Uint8Array;
};

/** What the proven ledger says, as far as it matters here. */
export type Ledger = { readonly view: StateReader; readonly committee: Committee };

export type State = {
  readonly ledger: Ledger | undefined;
  /** By {@link Item.key}. */
  readonly items: ReadonlyMap<string, Item>;
  /** By the hex of the statement's digest. */
  readonly lists: ReadonlyMap<string, List>;
};

export type Event =
  | { readonly kind: "hint"; readonly bytes: Uint8Array }
  | { readonly kind: "message"; readonly from: number; readonly envelope: Envelope }
  | { readonly kind: "facts"; readonly key: string; readonly facts: Facts }
  | { readonly kind: "failed"; readonly key: string; readonly code: string }
  | { readonly kind: "foreign-block"; readonly chain: Uint8Array }
  | { readonly kind: "viewed"; readonly ledger: Ledger }
  | { readonly kind: "woke" };

export type Effect =
  | {
      readonly kind: "read";
      readonly key: string;
      readonly chain: Uint8Array;
      readonly event: ForeignEvent;
    }
  | { readonly kind: "send"; readonly to: number; readonly bytes: Uint8Array }
  | { readonly kind: "act"; readonly key: string; readonly action: Action }
  | { readonly kind: "wake"; readonly atMs: number }
  | {
      readonly kind: "log";
      readonly level: "info" | "warn";
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number>>;
    };

/** Where validator number `peer` sits in the committee; undefined: it does not (CON-2). */
export function memberSeat({ roster }: Context, state: State, peer: number): number | undefined {
  const owner = roster.owners[peer];
  const members = state.ledger?.committee.members ?? [];
  const seat = members.findIndex(({ validator }) => owner !== undefined && equal(validator, owner));
  return seat < 0 ? undefined : seat;
}

export const initial: State = { ledger: undefined, items: new Map(), lists: new Map() };

export function withItem(state: State, item: Item): State {
  return { ...state, items: new Map(state.items).set(item.key, item) };
}

export function withList(state: State, list: List): State {
  return { ...state, lists: new Map(state.lists).set(keyOf(list.digest), list) };
}

export function log(
  level: "info" | "warn",
  message: string,
  fields: Readonly<Record<string, string | number>>,
): Effect {
  return { kind: "log", level, message, fields };
}

export function emptyList(
  digest: Bytes32,
  statement: Statement,
  items: readonly string[],
  nowMs: number,
): List {
  return {
    digest,
    statement,
    items,
    mine: false,
    askers: new Set(),
    signatures: new Map(),
    refusers: new Set(),
    done: false,
    openedAtMs: nowMs,
    sentAtMs: nowMs,
    sends: 0,
  };
}
