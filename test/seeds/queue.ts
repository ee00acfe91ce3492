// Simulated time: a priority queue of things that happen. Equal times happen in the order in which they were
// scheduled, so that a seed has one history.

/** Something that happens at a time (ms of simulated time); `label` goes into the trace. */
export type Happening = {
  readonly at: number;
  readonly order: number;
  readonly label: string;
  readonly run: () => void;
};

export type Queue = {
  /** Simulated ms since the epoch: the time of the newest happening. */
  now: number;
  order: number;
  /** A binary heap. */
  readonly heap: Happening[];
};

export function createQueue(startMs: number): Queue {
  return { now: startMs, order: 0, heap: [] };
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at !== b.at ? a.at < b.at : a.order < b.order;
}

/** `run` after `delayMs`, at least 0. */
export function after(queue: Queue, delayMs: number, label: string, run: () => void): void {
  at(queue, queue.now + Math.max(0, delayMs), label, run);
}

/** `run` at a time; a past one means now. */
export function at(queue: Queue, atMs: number, label: string, run: () => void): void {
  const { heap } = queue;
  const item = { at: Math.max(queue.now, atMs), order: queue.order++, label, run };
  let i = heap.length;
  heap.push(item);
  while (i > 0) {
    const parent = (i - 1) >> 1;
    const above = heap[parent] as Happening;
    if (!isBefore(item, above)) break;
    heap[i] = above;
    i = parent;
  }
  heap[i] = item;
}

/** The next happening, with the clock moved to it; undefined when nothing is left. */
export function next(queue: Queue): Happening | undefined {
  const { heap } = queue;
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined) return undefined;
  if (heap.length > 0) sink(heap, last);
  queue.now = first.at;
  return first;
}

function sink(heap: Happening[], item: Happening): void {
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= heap.length) break;
    const right = heap[child + 1];
    if (right !== undefined && isBefore(right, heap[child] as Happening)) child += 1;
    const below = heap[child] as Happening;
    if (!isBefore(below, item)) break;
    heap[i] = below;
    i = child;
  }
  heap[i] = item;
}
