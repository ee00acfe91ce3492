// What many seeds showed together.
import type { Summary } from "../seeds/report.ts";
import { sum, summarize } from "../seeds/report.ts";
import type { Result } from "./simulate.ts";
import type { SeatStrategy, Strategy } from "./strategies.ts";
import { isSeatStrategy, seatStrategies, strategies } from "./strategies.ts";

export function summaryOf(results: readonly Result[]): Summary & { readonly heights: number } {
  const ofSeats = (strategy: Strategy): object =>
    isSeatStrategy(strategy) ? seatsOf(results, strategy) : {};
  // Of heights the decided ones.
  return {
    ...summarize(results, strategies, ofSeats),
    heights: sum(results, (one) => one.heights),
  };
}

/** Seats that play this strategy alone, so that a conviction is for it: how many, and how many some honest node convicts. */
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
