// Where a peer says that it is, signed by its identity (libp2p RFC 0003): whoever hands it on cannot change it, and the
// highest sequence number is the newest. IP addresses and TCP ports alone: names are an operator's to configure.
import { privateKeyFromRaw } from "@libp2p/crypto/keys";
import { peerIdFromPrivateKey, peerIdFromPublicKey } from "@libp2p/peer-id";
import { PeerRecord, RecordEnvelope } from "@libp2p/peer-record";
import type { Multiaddr } from "@multiformats/multiaddr";
import { multiaddr } from "@multiformats/multiaddr";
import { equal } from "../bytes.ts";
import type { Rejected } from "../failure.ts";
import { Failure, rejected } from "../failure.ts";
import { hostAddress, hostBytes } from "./p2p-address.ts";

/** Addresses in a record; of others' further ones are left out. */
export const recordAddressesMax = 4;
/** Bytes of a record. */
export const recordSizeMax = 512;

/** A host as of {@link hostBytes}, and a TCP port, 1 to 65,535. */
export type Place = { readonly host: Uint8Array; readonly port: number };

export type SignedRecord = {
  readonly peer: string;
  /** Its signer's clock when it was made, ms, as others do. */
  readonly sequence: number;
  readonly places: readonly Place[];
  /** Costs a verification. */
  readonly isSigned: () => Promise<boolean>;
};

/** The place that a multiaddr /ip4/<address>/tcp/<port>, or /ip6, names. */
export function placeOf(text: string): Place | Rejected<"bad-address"> {
  try {
    const place = placeIn(multiaddr(text));
    if (place !== undefined) return place;
  } catch {
    // No multiaddr.
  }
  return rejected("bad-address", `${text} is not /ip4/<address>/tcp/<port>, or /ip6`);
}

function placeIn(address: Multiaddr): Place | undefined {
  const [ip, tcp, ...more] = address.getComponents();
  const isPlace = (ip?.name === "ip4" || ip?.name === "ip6") && tcp?.name === "tcp";
  const [host, port] = [hostBytes(ip?.value ?? ""), Number(tcp?.value)];
  if (!isPlace || more.length > 0 || host === undefined || port < 1) return undefined;
  return { host, port };
}

/** Of the peer with this secret. Throws Failure "bad-address" for more than {@link recordAddressesMax}. */
export async function sealRecord(
  secret: Uint8Array,
  places: readonly Place[],
  sequence: number,
): Promise<Uint8Array> {
  if (places.length > recordAddressesMax)
    throw new Failure("bad-address", `more than ${recordAddressesMax} addresses to announce`);
  const key = privateKeyFromRaw(secret);
  const multiaddrs = places.map(({ host, port }) => multiaddr(hostAddress(host, port)));
  const peerId = peerIdFromPrivateKey(key);
  const record = new PeerRecord({ peerId, multiaddrs, seqNumber: BigInt(sequence) });
  return (await RecordEnvelope.seal(record, key)).marshal();
}

/** Untrusted bytes; believe nothing before `isSigned`. Never throws. */
export function readRecord(bytes: Uint8Array): SignedRecord | Rejected<"bad-record"> {
  if (bytes.length > recordSizeMax)
    return rejected("bad-record", `a peer's record of ${bytes.length} bytes`);
  try {
    const envelope = RecordEnvelope.createFromProtobuf(bytes);
    if (!equal(envelope.marshal(), bytes))
      return rejected("bad-record", "a peer's record not in canonical form");
    const record = PeerRecord.createFromProtobuf(envelope.payload);
    const signer = peerIdFromPublicKey(envelope.publicKey);
    const sequence = Number(record.seqNumber);
    if (!record.peerId.equals(signer))
      return rejected("bad-record", "a peer's record that another signed");
    if (!Number.isSafeInteger(sequence))
      return rejected("bad-record", `a peer's record of sequence ${record.seqNumber}`);
    const places = record.multiaddrs.flatMap((address) => placeIn(address) ?? []);
    return {
      peer: signer.toString(),
      sequence,
      places: places.slice(0, recordAddressesMax),
      isSigned: async () => {
        try {
          return await envelope.validate(PeerRecord.DOMAIN);
        } catch {
          return false;
        }
      },
    };
  } catch (error) {
    return rejected("bad-record", `no peer's record: ${(error as Error).message}`);
  }
}
