// What the ring asks about its keys when a term begins (RNG-2).
import { planId } from "../../interchain/messages.ts";
import { listNames, planKinds, planStatus, plans } from "../../interchain/records.ts";
import { canarySubject } from "../../ring/index.ts";
import type { Ceremony } from "../../ring/records.ts";
import type { BlockContext } from "../rule.ts";
import type { StateReader } from "../state.ts";
import { listOf } from "./accounting.ts";
import { heldCoins } from "./coins.ts";
import { closePlan } from "./open-plan.ts";

/** Closes the canary's plan of an attempt that is given up. */
export function dropCanary(block: BlockContext, ceremony: Ceremony): void {
  const { keyId, attempt, commitments } = ceremony;
  const [groupPoint = new Uint8Array(33)] = commitments;
  const subject = canarySubject({ keyId, attempt, groupPoint });
  const id = planId(block.genesis.networkId, planKinds.canary, subject);
  closePlan(block, id, planStatus.dead);
}

/** A coin of the key is not spent, or a plan of it is open: without its shares money would be lost. */
export function isInUse(state: StateReader, keyId: number): boolean {
  if (heldCoins(state).some(({ coin }) => coin.keyId === keyId)) return true;
  return listOf(state, listNames.plans).some((id) => {
    const plan = plans.get(state, id);
    return plan?.keyId === keyId && plan.kind !== planKinds.canary;
  });
}
