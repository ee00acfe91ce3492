import type { Complaint, Deal, Tweak } from "@causeway/chain-core/ring";
import {
  acceptDeals,
  canaryMessage,
  complaintCodec,
  confirmCodec,
  dealCodec,
  decryptShare,
  hashDeals,
  judgeComplaint,
  mergeDeals,
  outputKey,
  taprootTweak,
  verifyConfirm,
  verifyDeal,
} from "@causeway/chain-core/ring";
import type { Rejected } from "@causeway/primitives";
import { isRejected, must, seeded } from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import { ecdhPoint, multiply, publicPoint, scalarBytes } from "@causeway/primitives/secp256k1";
import { schnorr } from "@noble/curves/secp256k1.js";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeComplaint, makeConfirm, makeDeal, openAccepted, openDeals } from "./keygen.ts";
import { generateNonce } from "./nonce.ts";
import { validateSigners } from "./signers.ts";
import { aggregate, aggregateNonces, openSession, sign, verifyPartial } from "./signing.ts";
import type { TestRing } from "./testing.ts";
import { dealAll, forgeDeal, generateRing, shiftShares, testCeremony } from "./testing.ts";

function accepted<T>(value: T): Exclude<T, Rejected> {
  if (isRejected(value)) throw new Error(`${value.code}: ${value.message}`);
  return value as Exclude<T, Rejected>;
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

/** Signs with these seats, checking every partial signature on the way. */
function signWith(
  ring: TestRing,
  seats: readonly number[],
  message: Uint8Array,
  tweaks: readonly Tweak[],
  seed: number,
): Uint8Array {
  const random = seeded(seed);
  const pairs = seats.map((seat) => {
    const secretShare = must(ring.shares[seat], "share");
    return { seat, ...accepted(generateNonce(random.bytes(32), { secretShare, message })) };
  });
  const signers = accepted(validateSigners(ring.group, seats));
  const session = accepted(openSession(signers, message, tweaks, accepted(aggregateNonces(pairs))));
  const partials = new Map(
    pairs.map(({ seat, secret, nonce }) => {
      const partial = accepted(sign(session, secret, must(ring.shares[seat], "share"), seat));
      expect(verifyPartial(session, seat, nonce, partial)).toBe(true);
      return [seat, partial] as const;
    }),
  );
  return accepted(aggregate(session, partials));
}

describe("a key generation", () => {
  test.each([
    [3, 4, 6],
    [7, 10, 3],
  ])("of %i of %i lets any t seats sign, tweaked or not (RNG-3, BTC-1)", (t, n, numRuns) => {
    const property = fc.property(
      seeds,
      fc.shuffledSubarray([...Array(n).keys()], { minLength: t, maxLength: n }),
      fc.uint8Array({ maxLength: 80 }),
      fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }), { nil: undefined }),
      (seed, seats, message, root) => {
        const ring = generateRing(n, t, seeded(seed));
        const tweaks = root === undefined ? [] : [taprootTweak(ring.group.thresholdPoint, root)];
        const signature = signWith(ring, seats, message, tweaks, seed + 1);
        const { key } = accepted(outputKey(ring.group.thresholdPoint, tweaks));
        expect(schnorr.verify(signature, message, key)).toBe(true);
      },
    );
    void fc.assert(property, { numRuns });
  });

  test("signs a canary under the untweaked key, which differs by key and network (RNG-3)", () => {
    const ring = generateRing(4, 3, seeded(1));
    const { thresholdPoint } = ring.group;
    const canary = { keyId: 1, attempt: 0, groupPoint: thresholdPoint };
    const message = canaryMessage(ring.params.network, canary);
    const signature = signWith(ring, [0, 1, 3], message, [], 2);
    expect(schnorr.verify(signature, message, thresholdPoint.slice(1))).toBe(true);
    for (const other of [{ keyId: 2 }, { attempt: 1 }])
      expect(canaryMessage(ring.params.network, { ...canary, ...other })).not.toEqual(message);
  });

  test("gives the same share again from the deals and the host key alone (RNG-5)", () => {
    const ring = generateRing(4, 3, seeded(5));
    const again = openDeals(
      ring.context,
      ring.params,
      2,
      must(ring.hostSecrets[2], "host"),
      ring.deals,
      new Uint8Array(32),
      true,
    );
    expect(again).toMatchObject({ kind: "opened", share: ring.shares[2] });
  });

  test("survives its codecs, at 100 of 150 too", () => {
    const ring = generateRing(4, 3, seeded(6));
    const deal = must(ring.deals[0], "deal");
    expect(dealCodec.parse(dealCodec.encode(deal))).toEqual(deal);
    const confirm = must(ring.confirms[0], "confirm");
    expect(confirmCodec.encode(confirm).length).toBe(confirmCodec.sizeMax);
    expect(confirmCodec.parse(confirmCodec.encode(confirm))).toEqual(confirm);
    const large = testCeremony(150, 150, seeded(7));
    const host = must(large.hostSecrets[149], "host");
    const largest = makeDeal(large.context, large.params, 149, host, new Uint8Array(32));
    expect(dealCodec.encode(largest).length).toBe(dealCodec.sizeMax);
    expect(verifyDeal(large.context, large.params, largest)).toBe(true);
  });
});

