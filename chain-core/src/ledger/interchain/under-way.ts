// What open batches take to EVM chains (ETH-1): it is there, as far as the ledger can know.
import { keyOf } from "@causeway/primitives";
import { listNames, planKinds, plans, withdrawals } from "../../interchain/records.ts";
import type { StateReader } from "../state.ts";
import { listOf } from "./accounting.ts";

/** Value that batches take to a chain and that have not run there, as far as the ledger knows. */
export type UnderWay = (chain: Uint8Array, asset: Uint8Array) => bigint;

/** Reads the open batches once, when first asked. */
export function underWayIn(state: StateReader): UnderWay {
  let totals: Map<string, bigint> | undefined;
  return (chain, asset) => {
    totals ??= openTotals(state);
    return totals.get(`${keyOf(chain)}:${keyOf(asset)}`) ?? 0n;
  };
}

function openTotals(state: StateReader): Map<string, bigint> {
  const totals = new Map<string, bigint>();
  for (const id of listOf(state, listNames.plans)) {
    const plan = plans.get(state, id);
    if (plan?.kind !== planKinds.evmBatch) continue;
    for (const name of plan.withdrawals) {
      const withdrawal = withdrawals.get(state, name);
      if (withdrawal === undefined) continue;
      const key = `${keyOf(plan.chain)}:${keyOf(withdrawal.asset)}`;
      totals.set(key, (totals.get(key) ?? 0n) + withdrawal.amount - withdrawal.fee);
    }
  }
  return totals;
}
