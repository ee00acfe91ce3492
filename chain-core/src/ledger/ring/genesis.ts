// The ring that a network begins with: every validator has one seat, and each foreign chain gets a key.
import { ceremonies, ceremonyStages, openCeremonies, purposes } from "../../ring/records.ts";
import type { BlockContext } from "../rule.ts";
import { ringThreshold } from "./ceremony.ts";

/** Opens the first ceremonies: key 1 for Bitcoin, then one for each EVM chain in the genesis' order. */
export function ringGenesis({ state, genesis }: Pick<BlockContext, "state" | "genesis">): void {
  const seats = genesis.validators.map(({ owner, hostKey }) => ({ validator: owner, hostKey }));
  const chains = [genesis.bitcoin.chain, ...genesis.evm.map(({ chain }) => chain)];
  const keyIds = chains.map((_, i) => i + 1);
  for (const [i, chain] of chains.entries())
    ceremonies.put(state, i + 1, {
      keyId: i + 1,
      purpose: purposes.generate,
      term: 0,
      chain,
      attempt: 0,
      threshold: ringThreshold(seats.length),
      seats,
      stage: ceremonyStages.deal,
      // The window begins with the first block: a genesis may be written days before it.
      startedAt: genesis.time,
      startedHeight: 0,
      dealt: [],
      voided: [],
      dealsHash: new Uint8Array(32),
      commitments: [],
      confirmed: [],
    });
  openCeremonies.put(state, "only", { keyIds });
}
