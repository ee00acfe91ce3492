// Who votes (CON-2, CON-3): the validators of most stake, as many as there are seats, with capped power; and who stands
// by (STK): the next of most stake.
import { compare } from "@causeway/primitives";
import type { Committee, Member } from "../codec/block.ts";
import { capPowers } from "../consensus/power.ts";
import type { Genesis, GenesisValidator, Params } from "./genesis.ts";

export type Candidate = Pick<GenesisValidator, "stake" | "consensusKey" | "attestKey"> & {
  readonly owner: Uint8Array;
};

export type Sets = { readonly formal: Member[]; readonly standby: readonly Candidate[] };

type Staked = { readonly owner: Uint8Array; readonly stake: bigint };

/** The order in which seats are given: most stake first, those of equal stake by their owners' bytes. */
export function byStake(a: Staked, b: Staked): number {
  if (a.stake !== b.stake) return a.stake > b.stake ? -1 : 1;
  return compare(a.owner, b.owner);
}

/**
 * The first `seats` of `candidates` by stake, those of equal stake by their owners' bytes; they sit in the order in
 * which they are given. The next `standbySeats` stand by, the one of most stake first.
 */
export function electSets(
  candidates: readonly Candidate[],
  { seats, standbySeats }: Pick<Params, "seats" | "standbySeats">,
): Sets {
  const ranked = [...candidates].sort(byStake);
  const chosen = new Set(ranked.slice(0, seats));
  const seated = candidates.filter((candidate) => chosen.has(candidate));
  const powers = capPowers(seated.map(({ stake }) => stake));
  const formal = seated.map(({ owner, consensusKey, attestKey }, seat) => ({
    validator: owner,
    consensusKey,
    attestKey,
    power: powers[seat] ?? 0n,
  }));
  return { formal, standby: ranked.slice(seats, seats + standbySeats) };
}

const known = new WeakMap<Genesis, Committee>();

/** The committee of epochs 0 and 1, as that of epoch 0. */
export function committeeOf(genesis: Genesis): Committee {
  const before = known.get(genesis);
  if (before !== undefined) return before;
  const committee = { epoch: 0, members: electSets(genesis.validators, genesis.params).formal };
  known.set(genesis, committee);
  return committee;
}
