// A whole generation or resharing of a key in one place, for tests and simulations: every seat deals, opens, confirms,
// and every step is judged as the ledger would. Real protocol, no dealer; only the wire is missing.
import type { CeremonyParams, Confirm, Deal } from "@causeway/chain-core/ring";
import {
  ceremonyContext,
  countedSeats,
  evaluate,
  hashDeal,
  padOf,
  verifyConfirm,
  verifyDeal,
} from "@causeway/chain-core/ring";
import type { Bytes32, NetworkId, Random } from "@causeway/primitives";
import { assert, bytes32, fromBigEndian, must, seeded } from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import {
  ecdhPoint,
  isSecretKey,
  publicPoint,
  scalarBytes,
  signSchnorr,
} from "@causeway/primitives/secp256k1";
import { makeConfirm, makeDeal, openDeals } from "./keygen.ts";
import type { Group } from "./signers.ts";

export type TestCeremony = {
  readonly params: CeremonyParams;
  readonly context: Bytes32;
  /** By seat. */
  readonly hostSecrets: readonly Uint8Array[];
};

export type TestRing = TestCeremony & {
  readonly group: Group;
  /** Secret shares by seat. */
  readonly shares: readonly Bytes32[];
  /** Those that count. */
  readonly deals: readonly Deal[];
  readonly confirms: readonly Confirm[];
};

export function testSecret(random: Random): Uint8Array {
  const secret = random.bytes(32);
  return isSecretKey(secret) ? secret : testSecret(random);
}

export function testCeremony(n: number, t: number, random: Random): TestCeremony {
  const hostSecrets = Array.from({ length: n }, () => testSecret(random));
  const params: CeremonyParams = {
    network: random.bytes(32) as NetworkId,
    keyId: 1,
    attempt: 0,
    chain: bytes32(random.bytes(32)),
    n,
    t,
    hostKeys: hostSecrets.map(publicPoint),
  };
  return { params, context: ceremonyContext(params), hostSecrets };
}

export function dealAll(ceremony: TestCeremony, random: Random): readonly Deal[] {
  const { context, params, hostSecrets } = ceremony;
  return hostSecrets.map((secret, seat) =>
    makeDeal(context, params, seat, secret, random.bytes(32)),
  );
}

/** The next attempt at the key of `old`: a resharing to n new seats, of which t will sign. */
export function testResharing(old: TestRing, n: number, t: number, random: Random): TestCeremony {
  const ceremony = testCeremony(n, t, random);
  const { network, chain, keyId, attempt, hostKeys } = old.params;
  const { group } = old;
  const shares = hostKeys.map((_, seat) => group.shares.get(seat) ?? new Uint8Array(33));
  const from = { t: group.t, groupPoint: group.thresholdPoint, hostKeys, shares };
  const params = { ...ceremony.params, network, chain, keyId, attempt: attempt + 1, from };
  return { params, context: ceremonyContext(params), hostSecrets: ceremony.hostSecrets };
}

/** The deal of each old seat. */
export function redealAll(
  { context, params }: TestCeremony,
  old: TestRing,
  random: Random,
): readonly Deal[] {
  return old.hostSecrets.map((secret, seat) =>
    makeDeal(context, params, seat, secret, random.bytes(32), old.shares[seat]),
  );
}

/**
 * What a hostile dealer can do: a deal of secrets of its own choice, right until `change`, with all three signatures. In
 * a resharing the constant term is the seat's share in `old` unless `constantTerm` is another secret.
 */
export function forgeDeal(
  { context, params, hostSecrets }: TestCeremony,
  dealer: number,
  change: (deal: Deal) => Deal,
  seed: number,
  old?: TestRing,
  constantTerm?: Bytes32,
): Deal {
  const random = seeded(seed);
  const small = (): Bytes32 => scalarBytes(BigInt(random.next()) + 1n);
  const host = must((old ?? { hostSecrets }).hostSecrets[dealer], "host secret");
  const first = constantTerm ?? old?.shares[dealer] ?? small();
  const coefficients = [first, ...Array.from({ length: params.t - 1 }, small)];
  const ephemeralSecret = small();
  const ephemeral = publicPoint(ephemeralSecret);
  const shares = params.hostKeys.map((hostKey, seat) => {
    const sharedPoint = ecdhPoint(hostKey, ephemeralSecret);
    const pad = padOf(context, params, { dealer, seat, ephemeral, sharedPoint });
    return scalarBytes(evaluate(coefficients.map(fromBigEndian), seat) + pad);
  });
  const none = new Uint8Array(64);
  const changed = change({
    keyId: params.keyId,
    attempt: params.attempt,
    seat: dealer,
    commitments: coefficients.map(publicPoint),
    proof: none,
    ephemeral,
    ephemeralProof: none,
    hostProof: none,
    shares,
  });
  const hash = hashDeal(context, params, changed);
  const aux = random.bytes(32);
  return {
    ...changed,
    proof: signSchnorr(first, hash, aux),
    ephemeralProof: signSchnorr(ephemeralSecret, hash, aux),
    hostProof: signSchnorr(host, hash, aux),
  };
}

/** Adds `by` to the shares of these seats, of all if none is named. */
export function shiftShares(deal: Deal, by: bigint, seats?: readonly number[]): Deal {
  const shares = deal.shares.map((share, seat) =>
    seats === undefined || seats.includes(seat) ? scalarBytes(fromBigEndian(share) + by) : share,
  );
  return { ...deal, shares };
}

/** A ring whose seats have all dealt and confirmed; asserts every verdict on the way. */
export function generateRing(n: number, t: number, random: Random): TestRing {
  const ceremony = testCeremony(n, t, random);
  return complete(ceremony, dealAll(ceremony, random), random);
}

/** The same key held by n new seats; asserts every verdict on the way. */
export function reshareRing(old: TestRing, n: number, t: number, random: Random): TestRing {
  const ceremony = testResharing(old, n, t, random);
  return complete(ceremony, redealAll(ceremony, old, random), random);
}

/** From the deals, all valid, to the confirmations of all seats; asserts every verdict on the way. */
export function complete(ceremony: TestCeremony, valid: readonly Deal[], random: Random): TestRing {
  const { context, params, hostSecrets } = ceremony;
  const { n, t } = params;
  for (const deal of valid)
    assert(verifyDeal(context, params, deal) === true, "an honest deal is refused");
  const counted = must(
    countedSeats(
      params,
      valid.map(({ seat }) => seat),
    ),
    "deals enough",
  );
  const deals = valid.filter(({ seat }) => counted.includes(seat));
  const shares: Bytes32[] = [];
  const confirms: Confirm[] = [];
  const points = new Map<number, Point>();
  let thresholdPoint: Point | undefined;
  for (const [seat, secret] of hostSecrets.entries()) {
    const opened = openDeals(context, params, seat, secret, deals, random.bytes(32));
    assert(opened.kind === "opened", "an honest deal does not open");
    const { share, dealsHash, merged } = opened;
    const confirm = makeConfirm(context, params, seat, share, dealsHash, random.bytes(32));
    const verdict = verifyConfirm(context, params, merged, dealsHash, confirm);
    assert(verdict === true, "an honest confirmation is refused");
    shares.push(share);
    confirms.push(confirm);
    points.set(seat, confirm.share);
    thresholdPoint = merged.groupPoint;
  }
  const group: Group = {
    n,
    t,
    thresholdPoint: must(thresholdPoint, "group point"),
    shares: points,
  };
  return { ...ceremony, group, shares, deals, confirms };
}
