// What can go wrong in a seed: what Byzantine members do, and what the network, the disks, the clocks and the ledger do.

/**
 * Byzantine members choose these. `part`: what of the protocol it spoils, which bounds how many there may be (f in a
 * ceremony, n - t in signing). `earns`: whether anybody can prove it,
 * always or sometimes; the others are only suspected.
 */
export const memberStrategies = {
  "silent dealer": { part: "ceremony", earns: "nothing" },
  "wrong share": { part: "ceremony", earns: "blame" },
  "wrong degree": { part: "ceremony", earns: "nothing" },
  "copied ephemeral": { part: "ceremony", earns: "nothing" },
  "cancelling commitment": { part: "ceremony", earns: "blame" },
  "forged constant term": { part: "ceremony", earns: "nothing" },
  "false complaint": { part: "ceremony", earns: "blame" },
  "forged complaint": { part: "ceremony", earns: "nothing" },
  "wrong confirmation": { part: "ceremony", earns: "nothing" },
  "late confirmation": { part: "ceremony", earns: "nothing" },
  "lying coordinator": { part: "signing", earns: "nothing" },
  "session flood": { part: "signing", earns: "nothing" },
  "withholding coordinator": { part: "signing", earns: "nothing" },
  "bad share": { part: "signing", earns: "blame" },
  "equivocated commitment": { part: "signing", earns: "nothing" },
  // Where the member is in the session that it names, its share is a wrong one there.
  "share for another session": { part: "signing", earns: "sometimes" },
  "withheld share": { part: "signing", earns: "nothing" },
  replay: { part: "signing", earns: "nothing" },
  flood: { part: "signing", earns: "nothing" },
  silent: { part: "ceremony", earns: "nothing" },
} as const;
export type MemberStrategy = keyof typeof memberStrategies;

const worldStrategies = [
  "partition",
  "asymmetric partition",
  "slow node",
  "clock skew",
  "crash",
  "crash at a write",
  "older disk",
  "second copy",
  "wrong ledger",
] as const;
export type WorldStrategy = (typeof worldStrategies)[number];

export type Strategy = MemberStrategy | WorldStrategy;
export const strategies: readonly Strategy[] = [
  ...(Object.keys(memberStrategies) as MemberStrategy[]),
  ...worldStrategies,
];

export function isMemberStrategy(strategy: Strategy): strategy is MemberStrategy {
  return strategy in memberStrategies;
}

export type Counts = Record<Strategy | "loss" | "duplication" | "reordering", number>;

export function noCounts(): Counts {
  const names = [...strategies, "loss", "duplication", "reordering"] as const;
  return Object.fromEntries(names.map((name) => [name, 0])) as Counts;
}
