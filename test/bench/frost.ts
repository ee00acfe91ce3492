// CPU time of threshold signing by size of the ring, per participant, beside noble's FROST in the same run. CPU, not
// clock: what else runs on the machine is not counted, though it makes each step slower.
import { randomBytes } from "node:crypto";
import { loadavg } from "node:os";
import type { CeremonyParams, Deal } from "@causeway/chain-core/ring";
import {
  acceptDeals,
  ceremonyContext,
  decryptShare,
  evaluateCommitments,
  mergeDeals,
} from "@causeway/chain-core/ring";
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import { assert, bytes32, equal, fromBigEndian, isRejected, must } from "@causeway/primitives";
import {
  ecdhPoint,
  isSecretKey,
  publicPoint,
  scalarBytes,
  verifySchnorr,
} from "@causeway/primitives/secp256k1";
import { makeConfirm, makeDeal, openAccepted } from "../../signer/src/frost/keygen.ts";
import { generateNonce } from "../../signer/src/frost/nonce.ts";
import type { Group } from "../../signer/src/frost/signers.ts";
import { isConsistent, validateSigners } from "../../signer/src/frost/signers.ts";
import type { Contribution, Session } from "../../signer/src/frost/signing.ts";
import {
  aggregateNonces,
  finish,
  openSession,
  sign,
  verifyPartials,
} from "../../signer/src/frost/signing.ts";
import { medianCpuMs } from "./cpu.ts";
import type { NobleCost } from "./frost-noble.ts";
import { measureNoble } from "./frost-noble.ts";

type Generation = {
  /** All that a participant computes who trusts nobody: the sum of the next five. */
  readonly generateMs: number;
  /** Own deal, with n encrypted shares and three proofs. */
  readonly dealMs: number;
  /**
   * The n deals: lengths, three signatures each, the sum of the constant terms. Of the other commitments the ledger
   * states the sums, which the own share must fit; `checkMs` is what proves them.
   */
  readonly judgeMs: number;
  /** Decrypts n shares, checks their sum. */
  readonly openMs: number;
  readonly confirmMs: number;
  /** The n confirmed public shares and the key, for the degree of their polynomial. */
  readonly checkMs: number;
  /** The n deals judged and merged: what the ledger's validators compute beside. */
  readonly mergeMs: number;
};

type Signing = {
  /** One nonce pair. */
  readonly commitMs: number;
  /** Sum of t public nonces, which checks them: the coordinator's work, once a session. */
  readonly aggregateNoncesMs: number;
  /**
   * From the coordinator's sum, all that a signer is sent of the nonces, to the own share, verified: signers, session,
   * share. noble's signer has no such sum and works on all t nonces; so does our coordinator, in aggregateNoncesMs.
   */
  readonly sessionShareMs: number;
  /** All t shares, none wrong, in a session of signers of whom an earlier one was verified. */
  readonly verifyAllMs: number;
  /** The same in the first session of these signers. */
  readonly verifyFirstMs: number;
  /** t shares to a verified signature. */
  readonly aggregateMs: number;
  /** The same with one wrong share, until its seat is named. */
  readonly cheaterMs: number;
};

/** To a ring of the same size. */
type Resharing = {
  /** An old seat's deal of its share. */
  readonly reshareDealMs: number;
  /** All that a new seat computes who trusts nobody, as in a generation: judges, opens, confirms, checks. */
  readonly reshareReceiveMs: number;
  /** The t deals that count, judged and merged: what the ledger's validators compute beside. */
  readonly reshareMergeMs: number;
};

export type FrostReport = {
  readonly sizes: readonly {
    readonly t: number;
    readonly n: number;
    readonly ours: Generation & Signing & Resharing;
    readonly noble: NobleCost;
    /** noble's time by ours. */
    readonly ratio: Readonly<Record<keyof NobleCost, number>>;
  }[];
  /** Of the last minute, at the start and at the end. */
  readonly load: readonly [number, number];
};

/** `sizes` as pairs t/n. */
export function run(sizes: string): FrostReport {
  const start = loadavg()[0] ?? 0;
  const measured = sizes.split(",").map((size) => {
    const [t, n] = size.split("/").map(Number);
    return measure(must(t, "t of t/n"), must(n, "n of t/n"));
  });
  return { sizes: measured, load: [start, loadavg()[0] ?? 0] };
}

