// What the part of a signer in ceremonies is made of: shared by machine.ts and open.ts.
import type {
  Action,
  Ceremony,
  Genesis,
  Key,
  Seat,
  StateReader,
} from "@causeway/chain-core/interchain";
import { equal } from "@causeway/primitives";
import type { DealMade } from "../journal.ts";
import type { ShareName } from "../share-file.ts";
import { nameOf } from "../share-file.ts";
import type { HostKey, StoredShare } from "../world.ts";

/** A share of an own seat, opened or loaded, with its public point Y. */
export type Share = ShareName & { readonly secret: Uint8Array; readonly point: Uint8Array };

export type State = {
  /** By {@link nameOf}. */
  readonly shares: ReadonlyMap<string, Share>;
  /** Those that are held, fit and are confirmed on the ledger: nothing is left to do for them. */
  readonly settled: ReadonlySet<string>;
  /** Deals made by this process or an earlier one, for ceremonies that still take them. */
  readonly dealt: ReadonlyMap<string, DealMade>;
  /** What was said about an attempt, so that it is made once, and said until the ledger has it: {@link answerName}. */
  readonly answered: ReadonlyMap<string, readonly Effect[]>;
};

export type Event =
  /** From the journal and the share files at start. */
  | {
      readonly kind: "restored";
      readonly deals: readonly DealMade[];
      readonly shares: readonly StoredShare[];
    }
  | { readonly kind: "viewed"; readonly view: StateReader };

export type Effect =
  | { readonly kind: "deal-made"; readonly deal: DealMade }
  | ({ readonly kind: "save-share"; readonly packageHash: Uint8Array } & StoredShare)
  | ({ readonly kind: "erase-share" } & ShareName)
  | { readonly kind: "act"; readonly key: string; readonly action: Action }
  | {
      readonly kind: "log";
      readonly level: "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number>>;
    };

export type Context = {
  readonly genesis: Genesis;
  /** Own validator's owner. */
  readonly owner: Uint8Array;
  readonly hosts: readonly HostKey[];
};

export const initial: State = {
  shares: new Map(),
  settled: new Set(),
  dealt: new Map(),
  answered: new Map(),
};

/** A seat of this signer with the host key that it was given (RNG-5). */
export type OwnSeat = { readonly seat: number; readonly secret: Uint8Array };

/** The own seats, but for those of a host key whose secret is not here. */
export function ownSeats({ owner, hosts }: Context, seats: readonly Seat[]): OwnSeat[] {
  return seats.flatMap(({ validator, hostKey }, seat) => {
    if (!equal(validator, owner)) return [];
    const host = hosts.find(({ point }) => equal(point, hostKey));
    return host === undefined ? [] : [{ seat, secret: host.secret }];
  });
}

/** Each deal that a complaint voids makes another question of the same attempt. */
export function answerName(ceremony: Ceremony, seat: number): string {
  return `${nameOf({ ...ceremony, seat })}/${ceremony.voided.length}`;
}

/** Whether a share of a key in use is missing here. */
export function needsCeremony(context: Context, state: State, key: Key): boolean {
  return ownSeats(context, key.seats).some(
    ({ seat }) => !state.settled.has(nameOf({ ...key, seat })),
  );
}

/** Whether the deals of a ceremony say something that this signer does not know yet. */
export function needsDeals(context: Context, state: State, ceremony: Ceremony): boolean {
  return ownSeats(context, ceremony.seats).some(
    ({ seat }) =>
      !state.settled.has(nameOf({ ...ceremony, seat })) &&
      !state.answered.has(answerName(ceremony, seat)),
  );
}
