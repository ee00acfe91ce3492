// The last step of a ceremony: any t seats signed the canary, so the shares are fit for money (RNG-3).
import { equal, must } from "@causeway/primitives";
import type { Ceremony, Key } from "../../ring/records.ts";
import {
  activeKeys,
  ceremonies,
  ceremonyOf,
  ceremonyStages,
  currentKeys,
  keys,
  nextKeys,
  purposes,
  reshares,
} from "../../ring/records.ts";
import type { BlockContext } from "../rule.ts";
import type { State } from "../state.ts";
import { closeCeremony, forgetAttempt, isUnmerged, putCeremony } from "./ceremony.ts";
import { answerFor } from "./liability.ts";

/**
 * The shares of `attempt` are the key's from now on. `signature` is the canary's, 64 bytes, which the caller verified
 * under the untweaked key. Does nothing unless this very attempt waits for it: the key of a resharing is the same in
 * each, and so an older canary would verify, too.
 */
export function activateKey(
  block: Pick<BlockContext, "state" | "time" | "genesis">,
  { keyId, attempt }: { readonly keyId: number; readonly attempt: number },
  signature: Uint8Array,
): void {
  const { state } = block;
  const ceremony = ceremonyOf(state, keyId);
  if (ceremony?.stage !== ceremonyStages.canary || ceremony.attempt !== attempt) return;
  if (isUnmerged(ceremony)) return;
  if (ceremony.purpose === purposes.reshare) replaceShares(state, ceremony, signature);
  else activate(block, ceremony, signature);
  answerFor(block, keyId, ceremony.seats);
  putCeremony(state, { ...ceremony, stage: ceremonyStages.active });
  closeCeremony(state, keyId);
}

/** What a ceremony makes of a key, whatever its purpose. */
function sharesOf(ceremony: Ceremony): Pick<Key, "attempt" | "threshold" | "seats" | "shares"> & {
  heldBy: number;
} {
  const { attempt, term, threshold, seats, confirmed } = ceremony;
  const shares: Uint8Array[] = seats.map(() => new Uint8Array(33));
  for (const { seat, share } of confirmed) shares[seat] = share;
  return { attempt, heldBy: term, threshold, seats, shares };
}

function activate(
  { state, time, genesis }: Pick<BlockContext, "state" | "time" | "genesis">,
  ceremony: Ceremony,
  canary: Uint8Array,
): void {
  const { keyId, term, chain, commitments } = ceremony;
  const groupPoint = must(commitments[0], "group point");
  const made = { keyId, term, chain, groupPoint, active: true, canary, activatedAt: time };
  keys.put(state, keyId, { ...made, ...sharesOf(ceremony) });
  const known = activeKeys.get(state, "only")?.keyIds ?? [];
  activeKeys.put(state, "only", { keyIds: [...known, keyId].sort((a, b) => a - b) });
  // A contract holds its key until it has run the message that brings the next (ETH-1).
  const isHanded = equal(chain, genesis.bitcoin.chain) || !currentKeys.get(state, chain);
  (isHanded ? currentKeys : nextKeys).put(state, chain, { keyId });
}

/** RNG-5: what was dealt for the old shares leaves the state with them. */
function replaceShares(state: State, ceremony: Ceremony, canary: Uint8Array): void {
  const { keyId } = ceremony;
  const key = must(keys.get(state, keyId), "key that is reshared");
  forgetAttempt(state, must(ceremonies.get(state, keyId), "ceremony of the old shares"));
  reshares.delete(state, keyId);
  keys.put(state, keyId, { ...key, ...sharesOf(ceremony), canary });
}
