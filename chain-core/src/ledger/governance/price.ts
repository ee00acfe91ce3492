// A change of an asset's price in BTM (GOV-1, ACC-2, RNG-7). A higher one lets fees in kind buy more, a lower one lets
// bonds hold more: both wait.
import type { Rejected } from "@causeway/primitives";
import { isRejected, must, rejected, utf8 } from "@causeway/primitives";
import { assetId } from "../assets.ts";
import type { Genesis } from "../genesis.ts";
import type { Price } from "../prices.ts";
import { badPrice, priceCodec, prices } from "../prices.ts";
import type { State, StateReader } from "../state.ts";
import { withRegistry } from "./registry.ts";

const prefix = "price:";

/** Key of the change that sets the price of the registry's asset of this symbol; its value is a {@link Price}. */
export function priceKey(symbol: string): Uint8Array {
  return utf8(prefix + symbol);
}

/** The symbol of such a key; undefined for any other key. */
export function parsePriceKey(key: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(key);
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

type Change = { readonly key: Uint8Array; readonly value: Uint8Array };

/** Why the price cannot be set now. */
export function checkPrice(
  state: StateReader,
  genesis: Genesis,
  change: Change,
): Rejected<"bad-price"> | undefined {
  const read = readChange(withRegistry(state, genesis), change);
  return isRejected(read) ? read : undefined;
}

/** Only after `checkPrice` on the same state. */
export function putPrice(state: State, genesis: Genesis, change: Change): void {
  const read = readChange(withRegistry(state, genesis), change);
  if (!isRejected(read)) prices.put(state, read.asset, read.price);
}

function readChange(
  genesis: Genesis,
  { key, value }: Change,
): { readonly asset: Uint8Array; readonly price: Price } | Rejected<"bad-price"> {
  const symbol = parsePriceKey(key);
  if (!genesis.assets.some((one) => one.symbol === symbol))
    return rejected("bad-price", `no asset ${symbol} in the registry`);
  const price = priceCodec.parse(value);
  if (isRejected(price)) return rejected("bad-price", price.message);
  const bad = badPrice(price);
  if (bad !== undefined) return rejected("bad-price", bad);
  return { asset: must(assetId(genesis, symbol ?? ""), "asset id"), price };
}

/** The sentence of an approval. */
export function describePrice({ key, value }: Change, epoch: number): string {
  const symbol = parsePriceKey(key) ?? "";
  const price = priceCodec.parse(value);
  if (isRejected(price)) return `Set the price of ${symbol} in epoch ${epoch}`;
  const { btm, units } = price;
  return btm === 0n
    ? `Take the price of ${symbol} away in epoch ${epoch}`
    : `Let ${units} units of ${symbol} be worth ${btm} units of BTM from epoch ${epoch}`;
}
