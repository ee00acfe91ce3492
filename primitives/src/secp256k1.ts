// secp256k1 on native libsecp256k1 (npm `secp256k1`, the addon itself: its main door falls back to
// elliptic in silence). Importing this file fails when the addon is missing.
//
// publicKeyTweakMul is variable-time: public scalars only. secret x G is `publicPoint` (constant time),
// secret x P is `ecdhPoint` (constant time). Scalar arithmetic is bigint. (research: threshold 1.6)
import addon from "secp256k1/bindings.js";
import { assert } from "./assert.ts";
import type { Bytes32 } from "./bytes.ts";
import { bigEndian, bytes32, compare, concat, equal, fromBigEndian, isZero } from "./bytes.ts";
import { keccak256, taggedHash } from "./hash.ts";

/** Order of the group. */
export const order: bigint = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const field: bigint = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2fn;

/** A point as 33 compressed bytes (02 or 03 first); infinity has no encoding here. */
export type Point = Uint8Array;

export function mod(value: bigint, modulus: bigint = order): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

/** 32 big-endian bytes of `value` mod the order. */
export function scalarBytes(value: bigint): Bytes32 {
  return bytes32(bigEndian(mod(value), 32));
}

/** The scalar in 32 bytes, or undefined when it is not below the order. */
export function parseScalar(bytes: Uint8Array): bigint | undefined {
  return isScalar(bytes) ? fromBigEndian(bytes) : undefined;
}

const orderBytes: Uint8Array = bigEndian(order, 32);

/** True for 32 bytes below the order, zero included. */
export function isScalar(bytes: Uint8Array): boolean {
  return bytes.length === 32 && compare(bytes, orderBytes) < 0;
}

/** 1 / value mod the order, by Fermat; value must not be 0. */
export function invert(value: bigint): bigint {
  assert(mod(value) !== 0n, "zero has no inverse");
  let [r0, r1, s0, s1] = [order, mod(value), 0n, 1n];
  while (r1 !== 0n) {
    const q = r0 / r1;
    [r0, r1] = [r1, r0 - q * r1];
    [s0, s1] = [s1, s0 - q * s1];
  }
  return mod(s0);
}

/** True for 32 bytes in [1, order). */
export function isSecretKey(key: Uint8Array): boolean {
  return key.length === 32 && addon.privateKeyVerify(key);
}

/** True for 33 bytes that are a compressed point of the curve. */
export function isPoint(bytes: Uint8Array): boolean {
  return bytes.length === 33 && addon.publicKeyVerify(bytes);
}

/** True for the x of a point (BIP340's lift_x succeeds). */
export function isXOnly(x: Uint8Array): boolean {
  return x.length === 32 && addon.publicKeyVerify(concat(Uint8Array.of(2), x));
}

/** secret x G in constant time; `secret` in [1, order). */
export function publicPoint(secret: Uint8Array): Point {
  return addon.publicKeyCreate(secret, true);
}

/** scalar x P in variable time: public scalars only. Undefined for infinity. */
export function multiply(point: Point, scalar: bigint): Point | undefined {
  const k = mod(scalar);
  return k === 0n ? undefined : addon.publicKeyTweakMul(point, bigEndian(k, 32), true);
}

/** scalar x G for a *public* scalar; undefined for infinity. */
export function multiplyBase(scalar: bigint): Point | undefined {
  const k = mod(scalar);
  return k === 0n ? undefined : addon.publicKeyCreate(bigEndian(k, 32), true);
}

/**
 * a x P + b x G for *public* scalars, undefined for infinity. One native call, 2/3 of the time of two: a public key
 * recovered from the signature (r, s) = (x(P), a r) over -b r is r^-1 (s P + b r G).
 */
