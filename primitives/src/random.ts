// A seeded generator for simulations and shuffles: xoshiro128** by Blackman and Vigna. Not for keys.

export type Random = {
  /** Uniform integer in [0, 2^32). */
  readonly next: () => number;
  /** Uniform integer in [0, bound). */
  readonly below: (bound: number) => number;
  /** True with probability `p`. */
  readonly chance: (p: number) => boolean;
  /** `count` bytes. */
  readonly bytes: (count: number) => Uint8Array;
  /** One of `items`. */
  readonly pick: <T>(items: readonly T[]) => T;
};

export function seeded(seed: number): Random {
  const s = new Uint32Array(4);
  let z = seed >>> 0;
  for (let i = 0; i < 4; i++) {
    z = (z + 0x9e3779b9) >>> 0;
    let t = z ^ (z >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    s[i] = (t ^ (t >>> 15)) >>> 0;
  }
  const next = (): number => {
    const [a, b, c, d] = s as unknown as [number, number, number, number];
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = b << 9;
    const c1 = c ^ a;
    const d1 = d ^ b;
    s[1] = b ^ c1;
    s[0] = a ^ d1;
    s[2] = c1 ^ shifted;
    s[3] = (d1 << 11) | (d1 >>> 21);
    return result;
  };
  const below = (bound: number): number => Math.floor((next() / 2 ** 32) * bound);
  return {
    next,
    below,
    chance: (p) => next() / 2 ** 32 < p,
    bytes: (count) => Uint8Array.from({ length: count }, () => next() & 0xff),
    pick: (items) => items[below(items.length)] as (typeof items)[number],
  };
}
