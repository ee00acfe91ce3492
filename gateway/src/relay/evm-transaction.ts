// The transactions of the operator's gas key: EIP-1559 (EIP-2718 type 2) as signed bytes. By hand, because ethers
// would cost 30 MB in every gateway for one RLP list (building-blocks 2); a test compares the two.
import type { Bytes32 } from "@causeway/primitives";
import { concat, fromHex, isZero, keccak256 } from "@causeway/primitives";
import { signRecoverable } from "@causeway/primitives/secp256k1";

/** Gas in units, fees in wei per unit. No value is sent. */
export type EvmTransaction = {
  readonly chainId: bigint;
  readonly nonce: number;
  readonly priorityFee: bigint;
  readonly feeMax: bigint;
  readonly gas: bigint;
  /** 20 bytes. */
  readonly to: Uint8Array;
  readonly data: Uint8Array;
};

type Item = Uint8Array | readonly Item[];

/** Recursive length prefix (Ethereum yellow paper, appendix B). */
function rlp(item: Item): Uint8Array {
  if (item instanceof Uint8Array) {
    const isOwnPrefix = item.length === 1 && (item[0] as number) < 0x80;
    return isOwnPrefix ? item : concat(prefix(0x80, item.length), item);
  }
  const body = concat(...item.map(rlp));
  return concat(prefix(0xc0, body.length), body);
}

function prefix(base: number, size: number): Uint8Array {
  if (size <= 55) return Uint8Array.of(base + size);
  const length = integer(BigInt(size));
  return concat(Uint8Array.of(base + 55 + length.length), length);
}

/** Big-endian without leading zeros; nothing for 0. */
function integer(value: bigint): Uint8Array {
  if (value === 0n) return new Uint8Array(0);
  const digits = value.toString(16);
  return fromHex(digits.length % 2 === 0 ? digits : `0${digits}`);
}

function trimmed(bytes: Uint8Array): Uint8Array {
  let at = 0;
  while (at < bytes.length && isZero(bytes.subarray(at, at + 1))) at++;
  return bytes.subarray(at);
}

const type = Uint8Array.of(2);

/** The bytes to send and their hash; `secret` is the gas key, 32 bytes. */
export function signEvmTransaction(
  transaction: EvmTransaction,
  secret: Uint8Array,
): { readonly bytes: Uint8Array; readonly hash: Bytes32 } {
  const { chainId, nonce, priorityFee, feeMax, gas, to, data } = transaction;
  const numbers = [chainId, BigInt(nonce), priorityFee, feeMax, gas].map(integer);
  const fields: Item[] = [...numbers, to, integer(0n), data, []];
  const signature = signRecoverable(secret, keccak256(concat(type, rlp(fields))));
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32, 64)];
  const parity = integer(BigInt((signature[64] as number) - 27));
  const bytes = concat(type, rlp([...fields, parity, trimmed(r), trimmed(s)]));
  return { bytes, hash: keccak256(bytes) };
}
