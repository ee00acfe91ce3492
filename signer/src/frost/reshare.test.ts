import type { CeremonyParams, Complaint, Deal, OldRing } from "@causeway/chain-core/ring";
import {
  acceptDeals,
  ceremonyContext,
  countedSeats,
  hashDeals,
  judgeComplaint,
  mergeDeals,
  verifyConfirm,
  verifyDeal,
} from "@causeway/chain-core/ring";
import type { NetworkId, Rejected } from "@causeway/primitives";
import { bytes32, isRejected, must, seeded } from "@causeway/primitives";
import { multiply, publicPoint, scalarBytes } from "@causeway/primitives/secp256k1";
import { schnorr } from "@noble/curves/secp256k1.js";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeComplaint, makeConfirm, makeDeal, openAccepted, openDeals } from "./keygen.ts";
import { generateNonce } from "./nonce.ts";
import type { Group } from "./signers.ts";
import { isConsistent, validateSigners } from "./signers.ts";
import { aggregateNonces, finish, openSession, sign } from "./signing.ts";
import type { TestRing } from "./testing.ts";
import {
  complete,
  forgeDeal,
  generateRing,
  redealAll,
  reshareRing,
  shiftShares,
  testResharing,
} from "./testing.ts";

function accepted<T>(value: T): Exclude<T, Rejected> {
  if (isRejected(value)) throw new Error(`${value.code}: ${value.message}`);
  return value as Exclude<T, Rejected>;
}

const same = (deal: Deal): Deal => deal;

/** What these seats make together: a signature, or why there is none. */
function signWith(
  group: Group,
  secrets: ReadonlyMap<number, Uint8Array>,
  message: Uint8Array,
): Uint8Array | Rejected {
  const random = seeded(9);
  const seats = [...secrets.keys()];
  const signers = validateSigners(group, seats);
  if (isRejected(signers)) return signers;
  const pairs = seats.map((seat) => ({
    seat,
    ...accepted(generateNonce(random.bytes(32), { message })),
  }));
  const session = accepted(openSession(signers, message, [], accepted(aggregateNonces(pairs))));
  const contributions = [];
  for (const { seat, secret, nonce } of pairs) {
    const partial = sign(session, secret, must(secrets.get(seat), "share"), seat);
    if (isRejected(partial)) return partial;
    contributions.push({ seat, nonce, partial });
  }
  return finish(session, contributions);
}

