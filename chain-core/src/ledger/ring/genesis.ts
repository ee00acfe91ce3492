// The ring that a network begins with: every validator has one seat, and each foreign chain gets a key.
import { zero32 } from "@causeway/primitives";
import { thresholdOf } from "../../beacon/elect.ts";
import { draws, electionStates, electorates, purposes, rings, terms } from "../../ring/records.ts";
import type { Genesis } from "../genesis.ts";
import type { State } from "../state.ts";
import { beginCeremony } from "./ceremony.ts";
import { creditEnd } from "./election.ts";
import { electorateOf } from "./electorate.ts";

/** Term 0, and the first ceremonies: key 1 for Bitcoin, then one for each EVM chain in the genesis' order. */
export function ringGenesis({
  state,
  genesis,
}: {
  readonly state: State;
  readonly genesis: Genesis;
}): void {
  const { params, time } = genesis;
  const seats = genesis.validators.map(({ owner, hostKey }) => ({ validator: owner, hostKey }));
  const chains = [genesis.bitcoin.chain, ...genesis.evm.map(({ chain }) => chain)];
  rings.put(state, 0, {
    term: 0,
    epoch: 0,
    startedAt: time,
    threshold: thresholdOf(seats.length),
    seats,
    output: zero32,
    creditUntil: creditEnd(params, time),
  });
  if (params.ringTermEpochs > 0) {
    const candidates = electorateOf(state, params, 0);
    electorates.put(state, 0, { candidates });
    const drawn = candidates.map(({ owner, stake }) => ({ owner, stake, isGone: false }));
    draws.put(state, 0, { candidates: drawn });
  }
  const election = electionStates.done;
  terms.put(state, "only", { term: 0, nextKeyId: chains.length + 1, earlyEpoch: 0, election });
  // Their windows begin with the first block: a genesis may be written days before it.
  for (const [i, chain] of chains.entries()) {
    const of = { keyId: i + 1, purpose: purposes.generate, term: 0, chain, attempt: 0 };
    beginCeremony({ state, time, height: 0 }, of, seats);
  }
}
