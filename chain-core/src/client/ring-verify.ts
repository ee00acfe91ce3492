// A stranger's verdict on a transcript (ring-transcript.ts), from the genesis alone: the committees lead from the genesis
// to the header (CON-6), the header proves the records (CON-8), and the records make the key (RNG-3). Nothing that comes
// from outside throws; the first thing that is wrong is named.
import type { Bls, Bytes32, Rejected } from "@causeway/primitives";
import { equal, isRejected, isZero, keyOf, must, rejected, toHex } from "@causeway/primitives";
import { verifySchnorr, xOnly } from "@causeway/primitives/secp256k1";
import { certificateCodec, committeeCodec, committeeId, headerCodec } from "../codec/block.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { complaints } from "../ledger/ring/complaint-records.ts";
import type { StateReader } from "../ledger/state.ts";
import { recordProofCodec } from "../ledger/tree.ts";
import type { Trusted } from "../light.ts";
import { advance, trustGenesis, verifyRecords } from "../light.ts";
import type { CeremonyParams, Deal, Merged } from "../ring/index.ts";
import {
  acceptDeals,
  canaryMessage,
  ceremonyContext,
  complaintCodec,
  countedSeats,
  dealCodec,
  evaluateCommitments,
  judgeComplaint,
  verifyDeal,
} from "../ring/index.ts";
import type { Ceremony, Key } from "../ring/records.ts";
import { ceremonies, ceremonyStages, deals, keys, paramsOf, purposes } from "../ring/records.ts";
import type { RingTranscript } from "./ring-transcript.ts";
import { guiltyDealers, transcriptKeys } from "./ring-transcript.ts";

/** What the transcript proves. Seats from 0; points of 33 bytes. */
export type RingVerdict = {
  readonly keyId: number;
  /** Epoch of the shares, and whether they were dealt by an older ring. */
  readonly attempt: number;
  readonly isReshared: boolean;
  readonly chain: Uint8Array;
  readonly threshold: number;
  readonly groupPoint: Uint8Array;
  /** Dealers whose deals make the key. */
  readonly qualified: readonly number[];
  /** Dealers whom a complaint convicted, rightly, and those of them whose deal it voided: the others' count all the same. */
  readonly guilty: readonly number[];
  readonly voided: readonly number[];
  /** By seat: its validator, its public share, and whether the ledger says that it has confirmed it. */
  readonly seats: readonly {
    readonly validator: Uint8Array;
    readonly share: Uint8Array;
    readonly confirmed: boolean;
  }[];
  /** Height and time (ms) of the final header that proves it. */
  readonly height: number;
  readonly time: number;
};

/** `part` names what is wrong. */
const wrong = (code: string, part: string, why: string): Rejected =>
  rejected(code, `${part}: ${why}`);

/** True or why not, for whoever has `genesis` from a source of trust. 0.7 ms a deal and 3 ms a seat at t = 100. */
export function verifyTranscript(
  genesis: Genesis,
  bls: Bls,
  transcript: RingTranscript,
): RingVerdict | Rejected {
  if (!equal(transcript.network, genesis.networkId))
    return wrong("wrong-network", "network", `another than ${toHex(genesis.networkId)}`);
  const trusted = followed(genesis, bls, transcript);
  if (isRejected(trusted)) return trusted;
  const view = provenView(trusted, transcript);
  if (isRejected(view)) return view;
  try {
    return judge(genesis, view, transcript.keyId, trusted);
  } catch (error) {
    // A quorum that writes what no rule allows can be no ground to end without a verdict.
    return wrong("bad-record", "records", error instanceof Error ? error.message : String(error));
  }
}

