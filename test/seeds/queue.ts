// Simulated time: a priority queue of things that happen. Equal times happen in the order in which they were
// scheduled, so that a seed has one history.

import { Queue as Heap } from "@causeway/primitives";

/** Something that happens at a time (ms of simulated time); `label` goes into the trace. */
export type Happening = {
  readonly at: number;
  readonly label: string;
  readonly run: () => void;
};

export type Queue = {
  /** Simulated ms since the epoch: the time of the newest happening. */
  now: number;
  readonly heap: Heap<Happening>;
};

export function createQueue(startMs: number): Queue {
  return { now: startMs, heap: new Heap() };
}

/** `run` after `delayMs`, at least 0. */
export function after(queue: Queue, delayMs: number, label: string, run: () => void): void {
  at(queue, queue.now + Math.max(0, delayMs), label, run);
}

/** `run` at a time; a past one means now. */
export function at(queue: Queue, atMs: number, label: string, run: () => void): void {
  const happening = { at: Math.max(queue.now, atMs), label, run };
  queue.heap.add(happening.at, happening);
}

/** The next happening, with the clock moved to it; undefined when nothing is left. */
export function next(queue: Queue): Happening | undefined {
  const first = queue.heap.take();
  if (first !== undefined) queue.now = first.at;
  return first;
}
