// The ledger as judge of a generation or resharing (RNG-3, research: threshold 3.3): who dealt right, who is guilty of
// a complaint, what key the deals make, who holds its share. Everything here is public and recomputable by anyone.
// Nothing throws for bad input; `context` is ceremonyContext(params).
import type { Bytes32, Rejected } from "@causeway/primitives";
import {
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
  isPoint,
  isScalar,
  mod,
  multiplyBase,
  verifySchnorr,
  xOnly,
} from "@causeway/primitives/secp256k1";
import { verifyDleq } from "./dleq.ts";
import type { CeremonyParams, Complaint, Confirm, Deal } from "./keygen.ts";
import { dealWeights, hashConfirm, hashDeal, joinHashes } from "./keygen.ts";
import { evaluateCommitments, mergeCommitments } from "./polynomial.ts";

export type DealCode =
  /** Another key or attempt. */
  | "wrong-ceremony"
  /** No such seat. */
  | "bad-seat"
  /** Not exactly t commitments and n shares: a raised or shortened degree. */
  | "bad-length"
  /** A commitment or the ephemeral is no point. */
  | "bad-point"
  /** In a resharing: not the dealer's public share, or the dealer has none. */
  | "wrong-constant-term"
  /** An encrypted share is not below the order. */
  | "bad-scalar"
  /** One of the three signatures is wrong. */
  | "bad-proof";

/**
 * True when anyone can accept the deal: exact lengths, valid encodings, knowledge of the constant term (no rogue
 * key; in a resharing it is the dealer's share) and of the ephemeral secret (a copied ephemeral would turn a complaint
 * against the copier into the pad of the copied dealer's share), and the dealer's host key. Whether the shares fit only
 * their receivers can see.
 * About 0.3 ms + 4 us a commitment.
 */
export function verifyDeal(
  context: Bytes32,
  params: CeremonyParams,
  deal: Deal,
): true | Rejected<DealCode> {
  const hash = verifyDealForm(context, params, deal);
  if (isRejected(hash)) return hash;
  const bad = deal.commitments.findIndex((point) => !isPoint(point));
  return bad < 0 ? true : rejected("bad-point", `commitment ${bad} is no point`);
}

/** All of `verifyDeal` but the points of the commitments above the constant term; the deal's hash. */
function verifyDealForm(
  context: Bytes32,
  params: CeremonyParams,
  deal: Deal,
): Bytes32 | Rejected<DealCode> {
  const { n, t, from } = params;
  const { hostKeys } = from ?? params;
  if (deal.keyId !== params.keyId || deal.attempt !== params.attempt)
    return rejected("wrong-ceremony", `deal for key ${deal.keyId}, attempt ${deal.attempt}`);
  const hostKey = hostKeys[deal.seat];
  if (hostKey === undefined)
    return rejected("bad-seat", `dealer ${deal.seat} of ${hostKeys.length}`);
  if (deal.commitments.length !== t)
    return rejected("bad-length", `${deal.commitments.length} commitments for threshold ${t}`);
  if (deal.shares.length !== n)
    return rejected("bad-length", `${deal.shares.length} shares for ${n} seats`);
  const constantTerm = must(deal.commitments[0], "constant term");
  if (from !== undefined && !equal(constantTerm, must(from.shares[deal.seat], "old share")))
    return rejected("wrong-constant-term", `not the public share of old seat ${deal.seat}`);
  const large = deal.shares.findIndex((share) => !isScalar(share));
  if (large >= 0) return rejected("bad-scalar", `share ${large} is no scalar`);
  const hash = hashDeal(context, params, deal);
  const proofs = [
    [constantTerm, deal.proof, "constant term"],
    [deal.ephemeral, deal.ephemeralProof, "ephemeral"],
    [hostKey, deal.hostProof, "host key"],
  ] as const;
  const wrong = proofs.find(([point, proof]) => !isSigned(point, hash, proof));
  if (wrong === undefined) return hash;
  const none = proofs.find(([point]) => !isPoint(point));
  return none === undefined
    ? rejected("bad-proof", `the ${wrong[2]}'s signature is wrong`)
    : rejected("bad-point", `the ${none[2]} is no point`);
}

/** False where the point is none, too: the signature's check decodes it. */
function isSigned(point: Point, hash: Bytes32, proof: Uint8Array): boolean {
  const [parity] = point;
  return (parity === 2 || parity === 3) && verifySchnorr(xOnly(point), hash, proof);
}

/**
 * The pad of one share: H(shared point, ...) mod the order, bound to ceremony, dealer, receiver and ephemeral.
 * Its bias is 2^-128. `sharedPoint` = ephemeral secret x host key = host secret x ephemeral.
 */
