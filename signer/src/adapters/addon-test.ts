// Whether the native addon computes what @noble/curves computes: an addon built wrong would sign with wrong numbers.
import { equal, toHex } from "@causeway/primitives";
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import {
  combine,
  isSecretKey,
  multiplyAdd,
  order,
  publicPoint,
  signSchnorr,
  verifySchnorr,
  xOnly,
} from "@causeway/primitives/secp256k1";
import { schnorr, secp256k1 } from "@noble/curves/secp256k1.js";

const { Point } = secp256k1;
const rounds = 8;

/** Undefined when k x G, a tweak, a sum and a signature of fresh numbers agree; else which does not. */
export function selfTest(): string | undefined {
  for (let round = 0; round < rounds; round++) {
    const [a, b] = [systemEntropy(32), systemEntropy(32)];
    if (!isSecretKey(a) || !isSecretKey(b)) continue;
    const [x, y] = [a, b].map((bytes) => BigInt(`0x${toHex(bytes)}`)) as [bigint, bigint];
    const [p, q] = [publicPoint(a), publicPoint(b)];
    const [P, Q] = [Point.BASE.multiply(x), Point.BASE.multiply(y)];
    if (!equal(p, P.toBytes())) return "k x G differs";
    const tweaked = P.multiply(y).add(Point.BASE.multiply(x));
    if (!same(multiplyAdd(p, y, x), tweaked)) return "a x P + b x G differs";
    const sum = P.multiply(y).add(Q.multiply(x));
    const combined = combine([
      [p, y],
      [q, x],
    ]);
    if (!same(combined, sum)) return "a sum of multiples differs";
    const signature = signSchnorr(a, b, systemEntropy(32));
    if (!schnorr.verify(signature, b, xOnly(p))) return "a signature does not verify";
    if (!verifySchnorr(xOnly(p), b, schnorr.sign(b, a))) return "a right signature is refused";
  }
  return order === Point.Fn.ORDER ? undefined : "the order differs";
}

function same(ours: Uint8Array | undefined, theirs: InstanceType<typeof Point>): boolean {
  return ours !== undefined && equal(ours, theirs.toBytes());
}
