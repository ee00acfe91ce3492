// For tests and simulations only: a committee of equal seats.
import type { Bls } from "@causeway/primitives";
import { bigEndian, concat, sha256, utf8 } from "@causeway/primitives";
import type { Committee } from "../codec/block.ts";

/** The consensus secret of seat `seat` in {@link testCommittee}. */
export function testSecret(seat: number): Uint8Array {
  return sha256(concat(utf8("seat"), bigEndian(seat, 2)));
}

/** `size` seats of power 1. */
export function testCommittee(bls: Bls, size: number): Committee {
  const members = Array.from({ length: size }, (_, seat) => ({
    validator: sha256(bigEndian(seat, 2)),
    consensusKey: bls.publicKey(testSecret(seat)),
    attestKey: bls.publicKey(testSecret(seat)),
    power: 1n,
  }));
  return { epoch: 0, members };
}
