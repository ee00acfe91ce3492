// What many seeds showed together.
import type { Summary } from "../seeds/report.ts";
import { sum, summarize } from "../seeds/report.ts";
import type { Result } from "./simulate.ts";
import type { MemberStrategy, Strategy } from "./strategies.ts";
import { isMemberStrategy, memberStrategies, strategies } from "./strategies.ts";

export function summaryOf(results: readonly Result[]): Summary & {
  readonly bySize: Readonly<Record<string, number>>;
  /** Requests and canaries signed; sessions over several; attempts of ceremonies after the first that came to confirmations. */
  readonly signed: number;
  readonly together: number;
  readonly laterAttempts: number;
} {
  const sizes = [...new Set(results.map(({ size }) => size))].sort((a, b) => a - b);
  const ofMembers = (strategy: Strategy): object =>
    isMemberStrategy(strategy) ? membersOf(results, strategy) : {};
  return {
    ...summarize(results, strategies, ofMembers),
    bySize: Object.fromEntries(
      sizes.map((size) => [size, results.filter((result) => result.size === size).length]),
    ),
    signed: sum(results, ({ signed }) => signed),
    together: sum(results, ({ together }) => together),
    laterAttempts: sum(results, ({ laterAttempts }) => laterAttempts),
  };
}

/** Members that played it and nothing else, and how many of them somebody can prove guilty. */
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
  const lacks = strategies.flatMap((strategy) => {
    if (sum(results, ({ counts }) => counts[strategy]) === 0) return [`${strategy}: never struck`];
    if (!isMemberStrategy(strategy) || memberStrategies[strategy].earns !== "blame") return [];
    const { members, blamed } = membersOf(results, strategy);
    return members >= 10 && blamed === 0 ? [`${strategy}: 0 of ${members} members blamed`] : [];
  });
  const together = sum(results, (one) => one.together);
  return together === 0 ? [...lacks, "no session over several plans"] : lacks;
}
