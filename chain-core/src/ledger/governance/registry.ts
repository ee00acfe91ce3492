// The registry of wrapped assets (GOV-1): those of the genesis, and those that the committee added since. Rules read
// it as `context.genesis.assets`; an addition is data, never code.
import type { Codec, Rejected } from "@causeway/primitives";
import {
  ByteListType,
  b20,
  b32,
  bytes32,
  ContainerType,
  codec,
  equal,
  isRejected,
  ListCompositeType,
  rejected,
  u8,
  utf8,
} from "@causeway/primitives";
import { assetId } from "../assets.ts";
import type { Genesis, RegistryAsset } from "../genesis.ts";
import { assetMistakes } from "../genesis-check.ts";
import type { Price } from "../prices.ts";
import { badPrice, prices, priceType } from "../prices.ts";
import type { State, StateReader, Table } from "../state.ts";
import { modules, single, table } from "../state.ts";

/** What a change that adds an asset says of it; its symbol is in the change's key. */
export type AddedAsset = {
  decimals: number;
  chain: Uint8Array;
  token: Uint8Array;
  exports: { chain: Uint8Array; token: Uint8Array }[];
  price: Price;
};
const placeType = new ContainerType({ chain: b32, token: b20 });
const addedFields = {
  decimals: u8,
  chain: b32,
  token: b20,
  exports: new ListCompositeType(placeType, 16),
  price: priceType,
};
export const addedAssetCodec: Codec<AddedAsset> = codec(
  "added asset",
  new ContainerType(addedFields),
  1_024,
);

type Entry = AddedAsset & { symbol: Uint8Array };
/** Assets that the committee may add; with the genesis' own at most 128. */
const addedMax = 64;
export const registry: Table<"only", { assets: Entry[] }> = table(
  modules.system,
  14,
  single,
  codec(
    "registry",
    new ContainerType({
      assets: new ListCompositeType(
        new ContainerType({ symbol: new ByteListType(12), ...addedFields }),
        addedMax,
      ),
    }),
    addedMax * 1_024,
  ),
);

const prefix = "asset:";
const symbolPattern = /^[A-Z][A-Z0-9]{1,11}$/;

/** Key of the change that adds the asset of this symbol. */
export function assetKey(symbol: string): Uint8Array {
  return utf8(prefix + symbol);
}

/** The symbol of such a key; undefined for any other key. */
export function parseAssetKey(key: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(key);
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

type Change = { readonly key: Uint8Array; readonly value: Uint8Array };

/** Why the asset cannot be added now. */
export function checkAsset(
  state: StateReader,
  genesis: Genesis,
  { key, value }: Change,
): Rejected<"bad-asset"> | undefined {
  const symbol = parseAssetKey(key) ?? "";
  if (!symbolPattern.test(symbol) || !equal(assetKey(symbol), key))
    return rejected("bad-asset", "a symbol has 2 to 12 capitals and digits, a capital first");
  if (addedOf(state).length >= addedMax)
    return rejected("bad-asset", `${addedMax} assets were added already`);
  const added = addedAssetCodec.parse(value);
  if (isRejected(added)) return rejected("bad-asset", added.message);
  if (added.decimals > 36) return rejected("bad-asset", `${added.decimals} decimals`);
  const bad = badPrice(added.price);
  if (bad !== undefined) return rejected("bad-asset", bad);
  const known = withRegistry(state, genesis);
  const [wrong] = assetMistakes({ ...known, assets: [...known.assets, assetOf(symbol, added)] });
  return wrong === undefined ? undefined : rejected("bad-asset", wrong);
}

/** Only after `checkAsset` on the same state. */
export function putAsset(state: State, genesis: Genesis, { key, value }: Change): void {
  const symbol = parseAssetKey(key) ?? "";
  const added = addedAssetCodec.decode(value);
  registry.put(state, "only", {
    assets: [...addedOf(state), { symbol: utf8(symbol), ...added }],
  });
  const id = assetId(withRegistry(state, genesis), symbol);
  if (id !== undefined) prices.put(state, id, added.price);
}

function addedOf(state: StateReader): Entry[] {
  return registry.get(state, "only")?.assets ?? [];
}

function assetOf(
  symbol: string,
  { decimals, chain, token, exports, price }: AddedAsset,
): RegistryAsset {
  return {
    symbol,
    decimals,
    chain: bytes32(chain),
    token,
    exports: exports.map((one) => ({ chain: bytes32(one.chain), token: one.token })),
    price,
  };
}

/** By genesis: the newest registry that was read, as one object, so that what is derived from it is derived once. */
const known = new WeakMap<Genesis, { readonly bytes: Uint8Array; readonly genesis: Genesis }>();

/** The genesis file's own of an extended one. */
const bases = new WeakMap<Genesis, Genesis>();

/** The genesis with every asset that the registry has by now; the genesis itself where none was added. */
export function withRegistry(state: StateReader, given: Genesis): Genesis {
  const genesis = bases.get(given) ?? given;
  const bytes = state.get(registry.key("only"));
  if (bytes === undefined) return genesis;
  const before = known.get(genesis);
  if (before !== undefined && equal(before.bytes, bytes)) return before.genesis;
  const added = registry.codec
    .decode(bytes)
    .assets.map((entry) => assetOf(new TextDecoder().decode(entry.symbol), entry));
  const extended = { ...genesis, assets: [...genesis.assets, ...added] };
  known.set(genesis, { bytes, genesis: extended });
  bases.set(extended, genesis);
  return extended;
}
