// Drawing from a seed without bias: the same numbers for everybody who has the seed.
import type { Bytes32, NetworkId } from "@causeway/primitives";
import { assert, bigEndian, concat, fromBigEndian, H } from "@causeway/primitives";

/** A stream of draws; each call goes on in it. */
export type Draws = {
  /** Uniform in [0, bound), bound in [1, 2^256]. */
  readonly below: (bound: bigint) => bigint;
};

/** The stream of `seed`: H(seed, 0), H(seed, 1), ... as numbers of 256 bits. */
export function drawsOf(network: NetworkId, seed: Bytes32): Draws {
  let counter = 0;
  return {
    below: (bound) => {
      const range = 1n << 256n;
      assert(bound >= 1n && bound <= range, `cannot draw below ${bound}`);
      // A remainder of the range would make small numbers likelier: what lies in it is drawn again.
      const limit = range - (range % bound);
      for (;;) {
        const hash = H("beacon-draw", network, concat(seed, bigEndian(counter++, 8)));
        const value = fromBigEndian(hash);
        if (value < limit) return value % bound;
      }
    },
  };
}

/** 0 to size - 1 in an order of the stream, each order as likely as any other (Fisher-Yates, from the end). */
export function shuffled(draws: Draws, size: number): number[] {
  const order = Array.from({ length: size }, (_, i) => i);
  for (let last = size - 1; last > 0; last--) {
    const other = Number(draws.below(BigInt(last + 1)));
    [order[last], order[other]] = [order[other] as number, order[last] as number];
  }
  return order;
}
