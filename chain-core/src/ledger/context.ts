// What every rule of a block sees.

import { committeeOf } from "./committee.ts";
import type { LedgerEnv } from "./env.ts";
import { readParameters } from "./parameters.ts";
import type { BlockContext } from "./rule.ts";
import type { State } from "./state.ts";

/** `at` are height and time (ms) of the block that is applied, built or expected next. */
export function blockContext(
  { genesis, bls }: LedgerEnv,
  state: State,
  at: { readonly height: number; readonly time: number },
): BlockContext {
  return {
    genesis,
    params: readParameters(state, genesis.params),
    bls,
    state,
    height: at.height,
    time: at.time,
    // One epoch until staking comes; then the named one and, for 10 minutes, the one before (WIT-2).
    committee: (epoch) => (epoch === 0 ? committeeOf(genesis) : undefined),
  };
}
