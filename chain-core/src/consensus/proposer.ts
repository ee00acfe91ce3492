// Who proposes. A plain rotation until the beacon shuffles the order: everyone proposes equally often (CON-2).
import type { Voters } from "./voters.ts";

/**
 * The seat that proposes at (height, round) in a committee of `size` seats, 1 or more. Round 0 rotates with the
 * height. The rounds after it go through the others, and begin one seat further with each rotation, so that the
 * work (and the fees) of a silent seat falls to all others in turn and not always to the one after it. Any `size`
 * heights have every seat once in round 0, and rounds k x size to k x size + size - 1 of a height have every
 * seat once. Heights are not counted from the epoch's first: a committee's first seats would gain by every epoch.
 */
export function proposerOf(size: number, height: number, round: number): number {
  const turn = round % size;
  if (turn === 0) return height % size;
  const rotation = Math.floor(height / size);
  return ((height % size) + 1 + ((rotation + turn - 1) % (size - 1))) % size;
}

/** {@link proposerOf} among the seats whose votes count (CON-3): a barred seat's turn goes to the others. */
export function proposerAt(voters: Voters, height: number, round: number): number {
  const { eligible } = voters;
  return eligible[proposerOf(eligible.length, height, round)] ?? 0;
}
