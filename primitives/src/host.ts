// Hosts as IPv6 of 16 bytes, IPv4 mapped into it, ::ffff:a.b.c.d: which of them the Internet reaches.

/** The 4 bytes of the IPv4 address in a mapped one. */
export function ipv4Of(host: Uint8Array): Uint8Array | undefined {
  const isMapped = host.every((byte, i) => i >= 12 || byte === (i >= 10 ? 0xff : 0));
  return isMapped ? host.subarray(12) : undefined;
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
export function isPublicHost(host: Uint8Array): boolean {
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
