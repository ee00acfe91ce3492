// Threshold signing by BIP-445 (FROST3): t of n seats make one BIP340 signature under the ring's key and its
// tweaks. Ids are seats 0..n-1. What all of a session's shares have in common is computed once (research:
// threshold 1.4). Scalars are bigint, so not constant time; secret x G is. A wrong input is a value, with the
// seat that sent it where one did.

import type { BadTweak, Tweak, Tweaked } from "@causeway/chain-core/ring";
import { tweakPoint } from "@causeway/chain-core/ring";
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
  sha256,
  taggedHash,
} from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import {
  combine,
  hasEvenY,
  isPoint,
  isSecretKey,
  mod,
  multiply,
  multiplyAdd,
  multiplyBase,
  negate,
  parseScalar,
  publicPoint,
  scalarBytes,
  sum,
  sumMany,
  verifySchnorr,
  xOnly,
} from "@causeway/primitives/secp256k1";
import type { Signers } from "./signers.ts";

/** Rejected because of what one seat sent. */
export type Culprit<Code extends string> = Rejected<Code> & { readonly seat: number };

function culprit<Code extends string>(code: Code, seat: number, message: string): Culprit<Code> {
  return { ...rejected(code, message), seat };
}

/**
 * Sum of public nonces of 66 bytes; an infinite half is 33 zero bytes. Names the seat of a malformed one. 8 us a
 * nonce.
 */
export function aggregateNonces(
  nonces: readonly { readonly seat: number; readonly nonce: Uint8Array }[],
): Uint8Array | Culprit<"bad-nonce"> {
  const halves = nonceSums(nonces.map(({ nonce }) => nonce));
  if (halves !== undefined) return concat(...halves.map((half) => half ?? new Uint8Array(33)));
  const bad = nonces.find(({ nonce }) => !isPublicNonce(nonce));
  const { seat } = must(bad, "a malformed nonce");
  return culprit("bad-nonce", seat, `the public nonce of seat ${seat} is malformed`);
}

/** Both sums, or undefined when one of the nonces is malformed: adding points is what checks them. */
function nonceSums(nonces: readonly Uint8Array[]): readonly (Point | undefined)[] | undefined {
  if (nonces.some((nonce) => nonce.length !== 66)) return undefined;
  try {
    return [0, 33].map((start) =>
      sumMany(nonces.map((nonce) => nonce.subarray(start, start + 33))),
    );
  } catch {
    return undefined;
  }
}

