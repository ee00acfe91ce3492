// Time of this machine.
import type { Clock } from "../ports.ts";

/** Milliseconds since the Unix epoch by the machine's clock; may step when the clock is set. */
export const systemClock: Clock = { nowMs: () => Date.now() };

/** Resolves after `ms`, or at once when `signal` is aborted; never rejects. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}
