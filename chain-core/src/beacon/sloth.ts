// Sloth with the interleaved addition (BCN-1): steps that are slow to take and, each being a bijection, fast to take
// back. Step i leads from x to root(x + i mod p). Without the addition n steps are one exponentiation (root^n is the
// power ((p + 1) / 4)^n mod p - 1), and the delay is gone.
import { assert } from "@causeway/primitives";
import type { Field } from "./field.ts";
import { minus, plus, root, unroot } from "./field.ts";

/** Where a walk stands: `value` after `index` steps. It is all that must be kept to go on later. */
export type Walk = { readonly index: number; readonly value: bigint };

/** `steps` further: about 105 us each in the beacon's field. Callers that must not block give few at a time. */
export function advance(field: Field, walk: Walk, steps: number): Walk {
  const end = walk.index + steps;
  assert(steps >= 0 && Number.isSafeInteger(end), `cannot walk from ${walk.index} to ${end}`);
  let { value } = walk;
  for (let i = walk.index + 1; i <= end; i++) value = root(field, plus(field, value, i));
  return { index: end, value };
}

/** `steps` back: about 0.27 us each in the beacon's field. */
export function retreat(field: Field, walk: Walk, steps: number): Walk {
  assert(steps >= 0 && steps <= walk.index, `cannot walk ${steps} back from ${walk.index}`);
  const end = walk.index - steps;
  let { value } = walk;
  for (let i = walk.index; i > end; i--) value = minus(field, unroot(field, value), i);
  return { index: end, value };
}

/** A piece of a walk that can be verified alone (BCN-3): from `start`, `steps` steps lead to the value `end`. */
export type Segment = { readonly start: Walk; readonly steps: number; readonly end: bigint };

/** Whether the segment is true. Walks all of it back; its values are elements of the field. */
export function verifySegment(field: Field, { start, steps, end }: Segment): boolean {
  return retreat(field, { index: start.index + steps, value: end }, steps).value === start.value;
}
