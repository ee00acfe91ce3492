// Stake that moved from one validator to another without unbonding stays liable for the first (STK-2). Who moved is
// listed for each validator and epoch, so that a slash finds them; the list is short, and full is full until the next epoch.
import type { Codec } from "@causeway/primitives";
import { b32, ContainerType, codec, ListCompositeType, u128 } from "@causeway/primitives";
import type { State, StateReader, Table } from "../state.ts";
import { modules, table } from "../state.ts";
import type { ExitKey } from "./unbonding.ts";
import { exitKey } from "./unbonding.ts";

/** Redelegations out of one validator in one epoch, at most. */
export const movesMax = 128;

/** `shares` of the pool of `to` that `delegator` got. */
export type Move = { to: Uint8Array; delegator: Uint8Array; shares: bigint };
type Moves = { list: Move[] };
const movesCodec: Codec<Moves> = codec(
  "moves",
  new ContainerType({
    list: new ListCompositeType(
      new ContainerType({ to: b32, delegator: b32, shares: u128 }),
      movesMax,
    ),
  }),
  80 * movesMax + 16,
);
/** By the validator that the stake left || the epoch in which it did. */
export const moves: Table<ExitKey, Moves> = table(modules.staking, 15, exitKey, movesCodec);

export function movesOf(state: StateReader, key: ExitKey): readonly Move[] {
  return moves.get(state, key)?.list ?? [];
}

export function addMove(state: State, key: ExitKey, move: Move): void {
  moves.put(state, key, { list: [...movesOf(state, key), move] });
}
