// Until when stake answers for a validator (STK-2): unbonding begins at the end of the last epoch whose fixed committee
// may hold it, and takes `unbondingMs`.
import { ContainerType, codec, must, u64 } from "@causeway/primitives";
import type { Params } from "../genesis.ts";
import type { StateReader, Table } from "../state.ts";
import { byNumber, modules, table } from "../state.ts";

/** An epoch that is over: the height of its first block and the ledger time (ms) of its last. */
export type PastEpoch = { firstHeight: number; endedAt: number };
/** By number; kept for ever, 16 bytes an epoch. */
export const pastEpochs: Table<number, PastEpoch> = table(
  modules.staking,
  12,
  byNumber,
  codec("past epoch", new ContainerType({ firstHeight: u64, endedAt: u64 }), 16),
);

/** Ledger time (ms) at which stake is free that was bound to the end of `epoch`; undefined while that runs. */
export function releaseTime(
  state: StateReader,
  { unbondingMs }: Pick<Params, "unbondingMs">,
  epoch: number,
): number | undefined {
  const past = pastEpochs.get(state, epoch);
  return past === undefined ? undefined : past.endedAt + unbondingMs;
}

/** Epochs at most for which the ledger remembers committees and who left: more would make evidence unbounded work. */
export const liableEpochsMax = 128;

/** How many epochs back evidence reaches: as long as stake that left is not released. */
export function liableEpochs({ unbondingMs, epochMs }: Params): number {
  return Math.min(liableEpochsMax, Math.ceil(unbondingMs / epochMs) + 2);
}

/** The epoch of a height up to the next block's, or undefined when it is longer ago than anything asks for. */
export function epochOfHeight(
  state: StateReader,
  running: { readonly number: number; readonly firstHeight: number },
  height: number,
): number | undefined {
  if (height >= running.firstHeight) return running.number;
  const oldest = Math.max(0, running.number - liableEpochsMax);
  for (let epoch = running.number - 1; epoch >= oldest; epoch--)
    if (height >= must(pastEpochs.get(state, epoch), "past epoch").firstHeight) return epoch;
  return undefined;
}
