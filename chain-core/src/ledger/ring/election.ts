// The election of a ring (RNG-1, RNG-2): by an output of the beacon, among those who were candidates before anybody
// could know it.
import { bytes32, must } from "@causeway/primitives";
import { drawRing, thresholdOf } from "../../beacon/elect.ts";
import type { Drawn, Ring } from "../../ring/records.ts";
import { electionStates, electorates, terms } from "../../ring/records.ts";
import { outputs } from "../beacon/round.ts";
import { byStake } from "../committee.ts";
import { epochOf } from "../epoch/epochs.ts";
import type { Params } from "../genesis.ts";
import type { BlockContext } from "../rule.ts";
import { seatsNeeded } from "./ceremony.ts";
import { isCool } from "./electorate.ts";
import { isGone, seatOf } from "./redraw.ts";

/** An output elects so many epochs after its own (BCN-4). */
export const drawDelay = 2;

/** RNG-2: until when deposits to the Bitcoin key of a ring are credited that begins at `time`; 0 where no term ends. */
export function creditEnd(
  { epochMs, ringTermEpochs, ringRetireTerms }: Params,
  time: number,
): number {
  return ringTermEpochs === 0 ? 0 : time + (1 + ringRetireTerms) * ringTermEpochs * epochMs;
}

/** RNG-1: of all candidates those who have a seat in the committee or stand by. */
export function electable<T extends { readonly owner: Uint8Array; readonly stake: bigint }>(
  candidates: readonly T[],
  { seats, standbySeats }: Pick<Params, "seats" | "standbySeats">,
): T[] {
  return candidates.toSorted(byStake).slice(0, seats + standbySeats);
}

/** What an election of now gives; its ring's term is the next. */
export type NextRing = { readonly ring: Ring; readonly candidates: Drawn[] };

/** Why not, as `electionStates` has it. */
export function elect(block: BlockContext, epoch: number): NextRing | number {
  const { state, params, genesis } = block;
  const output = epoch < drawDelay ? undefined : outputs.get(state, epoch - drawDelay)?.output;
  if (output === undefined) return electionStates.noOutput;
  const electors = electorates.get(state, epoch - drawDelay)?.candidates ?? [];
  const candidates = electable(electors, params)
    .filter((one) => isCool(one, params, epoch))
    .map(({ owner, stake }) => ({ owner, stake, isGone: isGone(state, owner) }));
  const term = must(terms.get(state, "only"), "terms").term + 1;
  const n = params.ringSeats;
  const of = { term, output: bytes32(output), n };
  const drawn = drawRing(genesis.networkId, of, candidates);
  if ("code" in drawn) return electionStates.noCandidates;
  // A ring of those who have gone would never make a key.
  const present = drawn.seats.filter((owner) => !isGone(state, owner)).length;
  if (present < seatsNeeded(n)) return electionStates.noCandidates;
  const { endsAt } = epochOf(state);
  const startedAt = endsAt - params.epochMs;
  const ring = {
    term,
    epoch,
    startedAt,
    threshold: thresholdOf(n),
    seats: drawn.seats.map((owner) => seatOf(state, owner)),
    output,
    creditUntil: creditEnd(params, startedAt),
  };
  return { ring, candidates };
}
