// Epochs and who votes in them (CON-3, TIM-2): an epoch ends with the first block whose time has passed its end, and
// the committee of epoch e + 2 is fixed by that block, so that the state names three: the previous epoch's, the
// running one's and the next one's.
import { ContainerType, codec, must, u64 } from "@causeway/primitives";
import type { Committee } from "../../codec/block.ts";
import { committeeCodec } from "../../codec/block.ts";
import { committeeOf, elect } from "../committee.ts";
import type { Genesis } from "../genesis.ts";
import type { BlockContext } from "../rule.ts";
import type { State, StateReader, Table } from "../state.ts";
import { byNumber, modules, single, table } from "../state.ts";
import { candidates, validatorsGenesis } from "./validators.ts";

/**
 * The epoch of the next block. `firstHeight` is its first block's height, `previousFirst` that of the epoch before;
 * times are ledger time in ms.
 */
export type Epoch = {
  number: number;
  firstHeight: number;
  previousFirst: number;
  startedAt: number;
  endsAt: number;
};
export const epochs: Table<"only", Epoch> = table(
  modules.staking,
  1,
  single,
  codec(
    "epoch",
    new ContainerType({
      number: u64,
      firstHeight: u64,
      previousFirst: u64,
      startedAt: u64,
      endsAt: u64,
    }),
    40,
  ),
);

/** By epoch: those of the previous, the running and the next. */
export const committees: Table<number, Committee> = table(
  modules.staking,
  2,
  byNumber,
  committeeCodec,
);

/** The epoch of the block after this state. */
export function epochOf(state: StateReader): Epoch {
  return must(epochs.get(state, "only"), "epoch");
}

/** The committee of `epoch`, when the state still or already knows it. */
export function committeeAt(state: StateReader, epoch: number): Committee | undefined {
  return committees.get(state, epoch);
}

/** The committee that decided block `height`, of the running epoch or the one before, or that decides the next. */
export function committeeOfHeight(state: StateReader, height: number): Committee {
  return must(knownCommittee(state, height), "committee of the height");
}

/** The same, or undefined for a height of an epoch that the state has forgotten. */
export function knownCommittee(state: StateReader, height: number): Committee | undefined {
  const { number, firstHeight, previousFirst } = epochOf(state);
  if (height < previousFirst) return undefined;
  return committeeAt(state, height >= firstHeight ? number : number - 1);
}

/** Epoch 0 begins with block 1; the validators of the genesis are the committees of epochs 0 and 1. */
export function epochGenesis(state: State, genesis: Genesis): void {
  validatorsGenesis(state, genesis);
  const endsAt = genesis.time + genesis.params.epochMs;
  epochs.put(state, "only", {
    number: 0,
    firstHeight: 1,
    previousFirst: 1,
    startedAt: genesis.time,
    endsAt,
  });
  const committee = committeeOf(genesis);
  for (const epoch of [0, 1]) committees.put(state, epoch, { ...committee, epoch });
}

/**
 * Ends the epoch with this block when its time has come (CON-3). The ends keep their distance from the genesis; after
 * a halt of many epochs there is one long one, not many of one block.
 */
export function epochEndBlock({ state, params, height, time }: BlockContext): void {
  const epoch = epochOf(state);
  if (time < epoch.endsAt) return;
  const number = epoch.number + 1;
  const passed = Math.floor((time - epoch.endsAt) / params.epochMs) + 1;
  epochs.put(state, "only", {
    number,
    firstHeight: height + 1,
    previousFirst: epoch.firstHeight,
    startedAt: time,
    endsAt: epoch.endsAt + passed * params.epochMs,
  });
  committees.put(state, number + 1, nextCommittee(state, params.seats, number + 1));
  if (number >= 2) committees.delete(state, number - 2);
}

function nextCommittee(state: StateReader, seats: number, epoch: number): Committee {
  const members = elect(candidates(state), seats);
  if (members.some(({ power }) => power > 0n)) return { epoch, members };
  // All are tombstoned: the old ones stay, barred, and nothing is decided. That is a state, no exception (CON-5).
  return { ...must(committeeAt(state, epoch - 1), "committee"), epoch };
}