describe("a hostile dealer", () => {
  const random = seeded(11);
  const ceremony = testCeremony(4, 3, random);
  const { context, params, hostSecrets } = ceremony;
  const deals = dealAll(ceremony, random);
  const host = (seat: number): Uint8Array => must(hostSecrets[seat], "host secret");

  test("that sends a wrong share is found by its receiver and judged guilty", () => {
    const bad = forgeDeal(ceremony, 1, (deal) => shiftShares(deal, 1n), 12);
    expect(verifyDeal(context, params, bad)).toBe(true);
    const all = deals.map((deal) => (deal.seat === 1 ? bad : deal));
    const opened = accepted(openDeals(context, params, 2, host(2), all, random.bytes(32)));
    expect(opened).toMatchObject({ kind: "complaints", complaints: [{ seat: 2, dealer: 1 }] });
    if (opened.kind !== "complaints") return;
    const complaint = must(opened.complaints[0], "complaint");
    expect(complaintCodec.parse(complaintCodec.encode(complaint))).toEqual(complaint);
    expect(complaintCodec.encode(complaint).length).toBe(complaintCodec.sizeMax);
    expect(judgeComplaint(context, params, bad, complaint)).toBe("dealer-guilty");
    const left = all.filter(({ seat }) => seat !== 1);
    expect(openDeals(context, params, 2, host(2), left, random.bytes(32))).toMatchObject({
      kind: "opened",
    });
  });

  test("whose error another's cancels is named when each deal is asked for", () => {
    const seat = 3;
    const all = deals.map((deal) =>
      deal.seat > 1 ? deal : shiftShares(deal, deal.seat === 0 ? 7n : -7n, [seat]),
    );
    const quick = openDeals(context, params, seat, host(seat), all, random.bytes(32));
    expect(quick).toMatchObject({ kind: "opened" });
    const each = openDeals(context, params, seat, host(seat), all, random.bytes(32), true);
    expect(each).toMatchObject({ complaints: [{ dealer: 0 }, { dealer: 1 }] });
  });

  test.each<[string, string, (deal: Deal) => Deal]>([
    [
      "raises the degree",
      "bad-length",
      (d) => ({ ...d, commitments: [...d.commitments, publicPoint(scalarBytes(5n))] }),
    ],
    ["lowers the degree", "bad-length", (d) => ({ ...d, commitments: d.commitments.slice(1) })],
    ["leaves out a share", "bad-length", (d) => ({ ...d, shares: d.shares.slice(1) })],
    [
      "commits to no point further up",
      "bad-point",
      (d) => ({ ...d, commitments: d.commitments.map((p, k) => (k < 2 ? p : new Uint8Array(33))) }),
    ],
    [
      "commits to no point",
      "bad-point",
      (d) => ({ ...d, commitments: d.commitments.map(() => new Uint8Array(33)) }),
    ],
    ["has no ephemeral", "bad-point", (d) => ({ ...d, ephemeral: new Uint8Array(33) })],
    [
      "signs with the x of an ephemeral that is no point",
      "bad-point",
      (d) => ({ ...d, ephemeral: d.ephemeral.with(0, 5) }),
    ],
    [
      "signs with the x of a constant term that is no point",
      "bad-point",
      (d) => ({
        ...d,
        commitments: d.commitments.map((p, k) => (k > 0 ? p : p.with(0, 5))),
      }),
    ],
    [
      "sends a share that is no scalar",
      "bad-scalar",
      (d) => ({ ...d, shares: d.shares.map(() => new Uint8Array(32).fill(255)) }),
    ],
    ["deals for another attempt", "wrong-ceremony", (d) => ({ ...d, attempt: 1 })],
    ["deals for another key", "wrong-ceremony", (d) => ({ ...d, keyId: 2 })],
    ["takes a seat that does not exist", "bad-seat", (d) => ({ ...d, seat: 4 })],
  ])("that %s is refused", (_, code, change) => {
    const wrong = forgeDeal(ceremony, 1, change, 13);
    expect(verifyDeal(context, params, wrong)).toMatchObject({ code });
    const all = deals.map((deal) => (deal.seat === 1 ? wrong : deal));
    expect(acceptDeals(context, params, all)).toMatchObject({ code, seat: wrong.seat });
  });

  test.each<[string, (deal: Deal) => Deal]>([
    ["the constant term", (d) => ({ ...d, proof: d.hostProof })],
    ["the ephemeral", (d) => ({ ...d, ephemeralProof: d.hostProof })],
    ["the host key", (d) => ({ ...d, hostProof: d.proof })],
  ])("that does not sign with %s is refused", (_, change) => {
    expect(verifyDeal(context, params, change(must(deals[1], "deal")))).toMatchObject({
      code: "bad-proof",
    });
  });

  test("cannot copy the ephemeral of another, nor replay its deal in another attempt", () => {
    const { ephemeral, ephemeralProof } = must(deals[0], "deal");
    const copied = forgeDeal(ceremony, 1, (deal) => ({ ...deal, ephemeral }), 14);
    expect(verifyDeal(context, params, { ...copied, ephemeralProof })).toMatchObject({
      code: "bad-proof",
    });
    const other = { ...params, attempt: 1 };
    const replayed = { ...must(deals[0], "deal"), attempt: 1 };
    expect(verifyDeal(context, other, replayed)).toMatchObject({ code: "bad-proof" });
  });
});

