// Assets that users define. The id is the hash of the whole definition, issuer included, so that nobody can issue
// another's asset or one that looks the same by its id; symbols of the ledger's own assets are theirs alone (ACC-3).
import type { Bytes32, Codec, NetworkId, Rejected } from "@causeway/primitives";
import { amountMax, ContainerType, codec, H, rejected, u128 } from "@causeway/primitives";
import type { IssuedDefinition } from "../../codec/action.ts";
import { issuedDefinitionType } from "../../codec/action.ts";
import { btmSymbol, isLock } from "../assets.ts";
import type { Genesis } from "../genesis.ts";
import type { StateReader, Table } from "../state.ts";
import { byBytes, modules, table } from "../state.ts";

const definitionSizeMax = 160;
const definitionCodec: Codec<IssuedDefinition> = codec(
  "definition of an issued asset",
  issuedDefinitionType,
  definitionSizeMax,
);

/** Totals over all time; `issued` - `retired` is in circulation. */
export type IssuedAsset = { definition: IssuedDefinition; issued: bigint; retired: bigint };

/** By asset id, from its first issue on. */
export const issuedAssets: Table<Uint8Array, IssuedAsset> = table(
  modules.system,
  18,
  byBytes,
  codec(
    "issued asset",
    new ContainerType({ definition: issuedDefinitionType, issued: u128, retired: u128 }),
    definitionSizeMax + 64,
  ),
);

/** Weight of a record of the provable state that stays for ever: its bytes on every disk and in the tree, fivefold. */
export const issuedAssetGrowth = 1_500;

export function issuedAssetId(network: NetworkId, definition: IssuedDefinition): Bytes32 {
  return H("issued-asset", network, definitionCodec.encode(definition));
}

/** Units in circulation; 0 for an asset that was never issued. */
export function circulating(state: StateReader, asset: Uint8Array): bigint {
  const record = issuedAssets.get(state, asset);
  return record === undefined ? 0n : record.issued - record.retired;
}

/** The most that may be in circulation. */
export function capOf({ cap }: IssuedDefinition): bigint {
  return cap === 0n ? amountMax : cap;
}

export type DefinitionCode =
  /** Not 3 to 12 capitals and digits, a capital first. */
  | "bad-symbol"
  /** BTM's, a registry asset's, or one that looks like it. */
  | "reserved-symbol"
  /** Empty, or not printable ASCII without quotes and backslashes. */
  | "bad-name"
  | "bad-decimals"
  | "bad-issuer";

export function checkDefinition(
  genesis: Genesis,
  definition: IssuedDefinition,
): Rejected<DefinitionCode> | undefined {
  const symbol = asciiOf(definition.symbol);
  if (!/^[A-Z][A-Z0-9]{2,11}$/.test(symbol))
    return rejected("bad-symbol", "a symbol is 3 to 12 capitals and digits, a capital first");
  const own = [btmSymbol, ...genesis.assets.map((asset) => asset.symbol)];
  const like = own.find((one) => lookOf(one) === lookOf(symbol));
  if (like !== undefined)
    return rejected("reserved-symbol", `${symbol} looks like ${like}, which is taken`);
  // The name stands in quotes in what people sign.
  if (!/^[ !#-[\]-~]+$/.test(asciiOf(definition.name)))
    return rejected("bad-name", "a name is printable ASCII without quotes and backslashes");
  if (definition.decimals > decimalsMax)
    return rejected("bad-decimals", `${definition.decimals} decimals, at most ${decimalsMax}`);
  if (!isLock(definition.issuer)) return rejected("bad-issuer", "nobody can sign for the issuer");
  return undefined;
}

/** As for assets of the registry. */
const decimalsMax = 36;

/** One character a byte, so that what is no ASCII matches no pattern of ours. */
export function asciiOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

const looks: Readonly<Record<string, string>> = { 0: "O", 1: "I", 2: "Z", 5: "S", 6: "G", 8: "B" };

/** Two symbols that people take for one another look the same. */
function lookOf(symbol: string): string {
  return [...symbol.toUpperCase()].map((letter) => looks[letter] ?? letter).join("");
}
