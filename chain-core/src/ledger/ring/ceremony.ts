// A generation or resharing on the ledger (RNG-3, RNG-4), as arrows of its record. Nothing here judges: ring/judge.ts
// does.
//
//   deal --every dealer dealt, or window over with enough deals--> confirm
//   confirm --a complaint is true--> confirm, without that deal, merged anew when the block ends
//   confirm --every seat confirmed or proved that it could not, or window over, with n - f confirmed--> canary
//   canary --any t signed it--> active
//   canary --a complaint is true, or nobody signed it--> deal of the next attempt
//   deal, confirm --too few--> deal of the next attempt, the silent seats drawn anew
//   active --a complaint is true--> active, the dealer punished: the ring's term ends early (early.ts)
//   any before active --a newer term--> deal of the next attempt, of the newer ring
//
// Enough deals are n - f in a generation, in a resharing the threshold of the ring that holds the key.
import type { Rejected } from "@causeway/primitives";
import { equal, isRejected, isZero, must, rejected, zero32 } from "@causeway/primitives";
import { thresholdOf } from "../../beacon/elect.ts";
import type { CeremonyParams, Deal } from "../../ring/index.ts";
import {
  ceremonyContext,
  countedSeats,
  dealCodec,
  hashDeals,
  mergeDeals,
} from "../../ring/index.ts";
import type { Ceremony, Seat } from "../../ring/records.ts";
import {
  ceremonies,
  ceremonyOfEpoch,
  ceremonyStages,
  deals,
  keys,
  oldRings,
  openCeremonies,
  paramsOf,
  purposes,
  reshares,
} from "../../ring/records.ts";
import type { ActionContext, BlockContext } from "../rule.ts";
import type { State, StateReader } from "../state.ts";
import { forgetComplaints } from "./complaint-records.ts";
import { redrawn } from "./redraw.ts";

/** RNG-3: the seats that must deal, and later confirm, n - f with f = floor((n - 1) / 3). At least the threshold. */
export function seatsNeeded(n: number): number {
  return n - Math.floor((n - 1) / 3);
}

/** Writes the record where {@link Ceremony}'s tables have it: a resharing is the key's own from its activation on. */
export function putCeremony(state: State, ceremony: Ceremony): void {
  const isUnderWay = ceremony.stage < ceremonyStages.active;
  const of = ceremony.purpose === purposes.reshare && isUnderWay ? reshares : ceremonies;
  of.put(state, ceremony.keyId, ceremony);
}

/** Seats whose deal is valid and not voided, ascending; those of them that count are `countedSeats` of them. */
export function acceptedSeats({ dealt, voided }: Ceremony): number[] {
  return dealt.filter((seat) => !voided.includes(seat)).sort((a, b) => a - b);
}

/** Seats that may deal: all in a generation, in a resharing those of the old ring that have a share. */
export function dealers(
  { from }: Pick<CeremonyParams, "from">,
  { seats }: Pick<Ceremony, "seats">,
): number[] {
  if (from === undefined) return [...seats.keys()];
  return [...from.shares.keys()].filter((seat) => !isZero(must(from.shares[seat], "old share")));
}

/** A seat's deal as the ledger accepted it. */
export function dealOf(
  state: StateReader,
  { keyId, attempt }: Pick<Ceremony, "keyId" | "attempt">,
  seat: number,
): Deal | undefined {
  const record = deals.get(state, { keyId, attempt, seat });
  return record && dealCodec.decode(record.deal);
}

export type CeremonyCode =
  /** No ceremony of this key, or another attempt of it. */
  | "wrong-ceremony"
  /** It is not at the stage for this message. */
  | "wrong-stage"
  /** No such seat, or one of another validator. */
  | "wrong-seat";

type Message = { readonly keyId: number; readonly attempt: number; readonly seat: number };

/**
 * The ceremony that a seat's message is for, when it is at one of `stages` and the sender holds the seat. `as` a dealer
 * of a resharing one has a seat of the old ring.
 */
