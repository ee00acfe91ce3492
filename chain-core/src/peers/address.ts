// Where a node can be reached: its peer key, which is who it is, an IP address and a TCP port. Names of hosts are an
// operator's to configure, never a stranger's to tell.
import type { Rejected } from "@causeway/primitives";
import { bigEndian, concat, fromBigEndian, fromHex, rejected, toHex } from "@causeway/primitives";

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

/** The IPv4 address in a mapped one. */
function ipv4Of(host: Uint8Array): Uint8Array | undefined {
  const isMapped = host.every((byte, i) => i >= 12 || byte === (i >= 10 ? 0xff : 0));
  return isMapped ? host.subarray(12) : undefined;
}

/**
 * Hosts that one party is likely to own together: a /16 of IPv4, a /32 of IPv6. To be many there costs little, to be in
 * many of them much more.
 */
export function groupOf(host: Uint8Array): string {
  const ipv4 = ipv4Of(host);
  return ipv4 === undefined ? toHex(host.subarray(0, 4)) : `v4:${toHex(ipv4.subarray(0, 2))}`;
}

/** First bytes and their count of bits of what nobody can reach over the Internet (RFC 6890, RFC 5737, RFC 6598). */
const specialIpv4: readonly (readonly [bits: number, ...start: number[]])[] = [
  [8, 0],
  [8, 10],
  [10, 100, 64],
  [8, 127],
  [16, 169, 254],
  [12, 172, 16],
  [24, 192, 0, 0],
  [24, 192, 0, 2],
  [16, 192, 168],
  [15, 198, 18],
  [24, 198, 51, 100],
  [24, 203, 0, 113],
  [3, 224],
];

/** False for loopback, private, link-local, documentation and multicast ranges. */
export function isPublic(host: Uint8Array): boolean {
  const ipv4 = ipv4Of(host);
  // Of IPv6 only 2000::/3 is given out, and 2001:db8::/32 of that is for books.
  if (ipv4 === undefined)
    return startsWith(host, [3, 0x20]) && !startsWith(host, [32, 0x20, 0x01, 0x0d, 0xb8]);
  return !specialIpv4.some((range) => startsWith(ipv4, range));
}

function startsWith(
  host: Uint8Array,
  [bits, ...start]: readonly [bits: number, ...start: number[]],
): boolean {
  for (let i = 0; 8 * i < bits; i++) {
    const mask = (0xff << Math.max(0, 8 - (bits - 8 * i))) & 0xff;
    if (((host[i] ?? 0) & mask) !== ((start[i] ?? 0) & mask)) return false;
  }
  return true;
}
