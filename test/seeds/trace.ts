// The history of a run as one number, so that two runs of a seed can be compared, and as text when asked for.

export type Trace = {
  /** Two 32-bit lanes of a multiplicative hash over every line. */
  low: number;
  high: number;
  lines: number;
  readonly print: ((line: string) => void) | undefined;
  readonly startMs: number;
};

export function createTrace(startMs: number, print?: (line: string) => void): Trace {
  return { low: 0x811c9dc5, high: 0x9e3779b9, lines: 0, print, startMs };
}

/** Adds a line at a time of the simulation. */
export function note(trace: Trace, atMs: number, line: string): void {
  let { low, high } = trace;
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ (code + i), 0x85ebca6b);
  }
  trace.low = Math.imul(low ^ (atMs | 0), 0x01000193) >>> 0;
  trace.high = Math.imul(high ^ (low >>> 15), 0xc2b2ae35) >>> 0;
  trace.lines += 1;
  if (trace.print !== undefined) {
    const seconds = ((atMs - trace.startMs) / 1000).toFixed(3).padStart(9);
    trace.print(`${seconds} ${line}`);
  }
}

/** 16 hex digits. */
export function traceHash(trace: Trace): string {
  const hex = (lane: number): string => (lane >>> 0).toString(16).padStart(8, "0");
  return hex(trace.high) + hex(trace.low);
}
