// Epochs and who votes in them (CON-3, TIM-2): an epoch ends with the first block whose time has passed its end, and
// the committee of epoch e + 2 is fixed by that block, so that the state always names three.
import { assert, ContainerType, codec, must, u64 } from "@causeway/primitives";
import type { Committee } from "../../codec/block.ts";
import { committeeCodec } from "../../codec/block.ts";
import { committeeOf } from "../committee.ts";
import type { Genesis } from "../genesis.ts";
import type { State, StateReader, Table } from "../state.ts";
import { byNumber, modules, single, table } from "../state.ts";

/** The epoch of the next block. `firstHeight` is its first block's height; times are ledger time in ms. */
export type Epoch = { number: number; firstHeight: number; startedAt: number; endsAt: number };
export const epochs: Table<"only", Epoch> = table(
  modules.staking,
  1,
  single,
  codec(
    "epoch",
    new ContainerType({ number: u64, firstHeight: u64, startedAt: u64, endsAt: u64 }),
    32,
  ),
);

/** By epoch: those of the previous, the current and the next two. */
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

/** The committee that decided block `height`, which is the one before this state or the one that comes next. */
export function committeeOfHeight(state: StateReader, height: number): Committee {
  const { number, firstHeight } = epochOf(state);
  assert(height >= firstHeight - 1, `height ${height} is older than the epoch before`);
  return must(
    committeeAt(state, height >= firstHeight ? number : Math.max(0, number - 1)),
    "committee",
  );
}

/** Epoch 0 begins with block 1; the validators of the genesis are the committees of epochs 0 and 1. */
export function epochGenesis(state: State, genesis: Genesis): void {
  const endsAt = genesis.time + genesis.params.epochMs;
  epochs.put(state, "only", { number: 0, firstHeight: 1, startedAt: genesis.time, endsAt });
  const committee = committeeOf(genesis);
  for (const epoch of [0, 1]) committees.put(state, epoch, { ...committee, epoch });
}
