// Terms of the ring (RNG-2): at the turn of an epoch a ring is elected when its term is over, or early when the running
// one has lost too much; keys are generated for it, and old ones dealt to it.
//
//   running --its epochs are over, or early--> elect
//   elect --an output of two epochs before, and candidates--> running, the next term, its ceremonies begun
//   elect --no output, or too few candidates--> running, the old ring stays; elect again at the next turn
import { must } from "@causeway/primitives";
import type { Ring } from "../../ring/records.ts";
import { draws, electionStates, electorates, rings, terms } from "../../ring/records.ts";
import type { BlockContext } from "../rule.ts";
import type { StateReader } from "../state.ts";
import type { DutyPorts } from "./duties.ts";
import { beginDuties, retireKeys } from "./duties.ts";
import { isEarly } from "./early.ts";
import type { NextRing } from "./election.ts";
import { drawDelay, elect } from "./election.ts";
import { electorateOf } from "./electorate.ts";

/** The ring of the running term. */
function runningRing(state: StateReader): Ring {
  const { term } = must(terms.get(state, "only"), "terms");
  return must(rings.get(state, term), "ring");
}

/** With the last block before `epoch`, after what the turn does to validators and their stake. */
export function ringEpoch(block: BlockContext, epoch: number, ports: DutyPorts): void {
  const { state, params } = block;
  if (params.ringTermEpochs === 0) return;
  electorates.put(state, epoch, { candidates: electorateOf(state, params, epoch) });
  const ring = runningRing(state);
  const isOver = epoch - ring.epoch >= params.ringTermEpochs;
  const drawn = isOver || isEarly(block, ring, epoch) ? drawNext(block, epoch) : undefined;
  if (drawn !== undefined) beginTerm(block, ring, drawn, isOver);
  if (epoch >= drawDelay) electorates.delete(state, epoch - drawDelay);
  retireKeys(block, ports);
  beginDuties(block, runningRing(state), ports);
}

/** Who is elected, and a state that says why the old ring stays. */
function drawNext({ state, ...rest }: BlockContext, epoch: number): NextRing | undefined {
  const drawn = elect({ state, ...rest }, epoch);
  const election = typeof drawn === "number" ? drawn : electionStates.done;
  terms.put(state, "only", { ...must(terms.get(state, "only"), "terms"), election });
  return typeof drawn === "number" ? undefined : drawn;
}

function beginTerm(
  { state, params }: BlockContext,
  before: Ring,
  { ring, candidates }: NextRing,
  isOver: boolean,
): void {
  const { term, epoch, startedAt } = ring;
  rings.put(state, term, ring);
  draws.put(state, term, { candidates });
  const known = must(terms.get(state, "only"), "terms");
  terms.put(state, "only", { ...known, term, earlyEpoch: isOver ? known.earlyEpoch : epoch });
  if (before.creditUntil !== 0) return;
  // The network had no terms until now: the key's own ends here.
  const { ringTermEpochs, ringRetireTerms, epochMs } = params;
  const creditUntil = startedAt + ringRetireTerms * ringTermEpochs * epochMs;
  rings.put(state, before.term, { ...before, creditUntil });
}
