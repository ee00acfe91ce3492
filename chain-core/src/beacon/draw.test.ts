import type { NetworkId } from "@causeway/primitives";
import { sha256, utf8 } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { drawsOf, shuffled } from "./draw.ts";

const network = sha256(utf8("network")) as Uint8Array as NetworkId;
const seedOf = (name: string) => sha256(utf8(name));

/** Sum of (observed - expected)^2 / expected over equally likely cells. */
function chiSquared(cells: readonly number[]): number {
  const expected = cells.reduce((a, b) => a + b, 0) / cells.length;
  return cells.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
}

describe("draws", () => {
  test("frozen", () => {
    const draws = drawsOf(network, seedOf("frozen"));
    const numbers = [10n, 10n, 2n ** 64n, 2n ** 256n].map((bound) => String(draws.below(bound)));
    expect([...numbers, shuffled(draws, 10).join(" ")]).toMatchInlineSnapshot(`
      [
        "9",
        "9",
        "6120667911448657479",
        "14019786335277712822854451154015426189596750973927989297736125674210948615764",
        "4 5 6 2 0 9 8 7 1 3",
      ]
    `);
  });

  test("are uniform below any bound", () => {
    const draws = drawsOf(network, seedOf("uniform"));
    for (const bound of [1, 2, 3, 7, 10]) {
      const cells = new Array<number>(bound).fill(0);
      for (let i = 0; i < 5_000; i++) {
        const value = Number(draws.below(BigInt(bound)));
        cells[value] = (cells[value] ?? 0) + 1;
      }
      // 99.99 % of chi-squared with 9 degrees of freedom.
      expect(chiSquared(cells)).toBeLessThan(33.7);
    }
  });

  test("what would be biased is drawn again", () => {
    // A third of the hashes is above this bound; by a plain remainder they would all fall into the low half again.
    const bound = (2n ** 256n * 2n) / 3n;
    const draws = drawsOf(network, seedOf("again"));
    let low = 0;
    for (let i = 0; i < 2_000; i++) if (draws.below(bound) < bound / 2n) low++;
    expect(Math.abs(low - 1_000)).toBeLessThan(100);
  });

  test("every order is as likely as any other", () => {
    const draws = drawsOf(network, seedOf("orders"));
    const counts = new Map<string, number>();
    for (let i = 0; i < 6_000; i++) {
      const order = shuffled(draws, 4).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // 99.99 % with 23 degrees of freedom.
    expect(chiSquared([...counts.values()])).toBeLessThan(56);
    expect(shuffled(draws, 0)).toEqual([]);
    expect(shuffled(draws, 1)).toEqual([0]);
  });
});
