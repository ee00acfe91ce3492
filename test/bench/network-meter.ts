// What a node's process costs, as the kernel counts it.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** The kernel's clock ticks a second in /proc on every Linux architecture that Node runs on. */
const ticksPerSecond = 100;

/** CPU time of all threads of a process so far, microseconds. */
export function cpuUs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond;
}

/** Memory of a process now, MiB. */
export function rssMb(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(match?.[1] ?? 0) / 1024;
}

/** Bytes that were sent on the open TCP connections of these ports, both sides, headers not counted. */
export function sentBytes(ports: readonly number[]): number | undefined {
  const filter = ports.flatMap((port) => [
    "or",
    "sport",
    "=",
    `:${port}`,
    "or",
    "dport",
    "=",
    `:${port}`,
  ]);
  try {
    const text = execFileSync(
      "ss",
      ["-tinH", "state", "established", "(", ...filter.slice(1), ")"],
      {
        encoding: "utf8",
        maxBuffer: 64 * 1024 * 1024,
      },
    );
    let sum = 0;
    for (const match of text.matchAll(/ bytes_sent:(\d+)/g)) sum += Number(match[1]);
    return sum;
  } catch {
    return undefined; // no iproute2
  }
}