test("deals judged and merged at once open as those that the ledger judged", () => {
  const { context, params, deals, hostSecrets, shares } = generateRing(4, 3, seeded(51));
  const accepted = acceptDeals(context, params, deals);
  const merged = mergeDeals(params, deals);
  expect(accepted).toEqual({ deals, merged, dealsHash: hashDeals(context, params, deals) });
  if (isRejected(accepted)) return;
  const host = must(hostSecrets[3], "host");
  const opened = openAccepted(context, params, 3, host, accepted, new Uint8Array(32));
  expect(opened).toMatchObject({ kind: "opened", share: shares[3] });
  expect(acceptDeals(context, params, [])).toMatchObject({ code: "no-deals" });
});

test("stated commitments are taken for the deals' when key and share fit them, and else refused", () => {
  const { context, params, deals, hostSecrets, shares } = generateRing(4, 3, seeded(52));
  const { commitments } = accepted(mergeDeals(params, deals));
  const [first, second, third] = commitments as [Point, Point, Point];
  expect(acceptDeals(context, params, deals, commitments)).toEqual(
    acceptDeals(context, params, deals),
  );
  for (const stated of [[second, second, third], [first, second], [...commitments, third], []])
    expect(acceptDeals(context, params, deals, stated)).toMatchObject({ code: "wrong-key" });
  const lie = accepted(acceptDeals(context, params, deals, [first, third, third]));
  const open = (seat: number) =>
    openAccepted(context, params, seat, must(hostSecrets[seat], "host"), lie, new Uint8Array(32));
  for (const seat of shares.keys()) expect(open(seat)).toMatchObject({ code: "wrong-merge" });
});

