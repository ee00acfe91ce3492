import { evaluate, evaluateCommitments } from "@causeway/chain-core/ring";
import type { Rejected } from "@causeway/primitives";
import { concat, fromBigEndian, isRejected, must, seeded } from "@causeway/primitives";
import { negate, publicPoint, scalarBytes, verifySchnorr } from "@causeway/primitives/secp256k1";
import { schnorr, schnorr_FROST } from "@noble/curves/secp256k1.js";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { generateNonce } from "./nonce.ts";
import type { Group } from "./signers.ts";
import { isConsistent, validateSigners } from "./signers.ts";
import type { Contribution, Session } from "./signing.ts";
import {
  aggregateNonces,
  finish,
  openSession,
  sign,
  verifyPartial,
  verifyPartials,
} from "./signing.ts";

function accepted<T>(value: T): Exclude<T, Rejected> {
  if (isRejected(value)) throw new Error(`${value.code}: ${value.message}`);
  return value as Exclude<T, Rejected>;
}

const [n, t] = [10, 7];
const random = seeded(1);
const polynomial = Array.from({ length: t }, () => fromBigEndian(random.bytes(32)) >> 1n);
const secrets = Array.from({ length: n }, (_, seat) => scalarBytes(evaluate(polynomial, seat)));
const group: Group = {
  n,
  t,
  thresholdPoint: publicPoint(scalarBytes(must(polynomial[0], "secret"))),
  shares: new Map(secrets.map((secret, seat) => [seat, publicPoint(secret)])),
};

function signAll(
  seats: readonly number[],
  message: Uint8Array,
): { readonly session: Session; readonly contributions: readonly Contribution[] } {
  const pairs = seats.map((seat) => ({
    seat,
    ...accepted(generateNonce(random.bytes(32), { message })),
  }));
  const nonces = accepted(aggregateNonces(pairs));
  const signers = accepted(validateSigners(group, seats));
  const session = accepted(openSession(signers, message, [], nonces));
  const contributions = pairs.map(({ seat, secret, nonce }) => ({
    seat,
    nonce,
    partial: accepted(sign(session, secret, must(secrets[seat], "share"), seat)),
  }));
  return { session, contributions };
}

const seats = fc.shuffledSubarray([...Array(n).keys()], { minLength: t, maxLength: n });

describe("partial signatures together", () => {
  test("are right when each is, and name exactly those that are not", () => {
    const property = fc.property(
      seats,
      fc.uint8Array({ maxLength: 40 }),
      fc.infiniteStream(fc.constantFrom(0n, 0n, 0n, 1n, -1n, 7n)),
      (signers, message, errors) => {
        const { session, contributions } = signAll(signers, message);
        const entropy = random.bytes(32);
        expect(verifyPartials(session, contributions, entropy)).toEqual([]);
        const added = [...errors.take(signers.length)];
        const sent = contributions.map((one, i) => ({
          ...one,
          partial: scalarBytes(fromBigEndian(one.partial) + must(added[i], "error")),
        }));
        const wrong = signers.filter((_, i) => added[i] !== 0n);
        expect(verifyPartials(session, sent, entropy)).toEqual(wrong);
        expect(verifyPartials(session, contributions, random.bytes(32))).toEqual([]);
        // Errors that cancel spoil no signature, and blame nobody.
        const finished = finish(session, sent);
        if (added.reduce<bigint>((sum, one) => sum + one, 0n) !== 0n)
          expect(finished).toMatchObject({ code: "bad-partial", seats: wrong });
        else expect(verifySchnorr(session.key, message, accepted(finished))).toBe(true);
      },
    );
    void fc.assert(property, { numRuns: 30 });
  });

  test("that are malformed, or of another, are their sender's fault alone", () => {
    const { session, contributions } = signAll([0, 1, 2, 3, 4, 5, 6], new Uint8Array(32));
    const spoil = (seat: number, change: Partial<Contribution>): readonly Contribution[] =>
      contributions.map((one) => (one.seat === seat ? { ...one, ...change } : one));
    const lists = [
      spoil(2, { partial: new Uint8Array(32).fill(255) }),
      spoil(2, { partial: new Uint8Array(31) }),
      spoil(2, { nonce: new Uint8Array(66) }),
      spoil(2, { nonce: new Uint8Array(65) }),
      spoil(2, { nonce: must(contributions[3], "other").nonce }),
      spoil(2, { partial: must(contributions[3], "other").partial }),
    ];
    for (const list of lists) {
      expect(verifyPartials(session, list, random.bytes(32))).toEqual([2]);
      const two = must(list[2], "contribution");
      expect(verifyPartial(session, 2, two.nonce, two.partial)).toBe(false);
    }
    expect(finish(session, contributions.slice(1))).toMatchObject({ code: "bad-count" });

    // Two more of one seat, wrong, which cancel.
    const { nonce } = must(contributions[3], "other");
    const halves = [nonce.slice(0, 33), nonce.slice(33)];
    const more = [
      { seat: 2, nonce, partial: scalarBytes(5n) },
      { seat: 2, nonce: concat(...halves.map(negate)), partial: scalarBytes(-5n) },
    ];
    const list = [...contributions, ...more];
    expect(verifyPartials(session, list, random.bytes(32))).toEqual([2, 2]);
    expect(verifyPartials(session, contributions.slice(1), random.bytes(32))).toEqual([]);
  });
});

