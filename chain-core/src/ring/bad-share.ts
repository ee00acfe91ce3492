// Evidence that a seat signed wrong in a session of its ring: everything that a stranger needs besides the ledger's record
// of the key (ADR 0019). The seat's host key answers for its share of the very session that it names, so that neither a
// coordinator's lie about list, nonces, message or tweak nor a replay makes a right share wrong. One message of a session
// is shown: nonces and shares of messages do not depend on each other. The arithmetic is BIP-445's.
import type { Codec, NetworkId, Rejected } from "@causeway/primitives";
import {
  b32,
  b64,
  bigEndian,
  bool,
  ContainerType,
  codec,
  concat,
  equal,
  fromBigEndian,
  isZero,
  ListCompositeType,
  must,
  rejected,
  taggedHash,
  u16,
  u32,
  u64,
} from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import {
  hasEvenY,
  isPoint,
  mod,
  multiply,
  multiplyAdd,
  multiplyBase,
  negate,
  parseScalar,
  sum,
  verifySchnorr,
  xOnly,
} from "@causeway/primitives/secp256k1";
import { lagrangeCoefficients } from "./polynomial.ts";
import type { SessionHead, Shown } from "./signing-session.ts";
import {
  hashAnswer,
  hashCommitment,
  hashSession,
  inputSize,
  readItem,
  shownType,
  signerListType,
} from "./signing-session.ts";
import type { BadTweak, Tweak, Tweaked } from "./tweak.ts";
import { tweakPoint } from "./tweak.ts";

/** More than any plan's message has (BTC-1). */
const tweaksMax = 4;

/** A session, and what seat `seat` gave to it for message `index`. */
export type BadShare = SessionHead & {
  readonly seat: number;
  /** Of the seat's process, as in its commitment. */
  readonly boot: number;
  readonly index: number;
  /** Of the session's inputs, of the seat's public nonces and of its partial signatures: number `index`. */
  readonly inputs: Shown;
  readonly nonces: Shown;
  readonly shares: Shown;
  /** The tweaks of the message's key. */
  readonly tweaks: readonly Tweak[];
  /** By the seat's host key over {@link hashAnswer}. */
  readonly proof: Uint8Array;
};

/** Bytes: 4 kB at 67/100 with one message, most with 1,000 messages and 150 signers. */
export const badShareSizeMax: number = 16 * 1024;

export const badShareCodec: Codec<BadShare> = codec(
  "bad share",
  new ContainerType({
    keyId: u32,
    attempt: u32,
    request: b32,
    coordinator: u16,
    number: u16,
    signers: signerListType,
    seat: u16,
    boot: u64,
    index: u16,
    inputs: shownType(inputSize),
    nonces: shownType(66),
    shares: shownType(32),
    tweaks: new ListCompositeType(new ContainerType({ tweak: b32, xOnly: bool }), tweaksMax),
    proof: b64,
  }),
  badShareSizeMax,
);

/** What the ledger has of the accused seat and its key, for the epoch of shares that the evidence names. */
export type Accused = {
  readonly network: NetworkId;
  /** The key, 33 bytes, untweaked. */
  readonly groupPoint: Point;
  /** The seat's, as its ceremony has it. */
  readonly hostKey: Point;
  /** Y of the seat. */
  readonly share: Point;
};

export type BadShareCode =
  /** The seat is not among the signers, or they are out of order. */
  | "not-a-signer"
  /** An item is not in the list that is shown, or not of its size. */
  | "not-shown"
  /** The seat signs with other nonces in this session. */
  | "wrong-commitment"
  /** The host key has not signed these shares of this session: evidence against nobody. */
  | "bad-proof"
  /** The tweaks do not make the key that the session signs under. */
  | "wrong-tweak"
  /** The sum of nonces is malformed: nobody can sign in such a session. */
  | "bad-session"
  /** The share is right. */
  | "right-share"
  | BadTweak["code"];

/**
 * Who is guilty: the seat, or nobody. A share is judged in the session that the host key signed it for and in no other. An
 * honest seat signs an answer only after each of its partial signatures has verified. 1 ms.
 */
