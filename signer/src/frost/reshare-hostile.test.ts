// Resharings with hostile dealers and receivers, run as the ledger runs them.
import type { Complaint, Deal } from "@causeway/chain-core/ring";
import { countedSeats, judgeComplaint, verifyDeal } from "@causeway/chain-core/ring";
import type { Rejected } from "@causeway/primitives";
import { isRejected, must, seeded } from "@causeway/primitives";
import { scalarBytes } from "@causeway/primitives/secp256k1";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { makeComplaint, openDeals } from "./keygen.ts";
import type { TestCeremony, TestRing } from "./testing.ts";
import { forgeDeal, generateRing, redealAll, shiftShares, testResharing } from "./testing.ts";

function accepted<T>(value: T): Exclude<T, Rejected> {
  if (isRejected(value)) throw new Error(`${value.code}: ${value.message}`);
  return value as Exclude<T, Rejected>;
}

const same = (deal: Deal): Deal => deal;

/** What a hostile dealer deals, if anything; which receivers it cheats is drawn. */
const misdeeds: readonly ((
  ceremony: TestCeremony,
  dealer: number,
  seed: number,
  old: TestRing,
  victims: readonly number[],
) => Deal | undefined)[] = [
  () => undefined,
  (ceremony, dealer, seed, old) => forgeDeal(ceremony, dealer, same, seed, old),
  (ceremony, dealer, seed, old, victims) =>
    forgeDeal(ceremony, dealer, (deal) => shiftShares(deal, 5n, victims), seed, old),
  (ceremony, dealer, seed, old) => forgeDeal(ceremony, dealer, same, seed, old, scalarBytes(9n)),
  (ceremony, dealer, seed, old) =>
    forgeDeal(ceremony, dealer, (d) => ({ ...d, commitments: d.commitments.slice(1) }), seed, old),
  // Commits to another polynomial than it deals.
  (ceremony, dealer, seed, old) => {
    const { commitments } = forgeDeal(ceremony, dealer, same, seed + 1, old);
    return forgeDeal(ceremony, dealer, (deal) => ({ ...deal, commitments }), seed, old);
  },
];

type Hostile = { readonly seat: number; readonly misdeed: number; readonly victim: number };
const hostile = (n: number, most: number) =>
  fc.uniqueArray(
    fc.record({
      seat: fc.nat({ max: n - 1 }),
      misdeed: fc.nat({ max: misdeeds.length - 1 }),
      victim: fc.nat(),
    }),
    { selector: ({ seat }) => seat, maxLength: most },
  );

/**
 * A resharing as the ledger runs it, in which every hostile receiver accuses an honest dealer. The seats found guilty
 * and, once no complaint is left, what the honest receivers hold.
 */
function resist(
  old: TestRing,
  ceremony: TestCeremony,
  dealers: readonly Hostile[],
  receivers: readonly Hostile[],
  seed: number,
) {
  const { context, params, hostSecrets } = ceremony;
  const random = seeded(seed);
  const isHostile = (list: readonly Hostile[], seat: number) =>
    list.some((one) => one.seat === seat);
  const honest = redealAll(ceremony, old, random).filter(({ seat }) => !isHostile(dealers, seat));
  const forged = dealers.flatMap(({ seat, misdeed, victim }) => {
    const victims = [victim % params.n];
    return must(misdeeds[misdeed], "misdeed")(ceremony, seat, seed + seat, old, victims) ?? [];
  });
  let valid = [...honest, ...forged]
    .filter((deal) => verifyDeal(context, params, deal) === true)
    .sort((a, b) => a.seat - b.seat);
  const guiltyDealers = new Set<number>();
  const liars = new Set<number>();
  const judge = (deal: Deal, complaint: Complaint): void => {
    const verdict = accepted(judgeComplaint(context, params, deal, complaint));
    if (verdict === "dealer-guilty") guiltyDealers.add(deal.seat);
    else liars.add(complaint.seat);
  };
  for (const { seat, victim } of receivers) {
    const deal = must(honest[victim % honest.length], "honest deal");
    const host = must(hostSecrets[seat], "host");
    judge(deal, makeComplaint(context, params, seat, host, deal, random.bytes(32)));
  }
  for (;;) {
    const seats = must(
      countedSeats(
        params,
        valid.map(({ seat }) => seat),
      ),
      "deals enough",
    );
    const counted = valid.filter(({ seat }) => seats.includes(seat));
    const opened = hostSecrets.flatMap((host, seat) =>
      isHostile(receivers, seat)
        ? []
        : accepted(openDeals(context, params, seat, host, counted, random.bytes(32))),
    );
    const complaints = opened.flatMap((one) => (one.kind === "complaints" ? one.complaints : []));
    if (complaints.length === 0) return { guiltyDealers, liars, opened };
    for (const complaint of complaints) {
      const deal = counted.find(({ seat }) => seat === complaint.dealer);
      judge(must(deal, "deal"), complaint);
    }
    valid = valid.filter(({ seat }) => !guiltyDealers.has(seat));
  }
}

test("no honest seat is blamed, and the honest end with the old key, whatever n - t dealers and f receivers do", () => {
  const property = fc.property(
    fc.integer(),
    hostile(10, 3),
    hostile(7, 2),
    (seed, dealers, receivers) => {
      const random = seeded(seed);
      const old = generateRing(10, 7, random);
      const ceremony = testResharing(old, 7, 5, random);
      const end = resist(old, ceremony, dealers, receivers, seed);
      const seatsOf = (list: readonly Hostile[]) => new Set(list.map(({ seat }) => seat));
      expect(end.guiltyDealers.isSubsetOf(seatsOf(dealers))).toBe(true);
      expect(end.liars).toEqual(seatsOf(receivers));
      for (const opened of end.opened)
        expect(opened).toMatchObject({ merged: { groupPoint: old.group.thresholdPoint } });
      expect(end.opened.length).toBe(7 - receivers.length);
    },
  );
  void fc.assert(property, { numRuns: 12 });
});
