// What happens when, in simulated time: a binary heap by time, and by order of arrival within a millisecond.
type Item<T> = { readonly atMs: number; readonly order: number; readonly what: T };

export class Queue<T> {
  readonly #heap: Item<T>[] = [];
  #order = 0;

  add(atMs: number, what: T): void {
    const heap = this.#heap;
    const item = { atMs, order: this.#order++, what };
    let i = heap.length;
    for (;;) {
      const up = (i - 1) >> 1;
      const parent = heap[up];
      if (i === 0 || parent === undefined || isBefore(parent, item)) break;
      heap[i] = parent;
      i = up;
    }
    heap[i] = item;
  }

  nextMs(): number | undefined {
    return this.#heap[0]?.atMs;
  }

  take(): T | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first?.what;
    let i = 0;
    for (;;) {
      const [left, right] = [heap[2 * i + 1], heap[2 * i + 2]];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (isBefore(last, child)) break;
      heap[i] = child;
      i = 2 * i + (isRight ? 2 : 1);
    }
    heap[i] = last;
    return first.what;
  }
}

function isBefore<T>(a: Item<T>, b: Item<T>): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
