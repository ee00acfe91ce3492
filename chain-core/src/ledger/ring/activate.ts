// The last step of a key generation: any t seats signed the canary, so the key is fit for money (RNG-3).
import { must } from "@causeway/primitives";
import {
  ceremonies,
  ceremonyStages,
  currentKeys,
  keys,
  openCeremonies,
} from "../../ring/records.ts";
import type { BlockContext } from "../rule.ts";
import { answerFor } from "./liability.ts";

/**
 * Makes the key the current one of its chain. `signature` is the canary's, 64 bytes, which the caller verified under
 * the untweaked key. Does nothing unless the key waits for it.
 */
export function activateKey(
  { state, time }: Pick<BlockContext, "state" | "time">,
  keyId: number,
  signature: Uint8Array,
): void {
  const ceremony = ceremonies.get(state, keyId);
  if (ceremony?.stage !== ceremonyStages.canary) return;
  const { attempt, term, chain, threshold, seats, commitments, confirmed } = ceremony;
  const shares: Uint8Array[] = seats.map(() => new Uint8Array(33));
  for (const { seat, share } of confirmed) shares[seat] = share;
  keys.put(state, keyId, {
    keyId,
    attempt,
    term,
    heldBy: term,
    chain,
    groupPoint: must(commitments[0], "group point"),
    threshold,
    seats,
    shares,
    active: true,
    canary: signature,
    activatedAt: time,
  });
  answerFor({ state, time }, keyId, seats);
  currentKeys.put(state, chain, { keyId });
  ceremonies.put(state, keyId, { ...ceremony, stage: ceremonyStages.active });
  const open = openCeremonies.get(state, "only")?.keyIds ?? [];
  openCeremonies.put(state, "only", { keyIds: open.filter((other) => other !== keyId) });
}
