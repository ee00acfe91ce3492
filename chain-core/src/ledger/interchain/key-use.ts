// What the ring asks about its keys when a term begins (RNG-2).

import { isHandedOver } from "../../interchain/key-life.ts";
import { planId } from "../../interchain/messages.ts";
import { planKinds, planStatus } from "../../interchain/records.ts";
import { canarySubject } from "../../ring/index.ts";
import type { Ceremony } from "../../ring/records.ts";
import type { BlockContext } from "../rule.ts";
import type { StateReader } from "../state.ts";
import { closePlan } from "./open-plan.ts";

/** Closes the canary's plan of an attempt that is given up. */
export function dropCanary(block: BlockContext, ceremony: Ceremony): void {
  const { keyId, attempt, commitments } = ceremony;
  const [groupPoint = new Uint8Array(33)] = commitments;
  const subject = canarySubject({ keyId, attempt, groupPoint });
  const id = planId(block.genesis.networkId, planKinds.canary, subject);
  closePlan(block, id, planStatus.dead);
}

/** Without its shares money would be lost. */
export function isInUse(state: StateReader, keyId: number): boolean {
  return !isHandedOver(state, keyId);
}