describe("a complaint", () => {
  const random = seeded(21);
  const ceremony = testCeremony(4, 3, random);
  const { context, params, hostSecrets } = ceremony;
  const deal = must(dealAll(ceremony, random)[0], "deal");
  const host = must(hostSecrets[2], "host secret");
  const lie = makeComplaint(context, params, 2, host, deal, random.bytes(32));

  test("about a right share convicts the complainer", () => {
    expect(judgeComplaint(context, params, deal, lie)).toBe("complainer-guilty");
  });

  test.each<[string, string, Partial<Complaint>]>([
    [
      "a forged shared point",
      "bad-proof",
      { sharedPoint: must(multiply(lie.sharedPoint, 2n), "point") },
    ],
    ["no point", "bad-proof", { sharedPoint: new Uint8Array(33) }],
    ["a proof of nothing", "bad-proof", { dleqProof: new Uint8Array(64) }],
    ["another complainer's seat", "bad-proof", { seat: 1 }],
    ["a seat that does not exist", "bad-seat", { seat: 4 }],
    ["another dealer", "wrong-dealer", { dealer: 1 }],
    ["another attempt", "wrong-ceremony", { attempt: 1 }],
  ])("with %s convicts nobody", (_, code, change) => {
    expect(judgeComplaint(context, params, deal, { ...lie, ...change })).toMatchObject({ code });
  });

  test("reveals the share of its seat alone", () => {
    const shared = ecdhPoint(deal.ephemeral, host);
    expect(lie.sharedPoint).toEqual(shared);
    const own = decryptShare(context, params, deal, 2, shared);
    const others = [0, 1, 3].map((seat) => decryptShare(context, params, deal, seat, shared));
    const real = [0, 1, 3].map((seat) =>
      decryptShare(
        context,
        params,
        deal,
        seat,
        ecdhPoint(deal.ephemeral, must(hostSecrets[seat], "host")),
      ),
    );
    expect(others.filter((share, i) => share === real[i] || share === own)).toEqual([]);
  });
});

describe("a confirmation", () => {
  const ring = generateRing(4, 3, seeded(31));
  const { context, params, deals } = ring;
  const merged = accepted(mergeDeals(params, deals));
  const dealsHash = hashDeals(context, params, deals);
  const confirm = must(ring.confirms[1], "confirm");
  const aux = new Uint8Array(32);

  test("under another share, of another set of deals or for another seat is refused", () => {
    const stolen = makeConfirm(context, params, 1, must(ring.shares[2], "share"), dealsHash, aux);
    const fewer = hashDeals(context, params, deals.slice(1));
    const verdicts = [
      confirm,
      stolen,
      { ...confirm, dealsHash: fewer },
      { ...confirm, seat: 2 },
      { ...confirm, seat: 9 },
      { ...confirm, attempt: 3 },
      { ...confirm, share: new Uint8Array(33) },
      { ...confirm, proof: must(ring.confirms[2], "confirm").proof },
    ].map((one) => verifyConfirm(context, params, merged, dealsHash, one));
    expect(verdicts.map((verdict) => (isRejected(verdict) ? verdict.code : verdict))).toEqual([
      true,
      "wrong-share",
      "wrong-deals",
      "bad-proof",
      "bad-seat",
      "wrong-ceremony",
      "bad-point",
      "bad-proof",
    ]);
  });

  test("fits only the deals that were merged, and an empty set merges to nothing", () => {
    const other = accepted(mergeDeals(params, deals.slice(1)));
    expect(verifyConfirm(context, params, other, dealsHash, confirm)).toMatchObject({
      code: "wrong-share",
    });
    expect(mergeDeals(params, [])).toMatchObject({ code: "no-deals" });
  });
});

test("no change of a byte of a deal, complaint or confirmation passes or throws", () => {
  const ring = generateRing(4, 3, seeded(41));
  const { context, params, deals } = ring;
  const deal = must(deals[0], "deal");
  const merged = accepted(mergeDeals(params, deals));
  const dealsHash = hashDeals(context, params, deals);
  const host = must(ring.hostSecrets[1], "host");
  const complaint = makeComplaint(context, params, 1, host, deal, new Uint8Array(32));
  const judged: readonly (readonly [Uint8Array, (bytes: Uint8Array) => unknown])[] = [
    [
      dealCodec.encode(deal),
      (bytes) => {
        const parsed = dealCodec.parse(bytes);
        return isRejected(parsed) ? parsed : verifyDeal(context, params, parsed);
      },
    ],
    [
      complaintCodec.encode(complaint),
      (bytes) => {
        const parsed = complaintCodec.parse(bytes);
        return isRejected(parsed) ? parsed : judgeComplaint(context, params, deal, parsed);
      },
    ],
    [
      confirmCodec.encode(must(ring.confirms[0], "confirm")),
      (bytes) => {
        const parsed = confirmCodec.parse(bytes);
        return isRejected(parsed)
          ? parsed
          : verifyConfirm(context, params, merged, dealsHash, parsed);
      },
    ],
  ];
  for (const [bytes, judge] of judged) {
    expect(isRejected(judge(bytes))).toBe(false);
    for (let at = 0; at < bytes.length; at++) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] as number) ^ (1 + ((at * 37) % 255));
      expect(isRejected(judge(changed))).toBe(true);
    }
  }
});