function measure(t: number, n: number): FrostReport["sizes"][number] {
  const ring = generate(t, n);
  const { group, shares, cost } = ring;
  const ours = { ...cost, ...signing(group, shares), ...reshare(ring) };
  const noble = measureNoble(t, n);
  const ratio = Object.fromEntries(
    Object.keys(noble).map((key) => {
      const name = key as keyof NobleCost;
      return [name, Math.round((10 * noble[name]) / ours[name]) / 10];
    }),
  ) as FrostReport["sizes"][number]["ratio"];
  return { t, n, ours, noble, ratio };
}

const fresh = (): Uint8Array => new Uint8Array(randomBytes(32));

function freshSecret(): Uint8Array {
  const secret = fresh();
  return isSecretKey(secret) ? secret : freshSecret();
}

type Ring = {
  readonly params: CeremonyParams;
  readonly secrets: readonly Uint8Array[];
  readonly group: Group;
  readonly shares: readonly Bytes32[];
  readonly cost: Generation;
};

/** Everything up to the last confirmation by real parts; measured is the last seat's work. */
function generate(t: number, n: number): Ring {
  const secrets = Array.from({ length: n }, freshSecret);
  const hostKeys = secrets.map(publicPoint);
  const chain = bytes32(fresh());
  const network = fresh() as NetworkId;
  const params: CeremonyParams = { network, keyId: 1, attempt: 0, chain, n, t, hostKeys };
  const context = ceremonyContext(params);
  const deals = secrets.map((secret, seat) => makeDeal(context, params, seat, secret, fresh()));
  const shares = secrets.map((secret, seat) => shareOf(context, params, deals, seat, secret));
  const groupPoint = accepted(mergeDeals(params, deals)).groupPoint;
  const points = new Map(shares.map((share, seat) => [seat, publicPoint(share)]));
  const group: Group = { n, t, thresholdPoint: groupPoint, shares: points };

  const seat = n - 1;
  const secret = must(secrets[seat], "host secret");
  const count = n > 50 ? 3 : 7;
  const dealMs = medianCpuMs(count, () => makeDeal(context, params, seat, secret, fresh()));
  const merge = () => accepted(acceptDeals(context, params, deals));
  const mergeMs = medianCpuMs(count, merge);
  const { commitments } = merge().merged;
  const judge = () => accepted(acceptDeals(context, params, deals, commitments));
  const judgeMs = medianCpuMs(count, judge);
  const judged = judge();
  const open = () => openAccepted(context, params, seat, secret, judged, fresh());
  const openMs = medianCpuMs(count, open);
  const opened = accepted(open());
  assert(opened.kind === "opened", "honest deals do not open");
  assert(equal(opened.share, must(shares[seat], "share")), "another share");
  const { share, dealsHash } = opened;
  const confirmMs = medianCpuMs(count, () =>
    makeConfirm(context, params, seat, share, dealsHash, fresh()),
  );
  const expected = evaluateCommitments(opened.merged.commitments, 0);
  assert(expected !== undefined && equal(expected, must(points.get(0), "Y")), "another polynomial");
  const checkMs = checkCpuMs(group);
  const generateMs = dealMs + judgeMs + openMs + confirmMs + checkMs;
  const cost = { generateMs, dealMs, judgeMs, openMs, confirmMs, checkMs, mergeMs };
  return { params, secrets, group, shares, cost };
}

/** A group is remembered: each run asks for it with its shares in another order. */
function checkCpuMs(group: Group): number {
  const shares = [...group.shares];
  return medianCpuMs(3, () => {
    shares.push(must(shares.shift(), "share"));
    assert(isConsistent({ ...group, shares: new Map(shares) }), "the shares do not fit");
  });
}

