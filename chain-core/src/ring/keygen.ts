// Generation and resharing of the ring's keys (RNG-2, RNG-3) as bytes on the ledger, which is broadcast channel, clock
// and judge: the three action bodies, the hashes that bind them to one ceremony, and what a key is made of. The judging
// is in judge.ts, the secret side in the signer. After PedPop/SimplPedPop (BIP draft ChillDKG) with the complaints of
// research: threshold 3.3, where a resharing is the same with constant terms that are known (V2; Desmedt and Jajodia
// 1997, Wong et al. 2002). Seats are 0..n-1; seat i has Shamir's x = i + 1 (BIP-445's ids).
import type { Bytes32, Codec, NetworkId } from "@causeway/primitives";
import {
  assert,
  b32,
  b33,
  b64,
  ContainerType,
  codec,
  concat,
  H,
  isZero,
  ListCompositeType,
  u16,
  u32,
} from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import { isPoint } from "@causeway/primitives/secp256k1";
import { lagrangeCoefficients } from "./polynomial.ts";

/** Largest ring (RNG-1): bounds every list here. */
export const seatsMax = 150;

/** The ring that holds a key, as those who will hold it next must know it: its seats are the dealers of a resharing. */
export type OldRing = {
  /** Shares that sign together, and deals that count, 1..seats. */
  readonly t: number;
  /** The key, 33 bytes: what a resharing keeps. */
  readonly groupPoint: Point;
  /** By old seat, 1..150 points. */
  readonly hostKeys: readonly Point[];
  /** Y by old seat: 33 zero bytes for a seat that has not confirmed one, which cannot deal. At least t points. */
  readonly shares: readonly Point[];
};

/** What everyone knows of one attempt to generate or reshare one key, fixed before the first deal. */
export type CeremonyParams = {
  readonly network: NetworkId;
  /** From 1 (FMT-8). */
  readonly keyId: number;
  /** From 0, counted over the key's whole life: with the key id it names one set of shares for ever. */
  readonly attempt: number;
  /** The chain that the key is for (FMT-8). */
  readonly chain: Bytes32;
  /** Seats, 1..150. */
  readonly n: number;
  /** Shares that sign together, 1..n. */
  readonly t: number;
  /** The host key (RNG-5) of each seat, n points of 33 bytes; a validator with two seats stands twice. */
  readonly hostKeys: readonly Point[];
  /** Whose shares are dealt; absent when the key is generated. */
  readonly from?: OldRing | undefined;
};

/**
 * A dealer's contribution to the key: a polynomial of degree t - 1, committed to, and one encrypted share a seat.
 * `proof`, `ephemeralProof` and `hostProof` are BIP340 signatures of 64 bytes over `hashDeal` by the constant
 * term, by the ephemeral secret and by the dealer's host key. The constant term is random, in a resharing the dealer's
 * own share.
 */
export type Deal = {
  readonly keyId: number;
  readonly attempt: number;
  /** The dealer: in a resharing its seat in the old ring. */
  readonly seat: number;
  /** Exactly t points: the coefficients times G, constant term first. */
  readonly commitments: readonly Point[];
  readonly proof: Uint8Array;
  readonly ephemeral: Point;
  readonly ephemeralProof: Uint8Array;
  readonly hostProof: Uint8Array;
  /** Exactly n scalars of 32 bytes: f(j + 1) + pad(j) mod the order (see `padOf` in judge.ts). */
  readonly shares: readonly Uint8Array[];
};

/** Seat says that `dealer` sent it a wrong share, and reveals the shared point of that one share. */
export type Complaint = {
  readonly keyId: number;
  readonly attempt: number;
  /** The complainer: a receiver, in a resharing a seat of the new ring. */
  readonly seat: number;
  readonly dealer: number;
  /** host secret x the deal's ephemeral point, 33 bytes. */
  readonly sharedPoint: Point;
  /** BIP-374 proof of 64 bytes that it is. */
  readonly dleqProof: Uint8Array;
};

