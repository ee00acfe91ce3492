import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { takeTurns, tryAgain, turnAt, turnMs } from "./rota.ts";

const count = 4;
const due = new Map([["thing", 6]]);

describe("the rota", () => {
  test("operator (base + i) mod N waits 2 i seconds", () => {
    const waits = [0, 1, 2, 3].map((seat) => turnAt({ seat, count }, 6, 1_000) - 1_000);
    expect(waits).toEqual([2 * turnMs, 3 * turnMs, 0, turnMs]);
  });

  test("exactly one operator is first, and every one has a turn within a round", () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.integer({ min: 1, max: 150 }), (base, operators) => {
        const turns = Array.from({ length: operators }, (_, seat) =>
          turnAt({ seat, count: operators }, base, 0),
        );
        expect(turns.toSorted((a, b) => a - b)).toEqual(turns.map((_, i) => i * turnMs));
      }),
    );
  });

  test("a thing waits for its turn from when it was first seen, then a full round for the next try", () => {
    const turns = new Map<string, number>();
    const at = (nowMs: number) => takeTurns(turns, due, { seat: 3, count }, nowMs);
    expect(at(0)).toEqual({ names: [], nextAt: turnMs });
    expect(at(turnMs - 1).names).toEqual([]);
    expect(at(turnMs)).toEqual({ names: ["thing"], nextAt: turnMs + count * turnMs });
    expect(at(turnMs + 1).names).toEqual([]);
    expect(at(turnMs + count * turnMs).names).toEqual(["thing"]);
  });

  test("what is done is forgotten, so that its return starts anew", () => {
    const turns = new Map<string, number>();
    const who = { seat: 2, count };
    expect(takeTurns(turns, due, who, 0).names).toEqual(["thing"]);
    expect(takeTurns(turns, new Map(), who, 1)).toEqual({ names: [], nextAt: undefined });
    expect(takeTurns(turns, due, who, 2).names).toEqual(["thing"]);
  });

  test("a refused try is made again after one turn", () => {
    const turns = new Map<string, number>();
    const who = { seat: 2, count };
    takeTurns(turns, due, who, 0);
    tryAgain(turns, "thing", 100);
    tryAgain(turns, "other", 100);
    expect(takeTurns(turns, due, who, 100 + turnMs).names).toEqual(["thing"]);
    expect(turns.has("other")).toBe(false);
  });
});
