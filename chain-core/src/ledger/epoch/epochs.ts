// Epochs and who votes in them (CON-3, TIM-2): an epoch ends with the first block whose time has passed its end, and
// the committee of epoch e + 2 is fixed by that block, so that the state names three: the previous epoch's, the
// running one's and the next one's.
import { ContainerType, codec, must, u64 } from "@causeway/primitives";
import type { Committee } from "../../codec/block.ts";
import { committeeCodec } from "../../codec/block.ts";
import { epochOfHeight } from "../staking/fixed.ts";
import type { StateReader, Table } from "../state.ts";
import { byNumber, modules, single, table } from "../state.ts";

/** The epoch of the next block. `firstHeight` is its first block's height; times are ledger time in ms. */
export type Epoch = {
  number: number;
  firstHeight: number;
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
      startedAt: u64,
      endsAt: u64,
    }),
    32,
  ),
);

/** By epoch: the next one's, the running one's, and those back to which evidence reaches. */
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

/** The committee that decided block `height`, one of those that the state knows, or that decides the next. */
export function committeeOfHeight(state: StateReader, height: number): Committee {
  return must(knownCommittee(state, height), "committee of the height");
}

/** The same, or undefined for a height of an epoch that the state has forgotten. */
export function knownCommittee(state: StateReader, height: number): Committee | undefined {
  const epoch = epochOfHeight(state, epochOf(state), height);
  return epoch === undefined ? undefined : committeeAt(state, epoch);
}
