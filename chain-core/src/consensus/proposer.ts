// Who proposes. A plain rotation until the beacon shuffles the order: everyone proposes equally often (CON-2).

/** The seat that proposes at (height, round) in a committee of `size` seats, 1 or more. */
export function proposerOf(size: number, height: number, round: number): number {
  return (height + round) % size;
}
