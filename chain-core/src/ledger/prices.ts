// What wrapped assets are worth in BTM: for fees in kind (ACC-2), and for what the ring's bonds answer for (RNG-7).
import type { Codec } from "@causeway/primitives";
import { ContainerType, codec, u128 } from "@causeway/primitives";
import { assetOf } from "./assets.ts";
import type { Genesis } from "./genesis.ts";
import type { StateReader, Table } from "./state.ts";
import { byBytes, modules, table } from "./state.ts";

/** `units` of the asset, above 0, are worth `btm` units of BTM; `btm` 0: it has no price. */
export type Price = { btm: bigint; units: bigint };
/** Most of either: products of a price and an amount stay far from what is slow. */
export const priceMax: bigint = 10n ** 30n;
export const priceType: ContainerType<{ btm: typeof u128; units: typeof u128 }> = new ContainerType(
  { btm: u128, units: u128 },
);
export const priceCodec: Codec<Price> = codec("price", priceType, 32);

/** Why nothing can have this price. */
export function badPrice({ btm, units }: Price): string | undefined {
  if (units > 0n && units <= priceMax && btm <= priceMax) return undefined;
  return `a price of ${btm} BTM units for ${units}`;
}

/** By asset id: what the registry says of it, until a change of governance says otherwise (GOV-1). */
export const prices: Table<Uint8Array, Price> = table(modules.system, 17, byBytes, priceCodec);

/** The price in force; undefined where the asset has none. */
export function priceOf(
  state: StateReader,
  genesis: Genesis,
  asset: Uint8Array,
): Price | undefined {
  const price = prices.get(state, asset) ?? assetOf(genesis, asset)?.registry?.price;
  return price === undefined || price.btm === 0n ? undefined : price;
}
