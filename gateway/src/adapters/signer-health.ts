// How the own signer is: it writes a file every two seconds (the processes of an operator share a machine).
import { readFile } from "node:fs/promises";
import type { Clock } from "@causeway/primitives";
import type { PartHealth } from "../ports.ts";

/** A file older than this is of a signer that does not run. */
const ageMsMax = 10_000;
const sizeMax = 65_536;

export async function readSignerHealth(path: string, clock: Clock): Promise<PartHealth> {
  const now = clock.nowMs();
  let report: Record<string, unknown>;
  try {
    const text = await readFile(path, "utf8");
    report = Object(JSON.parse(text.slice(0, sizeMax)));
  } catch {
    return { ok: false, since: now, message: "the signer has not reported" };
  }
  const at = Number(report.at);
  if (!Number.isFinite(at)) return { ok: false, since: now, message: "unreadable report" };
  if (now > at + ageMsMax)
    return { ok: false, since: at, message: "the signer does not report any more" };
  const parts = Object.entries(Object(report.parts)).filter(([, part]) => !Object(part).ok);
  const troubles = parts.map(([name, part]) => `${name}: ${String(Object(part).message)}`);
  const message = troubles.length === 0 ? "up" : troubles.join("; ").slice(0, 500);
  return { ok: report.ok === true, since: at, message };
}
