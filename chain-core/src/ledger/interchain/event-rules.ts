// The shape of what a chain's stated events do to the state; attest.ts is the same for every chain.
import type { Bytes32, Rejected } from "@causeway/primitives";
import type { ForeignEvent } from "../../interchain/statement.ts";
import type { ActionContext } from "../rule.ts";

/** An event with its id (FMT-5). */
export type Identified = { readonly id: Bytes32; readonly event: ForeignEvent };

/** How the events of one kind of chain are checked and stored. */
export type EventRules = {
  /** True when storing the event would change nothing. */
  readonly isKnown: (context: ActionContext, chain: Uint8Array, one: Identified) => boolean;
  readonly check: (
    context: ActionContext,
    chain: Uint8Array,
    one: Identified,
  ) => Rejected | undefined;
  readonly store: (context: ActionContext, chain: Uint8Array, one: Identified) => void;
};
