// Threshold signing by BIP-445 (FROST3): t of n seats make one BIP340 signature under the ring's key and its
// tweaks. Ids are seats 0..n-1. What all of a session's shares have in common is computed once (research:
// threshold 1.4). Scalars are bigint, so not constant time; secret x G is. A wrong input is a value, with the
// seat that sent it where one did.

import type { BadTweak, Tweak, Tweaked } from "@causeway/chain-core/ring";
import { lagrangeCoefficients, tweakPoint } from "@causeway/chain-core/ring";
import type { Bytes32, Rejected } from "@causeway/primitives";
import {
  assert,
  bigEndian,
  concat,
  equal,
  fromBigEndian,
  isZero,
  must,
  rejected,
  taggedHash,
} from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import {
  hasEvenY,
  isPoint,
  isSecretKey,
  mod,
  multiply,
  multiplyBase,
  negate,
  parseScalar,
  publicPoint,
  scalarBytes,
  sum,
  sumMany,
  xOnly,
} from "@causeway/primitives/secp256k1";

/** Rejected because of what one seat sent. */
export type Culprit<Code extends string> = Rejected<Code> & { readonly seat: number };

function culprit<Code extends string>(code: Code, seat: number, message: string): Culprit<Code> {
  return { ...rejected(code, message), seat };
}

/** The public side of a key. */
export type Group = {
  readonly n: number;
  readonly t: number;
  /** 33 bytes, any parity, untweaked. */
  readonly thresholdPoint: Point;
  /** Y of each seat that has confirmed its share (RNG-3). */
  readonly shares: ReadonlyMap<number, Point>;
};

/** A checked set of signers; BIP-445's signers context. May be kept and used for any number of sessions. */
export type Signers = {
  readonly thresholdPoint: Point;
  /** In the order given. */
  readonly seats: readonly number[];
  readonly bySeat: ReadonlyMap<number, { readonly share: Point; readonly lambda: bigint }>;
  /** Sorted ids of 4 bytes each. */
  readonly ids: Uint8Array;
};

export type SignersCode =
  /** Not 1 <= t <= n. */
  | "bad-threshold"
  /** Not between t and n signers. */
  | "bad-count"
  /** A seat outside 0..n-1. */
  | "bad-seat"
  /** A public share that is missing or no point. */
  | "bad-point"
  | "duplicate-seat"
  /** The public shares do not interpolate to the threshold key. */
  | "wrong-key";

/** BIP-445 ValidateSignersCtx. One multiplication a signer: 3 ms for 100. */
export function validateSigners(
  group: Group,
  seats: readonly number[],
): Signers | Rejected<SignersCode> {
  const { n, t, thresholdPoint, shares } = group;
  if (t < 1 || t > n) return rejected("bad-threshold", `threshold ${t} of ${n}`);
  if (seats.length < t || seats.length > n)
    return rejected("bad-count", `${seats.length} signers for ${t} of ${n}`);
  for (const seat of seats) {
    if (!Number.isInteger(seat) || seat < 0 || seat >= n)
      return rejected("bad-seat", `seat ${seat} of ${n}`);
    if (!isPoint(shares.get(seat) ?? new Uint8Array(0)))
      return rejected("bad-point", `the public share of seat ${seat} is no point`);
  }
  if (new Set(seats).size !== seats.length)
    return rejected("duplicate-seat", "a seat stands twice among the signers");
  const lambdas = lagrangeCoefficients(seats);
  const bySeat = new Map<number, { readonly share: Point; readonly lambda: bigint }>();
  for (const [i, seat] of seats.entries())
    bySeat.set(seat, {
      share: must(shares.get(seat), "public share"),
      lambda: must(lambdas[i], "lambda"),
    });
  const parts = [...bySeat.values()].map(({ share, lambda }) => multiply(share, lambda));
  const key = sumMany(parts.filter((part) => part !== undefined));
  if (key === undefined || !equal(key, thresholdPoint))
    return rejected("wrong-key", "the public shares do not make the threshold key");
  const sorted = [...seats].sort((a, b) => a - b);
  const ids = concat(...sorted.map((seat) => bigEndian(seat, 4)));
  return { thresholdPoint, seats, bySeat, ids };
}

/** Sum of public nonces of 66 bytes; an infinite half is 33 zero bytes. Names the seat of a malformed one. */
export function aggregateNonces(
  nonces: readonly { readonly seat: number; readonly nonce: Uint8Array }[],
): Uint8Array | Culprit<"bad-nonce"> {
  for (const { seat, nonce } of nonces)
    if (!isPublicNonce(nonce))
      return culprit("bad-nonce", seat, `the public nonce of seat ${seat} is malformed`);
  const halves = [0, 33].map((start) =>
    sumMany(nonces.map(({ nonce }) => nonce.subarray(start, start + 33))),
  );
  return concat(...halves.map((half) => half ?? new Uint8Array(33)));
}

/** True for 66 bytes that are two points. */
export function isPublicNonce(nonce: Uint8Array): boolean {
  return nonce.length === 66 && isPoint(nonce.subarray(0, 33)) && isPoint(nonce.subarray(33));
}

/** Everything that a session's shares have in common (BIP-445 GetSessionValues). */
export type Session = {
  readonly signers: Signers;
  readonly message: Uint8Array;
  /** x of the tweaked key: what the signature verifies with. */
  readonly key: Bytes32;
  /** Binding coefficient. */
  readonly b: bigint;
  /** Final nonce point. */
  readonly R: Point;
  /** BIP340 challenge times the signs of key and tweaks (g gacc): the factor of lambda x share. */
  readonly challenge: bigint;
  /** What the tweaks add to the sum of shares. */
  readonly tweakTerm: bigint;
};

