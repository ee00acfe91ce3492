// Who votes (CON-2, CON-3): the validators of the genesis in their order, with capped power.
import type { Committee } from "../codec/block.ts";
import type { Genesis } from "./genesis.ts";

const known = new WeakMap<Genesis, Committee>();

/** The committee of epoch 0; seat i is validator i of the genesis. */
export function committeeOf(genesis: Genesis): Committee {
  const before = known.get(genesis);
  if (before !== undefined) return before;
  const powers = capPowers(genesis.validators.map(({ stake }) => stake));
  const members = genesis.validators.map(({ owner, consensusKey, attestKey }, seat) => ({
    validator: owner,
    consensusKey,
    attestKey,
    power: powers[seat] ?? 0n,
  }));
  const committee: Committee = { epoch: 0, members };
  known.set(genesis, committee);
  return committee;
}

/**
 * CON-2: the counted power of each stake, min(stake, c) with c the largest integer such that
 * c <= floor(2 x sum of min(stake_j, c) / N); the stakes themselves for N <= 2.
 */
export function capPowers(stakes: readonly bigint[]): bigint[] {
  const n = BigInt(stakes.length);
  if (n <= 2n) return [...stakes];
  const counted = (cap: bigint): bigint =>
    stakes.reduce((sum, stake) => sum + (stake < cap ? stake : cap), 0n);
  // c -> floor(2 counted(c) / N) is monotonous: from above it falls to its greatest fixed point.
  let cap = stakes.reduce((most, stake) => (stake > most ? stake : most), 0n);
  for (;;) {
    const next = (2n * counted(cap)) / n;
    if (next >= cap) return stakes.map((stake) => (stake < cap ? stake : cap));
    cap = next;
  }
}
