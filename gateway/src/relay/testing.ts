// A view of the ledger in which nothing waits, for tests of what the own node brings.
import { bitcoinWatch } from "@causeway/chain-core/interchain";
import type { State } from "./state.ts";
import type { LedgerView } from "./view.ts";

export function quietView(
  state: State,
  of: Pick<LedgerView, "height" | "time" | "params" | "sequence">,
): LedgerView {
  return {
    ...of,
    locator: [],
    owner: undefined,
    rota: undefined,
    knownTip: bitcoinWatch.tipOf(state.bitcoin).hash,
    keys: new Map(),
    bitcoinKey: undefined,
    plans: [],
    signedPlans: [],
    coins: [],
    evm: [],
    answers: new Map(),
  };
}
