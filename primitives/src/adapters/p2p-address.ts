// Peer ids and hosts, between libp2p's texts and bytes.
import { publicKeyFromRaw } from "@libp2p/crypto/keys";
import { peerIdFromPublicKey, peerIdFromString } from "@libp2p/peer-id";

/** The peer id of a secp256k1 public key of 33 bytes, as in the genesis (STK-1). Throws for what is no point. */
export function peerIdOfKey(key: Uint8Array): string {
  return peerIdFromPublicKey(publicKeyFromRaw(key)).toString();
}

/** The secp256k1 public key, 33 bytes, that a peer id spells; undefined where it is of another kind. */
export function keyOfPeerId(peer: string): Uint8Array | undefined {
  const id = peerIdFromString(peer);
  return id.type === "secp256k1" ? id.publicKey.raw : undefined;
}

/** A host as IPv6, 16 bytes, IPv4 mapped into it; undefined for a name. */
export function hostBytes(text: string): Uint8Array | undefined {
  const ipv4 = /^(?:::ffff:)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/i.exec(text);
  if (ipv4 !== null) {
    const bytes = ipv4.slice(1).map(Number);
    if (bytes.some((byte) => byte > 255)) return undefined;
    return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes);
  }
  const [head = "", tail, ...more] = text.split("::");
  const words = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const [before, after] = [words(head), words(tail ?? "")];
  const missing = 8 - before.length - after.length;
  if (more.length > 0 || missing < 0 || (tail === undefined && missing > 0)) return undefined;
  const all = [...before, ...new Array<string>(missing).fill("0"), ...after];
  if (!all.every((word) => /^[0-9a-f]{1,4}$/i.test(word))) return undefined;
  return Uint8Array.from(
    all.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 0xff]),
  );
}

/** The multiaddr of a TCP port at a host of 16 bytes. */
export function hostAddress(host: Uint8Array, port: number): string {
  const isIpv4 = host.every((byte, i) => i >= 12 || byte === (i >= 10 ? 0xff : 0));
  if (isIpv4) return `/ip4/${host.subarray(12).join(".")}/tcp/${port}`;
  const words = Array.from({ length: 8 }, (_, i) =>
    (((host[2 * i] ?? 0) << 8) | (host[2 * i + 1] ?? 0)).toString(16),
  );
  return `/ip6/${words.join(":")}/tcp/${port}`;
}
