// What a transaction leaves over is its fee: BTM, or for those who hold none one wrapped asset that has a price
// (ACC-2). Every other asset sums to zero.
import type { Rejected } from "@causeway/primitives";
import { equal, rejected } from "@causeway/primitives";
import { btm, formatAsset } from "../assets.ts";
import type { Genesis } from "../genesis.ts";
import { isHalted } from "../interchain/accounting.ts";
import type { Price } from "../prices.ts";
import { priceOf } from "../prices.ts";
import type { Balance } from "../rule.ts";
import type { StateReader } from "../state.ts";

/** `amount` of `asset`, in its unit. */
export type Fee = { readonly asset: Uint8Array; readonly amount: bigint };

export type FeeCode =
  /** An asset does not sum to zero: more paid than taken, or left over and no fee. */
  | "unbalanced"
  /** The fee is left over in an asset without a price. */
  | "not-a-fee-asset"
  /** A halted asset pays nothing. */
  | "fee-asset-halted";

/** The sum of balances: what is over in the one asset that pays, 0 BTM where nothing is. */
export function surplusOf(genesis: Genesis, balances: Iterable<Balance>): Fee | Rejected<FeeCode> {
  // A few at most, nearly always one: a search is faster than a Map.
  const sums: { asset: Uint8Array; sum: bigint }[] = [];
  for (const balance of balances)
    for (const [asset, value] of balance) {
      const known = sums.find((one) => equal(one.asset, asset));
      if (known === undefined) sums.push({ asset, sum: value });
      else known.sum += value;
    }
  let fee: Fee | undefined;
  for (const { asset, sum } of sums) {
    if (sum === 0n) continue;
    const size = formatAsset(genesis, asset, sum < 0n ? -sum : sum);
    if (sum < 0n) return rejected("unbalanced", `the transaction lacks ${size}`);
    if (fee !== undefined)
      return rejected(
        "unbalanced",
        `the transaction leaves over ${formatAsset(genesis, fee.asset, fee.amount)} and ${size}`,
      );
    fee = { asset, amount: sum };
  }
  return fee ?? { asset: btm(genesis), amount: 0n };
}

/** What a fee is worth in BTM units, rounded down. */
export function worthOf(
  state: StateReader,
  genesis: Genesis,
  { asset, amount }: Fee,
): bigint | Rejected<FeeCode> {
  if (equal(asset, btm(genesis))) return amount;
  const price = priceOf(state, genesis, asset);
  const size = formatAsset(genesis, asset, amount);
  if (price === undefined)
    return rejected("not-a-fee-asset", `${size} left over, which pays no fee`);
  if (isHalted(state, asset))
    return rejected("fee-asset-halted", `${size} left over of a halted asset`);
  return (amount * price.btm) / price.units;
}

/** The least amount of an asset at this price that is worth `value` BTM units. */
export function amountFor(price: Price, value: bigint): bigint {
  return (value * price.units + price.btm - 1n) / price.btm;
}