export function padOf(
  context: Bytes32,
  params: CeremonyParams,
  share: {
    readonly dealer: number;
    readonly seat: number;
    readonly ephemeral: Point;
    readonly sharedPoint: Point;
  },
): bigint {
  const { dealer, seat, ephemeral, sharedPoint } = share;
  const message = concat(context, bigEndian(dealer, 2), bigEndian(seat, 2), ephemeral, sharedPoint);
  return mod(fromBigEndian(H("share-pad", params.network, message)));
}

/** The share of `seat` in `deal`, from the shared point; secret unless a complaint revealed the point. */
export function decryptShare(
  context: Bytes32,
  params: CeremonyParams,
  deal: Deal,
  seat: number,
  sharedPoint: Point,
): bigint {
  const pad = padOf(context, params, {
    dealer: deal.seat,
    seat,
    ephemeral: deal.ephemeral,
    sharedPoint,
  });
  return mod(fromBigEndian(must(deal.shares[seat], "share of the seat")) - pad);
}

/** True when share x G is what the commitments say for the seat. */
export function shareFits(share: bigint, expected: Point | undefined): boolean {
  const point = multiplyBase(share);
  if (point === undefined || expected === undefined) return point === expected;
  return equal(point, expected);
}

/** What the proof of a complaint is bound to, besides its points. */
export function complaintMessage(
  context: Bytes32,
  params: CeremonyParams,
  complaint: Pick<Complaint, "seat" | "dealer">,
): Bytes32 {
  const { seat, dealer } = complaint;
  return H("complaint", params.network, concat(context, bigEndian(seat, 2), bigEndian(dealer, 2)));
}

export type ComplaintCode =
  | "wrong-ceremony"
  /** No such complainer. */
  | "bad-seat"
  /** The complaint is about another dealer's deal. */
  | "wrong-dealer"
  /** The shared point is not proved: evidence against nobody. */
  | "bad-proof";

/**
 * Who is guilty, given a deal that `verifyDeal` accepted. A true complaint voids the deal, so that the revealed
 * share is worthless; a lying complainer reveals only its own share of that one dealer. The proof is made with the
 * complainer's host secret, so the verdict needs no other signature. One evaluation: 3 ms at t = 100.
 */
export function judgeComplaint(
  context: Bytes32,
  params: CeremonyParams,
  deal: Deal,
  complaint: Complaint,
): "dealer-guilty" | "complainer-guilty" | Rejected<ComplaintCode> {
  if (complaint.keyId !== params.keyId || complaint.attempt !== params.attempt)
    return rejected(
      "wrong-ceremony",
      `complaint for key ${complaint.keyId}, attempt ${complaint.attempt}`,
    );
  const { seat, sharedPoint, dleqProof } = complaint;
  const hostKey = params.hostKeys[seat];
  if (hostKey === undefined) return rejected("bad-seat", `seat ${seat} of ${params.n}`);
  if (complaint.dealer !== deal.seat)
    return rejected("wrong-dealer", `dealer ${complaint.dealer}, deal of seat ${deal.seat}`);
  const message = complaintMessage(context, params, complaint);
  if (!verifyDleq(hostKey, deal.ephemeral, sharedPoint, dleqProof, message))
    return rejected("bad-proof", "the shared point is not proved");
  const share = decryptShare(context, params, deal, seat, sharedPoint);
  const expected = evaluateCommitments(deal.commitments, seat);
  return shareFits(share, expected) ? "complainer-guilty" : "dealer-guilty";
}

/** The key that a set of deals makes: commitments to the weighted sum of their polynomials, and its constant term. */
export type Merged = {
  /** t points, of which all but the first may be infinite: 33 zero bytes (mergeCommitments). */
  readonly commitments: readonly Point[];
  /** The threshold point, 33 bytes, any parity. */
  readonly groupPoint: Point;
};

export type MergeCode =
  /** The list is empty. */
  | "no-deals"
  /** The deals cancel each other: out of reach of dealers whose shares fit. */
  | "infinite-commitment"
  /**
   * A resharing would change the key: fewer than `from.t` deals, or old shares that are not the key's. Or the stated
   * commitments are those of another.
   */
  | "wrong-key";

/**
 * Merges accepted deals, those of `countedSeats`. n x t point additions, 60 ms at 100/150; in a resharing as many
 * multiplications, 0.3 s.
 *
 * Where `stated` are the merged commitments in the ledger's record, only their constant term is computed and compared.
 * The others then are the ledger's word until the confirmed shares have been tested with the key (`isConsistent` in
 * signer/frost): shares that lie on one polynomial of degree t - 1 with the key are right, whatever was stated.
 */