/** Seat has its share of the merged deals: Y and a BIP340 signature under it over `hashConfirm`. */
export type Confirm = {
  readonly keyId: number;
  readonly attempt: number;
  readonly seat: number;
  /** Y = share x G, 33 bytes. */
  readonly share: Point;
  /** `hashDeals` of the deals that count. */
  readonly dealsHash: Uint8Array;
  readonly proof: Uint8Array;
};

const dealBodyType = new ContainerType({
  keyId: u32,
  attempt: u32,
  seat: u16,
  commitments: new ListCompositeType(b33, seatsMax),
  ephemeral: b33,
  shares: new ListCompositeType(b32, seatsMax),
});

const dealType = new ContainerType({
  keyId: u32,
  attempt: u32,
  seat: u16,
  commitments: new ListCompositeType(b33, seatsMax),
  proof: b64,
  ephemeral: b33,
  ephemeralProof: b64,
  hostProof: b64,
  shares: new ListCompositeType(b32, seatsMax),
});

const complaintType = new ContainerType({
  keyId: u32,
  attempt: u32,
  seat: u16,
  dealer: u16,
  sharedPoint: b33,
  dleqProof: b64,
});

const confirmType = new ContainerType({
  keyId: u32,
  attempt: u32,
  seat: u16,
  share: b33,
  dealsHash: b32,
  proof: b64,
});

const dealSizeMax: number = 10 + 2 * 4 + 3 * 64 + 33 + seatsMax * (33 + 32);

/** Action body, at most 9,993 bytes. Points are not checked here: `verifyDeal` does. */
export const dealCodec: Codec<Deal> = codec("Deal", dealType, dealSizeMax);

/** Action body of 109 bytes. */
export const complaintCodec: Codec<Complaint> = codec("Complaint", complaintType, 109);

/** Action body of 139 bytes. */
export const confirmCodec: Codec<Confirm> = codec("Confirm", confirmType, 139);

const ceremonyType = new ContainerType({
  keyId: u32,
  attempt: u32,
  chain: b32,
  n: u16,
  t: u16,
  hostKeys: new ListCompositeType(b33, seatsMax),
});

const oldRingType = new ContainerType({
  t: u16,
  groupPoint: b33,
  hostKeys: new ListCompositeType(b33, seatsMax),
  shares: new ListCompositeType(b33, seatsMax),
});

const ceremonyCodec = codec<Omit<CeremonyParams, "network" | "from">>(
  "Ceremony",
  ceremonyType,
  8192,
);
const oldRingCodec = codec<OldRing>("OldRing", oldRingType, 16384);
const dealBodyCodec = codec<Omit<Deal, "proof" | "ephemeralProof" | "hostProof">>(
  "DealBody",
  dealBodyType,
  dealSizeMax,
);

/** The 32 bytes to which every proof and pad of the ceremony is bound; asserts the ceremony's own limits. */
export function ceremonyContext(params: CeremonyParams): Bytes32 {
  const { network, keyId, attempt, chain, n, t, hostKeys } = params;
  assert(keyId >= 1, "key ids start at 1");
  assert(n >= 1 && n <= seatsMax, `a ring of ${n} seats`);
  assert(t >= 1 && t <= n, `threshold ${t} of ${n}`);
  assert(hostKeys.length === n, `${hostKeys.length} host keys for ${n} seats`);
  assert(hostKeys.every(isPoint), "a host key is no point");
  const body = ceremonyCodec.encode({ keyId, attempt, chain, n, t, hostKeys });
  if (params.from === undefined) return H("ceremony", network, body);
  assertOldRing(params.from);
  return H("resharing", network, concat(body, oldRingCodec.encode(params.from)));
}

