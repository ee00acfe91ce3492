// The secret side of a generation or resharing (RNG-3, research: threshold 3.3): deal, open what was dealt to this seat,
// complain about a wrong share, confirm the sum. All of it can be done again from the ledger's deals and the host
// key alone (RNG-5), so that a lost share is recomputed. Randomness is a parameter; `context` is
// ceremonyContext(params).
import type {
  Accepted,
  CeremonyParams,
  Complaint,
  Confirm,
  Deal,
  MergeCode,
  Merged,
} from "@causeway/chain-core/ring";
import {
  complaintMessage,
  dealWeights,
  decryptShare,
  evaluate,
  evaluateCommitments,
  hashConfirm,
  hashDeal,
  hashDeals,
  mergeDeals,
  padOf,
  proveDleq,
  shareFits,
} from "@causeway/chain-core/ring";
import type { Bytes32, Rejected } from "@causeway/primitives";
import {
  assert,
  bigEndian,
  concat,
  equal,
  fromBigEndian,
  H,
  isRejected,
  must,
  rejected,
} from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import {
  ecdhPoint,
  mod,
  publicPoint,
  scalarBytes,
  signSchnorr,
} from "@causeway/primitives/secp256k1";

/** Makes 32-byte secrets 0, 1, 2, ... out of one seed, uniform mod the order up to 2^-128. */
type Secrets = (index: number) => Bytes32;

/**
 * Hedged: the seat's secrets and the context go in beside `entropy`, so that neither a weak generator nor a
 * repeated one reveals or repeats a polynomial.
 */
function secretsOf(
  what: string,
  context: Bytes32,
  params: CeremonyParams,
  seat: number,
  secret: Uint8Array,
  entropy: Uint8Array,
): Secrets {
  assert(entropy.length === 32, "entropy is 32 bytes");
  const message = concat(context, bigEndian(seat, 2), secret, entropy);
  const seed = H(`${what}-seed`, params.network, message);
  return (index) => {
    const hash = H(`${what}-secret`, params.network, concat(seed, bigEndian(index, 4)));
    const scalar = mod(fromBigEndian(hash));
    assert(scalar !== 0n, "a secret is zero");
    return scalarBytes(scalar);
  };
}

/**
 * This dealer's deal. `hostSecret` is the secret of its host key, `entropy` 32 fresh random bytes; `share` in a
 * resharing, and only there, the seat's secret share in the old ring, which becomes the constant term. Nothing of it
 * need be kept but the deal itself, which must not be made twice for one ceremony and published twice. 11 ms at 100/150.
 */
export function makeDeal(
  context: Bytes32,
  params: CeremonyParams,
  seat: number,
  hostSecret: Uint8Array,
  entropy: Uint8Array,
  share?: Uint8Array,
): Deal {
  const { t, keyId, attempt, hostKeys, from } = params;
  assertHost((from ?? params).hostKeys, seat, hostSecret);
  assert((share === undefined) === (from === undefined), "a share is dealt in a resharing only");
  if (share !== undefined)
    assert(equal(publicPoint(share), must(from?.shares[seat], "Y")), "not the share of the seat");
  const secrets = share === undefined ? hostSecret : concat(hostSecret, share);
  const secret = secretsOf("deal", context, params, seat, secrets, entropy);
  const coefficients = Array.from({ length: t }, (_, k) =>
    k === 0 && share !== undefined ? share : secret(k),
  );
  const scalars = coefficients.map(fromBigEndian);
  const ephemeralSecret = secret(t);
  const ephemeral = publicPoint(ephemeralSecret);
  const shares = hostKeys.map((hostKey, receiver) => {
    const sharedPoint = ecdhPoint(hostKey, ephemeralSecret);
    const pad = padOf(context, params, { dealer: seat, seat: receiver, ephemeral, sharedPoint });
    return scalarBytes(evaluate(scalars, receiver) + pad);
  });
  const none = new Uint8Array(64);
  const unsigned: Deal = {
    keyId,
    attempt,
    seat,
    commitments: coefficients.map(publicPoint),
    proof: none,
    ephemeral,
    ephemeralProof: none,
    hostProof: none,
    shares,
  };
  const hash = hashDeal(context, params, unsigned);
  return {
    ...unsigned,
    proof: signSchnorr(must(coefficients[0], "constant term"), hash, secret(t + 1)),
    ephemeralProof: signSchnorr(ephemeralSecret, hash, secret(t + 2)),
    hostProof: signSchnorr(hostSecret, hash, secret(t + 3)),
  };
}

function assertHost(hostKeys: readonly Point[], seat: number, hostSecret: Uint8Array): void {
  const hostKey = must(hostKeys[seat], "host key of the seat");
  assert(equal(publicPoint(hostSecret), hostKey), "not the host secret of the seat");
}

export type OpenCode =
  | MergeCode
  /** The share is zero, which only dealers who all collude can cause. */
  | "zero-share"
  /** Each deal's share is right, and their sum is not that of the merged commitments: they are not the deals'. */
  | "wrong-merge";