export function ceremonyFor(
  { state, sender }: ActionContext,
  message: Message,
  stages: readonly number[],
  as: "dealer" | "receiver" = "receiver",
): Ceremony | Rejected<CeremonyCode> {
  const { keyId, attempt, seat } = message;
  const ceremony = ceremonyOfEpoch(state, message);
  if (ceremony === undefined)
    return rejected("wrong-ceremony", `no attempt ${attempt} of a ceremony of key ${keyId}`);
  const isOld = as === "dealer" && ceremony.purpose === purposes.reshare;
  const seats = isOld ? must(keys.get(state, keyId), "key that is reshared").seats : ceremony.seats;
  const validator = seats[seat]?.validator;
  if (validator === undefined || sender === undefined || !equal(validator, sender.validator))
    return rejected("wrong-seat", `seat ${seat} of key ${keyId} is not the sender's`);
  if (!stages.includes(ceremony.stage))
    return rejected("wrong-stage", `the ceremony of key ${keyId} is at stage ${ceremony.stage}`);
  return ceremony;
}

/** What a true complaint does to the ceremony, besides what it costs the dealer. */
export function voidDeal(
  block: Pick<BlockContext, "genesis" | "state">,
  ceremony: Ceremony,
  { seat, dealer }: { readonly seat: number; readonly dealer: number },
): void {
  const params = paramsOf(block, ceremony);
  const accepted = acceptedSeats(ceremony);
  const voided = [...ceremony.voided, dealer].sort((a, b) => a - b);
  // Of a resharing one too many: nothing is made of it.
  if (countedSeats(params, accepted)?.includes(dealer) !== true) {
    putCeremony(block.state, { ...ceremony, voided });
    return;
  }
  if (isNeeded(params, ceremony, dealer)) {
    const wronged = [...ceremony.wronged, { seat, dealer }];
    putCeremony(block.state, { ...ceremony, wronged });
    return;
  }
  // What was confirmed is of shares that will not be.
  putCeremony(block.state, { ...ceremony, voided, dealsHash: zero32, confirmed: [] });
}

/**
 * Too late to do without the deal: its shares are in use. Or, in a resharing, nobody could deal in the dealer's place:
 * one liar among exactly t holders would keep the key in the old ring for ever, so that the seat goes without a share
 * and the others go on.
 */
function isNeeded(params: CeremonyParams, ceremony: Ceremony, dealer: number): boolean {
  if (ceremony.stage === ceremonyStages.active) return true;
  if (params.from === undefined) return false;
  const others = acceptedSeats(ceremony).filter((seat) => seat !== dealer);
  return countedSeats(params, others) === undefined;
}

/**
 * A complaint has voided a deal that was merged. While seats confirm, the others are merged anew, once a block, however
 * many complaints it has (0.4 s at 100/150); when they sign already, another attempt begins: one epoch has one set of
 * shares.
 */
export function isUnmerged({ stage, dealsHash }: Ceremony): boolean {
  return (stage === ceremonyStages.confirm || stage === ceremonyStages.canary) && isZero(dealsHash);
}

/** Merges the deals that count and opens the window of confirmations; of too few the next attempt begins. */
export function beginConfirm(block: BlockContext, ceremony: Ceremony): void {
  const params = paramsOf(block, ceremony);
  // Fewer may all be hostile: in a generation they would know the key, in a resharing they do not have it.
  const counted = countedSeats(params, acceptedSeats(ceremony))?.map((seat) =>
    must(dealOf(block.state, ceremony, seat), `deal of seat ${seat}`),
  );
  const merged = counted === undefined ? undefined : mergeDeals(params, counted);
  if (counted === undefined || merged === undefined || isRejected(merged)) {
    failDealing(block, ceremony);
    return;
  }
  putCeremony(block.state, {
    ...ceremony,
    stage: ceremonyStages.confirm,
    startedAt: block.time,
    startedHeight: block.height,
    dealsHash: hashDeals(ceremonyContext(params), params, counted),
    commitments: [...merged.commitments],
    confirmed: [],
  });
}

