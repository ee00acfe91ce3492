// How the wallet names assets: symbols of the registry, and of user-defined assets their symbol with the beginning of
// their id, because anybody may take any symbol.
import { Failure, formatAmount, isRejected, keyOf, parseHex, toHex } from "@causeway/primitives";
import type { NodeClient } from "../client.ts";
import { asciiOf, issuedAssets } from "../ledger/assets/issued.ts";
import { assetId, assetOf, formatAsset } from "../ledger/assets.ts";
import type { Genesis } from "../ledger/genesis.ts";

export type Names = {
  readonly format: (asset: Uint8Array, amount: bigint) => string;
  readonly decimals: (asset: Uint8Array) => number;
};

/** Of these assets; asks the node for the definitions of those that the registry does not name. */
export async function assetNames(
  client: NodeClient,
  genesis: Genesis,
  assets: readonly Uint8Array[],
): Promise<Names> {
  const strange = assets.filter((asset) => assetOf(genesis, asset) === undefined);
  const records = await client.records(strange.map((asset) => issuedAssets.key(asset)));
  const known = new Map<string, { readonly symbol: string; readonly decimals: number }>();
  for (const [i, bytes] of records.entries()) {
    const asset = strange[i];
    const parsed = bytes === undefined ? undefined : issuedAssets.codec.parse(bytes);
    if (asset === undefined || parsed === undefined || isRejected(parsed)) continue;
    const { symbol, decimals } = parsed.definition;
    known.set(keyOf(asset), { symbol: asciiOf(symbol), decimals });
  }
  return {
    decimals: (asset) =>
      assetOf(genesis, asset)?.decimals ?? known.get(keyOf(asset))?.decimals ?? 0,
    format: (asset, amount) => {
      const own = known.get(keyOf(asset));
      if (own === undefined) return formatAsset(genesis, asset, amount);
      const id = toHex(asset.subarray(0, 4));
      return `${formatAmount(amount, own.decimals)} ${own.symbol} (user asset ${id}...)`;
    },
  };
}

/** The id of a symbol of the registry, or an id of 64 hex digits. Throws Failure "unknown-asset". */
export function assetNamed(genesis: Genesis, name: string): Uint8Array {
  const named = assetId(genesis, name) ?? assetId(genesis, name.toUpperCase());
  if (named !== undefined) return named;
  const id = parseHex(name, { size: 32 });
  if (isRejected(id))
    throw new Failure("unknown-asset", `${name} is no symbol of this network and no asset id`);
  return id;
}
