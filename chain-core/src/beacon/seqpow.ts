// SeqPoW over Sloth (BCN-2; Han, Yu, Lin, ePrint 2020/1033): a validator walks from a start that only its signature
// reveals until a value meets the target. One processor alone can work on it, the number of steps is random, and there
// is one solution, the first: who verifies walks back over every earlier value anyway, so "first" costs nothing more.
//
// A try is `stepsPerTry` Sloth steps and one hash: hashing every value would make verification 50 times as slow.
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import { assert, bigEndian, concat, fromBigEndian, H, rejected } from "@causeway/primitives";
import type { Field } from "./field.ts";
import { encodeElement } from "./field.ts";
import type { Walk } from "./sloth.ts";
import { advance, retreat } from "./sloth.ts";

/** 9 ms forward, 0.03 ms back. */
export const stepsPerTry = 256;

/** Nobody walks further than so many times the difficulty: one walk in e^16 = 9 million finds nothing by then. */
const patience = 16;

/** Bounds what the ledger verifies for one contribution: 16 times it in steps at 0.09 us each, 1.5 s. */
export const difficultyMax: number = 2 ** 20;

/** What one validator solves in one epoch. `difficulty`: steps that a solution takes on average. */
export type Puzzle = {
  readonly field: Field;
  readonly network: NetworkId;
  readonly start: Bytes32;
  /** {@link stepsPerTry} to {@link difficultyMax}. */
  readonly difficulty: number;
};

/** What a validator signs with its consensus key to learn its start; the signature is its share (BCN-2). */
export function shareDigest(network: NetworkId, epoch: number, seed: Bytes32): Bytes32 {
  return H("beacon-share", network, concat(bigEndian(epoch, 8), seed));
}

/**
 * BCN-2: H("beacon", seed, s_v). BLS signatures are unique, so a key has one start in an epoch, and nobody else knows
 * it before the share is published.
 */
export function startOf(network: NetworkId, seed: Bytes32, share: Uint8Array): Bytes32 {
  return H("beacon", network, concat(seed, share));
}

/** Where the search of `puzzle` begins. */
export function firstStep({ field, start }: Puzzle): Walk {
  return { index: 0, value: fromBigEndian(start) % field.p };
}

/** The longest walk that a solution may take, steps. */
export function stepsMaxOf(difficulty: number): number {
  assert(
    Number.isSafeInteger(difficulty) && difficulty >= stepsPerTry && difficulty <= difficultyMax,
    `a difficulty of ${difficulty} steps`,
  );
  return Math.floor((patience * difficulty) / stepsPerTry) * stepsPerTry;
}

/** `solved`: `walk` is the solution. `exhausted`: this epoch has none. */
export type Search = {
  readonly status: "searching" | "solved" | "exhausted";
  readonly walk: Walk;
};

/** Goes on from `walk`, which no earlier try solved, for at most `tries` tries. */
export function search(puzzle: Puzzle, walk: Walk, tries: number): Search {
  assert(walk.index % stepsPerTry === 0, `no try ends at step ${walk.index}`);
  const stepsMax = stepsMaxOf(puzzle.difficulty);
  const solves = solver(puzzle);
  let at = walk;
  for (let i = 0; i < tries; i++) {
    if (at.index >= stepsMax) return { status: "exhausted", walk: at };
    at = advance(puzzle.field, at, stepsPerTry);
    if (solves(at.value)) return { status: "solved", walk: at };
  }
  return { status: "searching", walk: at };
}

export type SolutionCode =
  /** Not at the end of a try, none, or too many. */
  | "bad-steps"
  /** The value does not meet the target. */
  | "no-solution"
  /** The walk does not lead from the start to the value. */
  | "wrong-walk"
  /** An earlier value of the walk meets the target. */
  | "not-first";

/**
 * Whether `value` after `steps` steps is the puzzle's one solution. About 0.11 us a step; a forged value is refused
 * after `difficulty` steps on average, for the values before it meet the target by chance too.
 */
export function verifySolution(
  puzzle: Puzzle,
  steps: number,
  value: bigint,
): true | Rejected<SolutionCode> {
  const stepsMax = stepsMaxOf(puzzle.difficulty);
  if (steps < 1 || steps > stepsMax || steps % stepsPerTry !== 0)
    return rejected("bad-steps", `${steps} steps are no number of tries up to ${stepsMax} steps`);
  const solves = solver(puzzle);
  if (!solves(value)) return rejected("no-solution", "the value does not meet the target");
  let at = retreat(puzzle.field, { index: steps, value }, stepsPerTry);
  for (; at.index > 0; at = retreat(puzzle.field, at, stepsPerTry))
    if (solves(at.value)) return rejected("not-first", `step ${at.index} of ${steps} solves too`);
  if (at.value !== firstStep(puzzle).value)
    return rejected("wrong-walk", "the walk does not begin at the signature's start");
  return true;
}

/** Bits of the hash that are compared: the target is exact to 2^-48 of it. */
const targetBits = 48n;

/** H(start, value), its first 48 bits as a number, is below 2^48 x stepsPerTry / difficulty. */
function solver({ field, network, start, difficulty }: Puzzle): (value: bigint) => boolean {
  const target = Number(((1n << targetBits) * BigInt(stepsPerTry)) / BigInt(difficulty));
  return (value) => {
    const hash = H("beacon-try", network, concat(start, encodeElement(field, value)));
    let head = 0;
    for (let i = 0; i < Number(targetBits / 8n); i++) head = head * 256 + (hash[i] ?? 0);
    return head < target;
  };
}

/**
 * The difficulty at which the slow contribute too: of validators that take `stepsPerSecond` each, one in the middle
 * of the slowest third misses a window of `windowMs` once in `missOneIn` epochs. It uses three quarters of the window;
 * the rest is for the way to the ledger. A proposal for a parameter, no rule: floats are fine here.
 */
export function proposeDifficulty(
  stepsPerSecond: readonly number[],
  windowMs: number,
  missOneIn = 1_000,
): number {
  const slowest = stepsPerSecond.toSorted((a, b) => a - b);
  const speed = slowest[Math.floor((Math.ceil(slowest.length / 3) - 1) / 2)] ?? 0;
  const steps = (speed * windowMs * 0.75) / 1_000 / Math.log(missOneIn);
  const tries = Math.floor(steps / stepsPerTry);
  return Math.min(Math.max(tries, 1), difficultyMax / stepsPerTry) * stepsPerTry;
}
