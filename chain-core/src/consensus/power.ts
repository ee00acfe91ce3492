// The cap on a seat's voting power (CON-2): without it one large stake decides alone.

/**
 * CON-2: each stake, at most c, the largest integer with c <= floor(2/N x the sum of min(stake_j, c)) for N
 * seats; no cap for N <= 2. Stakes are not negative. When more than half of the stakes are 0, so is c.
 */
export function capPowers(stakes: readonly bigint[]): bigint[] {
  const seats = BigInt(stakes.length);
  return seats <= 2n ? [...stakes] : capStakes(stakes, 2n, seats);
}

/**
 * Each stake, at most c, the largest integer with c <= floor(most/of x the sum of min(stake_j, c)); no cap where
 * `most` >= `of`. The condition is concave in c and holds at 0, so what satisfies it is an interval and a binary
 * search finds its end.
 */
export function capStakes(stakes: readonly bigint[], most: bigint, of: bigint): bigint[] {
  const counted = (cap: bigint): bigint => stakes.reduce((sum, s) => sum + (s < cap ? s : cap), 0n);
  let low = 0n;
  let high = stakes.reduce((a, b) => a + b, 0n);
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (of * middle <= most * counted(middle)) low = middle;
    else high = middle - 1n;
  }
  return stakes.map((stake) => (stake < low ? stake : low));
}
