// What governance does by itself: what an epoch's turn brings into force (GOV-1), and the end of slow mode and of
// pauses, which wakes what waited for it (GOV-2).
import { setDue } from "../interchain/accounting.ts";
import type { BlockContext } from "../rule.ts";
import { applyDue } from "./changes.ts";
import { restrictions, restrictionsOf } from "./restrictions.ts";
import { turnVersion } from "./version.ts";

/** At the end of the last block before `epoch`: its parameters, registry and version. */
export function governanceEpoch({ state, genesis, time }: BlockContext, epoch: number): void {
  applyDue(state, genesis, { epoch, time });
  turnVersion(state, epoch);
}

/** At the end of every block, before interchain's. */
export function governanceEndBlock({ state, time }: BlockContext): void {
  const before = restrictionsOf(state);
  const isOver = (until: number, open: boolean): boolean => open && until <= time;
  const slowOver = isOver(before.slowUntil, before.slowOpen);
  if (!slowOver && !before.pauses.some(({ until, open }) => isOver(until, open))) return;
  restrictions.put(state, "only", {
    ...before,
    slowOpen: before.slowOpen && !slowOver,
    pauses: before.pauses.map((one) => ({
      ...one,
      open: one.open && !isOver(one.until, one.open),
    })),
  });
  setDue(state);
}
