// Sloth with the interleaved addition (BCN-1): steps that are slow to take and, each being a bijection, fast to take
// back. Step i leads from x to root(x + i mod p), root(z) being the even square root of z if z is a residue, else the
// odd root of p - z: it takes 519 squarings one after the other, and one squaring leads back. Without the addition n steps are one exponentiation (root^n is the
// power ((p + 1) / 4)^n mod p - 1), and the delay is gone.
import { assert } from "@causeway/primitives";
import type { Field } from "./field.ts";
import { loopsOf } from "./loops.ts";

/** Where a walk stands: `value` after `index` steps. It is all that must be kept to go on later. */
export type Walk = { readonly index: number; readonly value: bigint };

/** `steps` further: about 33 us each in the beacon's field. Callers that must not block give few at a time. */
export function advance(field: Field, { index, value }: Walk, steps: number): Walk {
  assert(Number.isSafeInteger(steps) && steps >= 0, `cannot walk ${steps} steps`);
  return { index: index + steps, value: loopsOf(field).advance(value, index, steps) };
}

/** `steps` back: about 0.09 us each in the beacon's field. */
export function retreat(field: Field, { index, value }: Walk, steps: number): Walk {
  assert(steps >= 0 && steps <= index, `cannot walk ${steps} back from ${index}`);
  return { index: index - steps, value: loopsOf(field).retreat(value, index, steps) };
}

/** A piece of a walk that can be verified alone (BCN-3): from `start`, `steps` steps lead to the value `end`. */
export type Segment = { readonly start: Walk; readonly steps: number; readonly end: bigint };

/** Whether the segment is true. Walks all of it back; its values are elements of the field. */
export function verifySegment(field: Field, { start, steps, end }: Segment): boolean {
  return retreat(field, { index: start.index + steps, value: end }, steps).value === start.value;
}
