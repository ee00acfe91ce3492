// How much power decides. Votes and statements use these two functions and no other (CON-2).

/** CON-2: the least power that is strictly more than two thirds of `total`. */
export function quorum(total: bigint): bigint {
  return (2n * total) / 3n + 1n;
}

/** The least power that is strictly more than a third of `total`: at least one honest seat is in it. */
export function honestMin(total: bigint): bigint {
  return total / 3n + 1n;
}
