// A simulation of the beacon against validators that withhold, with small parameters and real walks: every step that
// the adversary takes is paid out of its budget of sequential steps, and it knows only what it could know by then.
//
// A third of the validators works together, 16 times as fast as the rest. Its aim: outputs of one half of all. Its
// means: which of its own contributions it publishes, decided when the window closes. Time is in steps of an honest
// machine, from the opening of the window.
import type { Bytes32, NetworkId } from "@causeway/primitives";
import { bigEndian, concat, H, sha256, utf8 } from "@causeway/primitives";
import { mersenneField } from "./field.ts";
import type { Round, Solved } from "./output.ts";
import { delayStart, mixOf, nextSeed, outputOf } from "./output.ts";
import { firstStep, search, shareDigest, startOf, stepsPerTry } from "./seqpow.ts";
import { advance } from "./sloth.ts";

/** The rule as it stands, and two that lack a part of it. */
export const biasVariants = ["full", "no-delay", "public-start"] as const;
export type BiasVariant = (typeof biasVariants)[number];

const field = mersenneField(31);
const network = sha256(utf8("bias")) as Uint8Array as NetworkId;
const validators = 9;
const hostile = [0, 1, 2];
const difficulty = 384;
const windowSteps = 768;
/** More than the adversary walks in a window, as 128 is more than what BCN-3 allows for. */
const delaySteps = 20 * windowSteps;
/** Between two windows: some six delays, as 24 h are of 256 min. */
const epochSteps = 6 * delaySteps;
const speed = 16;

/** The adversary wants outputs of cell 0: of an event of probability 1/2 a given power moves most. */
const cellsCount = 2;
const cellOf = (output: Bytes32): number => (output[31] ?? 0) % cellsCount;

/** How often the output of an epoch was in each cell. Deterministic in `name`. */
export function simulateBias(variant: BiasVariant, epochs: number, name: string): number[] {
  const cells = new Array<number>(cellsCount).fill(0);
  let seed = sha256(utf8(name));
  for (let epoch = 0; epoch < epochs; epoch++) {
    const round = { network, epoch, seed };
    const output = playEpoch(variant, round);
    const cell = cellOf(output);
    cells[cell] = (cells[cell] ?? 0) + 1;
    seed = nextSeed(round, output);
  }
  return cells;
}

/** 99.9 % of chi-squared with one degree of freedom: what an unmoved output exceeds in one run of a thousand. */
export const biasLimit = 10.83;

/** Sum of (observed - expected)^2 / expected over cells that should be equally frequent. */
export function chiSquared(cells: readonly number[]): number {
  const expected = cells.reduce((a, b) => a + b, 0) / cells.length;
  return cells.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
}

function playEpoch(variant: BiasVariant, round: Round): Bytes32 {
  const all = Array.from({ length: validators }, (_, seat) => solve(variant, round, seat));
  const inTime = all.filter((one) => one !== undefined);
  const own = inTime.filter(({ seat }) => hostile.includes(seat));
  const honest = inTime.filter(({ seat }) => !hostile.includes(seat));
  const candidates = subsetsOf(own).map((some) => mixOf(field, round, [...honest, ...some]));
  return choose(variant, round, candidates, budgetOf(variant, inTime));
}

type Found = Solved & { readonly steps: number };

/** The solution of the seat's puzzle, where it has one within the window. */
function solve(variant: BiasVariant, round: Round, seat: number): Found | undefined {
  const start = startOf(network, round.seed, shareOf(variant, round, seat));
  const puzzle = { field, network, start, difficulty };
  const { status, walk } = search(puzzle, firstStep(puzzle), windowSteps / stepsPerTry);
  if (status !== "solved") return undefined;
  return { seat, solution: walk.value, steps: walk.index };
}

/** A unique signature's stand-in: the adversary does not know the honest seats' secrets. */
function shareOf(variant: BiasVariant, { epoch, seed }: Round, seat: number): Uint8Array {
  const who = bigEndian(seat, 2);
  if (variant === "public-start") return who;
  const secret = sha256(concat(utf8("secret"), who));
  return H("bias-share", network, concat(secret, shareDigest(network, epoch, seed)));
}

/** The steps that the adversary can walk from all contributions to the close of the window. */
function budgetOf(variant: BiasVariant, inTime: readonly Found[]): number {
  const steps = inTime.map((one) => one.steps);
  if (variant !== "public-start") return speed * (windowSteps - Math.max(...steps));
  // It knows this seed since it walked the last epoch's delay, and needs nobody's contribution: it makes them itself.
  const knowsSeedAt = windowSteps + delaySteps / speed - epochSteps;
  const work = steps.reduce((a, b) => a + b, 0);
  return speed * (windowSteps - knowsSeedAt) - work;
}

/** The output that the adversary's choice among `candidates` leads to: a wanted one where it can find one in time. */
function choose(
  variant: BiasVariant,
  round: Round,
  candidates: readonly Bytes32[],
  budget: number,
): Bytes32 {
  const length = variant === "no-delay" ? 0 : delaySteps;
  let left = budget;
  let walked: Bytes32 | undefined;
  for (const mix of candidates) {
    const walk = delayStart(field, mix);
    // A walk that does not end in time says nothing; its middle is what the adversary then bets on.
    const end = advance(field, walk, Math.min(length, left));
    left -= end.index;
    const seen = outputOf(field, round, mix, end.value);
    if (end.index < length) {
      if (cellOf(seen) !== 0 && mix !== candidates.at(-1)) continue;
      return outputOf(field, round, mix, advance(field, end, length - end.index).value);
    }
    if (cellOf(seen) === 0) return seen;
    walked ??= seen;
  }
  return walked as Bytes32;
}

/** Every choice of what to publish, all of it first. */
function subsetsOf<T>(items: readonly T[]): T[][] {
  const choices = Array.from({ length: 2 ** items.length }, (_, bits) => bits).reverse();
  return choices.map((bits) => items.filter((_, i) => (bits >> i) & 1));
}