/** True for 66 bytes that are two points. */
function isPublicNonce(nonce: Uint8Array): boolean {
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

/** The session over an aggregate nonce of 66 bytes, a message of any size and tweaks. 0.1 ms. */
export function openSession(
  signers: Signers,
  message: Uint8Array,
  tweaks: readonly Tweak[],
  aggregateNonce: Uint8Array,
): Session | BadTweak | Rejected<"bad-nonce"> {
  const tweaked: Tweaked | BadTweak = tweakPoint(signers.thresholdPoint, tweaks);
  if ("kind" in tweaked) return tweaked;
  if (aggregateNonce.length !== 66) return rejected("bad-nonce", "not 66 bytes of nonce");
  const key = xOnly(tweaked.point);
  const b = mod(
    fromBigEndian(taggedHash("BIP0445/noncecoef", signers.ids, aggregateNonce, key, message)),
  );
  assert(b !== 0n, "a hash is zero");
  const R = finalNonce(aggregateNonce, b);
  if (R === undefined) return rejected("bad-nonce", "the aggregate nonce is malformed");
  const e = mod(fromBigEndian(taggedHash("BIP0340/challenge", xOnly(R), key, message)));
  assert(e !== 0n, "a hash is zero");
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

/** R1 + b R2 of an aggregate nonce, the generator where that is infinite; undefined when a half is malformed. */
function finalNonce(nonce: Uint8Array, b: bigint): Point | undefined {
  const terms = boundTerms(nonce, b).filter(([half]) => !isZero(half));
  try {
    return combine(terms) ?? must(multiplyBase(1n), "generator");
  } catch {
    return undefined;
  }
}

/** R1 + b R2 as terms of a sum, which checks that the halves are points. */
function boundTerms(nonce: Uint8Array, b: bigint): readonly (readonly [Uint8Array, bigint])[] {
  return [
    [nonce.subarray(0, 33), 1n],
    [nonce.subarray(33), b],
  ];
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
  if (signer === undefined || s === undefined || publicNonce.length !== 66) return false;
  const left = multiplyAdd(signer.share, -session.challenge * signer.lambda, s);
  try {
    return samePoint(left, effective(session, combine(boundTerms(publicNonce, session.b))));
  } catch {
    // A half of the nonce is no point.
    return false;
  }
}

/** BIP340 signs with the nonce of even y. */
function effective(session: Session, nonce: Point | undefined): Point | undefined {
  return nonce === undefined || hasEvenY(session.R) ? nonce : negate(nonce);
}

function samePoint(a: Point | undefined, b: Point | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equal(a, b);
}

/** What one seat gave to a session: its public nonce of 66 bytes and its partial signature of 32. */
export type Contribution = {
  readonly seat: number;
  readonly nonce: Uint8Array;
  readonly partial: Uint8Array;
};

/**
 * The seats whose partial signature is not theirs, or malformed: none when all are right. All are tested together,
 * each seat's with a weight of 64 bits out of `entropy`: 32 random bytes that the verifier keeps to itself, because a
 * sender that knows them can make errors that cancel (otherwise 2^-64). The same for all sessions of a set of signers
 * costs 50 us a signer, and others each time 100. One by one only when that fails, 130 us more. Contributions of one
 * seat each, of all signers of the session.
 */
export function verifyPartials(
  session: Session,
  contributions: readonly Contribution[],
  entropy: Uint8Array,
): readonly number[] {
  assert(entropy.length === 32, "entropy is 32 bytes");
  return verifyTogether(session, contributions, entropy) ? [] : wrongOf(session, contributions);
}

function wrongOf(session: Session, contributions: readonly Contribution[]): readonly number[] {
  return contributions
    .filter(({ seat, nonce, partial }) => !verifyPartial(session, seat, nonce, partial))
    .map(({ seat }) => seat);
}

type Weights = {
  readonly entropy: Uint8Array;
  readonly bySeat: ReadonlyMap<number, bigint>;
  /** Sum of weight x lambda x Y: the same in every session of these signers. */
  readonly keys: Point | undefined;
};

const rememberedWeights = new WeakMap<Signers, Weights>();

function weightsOf(signers: Signers, entropy: Uint8Array): Weights {
  const known = rememberedWeights.get(signers);
  if (known !== undefined && equal(known.entropy, entropy)) return known;
  const bySeat = new Map<number, bigint>();
  const keys: [Uint8Array, bigint][] = [];
  for (const [seat, { plain, lambda }] of signers.bySeat) {
    const weight = weightOf(sha256(concat(entropy, bigEndian(seat, 4))));
    bySeat.set(seat, weight);
    keys.push([plain, weight * lambda]);
  }
  const weights = { entropy: entropy.slice(), bySeat, keys: combine(keys) };
  rememberedWeights.set(signers, weights);
  return weights;
}

/** 64 bits as u + v x endomorphism: libsecp256k1 multiplies by halves of 32 bits, one after the other's doublings. */
function weightOf(hash: Uint8Array): bigint {
  return fromBigEndian(hash.subarray(0, 4)) + fromBigEndian(hash.subarray(4, 8)) * endomorphism;
}

/** The cube root of 1 mod the order by which (x, y) to (beta x, y) multiplies a point. */
const endomorphism = 0x5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72n;

/** sum a s G - c sum a lambda Y = sum a R1 + b sum a R2, for random a. */
function verifyTogether(
  session: Session,
  contributions: readonly Contribution[],
  entropy: Uint8Array,
): boolean {
  const { bySeat, keys } = weightsOf(session.signers, entropy);
  // Two of one seat would have one weight, and errors that cancel.
  const seats = new Set(contributions.map(({ seat }) => seat));
  if (seats.size !== contributions.length || seats.size !== bySeat.size) return false;
  const first: [Uint8Array, bigint][] = [];
  const second: [Uint8Array, bigint][] = [];
  let total = 0n;
  for (const { seat, nonce, partial } of contributions) {
    const weight = bySeat.get(seat);
    const s = parseScalar(partial);
    if (weight === undefined || s === undefined || nonce.length !== 66) return false;
    total += weight * s;
    first.push([nonce.subarray(0, 33), weight]);
    second.push([nonce.subarray(33), weight]);
  }
  try {
    const bound = combine(second);
    const nonce = sum([combine(first), bound && multiply(bound, session.b)]);
    const left = sum([multiplyBase(total), keys && multiply(keys, -session.challenge)]);
    return samePoint(left, effective(session, nonce));
  } catch {
    // A nonce is no point.
    return false;
  }
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

/**
 * The signature, verified, or who is to blame that there is none. One verification when all are honest (0.1 ms);
 * each partial's when not (85 us a signer). Contributions of one seat each, of all signers of the session.
 */
export function finish(
  session: Session,
  contributions: readonly Contribution[],
): Uint8Array | Blame | Rejected<"bad-count"> {
  const partials = new Map(contributions.map(({ seat, partial }) => [seat, partial]));
  const signature = aggregate(session, partials);
  if ("kind" in signature && signature.code === "bad-count")
    return rejected("bad-count", signature.message);
  if (!("kind" in signature) && verifySchnorr(session.key, session.message, signature))
    return signature;
  const seats = wrongOf(session, contributions);
  assert(seats.length > 0, "verified partial signatures do not add up");
  return {
    ...rejected("bad-partial", `wrong partial signatures of seats ${seats.join(", ")}`),
    seats,
  };
}

/** Seats whose partial signatures are wrong. */
export type Blame = Rejected<"bad-partial"> & { readonly seats: readonly number[] };
