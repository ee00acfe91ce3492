// For tests only: addresses by number.
import { bigEndian, concat, sha256, toHex } from "@causeway/primitives";
import type { Address, PeerKey } from "./address.ts";

export const keyOf = (i: number): PeerKey => `02${toHex(sha256(bigEndian(i, 4)))}`;

/** The mapped address of a.b.c.d. */
export function hostOf(...ipv4: readonly number[]): Uint8Array {
  return concat(new Uint8Array(10), Uint8Array.of(0xff, 0xff, ...ipv4));
}

/** Peer `i` in a range of its own. */
export function addressOf(i: number, host: Uint8Array = hostOf(20, i % 256, i >> 8, 1)): Address {
  return { key: keyOf(i), host, port: 18_500 };
}
