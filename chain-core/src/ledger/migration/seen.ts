// Which locks were seen, of up to some ten million: 36 to 44 bytes each, where a Set of strings takes 100 and more.
import { equal } from "@causeway/primitives";

const size = 32;
const perChunk = 65_536;

export type Seen = {
  /** The number (from 0 on) of the same lock, or undefined after it has been added as the next one. */
  readonly add: (lock: Uint8Array) => number | undefined;
};

/** `seed` of 32 bits keeps who chooses locks from making them collide. */
export function seenLocks(seed: number): Seen {
  const chunks: Uint8Array[] = [];
  let count = 0;
  /** Open addressing: number + 1, 0 for a free place; at most half full. */
  let places = new Uint32Array(1 << 16);
  const at = (number: number): Uint8Array => {
    const from = (number % perChunk) * size;
    return (chunks[Math.floor(number / perChunk)] as Uint8Array).subarray(from, from + size);
  };
  const placeOf = (lock: Uint8Array): number => {
    const mask = places.length - 1;
    let place = mixed(lock, seed) & mask;
    for (;;) {
      const held = places[place] as number;
      if (held === 0 || equal(at(held - 1), lock)) return place;
      place = (place + 1) & mask;
    }
  };
  const grow = (): void => {
    places = new Uint32Array(2 * places.length);
    for (let number = 0; number < count; number++) places[placeOf(at(number))] = number + 1;
  };
  return {
    add: (lock) => {
      const place = placeOf(lock);
      const held = places[place] as number;
      if (held !== 0) return held - 1;
      if (count % perChunk === 0) chunks.push(new Uint8Array(perChunk * size));
      (chunks.at(-1) as Uint8Array).set(lock, (count % perChunk) * size);
      count += 1;
      places[place] = count;
      if (2 * count > places.length) grow();
      return undefined;
    },
  };
}

/** FNV-1a, begun with the seed. */
function mixed(lock: Uint8Array, seed: number): number {
  let hash = seed >>> 0;
  for (const byte of lock) hash = Math.imul(hash ^ byte, 0x01000193);
  hash ^= hash >>> 15;
  return hash >>> 0;
}
