// The turn of an epoch (CON-3, STK): with its last block its rewards are settled, updates of validators take effect,
// the sets of the epoch after the next are fixed, and the next one's rewards are issued.
import { must } from "@causeway/primitives";
import { beaconEpoch, beaconGenesis, proposerOrder } from "../beacon/round.ts";
import { committeeOf, electSets } from "../committee.ts";
import type { Genesis, Params } from "../genesis.ts";
import { releaseHolders } from "../ring/liability.ts";
import type { BlockContext } from "../rule.ts";
import { candidates, standbys } from "../staking/candidates.ts";
import { liableEpochs, liableEpochsMax, pastEpochs } from "../staking/fixed.ts";
import { moves } from "../staking/redelegation.ts";
import { beginRewards, endRewards, stakingGenesis } from "../staking/rewards.ts";
import { takeUpdates } from "../staking/updates.ts";
import type { State } from "../state.ts";
import { committeeAt, committees, epochOf, epochs } from "./epochs.ts";
import { ownersOf, validatorsGenesis } from "./validators.ts";

/** Epoch 0 begins with block 1; the validators of the genesis are the committees of epochs 0 and 1. */
export function epochGenesis(state: State, genesis: Genesis): void {
  validatorsGenesis(state, genesis);
  const { time, params } = genesis;
  epochs.put(state, "only", {
    number: 0,
    firstHeight: 1,
    startedAt: time,
    endsAt: time + params.epochMs,
  });
  const committee = committeeOf(genesis);
  for (const epoch of [0, 1]) committees.put(state, epoch, { ...committee, epoch });
  beaconGenesis(state, genesis);
  stakingGenesis(state, genesis);
}

/**
 * Ends the epoch with this block when its time has come (CON-3). The ends keep their distance from the genesis; after
 * a halt of many epochs there is one long one, not many of one block.
 */
export function epochEndBlock(context: BlockContext): void {
  const { state, params, height, time } = context;
  const epoch = epochOf(state);
  if (time < epoch.endsAt) return;
  const number = epoch.number + 1;
  const passed = Math.floor((time - epoch.endsAt) / params.epochMs) + 1;
  pastEpochs.put(state, epoch.number, { firstHeight: epoch.firstHeight, endedAt: time });
  const next = {
    number,
    firstHeight: height + 1,
    startedAt: time,
    endsAt: epoch.endsAt + passed * params.epochMs,
  };
  epochs.put(state, "only", next);
  endRewards(context, epoch);
  takeUpdates(state, number);
  beaconEpoch(context, number);
  fixSets(context, number + 1);
  forget(state, number, params);
  releaseHolders(context);
  beginRewards(context, { epoch: number, from: epoch.endsAt, until: next.endsAt });
}

/** What no evidence can reach any more, and longer ago what no bond of the ring does (RNG-7). */
function forget(state: State, running: number, params: Params): void {
  const served = running - liableEpochs(params) - 1;
  if (served >= 0) {
    committees.delete(state, served);
    standbys.delete(state, served);
  }
  const epoch = running - liableEpochsMax - 2;
  if (epoch < 0) return;
  for (const validator of ownersOf(state)) moves.delete(state, { validator, epoch });
}

/** CON-3: who decides in `epoch`, in the beacon's order (BCN-4), and who stands by. */
function fixSets({ state, params, genesis }: BlockContext, epoch: number): void {
  const { formal, standby } = electSets(candidates(state, params, epoch), params);
  standbys.put(state, epoch, { owners: standby.map(({ owner }) => owner) });
  // Nobody may: the old ones stay, and if they are tombstoned nothing is decided. That is a state, no exception (CON-5).
  const members =
    formal.length > 0 ? formal : must(committeeAt(state, epoch - 1), "committee").members;
  const order = proposerOrder(state, genesis, epoch, members.length);
  committees.put(state, epoch, { epoch, members: order.map((i) => must(members[i], "member")) });
}
