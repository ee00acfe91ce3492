// The proof of an election (RNG-2): whoever has a ring's candidates and the beacon's output draws it again.
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import { equal, isRejected, isZero, rejected } from "@causeway/primitives";
import type { DrawnRing } from "../beacon/elect.ts";
import { drawRing } from "../beacon/elect.ts";
import type { RingResult } from "./ring-api.ts";

export type DrawCode =
  /** The ring of the genesis was given, not drawn. */
  | "not-drawn"
  /** It says that it was drawn by another output than the beacon had. */
  | "wrong-output"
  /** The output elects others from these candidates. */
  | "wrong-ring"
  | "no-candidates";

/** `output`: the beacon's of `drawDelay` epochs before the ring's first, from where the caller believes it. */
export function drawAgain(
  network: NetworkId,
  told: Pick<RingResult, "term" | "seats" | "output" | "candidates">,
  output: Bytes32,
): DrawnRing | Rejected<DrawCode> {
  const { term, seats, candidates } = told;
  if (isZero(told.output)) return rejected("not-drawn", "the ring of the genesis was not drawn");
  if (!equal(told.output, output))
    return rejected("wrong-output", "the beacon had another output for this ring");
  const drawn = drawRing(network, { term, output, n: seats.length }, candidates);
  if (isRejected(drawn)) return drawn;
  const isSame = seats.every(({ validator }, i) => {
    const owner = drawn.seats[i];
    return owner !== undefined && equal(owner, validator);
  });
  return isSame ? drawn : rejected("wrong-ring", "the output elects others from these candidates");
}
