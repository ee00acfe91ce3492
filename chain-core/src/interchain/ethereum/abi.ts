// The little of Ethereum's ABI that the gateway's calls, digests and events need, by hand: a node then
// loads no ABI library (tests compare with ethers). Everything is 32-byte words.
import type { Bytes32, Rejected } from "@causeway/primitives";
import {
  assert,
  bigEndian,
  bytes32,
  concat,
  fromBigEndian,
  isZero,
  keccak256,
  rejected,
  utf8,
} from "@causeway/primitives";

/** An unsigned integer as one word. */
export function uintWord(value: bigint | number): Bytes32 {
  return bytes32(bigEndian(value, 32));
}

/** A 20-byte address as one word. */
export function addressWord(address: Uint8Array): Bytes32 {
  assert(address.length === 20, `an address has 20 bytes, got ${address.length}`);
  return bytes32(concat(new Uint8Array(12), address));
}

/** `bytes`: length, then the bytes padded to whole words. */
export function bytesTail(bytes: Uint8Array): Uint8Array {
  const padding = new Uint8Array((32 - (bytes.length % 32)) % 32);
  return concat(uintWord(bytes.length), bytes, padding);
}

/** First 4 bytes of keccak-256 of a canonical function signature. */
export function selector(signature: string): Uint8Array {
  return keccak256(utf8(signature)).slice(0, 4);
}

/** keccak-256 of a canonical event signature, the log's first topic. */
export function eventTopic(signature: string): Bytes32 {
  return keccak256(utf8(signature));
}

export type BadAbi = Rejected<"bad-abi">;

/** Word number `index` of `data`; undefined past the end. */
export function wordAt(data: Uint8Array, index: number): Bytes32 | undefined {
  const word = data.subarray(index * 32, index * 32 + 32);
  return word.length === 32 ? bytes32(word.slice()) : undefined;
}

/** An unsigned integer of at most `bits` bits out of an untrusted word. */
export function parseUint(word: Uint8Array | undefined, bits: number): bigint | BadAbi {
  if (word === undefined) return rejected("bad-abi", "data is too short");
  const value = fromBigEndian(word);
  if (value >> BigInt(bits) !== 0n) return rejected("bad-abi", `a value exceeds ${bits} bits`);
  return value;
}

/** A 20-byte address out of an untrusted word. */
export function parseAddress(word: Uint8Array | undefined): Uint8Array | BadAbi {
  if (word === undefined) return rejected("bad-abi", "data is too short");
  if (!isZero(word.subarray(0, 12))) return rejected("bad-abi", "an address exceeds 20 bytes");
  return word.slice(12);
}

/** `bytes` whose tail starts at word `index` and ends the data; 1 to `sizeMax` bytes, zero padding. */
export function parseLastBytes(
  data: Uint8Array,
  index: number,
  sizeMax: number,
): Uint8Array | BadAbi {
  const size = parseUint(wordAt(data, index), 32);
  if (typeof size !== "bigint") return size;
  if (size === 0n || size > BigInt(sizeMax))
    return rejected("bad-abi", `bytes of ${size} are not 1 to ${sizeMax}`);
  const start = index * 32 + 32;
  const end = start + Number(size);
  if (data.length !== start + Math.ceil(Number(size) / 32) * 32)
    return rejected("bad-abi", "bytes do not end where the data ends");
  if (!isZero(data.subarray(end))) return rejected("bad-abi", "padding is not zero");
  return data.slice(start, end);
}
