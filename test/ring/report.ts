// What many seeds showed together.
import type { Result } from "./simulate.ts";
import type { MemberStrategy, Strategy } from "./strategies.ts";
import { isMemberStrategy, memberStrategies, strategies } from "./strategies.ts";

export type OfStrategy = {
  /** Seeds that drew it, and how often it struck. */
  readonly seeds: number;
  readonly faults: number;
  /** Members that played it and nothing else, and how many of them somebody can prove guilty. */
  readonly members?: number;
  readonly blamed?: number;
};

export type Summary = {
  readonly seeds: number;
  readonly failed: number;
  readonly bySize: Readonly<Record<string, number>>;
  readonly byStrategy: Readonly<Record<string, OfStrategy>>;
  readonly network: Readonly<Record<"loss" | "duplication" | "reordering", number>>;
  /** Requests and canaries signed; sessions over several; attempts of ceremonies after the first that came to confirmations. */
  readonly signed: number;
  readonly together: number;
  readonly laterAttempts: number;
  readonly simulatedHours: number;
  /** Simulated ms from healing until everything was done. */
  readonly healedMs: { readonly p50: number; readonly max: number };
};

function sum(results: readonly Result[], of: (result: Result) => number): number {
  return results.reduce((total, result) => total + of(result), 0);
}

export function summaryOf(results: readonly Result[]): Summary {
  const one = (strategy: Strategy): OfStrategy => ({
    seeds: results.filter(({ drawn }) => drawn.includes(strategy)).length,
    faults: sum(results, ({ counts }) => counts[strategy]),
    ...(isMemberStrategy(strategy) && membersOf(results, strategy)),
  });
  const healed = results.map(({ healedMs }) => healedMs).sort((a, b) => a - b);
  const sizes = [...new Set(results.map(({ size }) => size))].sort((a, b) => a - b);
  return {
    seeds: results.length,
    failed: results.filter(({ failure }) => failure !== undefined).length,
    bySize: Object.fromEntries(
      sizes.map((size) => [size, results.filter((result) => result.size === size).length]),
    ),
    byStrategy: Object.fromEntries(strategies.map((strategy) => [strategy, one(strategy)])),
    network: {
      loss: sum(results, ({ counts }) => counts.loss),
      duplication: sum(results, ({ counts }) => counts.duplication),
      reordering: sum(results, ({ counts }) => counts.reordering),
    },
    signed: sum(results, ({ signed }) => signed),
    together: sum(results, ({ together }) => together),
    laterAttempts: sum(results, ({ laterAttempts }) => laterAttempts),
    simulatedHours: Math.round(sum(results, ({ tookMs }) => tookMs) / 36_000) / 100,
    healedMs: { p50: healed[healed.length >> 1] ?? 0, max: healed.at(-1) ?? 0 },
  };
}

function membersOf(
  results: readonly Result[],
  strategy: MemberStrategy,
): { readonly members: number; readonly blamed: number } {
  const alone = results.flatMap(({ members }) =>
    members.filter(({ plays }) => plays.length === 1 && plays[0] === strategy),
  );
  return { members: alone.length, blamed: alone.filter(({ blamed }) => blamed).length };
}

/**
 * Strategies that never struck, or that can be proven and never were; checks.ts refuses every blame of the others. And
 * that no plans were signed together.
 */
export function shortcomingsOf(results: readonly Result[]): string[] {
  const { byStrategy, together } = summaryOf(results);
  const lacks = strategies.flatMap((strategy) => {
    const { faults = 0, members = 0, blamed = 0 } = byStrategy[strategy] ?? {};
    if (faults === 0) return [`${strategy}: never struck`];
    if (!isMemberStrategy(strategy) || memberStrategies[strategy].earns !== "blame") return [];
    return members >= 10 && blamed === 0 ? [`${strategy}: 0 of ${members} members blamed`] : [];
  });
  return together === 0 ? [...lacks, "no session over several plans"] : lacks;
}
