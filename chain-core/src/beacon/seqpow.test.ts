import type { NetworkId } from "@causeway/primitives";
import { bytes32, isRejected, sha256, toHex, utf8 } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { beaconField, encodeElement, mersenneField } from "./field.ts";
import type { Puzzle, Search } from "./seqpow.ts";
import {
  firstStep,
  proposeDifficulty,
  search,
  shareDigest,
  startOf,
  stepsMaxOf,
  stepsPerTry,
  verifySolution,
} from "./seqpow.ts";
import { advance } from "./sloth.ts";

const network = sha256(utf8("network")) as Uint8Array as NetworkId;
const small = mersenneField(61);

function puzzleOf(name: string, difficulty = 2_048, field = small): Puzzle {
  return { field, network, start: sha256(utf8(name)), difficulty };
}
function solve(puzzle: Puzzle, slice = 1_000): Search {
  let at: Search = { status: "searching", walk: firstStep(puzzle) };
  while (at.status === "searching") at = search(puzzle, at.walk, slice);
  return at;
}
function codeOf(puzzle: Puzzle, steps: number, value: bigint): string {
  const verdict = verifySolution(puzzle, steps, value);
  return isRejected(verdict) ? verdict.code : "true";
}

describe("SeqPoW (BCN-2)", () => {
  test("a frozen solution in the beacon's field", () => {
    const seed = bytes32(new Uint8Array(32).fill(7));
    const start = startOf(network, seed, new Uint8Array(96).fill(9));
    const puzzle = { field: beaconField, network, start, difficulty: 2_048 };
    const { status, walk } = solve(puzzle);
    expect([
      toHex(shareDigest(network, 5, seed)),
      toHex(start),
      status,
      walk.index,
      toHex(encodeElement(beaconField, walk.value)),
    ]).toMatchInlineSnapshot(`
      [
        "6faece054794a1548a606b299b84a5c9e8818f5b17039ac75e375b59c28d94c3",
        "489e2ff7a32d46a46cdd69391407a3b1289ff94f1c282dc5b9bbab52e2575c23",
        "solved",
        6144,
        "003c27a0461c27ee902fbca263612baf69d67680eb9a0f11197248ee58dabafbf49ff4ad7cbaa746f18b3bdb107bd6cdd91b31ca013d80f3802419e0360537a5a6db",
      ]
    `);
    expect(verifySolution(puzzle, walk.index, walk.value)).toBe(true);
  });

  test("the solution is found in slices of any size, verifies, and is the only one", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 50 }), (name, slice) => {
        const puzzle = puzzleOf(name);
        const { status, walk } = solve(puzzle, slice);
        expect(status).toBe("solved");
        expect(walk).toEqual(solve(puzzle).walk);
        expect(codeOf(puzzle, walk.index, walk.value)).toBe("true");
      }),
    );
  });

  test("the next solution of the same walk is not first", () => {
    const puzzle = puzzleOf("skip", 1_024);
    const first = solve(puzzle).walk;
    let second = search(puzzle, first, 1_000);
    while (second.status === "searching") second = search(puzzle, second.walk, 1_000);
    expect(second.status).toBe("solved");
    expect(codeOf(puzzle, second.walk.index, second.walk.value)).toBe("not-first");
  });

  test("what is off by a step, a sign, a start or an end is refused", () => {
    const puzzle = puzzleOf("off");
    const { index, value } = solve(puzzle).walk;
    for (const steps of [0, -256, index - 1, index + 1, index + 0.5, Number.NaN, 2 ** 40])
      expect(codeOf(puzzle, steps, value)).toBe("bad-steps");
    expect(codeOf(puzzle, stepsMaxOf(2_048) + stepsPerTry, value)).toBe("bad-steps");
    expect(codeOf(puzzle, index, small.p - value)).toBe("no-solution");
    expect(
      codeOf(puzzle, index + stepsPerTry, advance(small, solve(puzzle).walk, stepsPerTry).value),
    ).toBe("no-solution");
    // One try more or less from the same value goes back along another path (indices are added).
    expect(["wrong-walk", "not-first"]).toContain(codeOf(puzzle, index + stepsPerTry, value));
    const forged = { ...puzzle, start: sha256(utf8("forged")) };
    expect(codeOf(forged, index, value)).not.toBe("true");
  });

  test("the number of tries is geometric: its mean is the difficulty", () => {
    let steps = 0;
    const count = 300;
    for (let i = 0; i < count; i++) steps += solve(puzzleOf(`mean ${i}`, 1_024)).walk.index;
    // The standard error of the mean is 5 %.
    expect(steps / count / 1_024).toBeGreaterThan(0.8);
    expect(steps / count / 1_024).toBeLessThan(1.2);
  });

  test("a walk that finds nothing ends", () => {
    const puzzle = puzzleOf("long", 2 ** 14);
    const near = { index: stepsMaxOf(2 ** 14) - stepsPerTry, value: 5n };
    expect(search(puzzle, near, 3).status).toBe("exhausted");
  });

  test("the proposed difficulty lets the slow solve in time", () => {
    const speeds = [9_000, 3_000, 2_000, 9_500, 1_000, 9_500, 9_500, 9_500, 9_500];
    const difficulty = proposeDifficulty(speeds, 120_000);
    const missed = Math.exp((-2_000 * 90) / difficulty);
    expect(missed).toBeLessThanOrEqual(0.001);
    expect(missed).toBeGreaterThan(0.0009);
    expect(difficulty % stepsPerTry).toBe(0);
    expect(proposeDifficulty([1], 1)).toBe(stepsPerTry);
    expect(proposeDifficulty([], 1_000)).toBe(stepsPerTry);
  });
});
