// RNG-3: the seats of those who did not do their part in an attempt are drawn anew from the other candidates of the term.
import { bigEndian, bytes32, concat, must } from "@causeway/primitives";
import { redrawSeats } from "../../beacon/elect.ts";
import { subSeed } from "../../beacon/output.ts";
import type { Ceremony, Drawn, Seat } from "../../ring/records.ts";
import { draws, rings } from "../../ring/records.ts";
import { validatorStatus, validators } from "../epoch/validators.ts";
import type { BlockContext } from "../rule.ts";
import type { StateReader } from "../state.ts";

/** Jailed, tombstoned or out of service: it can be given no seat. */
export function isGone(state: StateReader, owner: Uint8Array): boolean {
  return validators.get(state, owner)?.status !== validatorStatus.active;
}

/** The seat of a validator with the host key that it has now (RNG-5). */
export function seatOf(state: StateReader, owner: Uint8Array): Seat {
  const { hostKey } = must(validators.get(state, owner), "validator");
  return { validator: owner, hostKey };
}

/** The seats of a ring as a ceremony begins: each validator with the host key that it has by then. */
export function seatsOf(state: StateReader, seats: readonly Seat[]): Seat[] {
  return seats.map(({ validator }) => seatOf(state, validator));
}

/**
 * The seats of the next attempt. The draw is of the term's candidates, fixed before its output was known, less those
 * who have gone since; a term without a draw (the genesis' of a network that has no terms) has no candidates.
 */
export function redrawn(
  { state, genesis }: BlockContext,
  ceremony: Ceremony,
  silent: readonly number[],
): Seat[] {
  const { term, keyId, attempt, seats } = ceremony;
  const owners = seats.map(({ validator }) => validator);
  const ring = rings.get(state, term);
  const draw = draws.get(state, term);
  if (ring === undefined || draw === undefined) return seatsOf(state, seats);
  const candidates: Drawn[] = draw.candidates.map((one) => ({
    ...one,
    isGone: isGone(state, one.owner),
  }));
  const context = concat(bigEndian(keyId, 4), bigEndian(attempt, 4));
  const seed = subSeed(genesis.networkId, bytes32(ring.output), "ring-seat", context);
  const after = redrawSeats(genesis.networkId, seed, candidates, { seats: owners, places: silent });
  return after.map((owner) => seatOf(state, owner));
}