export function multiplyAdd(point: Point, a: bigint, b: bigint): Point | undefined {
  const x = point.subarray(1);
  const r = fromBigEndian(x);
  const s = mod(a * r);
  // No scalar is a point's x from the order on (one in 2^128); the recovery refuses s = 0 and an infinite sum.
  if (r < order && s !== 0n)
    try {
      const signature = concat(x, bigEndian(s, 32));
      return addon.ecdsaRecover(signature, hasEvenY(point) ? 0 : 1, scalarBytes(-b * r), true);
    } catch {}
  return sum([multiply(point, a), multiplyBase(b)]);
}

export function negate(point: Point): Point {
  const out = Uint8Array.from(point);
  out[0] = (out[0] as number) ^ 1;
  return out;
}

/** Sum of points, where undefined stands for infinity. */
export function sum(points: readonly (Point | undefined)[]): Point | undefined {
  const finite = points.filter((point) => point !== undefined);
  if (finite.length <= 1) return finite[0];
  // libsecp256k1 refuses an infinite sum by throwing, and only that once every input is a valid point.
  const last = finite[finite.length - 1] as Point;
  const rest = sum(finite.slice(0, -1));
  if (rest === undefined) return last;
  if (equal(rest, negate(last))) return undefined;
  return addon.publicKeyCombine([rest, last], true);
}

/** Sum of many points by one native call, or one by one where it is infinite. Throws when one is no point. */
export function sumMany(points: readonly Point[]): Point | undefined {
  if (points.length === 0) return undefined;
  try {
    return addon.publicKeyCombine(points, true);
  } catch (error) {
    if (!points.every(isPoint)) throw error;
    return sum(points);
  }
}

/** Sum of k x P over points (33 or 65 bytes) with *public* scalars; undefined for infinity. Throws for no point. */
export function combine(terms: readonly (readonly [Uint8Array, bigint])[]): Point | undefined {
  const products: Uint8Array[] = [];
  for (const [point, scalar] of terms) {
    const k = mod(scalar);
    if (k === 1n) products.push(point);
    else if (k !== 0n) products.push(addon.publicKeyTweakMul(point, bigEndian(k, 32), false));
  }
  if (products.length === 0) return undefined;
  try {
    return addon.publicKeyCombine(products, true);
  } catch {
    return sum(products.map((product) => addon.publicKeyConvert(product, true)));
  }
}

/**
 * Sum of x^k P_k, where undefined is infinity, for a *public* x of few bits, by Horner's rule: 26 us a point, and
 * twice that if a sum on the way is infinite. Throws for no point.
 */
export function evaluatePoints(
  points: readonly (Point | undefined)[],
  x: bigint,
): Point | undefined {
  const multiplier = bigEndian(x, 32);
  let value: Uint8Array | undefined;
  try {
    for (const point of [...points].reverse()) {
      const scaled = value && addon.publicKeyTweakMul(value, multiplier, false);
      if (scaled === undefined || point === undefined) value = scaled ?? point;
      else value = addon.publicKeyCombine([scaled, point], false);
    }
  } catch {
    return points.reduceRight<Point | undefined>(
      (sofar, point) => sum([sofar && multiply(sofar, x), point]),
      undefined,
    );
  }
  return value && addon.publicKeyConvert(value, true);
}

/** The shared point secret x P, 33 bytes compressed, in constant time. */
export function ecdhPoint(point: Point, secret: Uint8Array): Point {
  const out = new Uint8Array(33);
  addon.ecdh(
    point,
    secret,
    {
      hashfn: (x, y) => {
        const shared = new Uint8Array(33);
        shared[0] = 2 + ((y[31] as number) & 1);
        shared.set(x, 1);
        return shared;
      },
    },
    out,
  );
  return out;
}

/** x-only form (BIP340): the x coordinate; the even point is meant. */
export function xOnly(point: Point): Bytes32 {
  return bytes32(point.slice(1));
}

export function hasEvenY(point: Point): boolean {
  return point[0] === 2;
}

export function liftX(x: Uint8Array): Point {
  return concat(Uint8Array.of(2), x);
}

