// What one step of any of the signer's machines gets besides its event: time and randomness (pure inputs).
import type { Bytes32, NetworkId } from "@causeway/primitives";
import { assert, bigEndian, concat, H } from "@causeway/primitives";

export type Turn = {
  readonly nowMs: number;
  /** 32 fresh random bytes at every call. */
  readonly draw: () => Bytes32;
};

/** Expands the 32 random bytes of one step; two calls of `draw` never give the same bytes. */
export function turnOf(network: NetworkId, nowMs: number, entropy: Uint8Array): Turn {
  assert(entropy.length === 32, "entropy is 32 bytes");
  let count = 0;
  const draw = (): Bytes32 => H("signer-entropy", network, concat(entropy, bigEndian(count++, 4)));
  return { nowMs, draw };
}
