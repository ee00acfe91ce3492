// CPU time of this process, user and system, all threads: the compiler's and the collector's work counts.

/** The result and the CPU milliseconds it took. */
export function cpuMs<T>(run: () => T): readonly [T, number] {
  const start = process.cpuUsage();
  const result = run();
  const { user, system } = process.cpuUsage(start);
  return [result, (user + system) / 1_000];
}

/** The median of `count` runs, CPU ms; the first of them is not counted. */
export function medianCpuMs(count: number, run: () => void): number {
  run();
  const times = Array.from({ length: count }, () => cpuMs(run)[1]).sort((a, b) => a - b);
  return times[Math.floor(count / 2)] ?? 0;
}
