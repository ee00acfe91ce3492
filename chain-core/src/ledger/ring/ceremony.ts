// A key generation on the ledger (RNG-3, RNG-4), as arrows of its record. Nothing here judges: ring/judge.ts does.
//
//   deal --every seat dealt, or window over with n - f dealt--> confirm
//   confirm --a complaint is true--> confirm, without that deal and all confirmations
//   confirm --every accepted seat confirmed, or window over, with n - f confirmed--> canary
//   canary --any t signed it--> active
//   deal, confirm --too few--> deal of the next attempt, of the same seats
import type { Rejected } from "@causeway/primitives";
import { bytes32, equal, isRejected, must, rejected } from "@causeway/primitives";
import type { CeremonyParams, Deal } from "../../ring/index.ts";
import { ceremonyContext, dealCodec, hashDeals, mergeDeals } from "../../ring/index.ts";
import type { Ceremony } from "../../ring/records.ts";
import { ceremonies, ceremonyStages, deals } from "../../ring/records.ts";
import type { Genesis } from "../genesis.ts";
import type { ActionContext, BlockContext } from "../rule.ts";
import type { StateReader } from "../state.ts";

/** RNG-1: seats that sign together, of `n`. */
export function ringThreshold(n: number): number {
  return Math.ceil((2 * n) / 3);
}

/** RNG-3: the seats that must deal, and later confirm, n - f with f = floor((n - 1) / 3). At least the threshold. */
export function seatsNeeded(n: number): number {
  return n - Math.floor((n - 1) / 3);
}

export function paramsOf(genesis: Genesis, ceremony: Ceremony): CeremonyParams {
  const { keyId, attempt, chain, threshold, seats } = ceremony;
  return {
    network: genesis.networkId,
    keyId,
    attempt,
    chain: bytes32(chain),
    n: seats.length,
    t: threshold,
    hostKeys: seats.map(({ hostKey }) => hostKey),
  };
}

/** Seats whose deal counts, ascending. */
export function acceptedSeats({ dealt, voided }: Ceremony): number[] {
  return dealt.filter((seat) => !voided.includes(seat)).sort((a, b) => a - b);
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

/** The ceremony that a seat's message is for, when it is at one of `stages` and the sender holds the seat. */
export function ceremonyFor(
  { state, sender }: ActionContext,
  message: { readonly keyId: number; readonly attempt: number; readonly seat: number },
  stages: readonly number[],
): Ceremony | Rejected<CeremonyCode> {
  const { keyId, attempt, seat } = message;
  const ceremony = ceremonies.get(state, keyId);
  if (ceremony === undefined || ceremony.attempt !== attempt)
    return rejected("wrong-ceremony", `no attempt ${attempt} to generate key ${keyId}`);
  const validator = ceremony.seats[seat]?.validator;
  if (validator === undefined || sender === undefined || !equal(validator, sender.validator))
    return rejected("wrong-seat", `seat ${seat} of key ${keyId} is not the sender's`);
  if (!stages.includes(ceremony.stage))
    return rejected("wrong-stage", `the ceremony of key ${keyId} is at stage ${ceremony.stage}`);
  return ceremony;
}

/** Merges the accepted deals and opens the window of confirmations; of fewer than t the next attempt begins. */
export function beginConfirm(block: BlockContext, ceremony: Ceremony): void {
  const accepted = acceptedSeats(ceremony).map((seat) =>
    must(dealOf(block.state, ceremony, seat), `deal of seat ${seat}`),
  );
  // Fewer than t dealers may all be hostile, and know the key.
  const merged =
    accepted.length < ceremony.threshold
      ? undefined
      : mergeDeals(paramsOf(block.genesis, ceremony), accepted);
  if (merged === undefined || isRejected(merged)) {
    beginNextAttempt(block, ceremony);
    return;
  }
  const params = paramsOf(block.genesis, ceremony);
  ceremonies.put(block.state, ceremony.keyId, {
    ...ceremony,
    stage: ceremonyStages.confirm,
    startedAt: block.time,
    startedHeight: block.height,
    dealsHash: hashDeals(ceremonyContext(params), params, accepted),
    commitments: [...merged.commitments],
    confirmed: [],
  });
}

/** Forgets the attempt and begins the next; n, t and, without other candidates, the seats stay (RNG-3). */
export function beginNextAttempt({ state, time, height }: BlockContext, ceremony: Ceremony): void {
  const { keyId, attempt } = ceremony;
  for (const seat of ceremony.dealt) deals.delete(state, { keyId, attempt, seat });
  ceremonies.put(state, keyId, {
    ...ceremony,
    attempt: attempt + 1,
    stage: ceremonyStages.deal,
    startedAt: time,
    startedHeight: height,
    dealt: [],
    voided: [],
    dealsHash: new Uint8Array(32),
    commitments: [],
    confirmed: [],
  });
}
