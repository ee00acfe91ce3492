// Time as data. An instant minus an instant is a duration; the brands keep the rest from compiling.
import { assert } from "./assert.ts";
import type { Brand } from "./brand.ts";

/** Milliseconds since the Unix epoch; ledger time where nothing else is said (TIM-2). */
export type Instant = Brand<number, "Instant">;

export function instant(ms: number): Instant {
  assert(Number.isSafeInteger(ms) && ms >= 0, `instant out of range: ${ms}`);
  return ms as Instant;
}

/** Ledger height, 0 for the genesis. Orders only, measures nothing (TIM-2). */
export type Height = Brand<number, "Height">;

export function height(value: number): Height {
  assert(Number.isSafeInteger(value) && value >= 0, `height out of range: ${value}`);
  return value as Height;
}