function reshare({ params: old, secrets, group, shares }: Ring): Resharing {
  const { n, t } = old;
  const receivers = Array.from({ length: n }, freshSecret);
  const points = shares.map((_, seat) => must(group.shares.get(seat), "Y"));
  const { hostKeys } = old;
  const from = { t, groupPoint: group.thresholdPoint, hostKeys, shares: points };
  const params = { ...old, attempt: 1, hostKeys: receivers.map(publicPoint), from };
  const context = ceremonyContext(params);
  const deal = (seat: number): Deal => {
    const secret = must(secrets[seat], "host secret");
    return makeDeal(context, params, seat, secret, fresh(), must(shares[seat], "share"));
  };
  const deals = Array.from({ length: t }, (_, seat) => deal(seat));
  const seat = n - 1;
  const secret = must(receivers[seat], "host secret");
  const count = n > 50 ? 3 : 7;
  const merge = () => accepted(acceptDeals(context, params, deals));
  const { commitments } = merge().merged;
  const receive = () => {
    const judged = accepted(acceptDeals(context, params, deals, commitments));
    const opened = accepted(openAccepted(context, params, seat, secret, judged, fresh()));
    assert(opened.kind === "opened", "honest deals do not open");
    makeConfirm(context, params, seat, opened.share, opened.dealsHash, fresh());
  };
  const reshareDealMs = medianCpuMs(count, () => deal(0));
  const reshareMergeMs = medianCpuMs(count, merge);
  const confirmed = new Map(
    receivers.map((_, at) => [at, must(evaluateCommitments(commitments, at), "Y")]),
  );
  const checkMs = checkCpuMs({ ...group, shares: confirmed });
  const reshareReceiveMs = medianCpuMs(count, receive) + checkMs;
  return { reshareDealMs, reshareReceiveMs, reshareMergeMs };
}

function shareOf(
  context: Bytes32,
  params: CeremonyParams,
  deals: readonly Deal[],
  seat: number,
  secret: Uint8Array,
): Bytes32 {
  const parts = deals.map((deal) =>
    decryptShare(context, params, deal, seat, ecdhPoint(deal.ephemeral, secret)),
  );
  return scalarBytes(parts.reduce((sum, part) => sum + part, 0n));
}

function signing(group: Group, shares: readonly Bytes32[]): Signing {
  const message = fresh();
  const seats = [...shares.keys()].slice(-group.t);
  const secretOf = (seat: number): Bytes32 => must(shares[seat], "share");
  const commit = (seat: number) => ({
    seat,
    ...accepted(generateNonce(fresh(), { secretShare: secretOf(seat), message })),
  });
  const pairs = seats.map(commit);
  const sum = () => accepted(aggregateNonces(pairs));
  const aggregateNonce = sum();
  const open = (): Session =>
    accepted(openSession(accepted(validateSigners(group, seats)), message, [], aggregateNonce));
  const session = open();
  const last = must(pairs.at(-1), "signer");
  const once = () => accepted(sign(open(), last.secret.slice(), secretOf(last.seat), last.seat));
  const sessionShareMs = medianCpuMs(21, once);
  const contributions: readonly Contribution[] = pairs.map(({ seat, nonce, secret }) => {
    const partial = accepted(sign(session, secret, secretOf(seat), seat));
    return { seat, nonce, partial };
  });
  const wrong = contributions.map((one) =>
    one.seat === last.seat
      ? { ...one, partial: scalarBytes(fromBigEndian(one.partial) + 1n) }
      : one,
  );
  const entropy = fresh();
  const verify = () => verifyPartials(session, contributions, entropy);
  assert(verify().length === 0, "a right share is refused");
  const signature = accepted(finish(session, contributions));
  assert(verifySchnorr(session.key, message, signature), "not a signature");
  const blame = finish(session, wrong);
  assert("seats" in blame && blame.seats.join() === String(last.seat), "someone else is blamed");
  return {
    commitMs: medianCpuMs(101, () => commit(last.seat)),
    aggregateNoncesMs: medianCpuMs(21, sum),
    sessionShareMs,
    verifyAllMs: medianCpuMs(21, verify),
    verifyFirstMs: medianCpuMs(21, () => verifyPartials(session, contributions, fresh())),
    aggregateMs: medianCpuMs(21, () => finish(session, contributions)),
    cheaterMs: medianCpuMs(11, () => finish(session, wrong)),
  };
}

function accepted<T>(value: T): Exclude<T, Rejected> {
  if (isRejected(value)) throw new Error(`${value.code}: ${value.message}`);
  return value as Exclude<T, Rejected>;
}