/** The session over an aggregate nonce of 66 bytes, a message of any size and tweaks. 0.2 ms. */
export function openSession(
  signers: Signers,
  message: Uint8Array,
  tweaks: readonly Tweak[],
  aggregateNonce: Uint8Array,
): Session | BadTweak | Rejected<"bad-nonce"> {
  const tweaked: Tweaked | BadTweak = tweakPoint(signers.thresholdPoint, tweaks);
  if ("kind" in tweaked) return tweaked;
  if (aggregateNonce.length !== 66) return rejected("bad-nonce", "not 66 bytes of nonce");
  const R1 = aggregateNonce.subarray(0, 33);
  const R2 = aggregateNonce.subarray(33);
  if (!isPointOrInfinity(R1) || !isPointOrInfinity(R2))
    return rejected("bad-nonce", "the aggregate nonce is malformed");
  const key = xOnly(tweaked.point);
  const b = mod(
    fromBigEndian(taggedHash("BIP0445/noncecoef", signers.ids, aggregateNonce, key, message)),
  );
  const finite1 = isZero(R1) ? undefined : R1;
  const finite2 = isZero(R2) ? undefined : multiply(R2, b);
  const R = sum([finite1, finite2]) ?? must(multiplyBase(1n), "generator");
  const e = mod(fromBigEndian(taggedHash("BIP0340/challenge", xOnly(R), key, message)));
  assert(b !== 0n && e !== 0n, "a hash is zero");
  const signed = hasEvenY(tweaked.point) ? e : -e;
  return {
    signers,
    message,
    key,
    b,
    R,
    challenge: mod(signed * tweaked.sign),
    tweakTerm: mod(signed * tweaked.tweak),
  };
}

function isPointOrInfinity(bytes: Uint8Array): boolean {
  return isZero(bytes) || isPoint(bytes);
}

export type SignCode =
  /** A half of the secret nonce is zero (used before) or not below the order. */
  | "bad-nonce"
  /** The secret share is zero or not below the order. */
  | "bad-share"
  /** The seat is not among the signers. */
  | "unknown-signer"
  /** The secret share is not that of the seat. */
  | "wrong-share";

/**
 * The partial signature, 32 bytes. Overwrites `secretNonce` (64 bytes) with zeros whenever it is in range, so
 * that these bytes never sign twice, and verifies its own result before it returns it. 0.2 ms.
 */
export function sign(
  session: Session,
  secretNonce: Uint8Array,
  secretShare: Uint8Array,
  seat: number,
): Bytes32 | Rejected<SignCode> {
  if (!isSecretNonce(secretNonce)) return rejected("bad-nonce", "secret nonce out of range");
  const first = secretNonce.slice(0, 32);
  const second = secretNonce.slice(32);
  secretNonce.fill(0);
  if (!isSecretKey(secretShare)) return rejected("bad-share", "secret share out of range");
  const signer = session.signers.bySeat.get(seat);
  if (signer === undefined) return rejected("unknown-signer", `seat ${seat} does not sign here`);
  if (!equal(publicPoint(secretShare), signer.share))
    return rejected("wrong-share", `the secret share is not that of seat ${seat}`);
  const k = fromBigEndian(first) + session.b * fromBigEndian(second);
  const d = session.challenge * signer.lambda * fromBigEndian(secretShare);
  const partial = scalarBytes((hasEvenY(session.R) ? k : -k) + d);
  const publicNonce = concat(publicPoint(first), publicPoint(second));
  first.fill(0);
  second.fill(0);
  assert(verifyPartial(session, seat, publicNonce, partial), "own partial signature is wrong");
  return partial;
}

function isSecretNonce(nonce: Uint8Array): boolean {
  return (
    nonce.length === 64 && isSecretKey(nonce.subarray(0, 32)) && isSecretKey(nonce.subarray(32))
  );
}

/** True iff `partial` is the seat's share for its public nonce in this session; false if malformed. 0.1 ms. */
export function verifyPartial(
  session: Session,
  seat: number,
  publicNonce: Uint8Array,
  partial: Uint8Array,
): boolean {
  const signer = session.signers.bySeat.get(seat);
  const s = parseScalar(partial);
  if (signer === undefined || s === undefined || !isPublicNonce(publicNonce)) return false;
  const nonce = sum([publicNonce.slice(0, 33), multiply(publicNonce.slice(33), session.b)]);
  const effective = nonce === undefined || hasEvenY(session.R) ? nonce : negate(nonce);
  const term = multiply(signer.share, session.challenge * signer.lambda);
  const expected = sum([effective, term]);
  const actual = multiplyBase(s);
  if (actual === undefined || expected === undefined) return actual === expected;
  return equal(actual, expected);
}

/**
 * The BIP340 signature of 64 bytes from one partial of each signer. It verifies iff all partials do: a caller
 * that has not verified them verifies it.
 */
export function aggregate(
  session: Session,
  partials: ReadonlyMap<number, Uint8Array>,
): Uint8Array | Culprit<"bad-partial"> | Rejected<"bad-count"> {
  const { seats } = session.signers;
  if (partials.size !== seats.length)
    return rejected("bad-count", `${partials.size} partial signatures of ${seats.length}`);
  let s = session.tweakTerm;
  for (const seat of seats) {
    const partial = partials.get(seat);
    if (partial === undefined) return rejected("bad-count", `seat ${seat} has not signed`);
    const scalar = parseScalar(partial);
    if (scalar === undefined)
      return culprit("bad-partial", seat, `the partial signature of seat ${seat} is no scalar`);
    s += scalar;
  }
  return concat(xOnly(session.R), scalarBytes(s));
}
