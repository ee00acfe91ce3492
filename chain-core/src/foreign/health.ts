// Whether a foreign node works, since when, and what it says (DESIGN 7).
import type { Clock } from "@causeway/primitives";
import { Failure } from "@causeway/primitives";

/** `since` in ms: when `ok` last changed. A node that lags is ok and says so. */
export type Health = { readonly ok: boolean; readonly since: number; readonly message: string };

export type HealthState = {
  readonly get: () => Health;
  readonly up: (message?: string) => void;
  readonly down: (error: unknown) => void;
};

/** Down until the first success. */
export function healthState(clock: Clock): HealthState {
  let health: Health = { ok: false, since: clock.nowMs(), message: "not reached yet" };
  const set = (ok: boolean, message: string): void => {
    health = { ok, message, since: ok === health.ok ? health.since : clock.nowMs() };
  };
  return {
    get: () => health,
    up: (message = "up") => set(true, message),
    down: (error) =>
      set(false, error instanceof Failure ? `${error.code}: ${error.message}` : String(error)),
  };
}
