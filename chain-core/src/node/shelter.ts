// The ledger behind a wall: what throws in it costs a vote, a place in a block or in the mempool, never the
// node (CON-5). Otherwise one transaction that breaks an assertion would stop every node that hears of it.
import type { Rejected } from "@causeway/primitives";
import { rejected } from "@causeway/primitives";
import type { LedgerPort } from "./port.ts";

/** The same ledger; a throw becomes `ledger-threw`, and of a build an empty list. */
export function sheltered(ledger: LedgerPort): LedgerPort {
  return {
    ...ledger,
    apply: (...args) => attempt(() => ledger.apply(...args), threw),
    check: (...args) => attempt(() => ledger.check(...args), threw),
    refused: (...args) =>
      attempt(
        () => ledger.refused?.(...args),
        () => undefined,
      ),
    expect: (...args) =>
      attempt(
        () => ledger.expect?.(...args),
        () => undefined,
      ),
    build: (...args) =>
      attempt(
        () => ledger.build(...args),
        () => ({ transactions: [] }),
      ),
  };
}

function attempt<T, U>(run: () => T, otherwise: (cause: unknown) => U): T | U {
  try {
    return run();
  } catch (cause) {
    return otherwise(cause);
  }
}

function threw(cause: unknown): Rejected<"ledger-threw"> {
  return rejected("ledger-threw", cause instanceof Error ? cause.message : String(cause));
}
