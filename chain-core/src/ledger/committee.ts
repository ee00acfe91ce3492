// Who votes (CON-2, CON-3): the validators of the genesis in their order, with capped power.
import type { Committee } from "../codec/block.ts";
import { capPowers } from "../consensus/power.ts";
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
