// What a Byzantine member brings to a ceremony: deals, complaints and confirmations that are wrong in one way each and
// right in all others, signatures included.
import type { CeremonyParams, Complaint, Confirm, Deal } from "@causeway/chain-core/ring";
import { ceremonyContext, evaluate, hashDeal, padOf } from "@causeway/chain-core/ring";
import type { Random } from "@causeway/primitives";
import { bytes32, fromBigEndian, must } from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import {
  ecdhPoint,
  isSecretKey,
  mod,
  publicPoint,
  scalarBytes,
  signSchnorr,
} from "@causeway/primitives/secp256k1";
import { makeComplaint, makeConfirm } from "../../signer/src/frost/keygen.ts";

export type Twist = {
  /** The constant term: in a resharing the dealer's share, unless that is forged. */
  readonly secret?: Uint8Array;
  /** Seats whose share is off by `error`. */
  readonly wrongFor?: readonly number[];
  readonly error?: bigint;
  /** Coefficients, instead of t. */
  readonly size?: number;
  /** Another dealer's, whose secret it does not know. */
  readonly ephemeral?: Point;
  /** Instead of the commitment to the coefficient of x. */
  readonly second?: Point;
};

export function secretOf(random: Random): Uint8Array {
  const secret = random.bytes(32);
  return isSecretKey(secret) ? secret : secretOf(random);
}

export function forgeDeal(
  params: CeremonyParams,
  seat: number,
  hostSecret: Uint8Array,
  random: Random,
  twist: Twist,
): Deal {
  const context = ceremonyContext(params);
  const { keyId, attempt, hostKeys, t } = params;
  const coefficients = Array.from({ length: twist.size ?? t }, (_, k) =>
    k === 0 && twist.secret !== undefined ? twist.secret : secretOf(random),
  );
  const scalars = coefficients.map(fromBigEndian);
  const ephemeralSecret = secretOf(random);
  const ephemeral = twist.ephemeral ?? publicPoint(ephemeralSecret);
  const shares = hostKeys.map((hostKey, to) => {
    const sharedPoint = ecdhPoint(hostKey, ephemeralSecret);
    const pad = padOf(context, params, { dealer: seat, seat: to, ephemeral, sharedPoint });
    const error = twist.wrongFor?.includes(to) === true ? (twist.error ?? 1n) : 0n;
    return scalarBytes(mod(evaluate(scalars, to) + pad + error));
  });
  const none = new Uint8Array(64);
  const commitments = coefficients.map(publicPoint);
  const { second } = twist;
  const unsigned: Deal = {
    keyId,
    attempt,
    seat,
    commitments: second === undefined || t < 2 ? commitments : commitments.with(1, second),
    proof: none,
    ephemeral,
    ephemeralProof: none,
    hostProof: none,
    shares,
  };
  const hash = hashDeal(context, params, unsigned);
  const aux = random.bytes(32);
  return {
    ...unsigned,
    proof: signSchnorr(must(coefficients[0], "constant term"), hash, aux),
    ephemeralProof: signSchnorr(ephemeralSecret, hash, aux),
    hostProof: signSchnorr(hostSecret, hash, aux),
  };
}

/** A complaint of a right deal: true in all that it says, or with another point or proof. */
export function forgeComplaint(
  params: CeremonyParams,
  seat: number,
  hostSecret: Uint8Array,
  deal: Deal,
  random: Random,
  how: "false" | "forged",
): Complaint {
  const context = ceremonyContext(params);
  const complaint = makeComplaint(context, params, seat, hostSecret, deal, random.bytes(32));
  if (how === "false") return complaint;
  return random.chance(0.5)
    ? { ...complaint, sharedPoint: publicPoint(secretOf(random)) }
    : { ...complaint, dleqProof: random.bytes(64) };
}

/** A confirmation of a share that is not the seat's. */
export function forgeConfirm(params: CeremonyParams, confirm: Confirm, random: Random): Confirm {
  const { seat, dealsHash } = confirm;
  const context = ceremonyContext(params);
  const share = secretOf(random);
  return makeConfirm(context, params, seat, share, bytes32(dealsHash), random.bytes(32));
}
