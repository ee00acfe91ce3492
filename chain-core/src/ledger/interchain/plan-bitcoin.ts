// The Bitcoin transactions that the ledger writes (BTC-3, BTC-4). They follow from the state alone, so every
// node writes the same bytes and every signer rebuilds them. Attempt 0 only: bumps append to the lineage.
import type { BlockContext } from "../rule.ts";
import { planHandovers } from "./plan-handover.ts";
import { planPayment } from "./plan-payment.ts";
import { readPlanning } from "./plan-state.ts";
import { planSweeps } from "./plan-sweep.ts";

/** Sweeps first (BTC-2), then a payment, then what is left with older keys. True if the next block may have more to plan. */
export function planBitcoin(block: BlockContext): boolean {
  const planning = readPlanning(block);
  if (planning === undefined) return false;
  const moreSweeps = planSweeps(planning);
  const hasPaid = planPayment(planning);
  return planHandovers(planning) || hasPaid || moreSweeps;
}
