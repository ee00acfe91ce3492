// What goes wrong in a seed, decided before it begins: every fault is an option with a rate or a time, counted
// when it strikes. After `healAt` nothing new goes wrong; only a silent operator stays silent.
import type { Random } from "@causeway/primitives";
import { times } from "../seeds/plan.ts";

export const faultKinds = [
  "loss",
  "duplication",
  "reordering",
  "partition",
  "node-crash",
  "signer-crash",
  "relay-crash",
  "crash-within-step",
  "bitcoin-reorganisation",
  "deep-reorganisation",
  "double-spend",
  "ethereum-reorganisation",
  "silent-operator",
  "hostile-action",
  "bitcoin-rpc-down",
  "ethereum-rpc-down",
  "clock-skew",
] as const;
export type FaultKind = (typeof faultKinds)[number];
export type FaultCounts = Record<FaultKind, number>;

export type Part = "node" | "signer" | "relay";

export type FaultPlan = {
  /** ms after the start. */
  readonly healAfterMs: number;
  /** Probability per message. */
  readonly loss: number;
  readonly duplication: number;
  /** A message is held back for a second or more, so that later ones overtake it. */
  readonly reordering: number;
  readonly partitions: readonly {
    readonly atMs: number;
    readonly forMs: number;
    /** One side, by operator. */
    readonly side: readonly boolean[];
  }[];
  readonly crashes: readonly {
    readonly atMs: number;
    readonly forMs: number;
    readonly operator: number;
    readonly part: Part;
    /** Crash in the middle of the next step's effects: how many of them are performed. */
    readonly withinStep?: number;
  }[];
  /**
   * Blocks that the reorganisation replaces: once a deposit has exactly `depth` confirmations, or one block in five
   * otherwise. Always fewer than the final depth.
   */
  readonly reorganisations: readonly {
    readonly depth: number;
    readonly when: "before-credit" | "after-credit" | "anywhere";
    /** The first deposit in them is spent elsewhere instead. */
    readonly doubleSpend: boolean;
  }[];
  readonly ethereumReorganisations: number;
  readonly silent: number | undefined;
  readonly rpcDown: readonly {
    readonly chain: "bitcoin" | "ethereum";
    readonly operator: number;
    readonly atMs: number;
    readonly forMs: number;
  }[];
  /** Of each operator's clock, ms. */
  readonly skewMs: readonly number[];
};

export function noFaults(): FaultCounts {
  return Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as FaultCounts;
}

/** The faults of a seed; `random` is used for nothing else. Seeds divisible by 25 have none at all. */
export function planFaults(seed: number, random: Random, operators: number): FaultPlan {
  if (seed % 25 === 0) return calm(operators);
  const healAfterMs = 8_000 + random.below(40_000);
  const within = (): number => random.below(healAfterMs);
  const operator = (): number => random.below(operators);
  const rate = (p: number, most: number): number =>
    random.chance(p) ? (random.below(100) * most) / 100 : 0;
  const silent = random.chance(0.15) ? operator() : undefined;
  return {
    healAfterMs,
    // Now and then so much that rounds of consensus end without a decision.
    loss: random.chance(0.1) ? 0.3 + random.below(30) / 100 : rate(0.6, 0.15),
    duplication: rate(0.5, 0.15),
    reordering: rate(0.5, 0.15),
    partitions: times(random.chance(0.3) ? 1 + random.below(2) : 0, () => ({
      atMs: within(),
      forMs: 1_000 + random.below(9_000),
      side: times(operators, () => random.chance(0.5)),
    })),
    crashes: times(random.chance(0.7) ? 1 + random.below(4) : 0, () => ({
      atMs: within(),
      forMs: random.chance(0.2) ? 30_000 : 100 + random.below(8_000),
      operator: operator(),
      part: random.pick(["node", "node", "signer", "signer", "relay"] as const),
      ...(random.chance(0.5) && { withinStep: random.below(4) }),
    })),
    reorganisations: times(random.chance(0.4) ? 1 + random.below(3) : 0, () => {
      const when = random.pick([
        "before-credit",
        "before-credit",
        "after-credit",
        "anywhere",
      ] as const);
      const depth =
        when === "before-credit" ? 1 : when === "after-credit" ? 2 : 1 + random.below(2);
      return { depth, when, doubleSpend: when === "before-credit" && random.chance(0.4) };
    }),
    ethereumReorganisations: random.chance(0.3) ? 1 : 0,
    silent,
    rpcDown: times(random.chance(0.3) ? 1 + random.below(3) : 0, () => ({
      chain: random.pick(["bitcoin", "ethereum"] as const),
      operator: operator(),
      atMs: within(),
      forMs: 1_000 + random.below(10_000),
    })),
    skewMs: times(operators, () => (random.chance(0.3) ? random.below(1_000) - 500 : 0)),
  };
}

/** Nothing goes wrong. */
export function calm(operators: number): FaultPlan {
  return {
    healAfterMs: 0,
    loss: 0,
    duplication: 0,
    reordering: 0,
    partitions: [],
    crashes: [],
    reorganisations: [],
    ethereumReorganisations: 0,
    silent: undefined,
    rpcDown: [],
    skewMs: times(operators, () => 0),
  };
}