/** From the genesis' committee to the newest header's. */
function followed(genesis: Genesis, bls: Bls, of: RingTranscript): Trusted | Rejected {
  let trusted = trustGenesis(genesis);
  const { networkId } = genesis;
  for (const [i, one] of [...of.ends, of.newest].entries()) {
    const part = i < of.ends.length ? `end ${i} of an epoch` : "newest header";
    const header = headerCodec.parse(one.header);
    if (isRejected(header)) return wrong(header.code, part, header.message);
    const certificate = certificateCodec.parse(one.certificate);
    if (isRejected(certificate)) return wrong(certificate.code, part, certificate.message);
    const isLast = i === of.ends.length;
    if (isLast !== (one.committee.length === 0))
      return wrong("bad-committee", part, "a committee is there that nothing needs, or none");
    if (!isLast) {
      // A light client passes over bytes that it needs not; here each byte has to be right.
      const next = committeeCodec.parse(one.committee);
      if (isRejected(next) || !equal(committeeId(networkId, next), header.nextCommittee))
        return wrong("bad-committee", part, "another committee than the header names");
    }
    const update = { header, certificate, ...(!isLast && { committee: one.committee }) };
    const next = advance(networkId, bls, trusted, update);
    if (isRejected(next)) return wrong(next.code, part, next.message);
    if (next === trusted) return wrong("not-forward", part, "the same header again");
    trusted = next;
  }
  return trusted;
}

/** The records that the transcript must have, each proven. */
function provenView(trusted: Trusted, of: RingTranscript): StateReader | Rejected {
  const { records, keyId } = of;
  if (keyId < 0 || keyId > 0xffffffff) return wrong("no-key", "keyId", "is no key's");
  const known = new Map<string, Uint8Array>();
  const view: StateReader = { get: (key) => known.get(keyOf(key)) };
  let at = 0;
  for (let wanted = transcriptKeys(view, keyId); at < wanted.length; ) {
    const key = must(wanted[at], "key");
    const part = `record ${at}`;
    const record = records[at];
    if (record === undefined) return wrong("missing-record", part, "is missing");
    const proof = recordProofCodec.parse(record.proof);
    if (isRejected(proof)) return wrong("bad-proof", part, proof.message);
    const own = proof.modules[(key[0] ?? 0) - 1];
    if (own === undefined || !isZero(own))
      return wrong("bad-proof", part, "the place of its own module's root is not empty");
    const value = record.value.length === 0 ? undefined : record.value;
    const bad = verifyRecords(trusted, [{ key, proof, value }]);
    if (bad !== undefined) return wrong(bad.code, part, bad.message);
    if (value !== undefined) known.set(keyOf(key), value);
    at += 1;
    // The ceremony comes first and says which deals and complaints follow.
    if (at === 1) wanted = transcriptKeys(view, keyId);
  }
  if (at < records.length) return wrong("extra-record", `record ${at}`, "belongs to nothing");
  return view;
}

function judge(
  genesis: Genesis,
  view: StateReader,
  keyId: number,
  { height, header }: Trusted,
): RingVerdict | Rejected {
  const [ceremony, key] = [ceremonies.get(view, keyId), keys.get(view, keyId)];
  if (ceremony === undefined || key === undefined)
    return wrong("no-key", `key ${keyId}`, "the ledger has none that is ready");
  if (ceremony.stage < ceremonyStages.active || key.attempt !== ceremony.attempt)
    return wrong("not-active", `key ${keyId}`, "its ceremony is not over");
  const params = paramsOf({ genesis, state: view }, ceremony);
  const isReshared = ceremony.purpose === purposes.reshare;
  if (isReshared !== (params.from !== undefined))
    return wrong("no-old-ring", `key ${keyId}`, "the ring that dealt is not there");
  const context = ceremonyContext(params);
  const valid = judgeDeals(view, ceremony, params, context);
  if (isRejected(valid)) return valid;
  const counted = countedSeats(
    params,
    valid.map(({ seat }) => seat),
  );
  if (counted === undefined) return wrong("too-few", "qualified set", `${valid.length} deals`);
  const made = acceptDeals(
    context,
    params,
    valid.filter(({ seat }) => counted.includes(seat)),
  );
  if (isRejected(made)) return wrong(made.code, "qualified set", made.message);
  if (!equal(made.dealsHash, ceremony.dealsHash))
    return wrong("wrong-deals", "qualified set", "the ledger counted other deals");
  const bad = judgeKey(genesis, ceremony, key, made.merged);
  if (bad !== undefined) return bad;
  const seats = seatsOf(key, made.merged);
  if (isRejected(seats)) return seats;
  return {
    keyId,
    attempt: key.attempt,
    isReshared,
    chain: key.chain,
    threshold: key.threshold,
    groupPoint: key.groupPoint,
    qualified: counted,
    guilty: guiltyDealers(ceremony),
    voided: ceremony.voided,
    seats,
    height,
    time: header.time,
  };
}

