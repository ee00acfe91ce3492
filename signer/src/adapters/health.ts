// What the signer says of itself: one JSON file in its folder, replaced every two seconds (DESIGN 7).
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Health } from "@causeway/chain-core/foreign";
import type { Clock } from "@causeway/primitives";
import type { Summary } from "../machine.ts";
import type { Reach } from "./peer-link.ts";

/** `parts` by name; `at` is the time of writing, ms: an old file is of a signer that does not run. */
export type HealthReport = {
  readonly ok: boolean;
  readonly at: number;
  readonly pid: number;
  readonly parts: Readonly<Record<string, Health>>;
  /** Undefined in the file of an older release. */
  readonly signers: Reach | undefined;
  readonly summary: Summary | undefined;
};

export const healthFileName = "health.json";
const everyMs = 2_000;

/** Writes at once and then every two seconds, until the function that it gives is called. */
export function writeHealth(
  folder: string,
  clock: Clock,
  tell: () => Omit<HealthReport, "ok" | "at" | "pid">,
): () => void {
  const write = (): void => {
    const told = tell();
    const { parts, summary } = told;
    const report: HealthReport = {
      ok: Object.values(parts).every(({ ok }) => ok) && summary?.trouble === undefined,
      at: clock.nowMs(),
      pid: process.pid,
      ...told,
    };
    const path = join(folder, healthFileName);
    // Not synced: after a crash of the machine it is old anyway.
    writeFileSync(`${path}.new`, `${JSON.stringify(report)}\n`, { mode: 0o644 });
    renameSync(`${path}.new`, path);
  };
  write();
  const timer = setInterval(write, everyMs);
  return () => clearInterval(timer);
}
