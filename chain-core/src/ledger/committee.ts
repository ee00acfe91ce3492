// Who votes (CON-2, CON-3): the validators of most stake, as many as there are seats, with capped power.
import { compare } from "@causeway/primitives";
import type { Committee, Member } from "../codec/block.ts";
import { capPowers } from "../consensus/power.ts";
import type { Genesis, GenesisValidator } from "./genesis.ts";

export type Candidate = Pick<GenesisValidator, "stake"> & {
  readonly owner: Uint8Array;
  readonly consensusKey: Uint8Array;
  readonly attestKey: Uint8Array;
};

/**
 * The first `seats` of `candidates` by stake, those of equal stake by their owners' bytes; they sit in the order in
 * which they are given.
 */
export function elect(candidates: readonly Candidate[], seats: number): Member[] {
  const ranked = [...candidates].sort((a, b) => {
    if (a.stake !== b.stake) return a.stake > b.stake ? -1 : 1;
    return compare(a.owner, b.owner);
  });
  const chosen = new Set(ranked.slice(0, seats));
  const seated = candidates.filter((candidate) => chosen.has(candidate));
  const powers = capPowers(seated.map(({ stake }) => stake));
  return seated.map(({ owner, consensusKey, attestKey }, seat) => ({
    validator: owner,
    consensusKey,
    attestKey,
    power: powers[seat] ?? 0n,
  }));
}

const known = new WeakMap<Genesis, Committee>();

/** The committee of epochs 0 and 1, as that of epoch 0. */
export function committeeOf(genesis: Genesis): Committee {
  const before = known.get(genesis);
  if (before !== undefined) return before;
  const committee = { epoch: 0, members: elect(genesis.validators, genesis.params.seats) };
  known.set(genesis, committee);
  return committee;
}
