// What the signer's machine knows between two steps.
import type { Rejected } from "@causeway/primitives";
import type { Budget } from "./budget.ts";
import * as ceremony from "./ceremony/machine.ts";
import * as fence from "./fence.ts";
import * as follow from "./follow/machine.ts";
import type { Roster } from "./follow/roster.ts";
import { genesisRoster } from "./follow/roster.ts";
import * as outbox from "./outbox/machine.ts";
import * as signing from "./signing/machine.ts";
import * as witness from "./witness/machine.ts";
import type { Context } from "./world.ts";

/** Who waits for the answer to an order. */
export type Owner =
  | { readonly kind: "follow" }
  | { readonly kind: "outbox" }
  | { readonly kind: "witness"; readonly key: string };

export type State = {
  readonly started: boolean;
  readonly nextId: number;
  readonly pending: ReadonlyMap<number, Owner>;
  /** Why it does nothing any more, if so. */
  readonly stopped: Rejected | undefined;
  /** By validator. */
  readonly budgets: ReadonlyMap<number, Budget>;
  readonly roster: Roster;
  /** What the last `peers` said. */
  readonly peers: string;
  /** Host keys that are not to be used any more, by hex. */
  readonly erased: ReadonlySet<string>;
  /** How many times each code was logged with a refusal. */
  readonly refused: ReadonlyMap<string, number>;
  readonly fence: fence.State;
  readonly follow: follow.State;
  readonly ceremony: ceremony.State;
  readonly signing: signing.State;
  readonly witness: witness.State;
  readonly outbox: outbox.State;
};

export function initial(context: Context): State {
  return {
    started: false,
    nextId: 1,
    pending: new Map(),
    stopped: undefined,
    budgets: new Map(),
    roster: genesisRoster(context.genesis, context.peerKey),
    peers: "",
    erased: new Set(),
    refused: new Map(),
    fence: fence.initial,
    follow: follow.initial(context),
    ceremony: ceremony.initial,
    signing: signing.initial,
    witness: witness.initial,
    outbox: outbox.initial,
  };
}