function secretsOf(ring: TestRing, seats: readonly number[]): ReadonlyMap<number, Uint8Array> {
  return new Map(seats.map((seat) => [seat, must(ring.shares[seat], "share")]));
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const subset = (n: number, minLength: number) =>
  fc.shuffledSubarray([...Array(n).keys()], { minLength, maxLength: n });

describe("a resharing", () => {
  test("from 3/4 to 7/10 to 4/6 keeps the key, which any t new shares sign with (RNG-2)", () => {
    const property = fc.property(
      seeds,
      subset(10, 7),
      subset(6, 4),
      fc.uint8Array({ maxLength: 80 }),
      (seed, among10, among6, message) => {
        const random = seeded(seed);
        const first = generateRing(4, 3, random);
        const second = reshareRing(first, 10, 7, random);
        const third = reshareRing(second, 6, 4, random);
        const key = first.group.thresholdPoint;
        for (const [ring, seats] of [
          [second, among10],
          [third, among6],
        ] as const) {
          expect(ring.group.thresholdPoint).toEqual(key);
          expect(isConsistent(ring.group)).toBe(true);
          const signature = accepted(signWith(ring.group, secretsOf(ring, seats), message));
          expect(schnorr.verify(signature, message, key.slice(1))).toBe(true);
        }
        expect(third.params.attempt).toBe(2);
      },
    );
    void fc.assert(property, { numRuns: 5 });
  });

  test("mixes with no share of the ring before it", () => {
    const property = fc.property(seeds, subset(4, 3), fc.nat(), (seed, seats, which) => {
      const random = seeded(seed);
      const old = generateRing(4, 3, random);
      const next = reshareRing(old, 4, 3, random);
      const swapped = must(seats[which % seats.length], "seat");
      const other = must(old.shares[swapped], "old share");
      const secrets = new Map(secretsOf(next, seats)).set(swapped, other);
      expect(signWith(next.group, secrets, other)).toMatchObject({ code: "wrong-share" });
      // Even if all parties agree on the mixed shares as the group's.
      const shares = new Map(next.group.shares).set(swapped, publicPoint(other));
      const mixed = { ...next.group, shares };
      expect(isConsistent(mixed)).toBe(false);
      expect(signWith(mixed, secrets, other)).toMatchObject({ code: "wrong-key" });
    });
    void fc.assert(property, { numRuns: 10 });
  });

  test("counts the first t valid deals, whoever of the others has not dealt", () => {
    const random = seeded(1);
    const old = generateRing(10, 7, random);
    const ceremony = testResharing(old, 4, 3, random);
    const deals = redealAll(ceremony, old, random);
    const some = deals.filter(({ seat }) => ![0, 4, 5].includes(seat));
    const next = complete(ceremony, some, random);
    expect(next.deals.map(({ seat }) => seat)).toEqual([1, 2, 3, 6, 7, 8, 9]);
    expect(next.group.thresholdPoint).toEqual(old.group.thresholdPoint);
    const { params } = ceremony;
    expect(countedSeats(params, [0, 1, 2, 3, 4, 5, 6, 9])).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(countedSeats(params, [0, 1, 2, 3, 4, 5])).toBeUndefined();
    expect(countedSeats(old.params, [0, 1, 2, 3, 4, 5, 9])).toEqual([0, 1, 2, 3, 4, 5, 9]);
    expect(countedSeats(old.params, [0, 1, 2, 3, 4, 5])).toBeUndefined();
    expect(mergeDeals(params, some.slice(1))).toMatchObject({ code: "wrong-key" });
    expect(mergeDeals(params, [])).toMatchObject({ code: "no-deals" });
  });

  test("gives the same share again from the deals and the host key alone (RNG-5)", () => {
    const random = seeded(2);
    const old = generateRing(4, 3, random);
    const { context, params, deals, hostSecrets, shares } = reshareRing(old, 4, 3, random);
    const judged = accepted(acceptDeals(context, params, deals));
    expect(judged).toEqual({
      deals,
      merged: mergeDeals(params, deals),
      dealsHash: hashDeals(context, params, deals),
    });
    const host = must(hostSecrets[3], "host");
    const again = openAccepted(context, params, 3, host, judged, new Uint8Array(32));
    expect(again).toMatchObject({ kind: "opened", share: shares[3] });
  });

  test("of a key with a group point that is not its shares' is refused", () => {
    const random = seeded(3);
    const { context, params, deals } = reshareRing(generateRing(4, 3, random), 4, 3, random);
    const from: OldRing = {
      ...must(params.from, "old ring"),
      groupPoint: publicPoint(scalarBytes(5n)),
    };
    expect(mergeDeals({ ...params, from }, deals)).toMatchObject({ code: "wrong-key" });
    expect(ceremonyContext({ ...params, from })).not.toEqual(context);
  });
});

describe("a dealer with a broken random generator", () => {
  const random = seeded(4);
  const old = generateRing(4, 3, random);
  const host = must(old.hostSecrets[0], "host");
  const zero = new Uint8Array(32);

  test("deals another polynomial in each attempt, and with each share", () => {
    const { context, params } = testResharing(old, 4, 3, random);
    const deal = makeDeal(context, params, 0, host, zero, old.shares[0]);
    const later = { ...params, attempt: params.attempt + 1 };
    const again = makeDeal(ceremonyContext(later), later, 0, host, zero, old.shares[0]);
    expect(again.commitments[0]).toEqual(deal.commitments[0]);
    expect(again.ephemeral).not.toEqual(deal.ephemeral);
    for (const k of [1, 2]) expect(again.commitments[k]).not.toEqual(deal.commitments[k]);

    // The same host key, context and entropy with another share: the share itself hedges.
    const other = scalarBytes(77n);
    const from = must(params.from, "old ring");
    const shares = [publicPoint(other), ...from.shares.slice(1)];
    const swapped = { ...params, from: { ...from, shares } };
    const shared = makeDeal(context, swapped, 0, host, zero, other);
    expect(shared.ephemeral).not.toEqual(deal.ephemeral);
  });
});

describe("a hostile dealer of a resharing", () => {
  const random = seeded(11);
  const old = generateRing(4, 3, random);
  const ceremony = testResharing(old, 7, 5, random);
  const { context, params, hostSecrets } = ceremony;
  const deals = redealAll(ceremony, old, random);
  const host = (seat: number): Uint8Array => must(hostSecrets[seat], "host secret");

  test.each<[string, string, (deal: Deal) => Deal]>([
    [
      "raises the degree",
      "bad-length",
      (d) => ({ ...d, commitments: [...d.commitments, publicPoint(scalarBytes(5n))] }),
    ],
    [
      "shortens the degree",
      "bad-length",
      (d) => ({ ...d, commitments: d.commitments.slice(0, -1) }),
    ],
    [
      "shortens the degree by a zero coefficient",
      "bad-point",
      (d) => ({ ...d, commitments: [...d.commitments.slice(0, -1), new Uint8Array(33)] }),
    ],
    ["deals to the old ring", "bad-length", (d) => ({ ...d, shares: d.shares.slice(0, 4) })],
    ["deals for another attempt", "wrong-ceremony", (d) => ({ ...d, attempt: 0 })],
    ["deals for another key", "wrong-ceremony", (d) => ({ ...d, keyId: 2 })],
    ["takes a seat that only the new ring has", "bad-seat", (d) => ({ ...d, seat: 4 })],
    ["takes another's seat", "wrong-constant-term", (d) => ({ ...d, seat: 2 })],
    [
      "takes another's seat and share",
      "bad-proof",
      (d) => ({ ...d, seat: 2, commitments: must(deals[2], "deal").commitments }),
    ],
  ])("that %s is refused", (_, code, change) => {
    const wrong = forgeDeal(ceremony, 1, change, 13, old);
    expect(verifyDeal(context, params, wrong)).toMatchObject({ code });
    const all = [must(deals[0], "deal"), wrong, must(deals[3], "deal")];
    expect(acceptDeals(context, params, all)).toMatchObject({ code, seat: wrong.seat });
  });

  test("cannot deal another secret than its share, nor deal without a share", () => {
    const forged = forgeDeal(ceremony, 1, same, 14, old, scalarBytes(99n));
    expect(verifyDeal(context, params, forged)).toMatchObject({ code: "wrong-constant-term" });
    const from = must(params.from, "old ring");
    const shares = from.shares.map((share, seat) => (seat === 1 ? new Uint8Array(33) : share));
    const without = { ...params, from: { ...from, shares } };
    const ctx = ceremonyContext(without);
    const own = forgeDeal({ ...ceremony, context: ctx }, 1, same, 15, old);
    expect(verifyDeal(ctx, without, own)).toMatchObject({ code: "wrong-constant-term" });
  });

  test("cannot replay a deal of another attempt, key, network, chain or pair of rings", () => {
    const from = must(params.from, "old ring");
    const deal = must(deals[1], "deal");
    const others: readonly Partial<CeremonyParams>[] = [
      { attempt: 2 },
      { keyId: 2 },
      { network: random.bytes(32) as NetworkId },
      { chain: bytes32(random.bytes(32)) },
      { hostKeys: [...params.hostKeys].reverse() },
      { from: { ...from, t: 2 } },
      { from: { ...from, hostKeys: [...from.hostKeys.slice(0, 3), publicPoint(host(0))] } },
    ];
    for (const change of others) {
      const other = { ...params, ...change };
      const { keyId, attempt } = other;
      const replayed = { ...deal, keyId, attempt };
      const verdict = verifyDeal(ceremonyContext(other), other, replayed);
      expect(verdict).toMatchObject({ code: "bad-proof" });
    }
    expect(verifyDeal(context, params, deal)).toBe(true);
    // A deal of the generation is none of the resharing, and the other way round.
    const generated = { ...must(old.deals[1], "deal"), attempt: params.attempt };
    expect(verifyDeal(context, params, generated)).toMatchObject({ code: "bad-length" });
    const { from: _, ...generation } = params;
    expect(verifyDeal(ceremonyContext(generation), generation, deal)).toMatchObject({
      code: "bad-proof",
    });
  });

  test("that sends a wrong share is found by its receiver, judged guilty and done without", () => {
    const bad = forgeDeal(ceremony, 1, (deal) => shiftShares(deal, 1n), 12, old);
    expect(verifyDeal(context, params, bad)).toBe(true);
    const counted = [must(deals[0], "deal"), bad, must(deals[2], "deal")];
    const opened = accepted(openDeals(context, params, 6, host(6), counted, random.bytes(32)));
    expect(opened).toMatchObject({ kind: "complaints", complaints: [{ seat: 6, dealer: 1 }] });
    if (opened.kind !== "complaints") return;
    const complaint = must(opened.complaints[0], "complaint");
    expect(judgeComplaint(context, params, bad, complaint)).toBe("dealer-guilty");
    const left = deals.filter(({ seat }) => seat !== 1);
    const next = complete(ceremony, left, random);
    expect(next.group.thresholdPoint).toEqual(old.group.thresholdPoint);
  });
});

describe("a complaint in a resharing", () => {
  const random = seeded(21);
  const old = generateRing(4, 3, random);
  const ceremony = testResharing(old, 7, 5, random);
  const { context, params, hostSecrets } = ceremony;
  const deal = must(redealAll(ceremony, old, random)[1], "deal");
  const lie = makeComplaint(
    context,
    params,
    6,
    must(hostSecrets[6], "host"),
    deal,
    random.bytes(32),
  );

  test("about a right share convicts the complainer, a new seat", () => {
    expect(judgeComplaint(context, params, deal, lie)).toBe("complainer-guilty");
  });

  test.each<[string, string, Partial<Complaint>]>([
    [
      "a forged shared point",
      "bad-proof",
      { sharedPoint: must(multiply(lie.sharedPoint, 2n), "point") },
    ],
    ["another complainer's seat", "bad-proof", { seat: 1 }],
    ["a seat that does not exist", "bad-seat", { seat: 7 }],
    ["another dealer", "wrong-dealer", { dealer: 2 }],
    ["the attempt before", "wrong-ceremony", { attempt: 0 }],
    ["another key", "wrong-ceremony", { keyId: 2 }],
  ])("with %s convicts nobody", (_, code, change) => {
    expect(judgeComplaint(context, params, deal, { ...lie, ...change })).toMatchObject({ code });
  });
});

test("a confirmation of the old share, or of another attempt's, is refused", () => {
  const random = seeded(31);
  const old = generateRing(4, 3, random);
  const { context, params, deals, shares } = reshareRing(old, 4, 3, random);
  const merged = accepted(mergeDeals(params, deals));
  const dealsHash = hashDeals(context, params, deals);
  const verdict = (share: Uint8Array, ctx = context) => {
    const confirm = makeConfirm(ctx, params, 1, share, dealsHash, random.bytes(32));
    return verifyConfirm(context, params, merged, dealsHash, confirm);
  };
  const share = must(shares[1], "share");
  expect(verdict(share)).toBe(true);
  expect(verdict(must(old.shares[1], "old share"))).toMatchObject({ code: "wrong-share" });
  const later = ceremonyContext({ ...params, attempt: 2 });
  expect(verdict(share, later)).toMatchObject({ code: "bad-proof" });
});
