// Tweaks of the ring's key as BIP-445's tweak context does: the ledger derives Taproot output keys with them
// (BTC-1: K is the untweaked key, never an output key) and the ring signs under them. Public: variable time.
import type { Bytes32, Rejected } from "@causeway/primitives";
import { rejected, taggedHash } from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import {
  hasEvenY,
  isPoint,
  mod,
  multiplyBase,
  negate,
  parseScalar,
  sum,
  xOnly,
} from "@causeway/primitives/secp256k1";

/** 32 bytes added to the key; `xOnly` (BIP341) adds it to the even point, plain (BIP32) to the point as it is. */
export type Tweak = { readonly tweak: Uint8Array; readonly xOnly: boolean };

/** BIP-445's tweak context: the tweaked point and the accumulated sign (1 or -1) and tweak mod the order. */
export type Tweaked = { readonly point: Point; readonly sign: bigint; readonly tweak: bigint };

export type BadTweak = Rejected<
  /** The threshold point is no point. */
  | "bad-point"
  /** Not 32 bytes, or not below the order. */
  | "bad-tweak"
  /** The tweaked key would be infinite. */
  | "infinite-key"
>;

/** The threshold point (33 bytes, any parity) under `tweaks`, in order. */
export function tweakPoint(thresholdPoint: Point, tweaks: readonly Tweak[]): Tweaked | BadTweak {
  if (!isPoint(thresholdPoint)) return rejected("bad-point", "the threshold key is no point");
  let tweaked: Tweaked = { point: thresholdPoint, sign: 1n, tweak: 0n };
  for (const step of tweaks) {
    const scalar = parseScalar(step.tweak);
    if (scalar === undefined)
      return rejected("bad-tweak", "a tweak is not 32 bytes below the order");
    const flip = step.xOnly && !hasEvenY(tweaked.point);
    const base = flip ? negate(tweaked.point) : tweaked.point;
    const point = sum([base, multiplyBase(scalar)]);
    if (point === undefined) return rejected("infinite-key", "the tweaked key is infinite");
    tweaked = {
      point,
      sign: flip ? -tweaked.sign : tweaked.sign,
      tweak: mod(scalar + (flip ? -tweaked.tweak : tweaked.tweak)),
    };
  }
  return tweaked;
}

/** BIP341: the tweak of an internal key (x of `thresholdPoint`) by a script tree; no root for an empty one. */
export function taprootTweak(thresholdPoint: Point, merkleRoot?: Uint8Array): Tweak {
  const root = merkleRoot ?? new Uint8Array(0);
  return { tweak: taggedHash("TapTweak", xOnly(thresholdPoint), root), xOnly: true };
}

/** The x-only key that a signature by the ring under `tweaks` verifies with; parity is that of its point. */
export function outputKey(
  thresholdPoint: Point,
  tweaks: readonly Tweak[],
): { readonly key: Bytes32; readonly parity: 0 | 1 } | BadTweak {
  const tweaked = tweakPoint(thresholdPoint, tweaks);
  if ("kind" in tweaked) return tweaked;
  return { key: xOnly(tweaked.point), parity: hasEvenY(tweaked.point) ? 0 : 1 };
}
