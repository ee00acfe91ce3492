// Plans enter the state here: what signers and relays visit, and what a settlement or signature finds again.
import type { Bytes32 } from "@causeway/primitives";
import { planId } from "../../interchain/messages.ts";
import type { Plan } from "../../interchain/records.ts";
import { listNames, plans } from "../../interchain/records.ts";
import type { BlockContext } from "../rule.ts";
import type { StateReader } from "../state.ts";
import { append, listOf, removeAll } from "./accounting.ts";

/** Open plans above which no other is planned: every end of a block, signer and relay visits them all. */
const plansMax = 2_048;

/** A chain that takes nothing for days must not fill the list: what waits stays in its queue. */
export function arePlansFull(state: StateReader): boolean {
  return listOf(state, listNames.plans).length >= plansMax;
}

/** Stores a plan that the ring is to sign, under its deterministic id. A plan of the same subject is kept. */
export function openPlan({ genesis, state }: BlockContext, plan: Plan): Bytes32 {
  const id = planId(genesis.networkId, plan.kind, plan.subject);
  if (plans.get(state, id) !== undefined) return id;
  plans.put(state, id, plan);
  append(state, listNames.plans, id);
  return id;
}

/** Ends a plan as final or dead; nobody visits it any more. */
export function closePlan({ state, time }: BlockContext, id: Uint8Array, status: number): void {
  const plan = plans.get(state, id);
  if (plan === undefined) return;
  plans.put(state, id, { ...plan, status, updatedAt: time });
  removeAll(state, listNames.plans, [id]);
}
