// What the runtime performs one after the other: the machine's effects, successive blocks taken together, so that a node
// that catches up waits for the disk once per step and not once per block.
import { equal } from "@causeway/primitives";
import { epochs } from "../ledger/epoch/epochs.ts";
import type { Effect } from "../node/machine.ts";
import type { Persist } from "./node-store.ts";

export type Order =
  | Exclude<Effect, { kind: "persist" }>
  | { readonly kind: "persistAll"; readonly blocks: readonly Persist[] };

/**
 * The same, in the same order: between blocks that are written together nothing else is ordered. An epoch's last block
 * ends a batch, for the snapshot is taken of the state right after it.
 */
export function ordersOf(effects: readonly Effect[]): Order[] {
  const orders: Order[] = [];
  let open: Persist[] | undefined;
  for (const effect of effects) {
    if (effect.kind !== "persist") {
      orders.push(effect);
      open = undefined;
      continue;
    }
    if (open === undefined) {
      open = [];
      orders.push({ kind: "persistAll", blocks: open });
    }
    open.push(effect);
    if (isEpochsEnd(effect)) open = undefined;
  }
  return orders;
}

const epochsKey = epochs.key("only");

function isEpochsEnd({ puts }: Persist): boolean {
  return puts.some(({ key }) => equal(key, epochsKey));
}
