// For tests only: who has shares of a key, without the ceremony that makes them.
import { keys } from "../../ring/records.ts";
import type { BlockContext } from "../rule.ts";
import { answerFor } from "./liability.ts";

/** The key is generated, reshared, or, inactive, retired: these owners have its shares. */
export function holdKey(
  block: Pick<BlockContext, "state" | "time">,
  keyId: number,
  by: readonly Uint8Array[],
  active = true,
): void {
  const seats = by.map((validator) => ({ validator, hostKey: new Uint8Array(33) }));
  keys.put(block.state, keyId, {
    keyId,
    attempt: 0,
    term: 0,
    heldBy: 0,
    chain: new Uint8Array(32),
    groupPoint: new Uint8Array(33),
    threshold: 1,
    seats,
    shares: [],
    active,
    canary: new Uint8Array(64),
    activatedAt: 0,
  });
  if (active) answerFor(block, keyId, seats);
}
