// What many seeds of a simulator with strategies showed together.

type Result<Strategy extends string> = {
  readonly failure?: string | undefined;
  readonly drawn: readonly Strategy[];
  readonly counts: Readonly<Record<Strategy | "loss" | "duplication" | "reordering", number>>;
  readonly healedMs: number;
  readonly tookMs: number;
};

/** Seeds that drew it, and how often it struck. */
export type OfStrategy = { readonly seeds: number; readonly faults: number };

export function sum<R>(results: readonly R[], of: (result: R) => number): number {
  return results.reduce((total, result) => total + of(result), 0);
}

export type Summary = {
  readonly seeds: number;
  readonly failed: number;
  readonly byStrategy: Readonly<Record<string, OfStrategy>>;
  readonly network: Readonly<Record<"loss" | "duplication" | "reordering", number>>;
  readonly simulatedHours: number;
  /** Simulated ms from healing to the goal. */
  readonly healedMs: { readonly p50: number; readonly max: number };
};

/** `more`: what else is known of a strategy. */
export function summarize<Strategy extends string>(
  results: readonly Result<Strategy>[],
  strategies: readonly Strategy[],
  more: (strategy: Strategy) => object,
): Summary {
  const one = (strategy: Strategy): OfStrategy => ({
    seeds: results.filter(({ drawn }) => drawn.includes(strategy)).length,
    faults: sum(results, ({ counts }) => counts[strategy]),
    ...more(strategy),
  });
  const healed = results.map(({ healedMs }) => healedMs).sort((a, b) => a - b);
  return {
    seeds: results.length,
    failed: results.filter(({ failure }) => failure !== undefined).length,
    byStrategy: Object.fromEntries(strategies.map((strategy) => [strategy, one(strategy)])),
    network: {
      loss: sum(results, ({ counts }) => counts.loss),
      duplication: sum(results, ({ counts }) => counts.duplication),
      reordering: sum(results, ({ counts }) => counts.reordering),
    },
    simulatedHours: Math.round(sum(results, ({ tookMs }) => tookMs) / 36_000) / 100,
    healedMs: { p50: healed[healed.length >> 1] ?? 0, max: healed.at(-1) ?? 0 },
  };
}
