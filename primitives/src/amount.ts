// Money: unsigned 128-bit bigints in the asset's smallest unit (FMT-3), as people write them.
import type { Brand } from "./brand.ts";
import type { Rejected } from "./failure.ts";
import { rejected } from "./failure.ts";

/** Amount of any asset in its smallest unit, 0 to 2^128 - 1. */
export type Amount = Brand<bigint, "Amount">;

export const amountMax: bigint = (1n << 128n) - 1n;
/** Satoshis, 0 to 21 x 10^14. */
export const satsMax: bigint = 2_100_000_000_000_000n;

/** `"0.5"` for 50000000 with 8 decimals: no trailing zeros, no exponent. */
export function formatAmount(value: bigint, decimals: number): string {
  const text = value.toString().padStart(decimals + 1, "0");
  const whole = text.slice(0, text.length - decimals);
  const fraction = text.slice(text.length - decimals).replace(/0+$/, "");
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** The amount that a person wrote: digits with at most `decimals` after one point. */
export function parseAmount(text: unknown, decimals: number): Amount | Rejected<"bad-amount"> {
  if (typeof text !== "string" || text.length > 80 || !/^\d+(\.\d+)?$/.test(text))
    return rejected("bad-amount", "an amount is digits with at most one decimal point");
  const [whole = "0", fraction = ""] = text.split(".");
  if (fraction.length > decimals)
    return rejected("bad-amount", `at most ${decimals} decimals, got ${fraction.length}`);
  const value = BigInt(whole + fraction.padEnd(decimals, "0"));
  if (value > amountMax) return rejected("bad-amount", "amount exceeds 2^128 - 1");
  return value as Amount;
}