export function mergeDeals(
  params: CeremonyParams,
  deals: readonly Deal[],
  stated?: readonly Point[],
): Merged | Rejected<MergeCode> {
  if (deals.length === 0) return rejected("no-deals", "no deal is left");
  const weights = dealWeights(
    params,
    deals.map(({ seat }) => seat),
  );
  const summed = stated === undefined ? params.t : 1;
  const commitments = mergeCommitments(
    deals.map((deal) => deal.commitments.slice(0, summed)),
    weights,
  );
  if (commitments === undefined)
    return rejected("infinite-commitment", "the deals cancel each other");
  const groupPoint = must(commitments[0], "constant term");
  if (params.from !== undefined && !equal(groupPoint, params.from.groupPoint))
    return rejected("wrong-key", "the deals make another key");
  if (stated === undefined) return { commitments, groupPoint };
  if (stated.length !== params.t || !equal(must(stated[0], "constant term"), groupPoint))
    return rejected("wrong-key", "the stated commitments are not those of the deals");
  return { commitments: stated, groupPoint };
}

/** Deals that make a key, and what they make. */
export type Accepted = {
  /** In order of seats. */
  readonly deals: readonly Deal[];
  readonly merged: Merged;
  /** `hashDeals` of them. */
  readonly dealsHash: Bytes32;
};

/**
 * `verifyDeal` of each and `mergeDeals` of all in one pass, which decodes each point once: 0.7 ms a deal at t = 100, with
 * `stated` 0.2 ms, when it decodes the constant terms alone. For who trusts no ledger to have judged them. `deals` in order of seats; a refusal names the first wrong dealer.
 */
export function acceptDeals(
  context: Bytes32,
  params: CeremonyParams,
  deals: readonly Deal[],
  stated?: readonly Point[],
): Accepted | Rejected<MergeCode> | (Rejected<DealCode> & { seat: number }) {
  const hashes: Bytes32[] = [];
  for (const deal of deals) {
    const hash = verifyDealForm(context, params, deal);
    if (isRejected(hash)) return { ...hash, seat: deal.seat };
    hashes.push(hash);
  }
  const merged = mergeOf(params, deals, stated);
  if (merged === "bad-point") {
    const bad = must(
      deals.find(({ commitments }) => !commitments.every(isPoint)),
      "deal with a commitment that is no point",
    );
    return { ...rejected("bad-point", "a commitment is no point"), seat: bad.seat };
  }
  if (isRejected(merged)) return merged;
  return { deals, merged, dealsHash: joinHashes(context, params, deals, hashes) };
}

/** Adding points is what checks them. */
function mergeOf(
  ...of: Parameters<typeof mergeDeals>
): ReturnType<typeof mergeDeals> | "bad-point" {
  try {
    return mergeDeals(...of);
  } catch {
    return "bad-point";
  }
}

export type ConfirmCode =
  | "wrong-ceremony"
  | "bad-seat"
  /** Another set of deals. */
  | "wrong-deals"
  /** Y is no point. */
  | "bad-point"
  /** Y is not what the merged commitments say for the seat. */
  | "wrong-share"
  /** The signature under Y is wrong. */
  | "bad-proof";

/** RNG-3: true when the seat has proved its share of the merged key. One evaluation: 3 ms at t = 100. */
export function verifyConfirm(
  context: Bytes32,
  params: CeremonyParams,
  merged: Merged,
  dealsHash: Uint8Array,
  confirm: Confirm,
): true | Rejected<ConfirmCode> {
  const { seat, share } = confirm;
  if (confirm.keyId !== params.keyId || confirm.attempt !== params.attempt)
    return rejected(
      "wrong-ceremony",
      `confirmation for key ${confirm.keyId}, attempt ${confirm.attempt}`,
    );
  if (params.hostKeys[seat] === undefined)
    return rejected("bad-seat", `seat ${seat} of ${params.n}`);
  if (!equal(confirm.dealsHash, dealsHash))
    return rejected("wrong-deals", "confirmation of another set of deals");
  if (!isPoint(share)) return rejected("bad-point", "the public share is no point");
  const hash = hashConfirm(context, params, confirm);
  if (!verifySchnorr(xOnly(share), hash, confirm.proof))
    return rejected("bad-proof", "the public share's signature is wrong");
  const expected = evaluateCommitments(merged.commitments, seat);
  if (expected === undefined || !equal(share, expected))
    return rejected("wrong-share", `not the public share of seat ${seat}`);
  return true;
}
