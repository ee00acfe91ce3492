// A key's public side and the sets of seats that may sign under it (BIP-445's signers context).

import { evaluate, lagrangeCoefficients } from "@causeway/chain-core/ring";
import type { Rejected } from "@causeway/primitives";
import {
  bigEndian,
  concat,
  equal,
  fromBigEndian,
  keyOf,
  must,
  rejected,
  taggedHash,
} from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import { combine, isPoint, multiply, uncompressed } from "@causeway/primitives/secp256k1";

/** The public side of a key. */
export type Group = {
  readonly n: number;
  readonly t: number;
  /** 33 bytes, any parity, untweaked. */
  readonly thresholdPoint: Point;
  /** Y of each seat that has confirmed its share (RNG-3), 33 bytes. */
  readonly shares: ReadonlyMap<number, Point>;
};

/** A checked set of signers; BIP-445's signers context. May be kept and used for any number of sessions. */
export type Signers = {
  readonly thresholdPoint: Point;
  /** In the order given. */
  readonly seats: readonly number[];
  readonly bySeat: ReadonlyMap<number, Signer>;
  /** Sorted ids of 4 bytes each. */
  readonly ids: Uint8Array;
};

export type Signer = {
  /** Y, 33 bytes. */
  readonly share: Point;
  /** Y again, 65 bytes: decoded without a square root. */
  readonly plain: Uint8Array;
  /** Lagrange's coefficient at 0 among these signers. */
  readonly lambda: bigint;
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

/**
 * BIP-445 ValidateSignersCtx, for any t..n seats of the group. The first time 5 ms at 100/150: the whole group is
 * checked and remembered; then 0.3 ms for 100 signers.
 */
export function validateSigners(
  group: Group,
  seats: readonly number[],
): Signers | Rejected<SignersCode> {
  const { n, t, thresholdPoint, shares } = group;
  if (t < 1 || t > n) return rejected("bad-threshold", `threshold ${t} of ${n}`);
  if (seats.length < t || seats.length > n)
    return rejected("bad-count", `${seats.length} signers for ${t} of ${n}`);
  const { plain, consistent } = checked(group);
  for (const seat of seats) {
    if (!Number.isInteger(seat) || seat < 0 || seat >= n)
      return rejected("bad-seat", `seat ${seat} of ${n}`);
    if (!plain.has(seat))
      return rejected("bad-point", `the public share of seat ${seat} is no point`);
  }
  if (new Set(seats).size !== seats.length)
    return rejected("duplicate-seat", "a seat stands twice among the signers");
  const lambdas = lagrangeCoefficients(seats);
  const bySeat = new Map<number, Signer>();
  for (const [i, seat] of seats.entries())
    bySeat.set(seat, {
      share: must(shares.get(seat), "public share"),
      plain: must(plain.get(seat), "public share"),
      lambda: must(lambdas[i], "lambda"),
    });
  if (!consistent) {
    const key = combine([...bySeat.values()].map((signer) => [signer.plain, signer.lambda]));
    if (key === undefined || !equal(key, thresholdPoint))
      return rejected("wrong-key", "the public shares do not make the threshold key");
  }
  const sorted = [...seats].sort((a, b) => a - b);
  const ids = concat(...sorted.map((seat) => bigEndian(seat, 4)));
  return { thresholdPoint, seats, bySeat, ids };
}

/**
 * True when any t of the group's shares make its key (SCRAPE). 5 ms at 100/150; remembered for the last 16 groups,
 * so that asking at a key's activation spares the first signature the time.
 */
export function isConsistent(group: Group): boolean {
  return checked(group).consistent;
}

/** What is known of a group whoever signs. */
type Checked = {
  /** The shares that are points of seats of the group, 65 bytes each. */
  readonly plain: ReadonlyMap<number, Uint8Array>;
  /** Any t of them interpolate to the threshold key. */
  readonly consistent: boolean;
};

/** Of the groups asked for last, by their hash: a pure function's results, kept because it costs 5 ms. */
const remembered = new Map<string, Checked>();
const rememberedMax = 16;

function checked(group: Group): Checked {
  const { n, t } = group;
  const seats = [...group.shares].filter(
    ([seat, share]) => Number.isInteger(seat) && seat >= 0 && seat < n && share.length === 33,
  );
  const body = new Uint8Array(37 * seats.length);
  for (const [i, [seat, share]] of seats.entries()) {
    body.set(bigEndian(seat, 4), 37 * i);
    body.set(share, 37 * i + 4);
  }
  const size = concat(bigEndian(t, 4), bigEndian(seats.length, 4));
  const hash = taggedHash("causeway/frost-group", size, body, group.thresholdPoint);
  const key = keyOf(hash);
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const plain = new Map<number, Uint8Array>();
  for (const [seat, share] of seats)
    try {
      plain.set(seat, uncompressed(share));
    } catch {
      // No point.
    }
  const [oldest] = remembered.keys();
  if (oldest !== undefined && remembered.size >= rememberedMax) remembered.delete(oldest);
  const result = { plain, consistent: isOrthogonal(group, plain, hash) };
  remembered.set(key, result);
  return result;
}

/**
 * SCRAPE (Cascudo and David, ePrint 2017/216): the key at 0 and the shares lie on one polynomial of degree below t
 * iff a random word of the dual code is orthogonal to them; a false yes has one chance in 2^256. The word comes
 * from the hash of what it tests, so that nobody can choose one after the other.
 */
function isOrthogonal(
  { t, thresholdPoint }: Group,
  plain: ReadonlyMap<number, Uint8Array>,
  hash: Uint8Array,
): boolean {
  if (plain.size < t || !isPoint(thresholdPoint)) return false;
  const xs = [0, ...[...plain.keys()].map((seat) => seat + 1)];
  const random = Array.from({ length: xs.length - t }, (_, k) =>
    fromBigEndian(taggedHash("causeway/frost-dual", hash, bigEndian(k, 4))),
  );
  // 1 / product of (x - others), up to a factor that all have in common: Lagrange's at -1, times x + 1.
  const word = lagrangeCoefficients(xs).map((lambda, i) => {
    const x = must(xs[i], "x");
    return lambda * BigInt(x + 1) * evaluate(random, x - 1);
  });
  const shares = [...plain.values()].map((point, i) => [point, must(word[i + 1], "word")] as const);
  const sum = combine(shares);
  const rest = multiply(thresholdPoint, -must(word[0], "word"));
  return sum === undefined || rest === undefined ? sum === rest : equal(sum, rest);
}