export type Opened =
  /** The weighted sum of the shares fits the merged deals. */
  | {
      readonly kind: "opened";
      /** Secret, 32 bytes. */
      readonly share: Bytes32;
      readonly publicShare: Point;
      readonly merged: Merged;
      readonly dealsHash: Bytes32;
    }
  /** These dealers sent this seat a wrong share. */
  | { readonly kind: "complaints"; readonly complaints: readonly Complaint[] };

/**
 * What the deals that count (`countedSeats`, in order of dealers) give to this receiver. Optimistic: a sum that fits the
 * merged commitments is a good share whatever its parts were, so each deal is checked (0.3 s at 100/150) only when
 * it does not fit, or when `each` asks for it: two hostile dealers can send errors that cancel, which comes out
 * late when a third complains of one of them. `entropy` (32 fresh random bytes) serves the complaints' proofs.
 */
export function openDeals(
  context: Bytes32,
  params: CeremonyParams,
  seat: number,
  hostSecret: Uint8Array,
  deals: readonly Deal[],
  entropy: Uint8Array,
  each: boolean = false,
): Opened | Rejected<OpenCode> {
  const merged = mergeDeals(params, deals);
  if (!isRejected(merged)) {
    const accepted = { deals, merged, dealsHash: hashDeals(context, params, deals) };
    return openAccepted(context, params, seat, hostSecret, accepted, entropy, each);
  }
  const received = receive(context, params, seat, hostSecret, deals);
  const complaints = complain(context, params, seat, hostSecret, received, entropy);
  return complaints.length > 0 ? { kind: "complaints", complaints } : merged;
}

/**
 * As {@link openDeals} over deals that are merged already, by `acceptDeals` or by the ledger, whose record of the ceremony
 * has `merged` and `dealsHash`: 8 ms at 100/150.
 */
export function openAccepted(
  context: Bytes32,
  params: CeremonyParams,
  seat: number,
  hostSecret: Uint8Array,
  accepted: Accepted,
  entropy: Uint8Array,
  each: boolean = false,
): Opened | Rejected<OpenCode> {
  const { deals, merged, dealsHash } = accepted;
  const received = receive(context, params, seat, hostSecret, deals);
  const weights = dealWeights(
    params,
    deals.map((deal) => deal.seat),
  );
  const total = mod(
    received.reduce((sum, { share }, i) => sum + share * must(weights[i], "weight"), 0n),
  );
  const publicShare = evaluateCommitments(merged.commitments, seat);
  const fits = publicShare !== undefined && shareFits(total, publicShare);
  if (each || !fits) {
    const complaints = complain(context, params, seat, hostSecret, received, entropy);
    if (complaints.length > 0) return { kind: "complaints", complaints };
  }
  if (total === 0n) return rejected("zero-share", `the share of seat ${seat} is zero`);
  if (!fits) return rejected("wrong-merge", "the merged commitments are not those of the deals");
  return { kind: "opened", share: scalarBytes(total), publicShare, merged, dealsHash };
}

type Received = readonly { readonly deal: Deal; readonly share: bigint }[];

function receive(
  context: Bytes32,
  params: CeremonyParams,
  seat: number,
  hostSecret: Uint8Array,
  deals: readonly Deal[],
): Received {
  assertHost(params.hostKeys, seat, hostSecret);
  return deals.map((deal) => {
    const sharedPoint = ecdhPoint(deal.ephemeral, hostSecret);
    return { deal, share: decryptShare(context, params, deal, seat, sharedPoint) };
  });
}

function complain(
  context: Bytes32,
  params: CeremonyParams,
  seat: number,
  hostSecret: Uint8Array,
  received: Received,
  entropy: Uint8Array,
): readonly Complaint[] {
  return received
    .filter(({ deal, share }) => !shareFits(share, evaluateCommitments(deal.commitments, seat)))
    .map(({ deal }) => makeComplaint(context, params, seat, hostSecret, deal, entropy));
}

/** A complaint of this seat against the dealer of `deal`: false if the share is right, and then judged so. */
export function makeComplaint(
  context: Bytes32,
  params: CeremonyParams,
  seat: number,
  hostSecret: Uint8Array,
  deal: Deal,
  entropy: Uint8Array,
): Complaint {
  const { keyId, attempt } = params;
  const dealer = deal.seat;
  const aux = secretsOf("complaint", context, params, seat, hostSecret, entropy)(dealer);
  const message = complaintMessage(context, params, { seat, dealer });
  return {
    keyId,
    attempt,
    seat,
    dealer,
    sharedPoint: ecdhPoint(deal.ephemeral, hostSecret),
    dleqProof: proveDleq(hostSecret, deal.ephemeral, aux, message),
  };
}

/** RNG-3: proof of the share. Store the share durably before this leaves. `aux` are 32 fresh random bytes. */
export function makeConfirm(
  context: Bytes32,
  params: CeremonyParams,
  seat: number,
  share: Uint8Array,
  dealsHash: Bytes32,
  aux: Uint8Array,
): Confirm {
  const { keyId, attempt } = params;
  const publicShare = publicPoint(share);
  const hash = hashConfirm(context, params, { seat, share: publicShare, dealsHash });
  const proof = signSchnorr(share, hash, aux);
  return { keyId, attempt, seat, share: publicShare, dealsHash, proof };
}
