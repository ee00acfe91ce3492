// Where a node can be reached: its peer key, which is who it is, an IP address and a TCP port. Names of hosts are an
// operator's to configure, never a stranger's to tell.
import type { Rejected } from "@causeway/primitives";
import {
  bigEndian,
  concat,
  fromBigEndian,
  fromHex,
  ipv4Of,
  rejected,
  toHex,
} from "@causeway/primitives";

/** secp256k1 public key of 33 bytes in hex: how peers are named here. */
export type PeerKey = string;

export type Address = {
  readonly key: PeerKey;
  /** IPv6, 16 bytes; of an IPv4 address the mapped one, ::ffff:a.b.c.d. */
  readonly host: Uint8Array;
  /** 1 to 65,535. */
  readonly port: number;
};

const keySize = 33;
const hostSize = 16;
/** Of one answer. */
export const addressesMax = 64;
/** Bytes of an address. */
export const addressSize: number = keySize + hostSize + 2;

export function encodeAddress({ key, host, port }: Address): Uint8Array {
  return concat(fromHex(key), host, bigEndian(port, 2));
}

/** Untrusted bytes. Whether the key is a point is seen when it is dialled. */
export function parseAddress(bytes: Uint8Array): Address | Rejected<"bad-address"> {
  const isKey = bytes[0] === 2 || bytes[0] === 3;
  const port = Number(fromBigEndian(bytes.subarray(keySize + hostSize)));
  if (bytes.length !== addressSize || !isKey || port === 0)
    return rejected("bad-address", `no address of a peer in ${bytes.length} bytes`);
  const host = bytes.slice(keySize, keySize + hostSize);
  return { key: toHex(bytes.subarray(0, keySize)), host, port };
}

/**
 * Hosts that one party is likely to own together: a /16 of IPv4, a /32 of IPv6. To be many there costs little, to be in
 * many of them much more.
 */
export function groupOf(host: Uint8Array): string {
  const ipv4 = ipv4Of(host);
  return ipv4 === undefined ? toHex(host.subarray(0, 4)) : `v4:${toHex(ipv4.subarray(0, 2))}`;
}
