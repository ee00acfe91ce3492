// Time that stands still until a test moves it.
import type { Clock } from "../ports.ts";

export type TestClock = Clock & {
  readonly advance: (ms: number) => void;
  readonly set: (ms: number) => void;
};

export function testClock(startMs: number = 1_700_000_000_000): TestClock {
  let now = startMs;
  return {
    nowMs: () => now,
    advance: (ms) => {
      now += ms;
    },
    set: (ms) => {
      now = ms;
    },
  };
}
