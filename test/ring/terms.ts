// New terms of the ring (RNG-2), begun as the turn of an epoch begins them, but with a ring that the seed draws instead of
// the beacon: each chain gets a key of the new ring, older Bitcoin keys are dealt to it, and what is under way for an
// older ring begins anew.
import { openCeremonies, rings, terms } from "@causeway/chain-core/interchain";
import { must } from "@causeway/primitives";
import { dropCanary, isInUse } from "../../chain-core/src/ledger/interchain/key-use.ts";
import { beginDuties } from "../../chain-core/src/ledger/ring/duties.ts";
import type { World } from "./model.ts";

export function isCeremonyOpen({ ledger }: World): boolean {
  return (openCeremonies.get(ledger.state(), "only")?.keyIds.length ?? 0) > 0;
}

export function beginTerm(world: World, operators: readonly number[]): void {
  const { ledger, queue } = world;
  world.terms += 1;
  ledger.write(queue.now, (block) => {
    const { state, genesis } = block;
    const known = must(terms.get(state, "only"), "terms");
    const before = must(rings.get(state, known.term), "ring");
    const seats = operators.map((index) => {
      const { owner, hostKey } = must(genesis.validators[index], "validator");
      return { validator: owner, hostKey };
    });
    const threshold = Math.ceil((2 * seats.length) / 3);
    const ring = { ...before, term: known.term + 1, seats, threshold, startedAt: block.time };
    rings.put(state, ring.term, ring);
    terms.put(state, "only", { ...known, term: ring.term });
    beginDuties(block, ring, { dropCanary, isInUse });
  });
}