function assertOldRing({ t, groupPoint, hostKeys, shares }: OldRing): void {
  assert(isPoint(groupPoint), "the old key is no point");
  assert(hostKeys.length >= 1 && hostKeys.length <= seatsMax, `${hostKeys.length} old seats`);
  assert(hostKeys.every(isPoint), "an old host key is no point");
  assert(shares.length === hostKeys.length, `${shares.length} old shares`);
  const held = shares.filter((share) => !isZero(share));
  assert(held.every(isPoint), "an old share is no point");
  assert(t >= 1 && t <= held.length, `old threshold ${t} of ${held.length} shares`);
}

/**
 * Of the dealers with a valid deal, ascending, those whose deals make the key's shares; undefined when they are too few.
 * All count in a generation, where fewer than t dealers may know the key; the first `from.t` in a resharing.
 */
export function countedSeats(
  { t, from }: Pick<CeremonyParams, "t" | "from">,
  valid: readonly number[],
): readonly number[] | undefined {
  if (from === undefined) return valid.length < t ? undefined : valid;
  return valid.length < from.t ? undefined : valid.slice(0, from.t);
}

/**
 * What each of the deals that count (by their dealers' seats) is multiplied by in the sum that is the key: 1 in a
 * generation, in a resharing the dealer's coefficient of Lagrange, so that the constant terms give the old key.
 */
export function dealWeights(
  { from }: Pick<CeremonyParams, "from">,
  seats: readonly number[],
): readonly bigint[] {
  return from === undefined ? seats.map(() => 1n) : lagrangeCoefficients(seats);
}

/** What the deal's three proofs sign: everything else in it, under the ceremony. */
export function hashDeal(context: Bytes32, params: CeremonyParams, deal: Deal): Bytes32 {
  const { keyId, attempt, seat, commitments, ephemeral, shares } = deal;
  const body = dealBodyCodec.encode({ keyId, attempt, seat, commitments, ephemeral, shares });
  return H("deal", params.network, concat(context, body));
}

/** Names the set of deals that make the key; `deals` in order of seats, the valid ones that no complaint voided. */
export function hashDeals(
  context: Bytes32,
  params: CeremonyParams,
  deals: readonly Deal[],
): Bytes32 {
  const hashes = deals.map((deal) => hashDeal(context, params, deal));
  return joinHashes(context, params, deals, hashes);
}

/** `hashDeals` where each deal's hash is known. */
export function joinHashes(
  context: Bytes32,
  params: CeremonyParams,
  deals: readonly Deal[],
  hashes: readonly Bytes32[],
): Bytes32 {
  let seatBefore = -1;
  for (const { seat } of deals) {
    assert(seat > seatBefore, "deals out of order");
    seatBefore = seat;
  }
  return H("deals", params.network, concat(context, ...hashes));
}

const confirmBodyType = new ContainerType({ context: b32, seat: u16, share: b33, dealsHash: b32 });
const confirmBodyCodec = codec<{
  readonly context: Uint8Array;
  readonly seat: number;
  readonly share: Point;
  readonly dealsHash: Uint8Array;
}>("ConfirmBody", confirmBodyType, 99);

/** What a confirmation's proof signs (RNG-3). */
export function hashConfirm(
  context: Bytes32,
  params: CeremonyParams,
  confirm: Pick<Confirm, "seat" | "share" | "dealsHash">,
): Bytes32 {
  const { seat, share, dealsHash } = confirm;
  const body = confirmBodyCodec.encode({ context, seat, share, dealsHash });
  return H("confirm", params.network, body);
}

const canaryType = new ContainerType({ keyId: u32, attempt: u32, groupPoint: b33 });
/** What a canary shows: that the shares of `attempt` sign for K. */
export type Canary = {
  readonly keyId: number;
  readonly attempt: number;
  readonly groupPoint: Point;
};

const canaryCodec = codec<Canary>("Canary", canaryType, 41);

/** The bytes of a canary as the subject of its plan. */
export function canarySubject(canary: Canary): Uint8Array {
  return canaryCodec.encode(canary);
}

/** RNG-3: the message of the canary, of its own tag, signed under the untweaked K. */
export function canaryMessage(network: NetworkId, canary: Canary): Bytes32 {
  return H("canary", network, canaryCodec.encode(canary));
}