/** BIP340 verification of a 64-byte signature under a 32-byte x-only key; false for anything malformed. */
export function verifySchnorr(
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64 || key.length !== 32) return false;
  const r = signature.subarray(0, 32);
  const s = fromBigEndian(signature.subarray(32));
  if (fromBigEndian(r) >= field || s >= order) return false;
  const e = fromBigEndian(taggedHash("BIP0340/challenge", r, key, message)) % order;
  try {
    const R = multiplyAdd(liftX(key), -e, s);
    return R !== undefined && hasEvenY(R) && equal(R.subarray(1), r);
  } catch {
    // The key is the x of no point.
    return false;
  }
}

/** BIP340 signature; `aux` are 32 fresh random bytes. */
export function signSchnorr(secret: Uint8Array, message: Uint8Array, aux: Uint8Array): Uint8Array {
  const P = publicPoint(secret);
  const d = hasEvenY(P) ? fromBigEndian(secret) : order - fromBigEndian(secret);
  const t = bigEndian(d ^ fromBigEndian(taggedHash("BIP0340/aux", aux)), 32);
  const k0 = fromBigEndian(taggedHash("BIP0340/nonce", t, xOnly(P), message)) % order;
  assert(k0 !== 0n, "nonce is zero");
  const R = publicPoint(bigEndian(k0, 32));
  const k = hasEvenY(R) ? k0 : order - k0;
  const e = fromBigEndian(taggedHash("BIP0340/challenge", xOnly(R), xOnly(P), message)) % order;
  const signature = concat(xOnly(R), bigEndian(mod(k + e * d), 32));
  assert(verifySchnorr(xOnly(P), message, signature), "own BIP340 signature does not verify");
  return signature;
}

/** The 20-byte Ethereum address of a point. */
export function addressOf(point: Point): Uint8Array {
  return keccak256(addon.publicKeyConvert(point, false).subarray(1)).slice(12);
}

/** Recoverable ECDSA: r || s || v with low s and v in {27, 28} (FMT-6). */
export function signRecoverable(secret: Uint8Array, digest: Uint8Array): Uint8Array {
  const { signature, recid } = addon.ecdsaSign(digest, secret);
  return concat(signature, Uint8Array.of(27 + recid));
}

/** Half the group's order: the highest s that counts. */
const highestS: Uint8Array = bigEndian(order / 2n, 32);

/** The point that signed `digest`; undefined when malformed, s is high or v is not 27 or 28 (FMT-6). */
export function recover(digest: Uint8Array, signature: Uint8Array): Point | undefined {
  return recovered(digest, signature, true);
}

/** The 20-byte Ethereum address of who signed, and undefined as in {@link recover}; a point costs 7 us more. */
export function recoverAddress(digest: Uint8Array, signature: Uint8Array): Uint8Array | undefined {
  const point = recovered(digest, signature, false);
  return point && keccak256(point.subarray(1)).subarray(12);
}

function recovered(
  digest: Uint8Array,
  signature: Uint8Array,
  compressed: boolean,
): Uint8Array | undefined {
  if (signature.length !== 65) return undefined;
  const v = signature[64] as number;
  if (v !== 27 && v !== 28) return undefined;
  const s = signature.subarray(32, 64);
  if (isZero(s) || compare(s, highestS) > 0) return undefined;
  try {
    return addon.ecdsaRecover(signature.subarray(0, 64), v - 27, digest, compressed);
  } catch {
    return undefined;
  }
}

/** The point as 65 uncompressed bytes: a native call takes it in a tenth of the time. Throws for no point. */
export function uncompressed(point: Point): Uint8Array {
  return addon.publicKeyConvert(point, false);
}

/** Blinds the addon's context; called once at start with 32 random bytes. */
export function randomizeContext(seed: Uint8Array): void {
  addon.contextRandomize(seed);
}
