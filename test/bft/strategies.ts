// What can go wrong in a seed: what Byzantine seats do, and what the network, the disks and the clocks do.

/** Byzantine seats choose these; `convicts`: two signatures of the seat prove it. The others are only suspected. */
export const seatStrategies = {
  "equivocating proposer": { convicts: true },
  "equivocating voter": { convicts: true },
  amnesia: { convicts: true },
  silent: { convicts: false },
  delayed: { convicts: false },
  selective: { convicts: false },
  "wrong block": { convicts: false },
  "invalid certificate": { convicts: false },
  "false proof of lock": { convicts: false },
  "message flood": { convicts: false },
} as const;
export type SeatStrategy = keyof typeof seatStrategies;

const networkStrategies = [
  "long partition",
  "asymmetric partition",
  "clock skew",
  "crash",
] as const;
export type NetworkStrategy = (typeof networkStrategies)[number];

export type Strategy = SeatStrategy | NetworkStrategy;
export const strategies: readonly Strategy[] = [
  ...(Object.keys(seatStrategies) as SeatStrategy[]),
  ...networkStrategies,
];

export function isSeatStrategy(strategy: Strategy): strategy is SeatStrategy {
  return strategy in seatStrategies;
}

export type Counts = Record<Strategy | "loss" | "duplication" | "reordering", number>;

export function noCounts(): Counts {
  const names = [...strategies, "loss", "duplication", "reordering"] as const;
  return Object.fromEntries(names.map((name) => [name, 0])) as Counts;
}
