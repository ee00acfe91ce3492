import { sha256, zero32 } from "@causeway/primitives";
import { describe, expect, it } from "vitest";
import { bitmapOf } from "../codec/bitmap.ts";
import type { Certificate, Vote } from "../codec/block.ts";
import { voteKinds } from "../codec/block.ts";
import { contradicts, culprits } from "./accountability.ts";

const A = sha256(Uint8Array.of(1));
const B = sha256(Uint8Array.of(2));
const signature = new Uint8Array(96);

function prevote(round: number, block: Uint8Array, polRound = 0, fields: Partial<Vote> = {}): Vote {
  const kind = voteKinds.prevote;
  return { kind, height: 5, round, block, polRound, seat: 1, signature, ...fields };
}
function precommit(round: number, block: Uint8Array, fields: Partial<Vote> = {}): Vote {
  return { ...prevote(round, block), kind: voteKinds.precommit, ...fields };
}
const both = (a: Vote, b: Vote): unknown => {
  expect(contradicts(a, b)).toBe(contradicts(b, a));
  return contradicts(a, b);
};

describe("two votes of one seat", () => {
  it("contradict in one height, round and kind when they say two things, nil included", () => {
    expect(both(prevote(3, A), prevote(3, B))).toBe("double-vote");
    expect(both(prevote(3, A), prevote(3, zero32))).toBe("double-vote");
    expect(both(prevote(3, A, 1), prevote(3, A, 2))).toBe("double-vote");
    expect(both(precommit(3, A), precommit(3, zero32))).toBe("double-vote");
    expect(both(precommit(3, A), precommit(3, A))).toBeUndefined();
    expect(both(prevote(3, A), precommit(3, B))).toBeUndefined();
    expect(both(prevote(3, A), prevote(4, B))).toBeUndefined();
    expect(both(precommit(3, A), precommit(4, B))).toBeUndefined();
    expect(both(prevote(3, A), prevote(3, B, 0, { height: 6 }))).toBeUndefined();
    expect(both(prevote(3, A), prevote(3, B, 0, { seat: 2 }))).toBeUndefined();
  });

  it("contradict when a later prevote breaks the lock without a proof of a later round", () => {
    expect(both(precommit(3, A), prevote(4, B))).toBe("lock-violation");
    expect(both(precommit(3, A), prevote(9, B, 3))).toBe("lock-violation");
    expect(both(precommit(3, A), prevote(9, B, 4))).toBe("lock-violation");
    expect(both(precommit(3, A), prevote(9, B, 5))).toBeUndefined();
    expect(both(precommit(0, A), prevote(1, B))).toBe("lock-violation");
    expect(both(precommit(0, A), prevote(1, B, 1))).toBe("lock-violation");
    expect(both(precommit(0, A), prevote(2, B, 2))).toBeUndefined();
    expect(both(precommit(3, A), prevote(3, B))).toBeUndefined();
    expect(both(precommit(3, A), prevote(2, B))).toBeUndefined();
    expect(both(precommit(3, A), prevote(4, A))).toBeUndefined();
    expect(both(precommit(3, A), prevote(4, zero32))).toBeUndefined();
    expect(both(precommit(3, zero32), prevote(4, B))).toBeUndefined();
    expect(both(precommit(3, A), prevote(4, B, 0, { height: 6 }))).toBeUndefined();
    expect(both(precommit(3, A), prevote(4, B, 0, { seat: 2 }))).toBeUndefined();
  });
});

it("two certificates of one round convict whoever is in both, and only if they conflict", () => {
  const of = (block: Uint8Array, seats: number[], round = 2): Certificate => ({
    height: 5,
    round,
    block,
    bitmap: bitmapOf(seats, 4),
    signature,
  });
  expect(culprits(of(A, [0, 1, 2]), of(B, [1, 2, 3]), 4)).toEqual([1, 2]);
  expect(culprits(of(A, [0, 1, 2]), of(A, [1, 2, 3]), 4)).toEqual([]);
  expect(culprits(of(A, [0, 1, 2]), of(B, [1, 2, 3], 3), 4)).toEqual([]);
  expect(culprits(of(A, [0, 1, 2]), { ...of(B, [1, 2, 3]), bitmap: new Uint8Array(9) }, 4)).toEqual(
    [],
  );
});
