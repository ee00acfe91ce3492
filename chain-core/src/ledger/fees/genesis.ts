// The fees' records at height 0.
import type { Genesis } from "../genesis.ts";
import { wrappedAssets } from "../interchain/accounting.ts";
import { prices } from "../prices.ts";
import type { State } from "../state.ts";
import { baseFeeOf, baseFees } from "./base-fee.ts";

/** The first base fee, and the price of every asset of the registry. */
export function feeGenesis(state: State, genesis: Genesis): void {
  baseFees.put(state, "only", { baseFee: baseFeeOf(state, genesis.params) });
  for (const { id, registry } of wrappedAssets(genesis))
    prices.put(state, id, { ...registry.price });
}
