// Fields of a request from outside, each checked with a sentence about what was wrong.
import type { Amount, Rejected } from "@causeway/primitives";
import { amountMax, isRejected, parseHex, rejected } from "@causeway/primitives";
import { isXOnly } from "@causeway/primitives/secp256k1";

export type Fields = Readonly<Record<string, unknown>>;

export type InputCode = "bad-request" | "bad-amount" | "bad-refund-key" | "bad-key-id";

/** A JSON object. */
export function parseObject(value: unknown, what: string): Fields | Rejected<InputCode> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return rejected("bad-request", `${what} must be a JSON object`);
  return value as Fields;
}

/** An amount in the smallest unit as a string of digits. */
export function parseUnits(value: unknown, name: string): Amount | Rejected<InputCode> {
  if (typeof value !== "string" || !/^\d{1,39}$/.test(value))
    return rejected(
      "bad-amount",
      `${name} must be a string of digits: the amount in the smallest unit`,
    );
  const units = BigInt(value);
  return units <= amountMax
    ? (units as Amount)
    : rejected("bad-amount", `${name} exceeds 2^128 - 1`);
}

/** BTC-1: the x of a point, by whose key the owner can take a deposit back. */
export function parseRefundKey(value: unknown): Uint8Array | Rejected<InputCode> {
  const key = parseHex(value, { size: 32 });
  if (isRejected(key) || !isXOnly(key))
    return rejected(
      "bad-refund-key",
      "refund must be an x-only public key of secp256k1 (BIP340): 32 bytes in hex",
    );
  return key;
}

/** FMT-8: a key of the ring, from 1. */
export function parseKeyId(value: unknown): number | Rejected<InputCode> {
  const isId = typeof value === "number" && Number.isInteger(value) && value >= 1;
  return isId && value <= 0xffff_ffff
    ? value
    : rejected("bad-key-id", "keyId must be a whole number from 1");
}
