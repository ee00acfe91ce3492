// What the ledger does by itself after a block's transactions, in this order: ceremonies, then foreign chains.
import { concat, H, keyOf } from "@causeway/primitives";
import type { Plan } from "../interchain/records.ts";
import { listNames, lists, plans } from "../interchain/records.ts";
import { reservedSize } from "./block-limits.ts";
import { isRingHurried, ringEndBlock } from "./ring/end-block.ts";
import type { BlockContext } from "./rule.ts";

/** The reserved part counts as full from nine tenths: the next envelope of a ceremony may be 10 kB. */
const fullSize = (reservedSize * 9) / 10;

function openPlan({ state, genesis }: BlockContext, plan: Plan): void {
  const id = H("plan", genesis.networkId, concat(Uint8Array.of(plan.kind), plan.subject));
  plans.put(state, id, plan);
  const ids = lists.get(state, listNames.plans)?.ids ?? [];
  if (!ids.some((other) => keyOf(other) === keyOf(id)))
    lists.put(state, listNames.plans, { ids: [...ids, id] });
}

/** `freeSize` is what envelopes took of the block, bytes. Gives whether a ceremony window waits for blocks. */
export function endBlock(block: BlockContext, freeSize: number): { readonly hurried: boolean } {
  ringEndBlock(block, { isReservedFull: freeSize >= fullSize, openPlan });
  return { hurried: isRingHurried(block) };
}
