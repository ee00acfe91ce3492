// Proof that two points have one discrete logarithm: log_G A = log_B C (Chaum and Pedersen), as BIP-374 writes
// it. A complaint proves with it that the revealed shared point is the right one (research: threshold 3.3).
import { assert, bigEndian, concat, equal, fromBigEndian, taggedHash } from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import {
  ecdhPoint,
  isPoint,
  mod,
  multiply,
  multiplyBase,
  negate,
  parseScalar,
  publicPoint,
  scalarBytes,
  sum,
} from "@causeway/primitives/secp256k1";

const generator: Point = publicPoint(bigEndian(1, 32));

/**
 * 64 bytes e || s that prove, for secret a, that A = a G and C = a B. `aux` are 32 fresh random bytes; `message`
 * of any size is bound; `base` replaces G. Constant time in the secrets but for bigint arithmetic.
 */
export function proveDleq(
  secret: Uint8Array,
  B: Point,
  aux: Uint8Array,
  message: Uint8Array,
  base: Point = generator,
): Uint8Array {
  const A = ecdhPoint(base, secret);
  const C = ecdhPoint(B, secret);
  const a = fromBigEndian(secret);
  const masked = bigEndian(a ^ fromBigEndian(taggedHash("BIP0374/aux", aux)), 32);
  const k = mod(fromBigEndian(taggedHash("BIP0374/nonce", masked, A, C, message)));
  assert(k !== 0n, "nonce is zero");
  const nonce = scalarBytes(k);
  const R1 = ecdhPoint(base, nonce);
  const R2 = ecdhPoint(B, nonce);
  const e = challenge(A, B, C, base, R1, R2, message);
  const proof = concat(e, scalarBytes(k + fromBigEndian(e) * a));
  assert(verifyDleq(A, B, C, proof, message, base), "own DLEQ proof does not verify");
  return proof;
}

/** True iff `proof` shows that log_base A = log_B C; false for anything malformed. */
export function verifyDleq(
  A: Uint8Array,
  B: Uint8Array,
  C: Uint8Array,
  proof: Uint8Array,
  message: Uint8Array,
  base: Point = generator,
): boolean {
  if (!isPoint(A) || !isPoint(B) || !isPoint(C) || proof.length !== 64) return false;
  const s = parseScalar(proof.subarray(32));
  if (s === undefined) return false;
  const e = fromBigEndian(proof.subarray(0, 32));
  const sBase = equal(base, generator) ? multiplyBase(s) : multiply(base, s);
  const R1 = sum([sBase, multiply(negate(A), e)]);
  const R2 = sum([multiply(B, s), multiply(negate(C), e)]);
  if (R1 === undefined || R2 === undefined) return false;
  return equal(proof.subarray(0, 32), challenge(A, B, C, base, R1, R2, message));
}

function challenge(
  A: Point,
  B: Point,
  C: Point,
  base: Point,
  R1: Point,
  R2: Point,
  message: Uint8Array,
): Uint8Array {
  return taggedHash("BIP0374/challenge", A, B, C, base, R1, R2, message);
}