describe("a group", () => {
  test("with a share that does not fit is good only for sets without it", () => {
    expect(isConsistent(group)).toBe(true);
    expect(isConsistent({ ...group, t: n })).toBe(true);
    const shares = new Map(group.shares).set(9, publicPoint(scalarBytes(5n)));
    const spoilt: Group = { ...group, shares };
    expect(isConsistent(spoilt)).toBe(false);
    expect(validateSigners(spoilt, [9, 1, 2, 3, 4, 5, 6])).toMatchObject({ code: "wrong-key" });
    expect(validateSigners(spoilt, [0, 1, 2, 3, 4, 5, 6])).toHaveProperty("ids");
    const raised: Group = { ...group, t: t - 1 };
    expect(validateSigners(raised, [0, 1, 2, 3, 4, 5])).toMatchObject({ code: "wrong-key" });
    const other: Group = { ...group, thresholdPoint: publicPoint(scalarBytes(5n)) };
    expect(validateSigners(other, [0, 1, 2, 3, 4, 5, 6])).toMatchObject({ code: "wrong-key" });
  });

  test("that is remembered refuses what it did not hold", () => {
    const fewer = new Map([...group.shares].slice(0, t));
    expect(validateSigners({ ...group, shares: fewer }, [...fewer.keys()])).toHaveProperty("ids");
    const missing = validateSigners({ ...group, shares: fewer }, [1, 2, 3, 4, 5, 6, 9]);
    expect(missing).toMatchObject({ code: "bad-point" });
  });
});

describe("noble's FROST", () => {
  const id = (seat: number): string => schnorr_FROST.Identifier.fromNumber(seat + 1);

  test("deals the same shares and public shares from one polynomial", () => {
    const property = fc.property(
      fc.infiniteStream(fc.uint8Array({ minLength: 32, maxLength: 32 })),
      (stream) => {
        const signers = { min: 3, max: 5 };
        const bytes = stream[Symbol.iterator]();
        const rng = (size = 32): Uint8Array => {
          const chunks = Array.from({ length: Math.ceil(size / 32) }, () => bytes.next().value);
          return Uint8Array.from(chunks.flatMap((chunk) => [...chunk])).subarray(0, size);
        };
        const dealers = [0, 1, 2, 3, 4].map((seat) =>
          schnorr_FROST.DKG.round1(id(seat), signers, undefined, rng),
        );
        const others = dealers.slice(1).map((dealer) => dealer.public);
        const first = must(dealers[0], "dealer").secret;
        const coefficients = must(first.coefficients, "coefficients").slice();
        const sent = schnorr_FROST.DKG.round2(first, others);
        for (const seat of [1, 2, 3, 4]) {
          const share = must(sent[id(seat)], "share").signingShare;
          expect(share).toEqual(scalarBytes(evaluate(coefficients, seat)));
          expect(evaluateCommitments(first.commitment, seat)).toEqual(publicPoint(share));
        }
      },
    );
    void fc.assert(property, { numRuns: 5 });
  });

  test("holds shares that sign here, under the same key", () => {
    const property = fc.property(seats, fc.uint8Array({ maxLength: 40 }), (chosen, message) => {
      const dealt = schnorr_FROST.trustedDealer({ min: t, max: n });
      const thresholdPoint = must(dealt.public.commitments[0], "group key");
      const shareOf = (seat: number): Uint8Array =>
        must(dealt.secretShares[id(seat)], "share").signingShare;
      const shares = new Map(
        [...Array(n).keys()].map((seat) => [
          seat,
          must(dealt.public.verifyingShares[id(seat)], "verifying share"),
        ]),
      );
      const signers = accepted(validateSigners({ n, t, thresholdPoint, shares }, chosen));
      const pairs = chosen.map((seat) => ({
        seat,
        ...accepted(generateNonce(random.bytes(32), { message })),
      }));
      const session = accepted(openSession(signers, message, [], accepted(aggregateNonces(pairs))));
      const contributions = pairs.map(({ seat, secret, nonce }) => ({
        seat,
        nonce,
        partial: accepted(sign(session, secret, shareOf(seat), seat)),
      }));
      const signature = accepted(finish(session, contributions));

      expect(schnorr.verify(signature, message, thresholdPoint.slice(1))).toBe(true);
    });
    void fc.assert(property, { numRuns: 5 });
  });
});
