// What one peer may make this signer work: a bucket for each of its seats, so that a hostile one starves only itself.
export type Budget = { readonly left: number; readonly atMs: number };

/** A message costs 1, and 1 more for each 4 KiB. Signing takes a few messages a plan and seat. */
const capacity = 600;
const refillPerMs = 0.3;

/**
 * The budget after a message of `size` bytes of a peer with so many `seats`, or undefined when there is not enough left:
 * it is dropped.
 */
export function spend(
  budget: Budget | undefined,
  size: number,
  seats: number,
  nowMs: number,
): Budget | undefined {
  const { left, atMs } = budget ?? { left: seats * capacity, atMs: nowMs };
  const passedMs = Math.max(0, nowMs - atMs);
  const refilled = Math.min(seats * capacity, left + passedMs * seats * refillPerMs);
  const cost = 1 + size / 4096;
  return refilled < cost ? undefined : { left: refilled - cost, atMs: nowMs };
}