/** Too few deals: who dealt none, or a wrong one, loses the seat. The old ring's seats of a resharing nobody can take. */
export function failDealing(block: BlockContext, ceremony: Ceremony): void {
  const accepted = acceptedSeats(ceremony);
  const silent = [...ceremony.seats.keys()].filter((seat) => !accepted.includes(seat));
  beginAnew(block, ceremony, ceremony.purpose === purposes.reshare ? [] : silent);
}

/** Too few confirmations: who gave none loses the seat. */
export function failConfirming(block: BlockContext, ceremony: Ceremony): void {
  const heard = heardSeats(ceremony);
  const silent = [...ceremony.seats.keys()].filter((seat) => !heard.has(seat));
  beginAnew(block, ceremony, silent);
}

/** Seats that have confirmed their share, or proved that they were given none. */
export function heardSeats({ confirmed, wronged }: Ceremony): ReadonlySet<number> {
  return new Set([...confirmed, ...wronged].map(({ seat }) => seat));
}

/** The next attempt of the same term: n and t stay, `silent` seats are drawn anew where there are others (RNG-3). */
function beginAnew(block: BlockContext, ceremony: Ceremony, silent: readonly number[]): void {
  beginAttempt(block, { ...ceremony, seats: redrawn(block, ceremony, silent) });
}

/** Forgets the attempt that `ceremony` names and begins the next, of its seats. */
export function beginAttempt(block: Moment, ceremony: Ceremony): void {
  forgetAttempt(block.state, ceremony);
  openAttempt(block, { ...ceremony, attempt: ceremony.attempt + 1 });
}

/** Begins a ceremony with `attempt`, which is the next after the key's newest, if it has any (RNG-2). */
export function beginCeremony(
  block: Moment,
  of: Pick<Ceremony, "keyId" | "purpose" | "term" | "chain" | "attempt">,
  seats: Seat[],
): void {
  const open = openCeremonies.get(block.state, "only")?.keyIds ?? [];
  openCeremonies.put(block.state, "only", { keyIds: [...open, of.keyId].sort((a, b) => a - b) });
  openAttempt(block, { ...of, threshold: thresholdOf(seats.length), seats });
}

type Moment = Pick<BlockContext, "state" | "time" | "height">;
type Named = Pick<
  Ceremony,
  "keyId" | "purpose" | "term" | "chain" | "attempt" | "threshold" | "seats"
>;

/** A resharing's old ring is the one that holds the key now: a seat of it may have confirmed late. */
function openAttempt({ state, time, height }: Moment, of: Named): void {
  const { keyId, purpose, term, chain, attempt, threshold, seats } = of;
  if (purpose === purposes.reshare) {
    const key = must(keys.get(state, keyId), "key");
    const { threshold: t, groupPoint, shares } = key;
    const hostKeys = key.seats.map(({ hostKey }) => hostKey);
    const owners = key.seats.map(({ validator }) => validator);
    oldRings.put(state, { keyId, attempt }, { t, groupPoint, hostKeys, shares, owners });
  }
  putCeremony(state, {
    ...{ keyId, purpose, term, chain, attempt, threshold, seats },
    stage: ceremonyStages.deal,
    startedAt: time,
    startedHeight: height,
    dealt: [],
    voided: [],
    wronged: [],
    dealsHash: zero32,
    commitments: [],
    confirmed: [],
  });
}

/** RNG-5: what was dealt for shares that nobody has or needs any more. */
export function forgetAttempt(state: State, ceremony: Ceremony): void {
  const { keyId, attempt, purpose, dealt } = ceremony;
  for (const seat of dealt) deals.delete(state, { keyId, attempt, seat });
  forgetComplaints(state, ceremony);
  if (purpose === purposes.reshare) oldRings.delete(state, { keyId, attempt });
}

/** The ceremony of the key is over: active or given up. */
export function closeCeremony(state: State, keyId: number): void {
  const open = openCeremonies.get(state, "only")?.keyIds ?? [];
  openCeremonies.put(state, "only", { keyIds: open.filter((other) => other !== keyId) });
}
