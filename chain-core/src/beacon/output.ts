// From contributions to the epoch's output, and on to the next seed (BCN-3, BCN-4). The mix is known when the window
// closes; the output is its delay's end, later than anybody could still withhold.
import type { Bytes32, NetworkId } from "@causeway/primitives";
import { assert, bigEndian, concat, fromBigEndian, H, utf8 } from "@causeway/primitives";
import { drawsOf, shuffled } from "./draw.ts";
import type { Field } from "./field.ts";
import { encodeElement } from "./field.ts";
import type { Segment, Walk } from "./sloth.ts";

/** What an epoch's beacon is bound to. */
export type Round = { readonly network: NetworkId; readonly epoch: number; readonly seed: Bytes32 };

/** A verified solution of the validator with this seat in the epoch's committee. */
export type Solved = { readonly seat: number; readonly solution: bigint };

function bound({ epoch, seed }: Round, ...more: readonly Uint8Array[]): Uint8Array {
  return concat(bigEndian(epoch, 8), seed, ...more);
}

/** H over every contribution in the order of seats, whatever order they came in; one a seat. */
export function mixOf(field: Field, round: Round, contributions: readonly Solved[]): Bytes32 {
  const sorted = contributions.toSorted((a, b) => a.seat - b.seat);
  const parts = sorted.map(({ seat, solution }, i) => {
    assert(sorted[i - 1]?.seat !== seat, `seat ${seat} contributes twice`);
    return concat(bigEndian(seat, 2), encodeElement(field, solution));
  });
  return H("beacon-mix", round.network, bound(round, ...parts));
}

/** BCN-3: where the delay begins. */
export function delayStart(field: Field, mix: Bytes32): Walk {
  return { index: 0, value: fromBigEndian(mix) % field.p };
}

/** Segment `index` (from 0) of a delay that is posted in pieces of `steps`, of which `start` is the last known end. */
export function delaySegment(steps: number, index: number, start: bigint, end: bigint): Segment {
  return { start: { index: index * steps, value: start }, steps, end };
}

/** The epoch's output: of its delay's end, so that nothing else of the epoch says anything about it. */
export function outputOf(field: Field, round: Round, mix: Bytes32, end: bigint): Bytes32 {
  return H("beacon-output", round.network, bound(round, mix, encodeElement(field, end)));
}

/** BCN-4: whether contributions of `power` out of `total` make an output: a third of the power, no less. */
export function enoughPower(power: bigint, total: bigint): boolean {
  return total > 0n && 3n * power >= total;
}

/** Of epoch 0. */
export function firstSeed(network: NetworkId): Bytes32 {
  return H("beacon-genesis", network, bigEndian(0, 8));
}

/** The next epoch's seed: the output, or without one (BCN-4) a hash of the seed, which everybody could foresee. */
export function nextSeed(round: Round, output: Bytes32 | undefined): Bytes32 {
  return output ?? H("beacon-seed", round.network, bound(round));
}

/**
 * BCN-4: in which order a committee of `size` proposes in `epoch`, as positions of the list as it was elected, by the
 * newest output. Each epoch has an order of its own.
 */
export function orderOf(
  network: NetworkId,
  output: Bytes32,
  epoch: number,
  size: number,
): number[] {
  const seed = subSeed(network, output, "proposers", bigEndian(epoch, 8));
  return shuffled(drawsOf(network, seed), size);
}

/**
 * A seed of its own for one use of an output: `domain` names the use ("proposers", "ring", "contract", "user"; at
 * most 255 bytes), `context` what within it. Different pairs have unrelated seeds.
 */
export function subSeed(
  network: NetworkId,
  output: Bytes32,
  domain: string,
  context: Uint8Array = new Uint8Array(),
): Bytes32 {
  const name = utf8(domain);
  return H("beacon-sub", network, concat(output, bigEndian(name.length, 1), name, context));
}
