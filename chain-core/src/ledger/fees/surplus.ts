// What a transaction leaves over is its fee: BTM, or for those who hold none one wrapped asset that has a price
// (ACC-2). Every other asset sums to zero.
import type { Rejected } from "@causeway/primitives";
import { ContainerType, codec, equal, rejected, u128 } from "@causeway/primitives";
import { assetOf, btm, formatAsset } from "../assets.ts";
import type { Genesis } from "../genesis.ts";
import { isHalted } from "../interchain/accounting.ts";
import type { Balance } from "../rule.ts";
import type { StateReader, Table } from "../state.ts";
import { byBytes, modules, table } from "../state.ts";

/** `amount` of `asset`, in its unit. */
export type Fee = { readonly asset: Uint8Array; readonly amount: bigint };

export type FeeCode =
  /** An asset does not sum to zero: more paid than taken, or left over and no fee. */
  | "unbalanced"
  /** The fee is left over in an asset without a price. */
  | "not-a-fee-asset"
  /** A halted asset pays nothing. */
  | "fee-asset-halted";

/** `units` of the asset pay for `btm` units of BTM; `btm` 0: it pays no fees. */
export type FeePrice = { btm: bigint; units: bigint };

/** By asset id: the price parameter of ACC-2. */
export const feePrices: Table<Uint8Array, FeePrice> = table(
  modules.system,
  17,
  byBytes,
  codec("fee price", new ContainerType({ btm: u128, units: u128 }), 32),
);

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

/** The record's; that of the registry for an asset that came after the genesis. */
export function feePriceOf(
  state: StateReader,
  genesis: Genesis,
  asset: Uint8Array,
): FeePrice | undefined {
  return feePrices.get(state, asset) ?? assetOf(genesis, asset)?.registry?.feePrice;
}

/** What a fee is worth in BTM units, rounded down. */
export function worthOf(
  state: StateReader,
  genesis: Genesis,
  { asset, amount }: Fee,
): bigint | Rejected<FeeCode> {
  if (equal(asset, btm(genesis))) return amount;
  const price = feePriceOf(state, genesis, asset);
  const size = formatAsset(genesis, asset, amount);
  if (price === undefined || price.btm === 0n)
    return rejected("not-a-fee-asset", `${size} left over, which pays no fee`);
  if (isHalted(state, asset))
    return rejected("fee-asset-halted", `${size} left over of a halted asset`);
  return (amount * price.btm) / price.units;
}

/** The least amount of an asset at this price that is worth `value` BTM units. */
export function amountFor(price: FeePrice, value: bigint): bigint {
  return (value * price.units + price.btm - 1n) / price.btm;
}