export function judgeBadShare(
  accused: Accused,
  evidence: BadShare,
): "signer-guilty" | Rejected<BadShareCode> {
  const said = saidBy(accused, evidence);
  if ("kind" in said) return said;
  const tweaked = tweakPoint(accused.groupPoint, evidence.tweaks);
  if ("kind" in tweaked) return tweaked;
  if (!equal(xOnly(tweaked.point), said.key))
    return rejected("wrong-tweak", "the tweaks do not make the session's key");
  const verdict = isRight(accused.share, evidence, said, tweaked);
  if (verdict === undefined) return rejected("bad-session", "the sum of nonces is malformed");
  return verdict ? rejected("right-share", "the share is right") : "signer-guilty";
}

/** What the seat signed, as far as it is shown. */
type Said = {
  readonly sum: Uint8Array;
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly nonce: Uint8Array;
  readonly partial: Uint8Array;
};

function saidBy(
  { network, hostKey, share }: Accused,
  evidence: BadShare,
): Said | Rejected<BadShareCode> {
  const { seat, signers, index, proof } = evidence;
  const own = signers.find((signer) => signer.seat === seat);
  const isOrdered = signers.every(
    (signer, i) => i === 0 || signer.seat > must(signers[i - 1], "signer before").seat,
  );
  if (own === undefined || !isOrdered)
    return rejected("not-a-signer", `seat ${seat} is not in an ordered list of signers`);
  const input = readItem(evidence.inputs, index, inputSize);
  const nonce = readItem(evidence.nonces, index, 66);
  const partial = readItem(evidence.shares, index, 32);
  if (input === undefined || nonce === undefined || partial === undefined)
    return rejected("not-shown", `message ${index} is not shown`);
  if (!equal(hashCommitment(network, evidence, nonce.list), own.commitment))
    return rejected("wrong-commitment", `seat ${seat} has committed to other nonces`);
  const sid = hashSession(network, evidence, input.list);
  const answer = hashAnswer(network, { seat, share, sid, shares: partial.list });
  if (!verifySchnorr(xOnly(hostKey), answer, proof))
    return rejected("bad-proof", `the host key of seat ${seat} has not signed this`);
  return {
    sum: input.item.subarray(0, 66),
    key: input.item.subarray(66, 98),
    message: input.item.subarray(98),
    nonce: nonce.item,
    partial: partial.item,
  };
}

/** BIP-445 PartialSigVerify in the session; undefined when that has no nonce. */
function isRight(
  share: Point,
  { signers, seat }: Pick<BadShare, "signers" | "seat">,
  { sum: aggregate, key, message, nonce, partial }: Said,
  tweaked: Tweaked,
): boolean | undefined {
  const halves = [aggregate.subarray(0, 33), aggregate.subarray(33)];
  if (!halves.every((half) => isZero(half) || isPoint(half))) return undefined;
  const seats = signers.map((signer) => signer.seat);
  const ids = concat(...seats.map((one) => bigEndian(one, 4)));
  const b = mod(fromBigEndian(taggedHash("BIP0445/noncecoef", ids, aggregate, key, message)));
  const [first, second] = halves.map((half) => (isZero(half) ? undefined : half));
  const R = sum([first, second && multiply(second, b)]) ?? must(multiplyBase(1n), "generator");
  const e = mod(fromBigEndian(taggedHash("BIP0340/challenge", xOnly(R), key, message)));
  const challenge = (hasEvenY(tweaked.point) ? e : -e) * tweaked.sign;
  const lambda = must(lagrangeCoefficients(seats)[seats.indexOf(seat)], "lambda");
  const s = parseScalar(partial);
  if (s === undefined) return false;
  const left = multiplyAdd(share, mod(-challenge * lambda), s);
  if (![nonce.subarray(0, 33), nonce.subarray(33)].every(isPoint)) return false;
  const own = sum([nonce.subarray(0, 33), multiply(nonce.subarray(33), b)]);
  const right = own === undefined || hasEvenY(R) ? own : negate(own);
  return left === undefined || right === undefined ? left === right : equal(left, right);
}
