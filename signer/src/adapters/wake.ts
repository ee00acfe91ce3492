// Wakes of the machine: of all times that were ordered the earliest counts.
import type { Clock } from "@causeway/primitives";

export type Wake = { readonly at: (atMs: number) => void; readonly stop: () => void };

export function wakeUp(clock: Clock, onWake: () => void): Wake {
  let timer: NodeJS.Timeout | undefined;
  let earliest = Number.POSITIVE_INFINITY;
  return {
    at: (atMs) => {
      if (atMs >= earliest) return;
      clearTimeout(timer);
      earliest = atMs;
      const ring = (): void => {
        earliest = Number.POSITIVE_INFINITY;
        onWake();
      };
      timer = setTimeout(ring, Math.max(0, Math.min(atMs - clock.nowMs(), 2 ** 30)));
    },
    stop: () => clearTimeout(timer),
  };
}
