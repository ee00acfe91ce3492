// What many seeds showed together.
import type { Result } from "./simulate.ts";
import type { SeatStrategy, Strategy } from "./strategies.ts";
import { seatStrategies, strategies } from "./strategies.ts";

export type OfStrategy = {
  /** Seeds that drew it, and how often it struck. */
  readonly seeds: number;
  readonly faults: number;
  /** Seats that played it, and how many of them some honest node has evidence against. */
  readonly seats?: number;
  readonly convicted?: number;
};

export type Summary = {
  readonly seeds: number;
  readonly failed: number;
  readonly byStrategy: Readonly<Record<string, OfStrategy>>;
  readonly network: Readonly<Record<"loss" | "duplication" | "reordering", number>>;
  /** Decided heights, and simulated hours. */
  readonly heights: number;
  readonly simulatedHours: number;
  /** Simulated ms from healing until every honest node had decided four more heights. */
  readonly healedMs: { readonly p50: number; readonly max: number };
};

function sum(results: readonly Result[], of: (result: Result) => number): number {
  return results.reduce((total, result) => total + of(result), 0);
}

function isSeats(strategy: Strategy): strategy is SeatStrategy {
  return strategy in seatStrategies;
}

export function summaryOf(results: readonly Result[]): Summary {
  const one = (strategy: Strategy): OfStrategy => ({
    seeds: results.filter(({ drawn }) => drawn.includes(strategy)).length,
    faults: sum(results, ({ counts }) => counts[strategy]),
    ...(isSeats(strategy) && seatsOf(results, strategy)),
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
    heights: sum(results, ({ heights }) => heights),
    simulatedHours: Math.round(sum(results, ({ tookMs }) => tookMs) / 36_000) / 100,
    healedMs: { p50: healed[healed.length >> 1] ?? 0, max: healed.at(-1) ?? 0 },
  };
}

/** Seats that play this strategy alone, so that a conviction is for it. */
function seatsOf(
  results: readonly Result[],
  strategy: SeatStrategy,
): { readonly seats: number; readonly convicted: number } {
  const alone = results.flatMap(({ seats }) =>
    seats.filter(({ plays }) => plays.length === 1 && plays[0] === strategy),
  );
  return { seats: alone.length, convicted: alone.filter(({ convicted }) => convicted).length };
}

/** What does not fit the table of who is convicted; {@link ./checks.ts} refuses every conviction of the others. */
export function accountabilityOf(results: readonly Result[]): string[] {
  return (Object.keys(seatStrategies) as SeatStrategy[]).flatMap((strategy) => {
    const { seats, convicted } = seatsOf(results, strategy);
    const { convicts } = seatStrategies[strategy];
    if (seats < 20 || convicts === convicted > 0) return [];
    return [`${strategy}: ${convicted} of ${seats} seats convicted`];
  });
}
