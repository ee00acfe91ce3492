// Broadcasts of the Bitcoin transactions that the ring has signed (BTC-3): by every relay, after every block.
import { bitcoinWatch } from "@causeway/chain-core/interchain";
import { keyOf } from "@causeway/primitives";
import type { Effect, Orders, State } from "./state.ts";
import { earliest } from "./state.ts";
import type { LedgerView } from "./view.ts";

/** Without a new block: in case the node lost its mempool. */
const againMs = 60_000;
/** After the node could not be asked. */
const unsentAgainMs = 2_000;

export function broadcasts(state: State, view: LedgerView, nowMs: number): Orders {
  const tip = keyOf(bitcoinWatch.tipOf(state.bitcoin).hash);
  const effects: Effect[] = [];
  const present = new Set<string>();
  let nextAt: number | undefined;
  for (const { id, plan, signed } of view.signedPlans) {
    const name = keyOf(id);
    present.add(name);
    const before = state.broadcast.get(name);
    if (before === undefined || before.tip !== tip || before.againAt <= nowMs) {
      state.broadcast.set(name, { tip, againAt: nowMs + againMs });
      effects.push({ kind: "broadcast", plan: id, txid: plan.txid, transaction: signed });
    }
    nextAt = earliest(nextAt, state.broadcast.get(name)?.againAt);
  }
  for (const name of state.broadcast.keys()) if (!present.has(name)) state.broadcast.delete(name);
  return { effects, nextAt };
}

export function unsent(state: State, plan: Uint8Array, nowMs: number): void {
  const before = state.broadcast.get(keyOf(plan));
  if (before !== undefined)
    state.broadcast.set(keyOf(plan), { ...before, againAt: nowMs + unsentAgainMs });
}