/** The deals that no complaint voided, in order of seats; each is judged, and so is each complaint. */
function judgeDeals(
  view: StateReader,
  ceremony: Ceremony,
  params: CeremonyParams,
  context: Bytes32,
): readonly Deal[] | Rejected {
  const { keyId, attempt, dealt, voided } = ceremony;
  const guilty = guiltyDealers(ceremony);
  const valid: Deal[] = [];
  for (const seat of [...dealt].sort((a, b) => a - b)) {
    const part = `deal of seat ${seat}`;
    const record = deals.get(view, { keyId, attempt, seat });
    if (record === undefined) return wrong("missing-record", part, "is not on the ledger");
    const deal = dealCodec.parse(record.deal);
    if (isRejected(deal)) return wrong(deal.code, part, deal.message);
    const verdict = verifyDeal(context, params, deal);
    if (isRejected(verdict)) return wrong(verdict.code, part, verdict.message);
    if (deal.seat !== seat) return wrong("wrong-seat", part, `is of seat ${deal.seat}`);
    if (!voided.includes(seat)) valid.push(deal);
    if (!guilty.includes(seat)) continue;
    const found = complaints.get(view, { keyId, attempt, dealer: seat });
    const complaint = found && complaintCodec.parse(found.complaint);
    if (complaint === undefined || isRejected(complaint))
      return wrong("missing-record", `complaint about seat ${seat}`, "is not on the ledger");
    if (judgeComplaint(context, params, deal, complaint) !== "dealer-guilty")
      return wrong("false-complaint", `complaint about seat ${seat}`, "the deal is right");
  }
  return valid;
}

/** The ledger's key is what the deals make, and enough of its seats signed together. */
function judgeKey(
  { networkId }: Genesis,
  ceremony: Ceremony,
  key: Key,
  { groupPoint, commitments }: Merged,
): Rejected | undefined {
  const { keyId, attempt, threshold, chain, canary } = key;
  const part = `key ${keyId}`;
  const isSame =
    commitments.length === ceremony.commitments.length &&
    commitments.every((one, k) => equal(one, must(ceremony.commitments[k], "commitment")));
  if (!isSame) return wrong("wrong-commitments", part, "the deals make others");
  if (!equal(groupPoint, key.groupPoint))
    return wrong("wrong-key", part, `the deals make ${toHex(groupPoint)}`);
  if (threshold !== ceremony.threshold || !equal(chain, ceremony.chain))
    return wrong("wrong-key", part, "threshold or chain are not the ceremony's");
  const isRing =
    key.seats.length === ceremony.seats.length &&
    key.seats.every(({ validator, hostKey }, seat) => {
      const of = must(ceremony.seats[seat], "seat");
      return equal(validator, of.validator) && equal(hostKey, of.hostKey);
    });
  if (!isRing) return wrong("wrong-ring", part, "its seats are not the ceremony's");
  const message = canaryMessage(networkId, { keyId, attempt, groupPoint });
  if (!verifySchnorr(xOnly(groupPoint), message, canary))
    return wrong("bad-canary", part, "the canary's signature is wrong");
  return undefined;
}

/** Every public share, recomputed; the ledger's, where a seat has confirmed it, is the same. */
function seatsOf(key: Key, { commitments }: Merged): RingVerdict["seats"] | Rejected {
  const seats: RingVerdict["seats"][number][] = [];
  for (const [seat, { validator }] of key.seats.entries()) {
    const share = evaluateCommitments(commitments, seat);
    const stated = key.shares[seat];
    if (share === undefined || stated === undefined)
      return wrong("wrong-share", `public share of seat ${seat}`, "there is none");
    const confirmed = !isZero(stated);
    if (confirmed && !equal(stated, share))
      return wrong("wrong-share", `public share of seat ${seat}`, "the deals make another");
    seats.push({ validator, share, confirmed });
  }
  return seats;
}
