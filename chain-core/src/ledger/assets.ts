// Assets and locks: their ids, and the text that people read.
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import {
  assert,
  ByteListType,
  b20,
  b32,
  bytes32,
  ContainerType,
  codec,
  concat,
  equal,
  formatAmount,
  fromHex,
  H,
  isZero,
  keccak256Text,
  keyOf,
  rejected,
  toHex,
  u8,
  utf8,
} from "@causeway/primitives";
import { bech32m } from "@scure/base";
import type { Genesis, RegistryAsset } from "./genesis.ts";
import { recentMap } from "./recent.ts";

/** The ledger's own coin: fees, stake. */
export const btmSymbol = "BTM";
const btmDecimals = 8;

/** What an asset id is the hash of: origin chain and token on it (20 bytes, zero for the chain's own coin). */
export type AssetDefinition = {
  symbol: Uint8Array;
  decimals: number;
  chain: Uint8Array;
  token: Uint8Array;
};
const definitionCodec = codec<AssetDefinition>(
  "asset definition",
  new ContainerType({ symbol: new ByteListType(32), decimals: u8, chain: b32, token: b20 }),
  128,
);

/** An asset as the ledger knows it; `registry` is absent for BTM. */
export type Asset = {
  readonly id: Bytes32;
  readonly symbol: string;
  readonly decimals: number;
  readonly registry?: RegistryAsset;
};

function idOf(network: NetworkId, asset: Omit<RegistryAsset, "exports" | "price">): Bytes32 {
  const { symbol, decimals, chain, token } = asset;
  return H(
    "asset",
    network,
    definitionCodec.encode({ symbol: utf8(symbol), decimals, chain, token }),
  );
}

type Assets = {
  readonly btm: Asset;
  readonly bySymbol: ReadonlyMap<string, Asset>;
  readonly byId: ReadonlyMap<string, Asset>;
};
const known = new WeakMap<Genesis, Assets>();

/** Every asset of the genesis, computed once for each genesis object. */
function assetsOf(genesis: Genesis): Assets {
  const before = known.get(genesis);
  if (before !== undefined) return before;
  const { networkId } = genesis;
  const own = {
    symbol: btmSymbol,
    decimals: btmDecimals,
    chain: bytes32(networkId),
    token: new Uint8Array(20),
  };
  const btm: Asset = { id: idOf(networkId, own), symbol: btmSymbol, decimals: btmDecimals };
  const all = [btm];
  for (const registry of genesis.assets) {
    const { symbol, decimals } = registry;
    all.push({ id: idOf(networkId, registry), symbol, decimals, registry });
  }
  const assets: Assets = {
    btm,
    bySymbol: new Map(all.map((asset) => [asset.symbol, asset])),
    byId: new Map(all.map((asset) => [keyOf(asset.id), asset])),
  };
  known.set(genesis, assets);
  return assets;
}

/** Asset id of a symbol that the genesis knows, or undefined. */
export function assetId(genesis: Genesis, symbol: string): Bytes32 | undefined {
  return assetsOf(genesis).bySymbol.get(symbol)?.id;
}

/** Asset id of the ledger's own coin. */
export function btm(genesis: Genesis): Bytes32 {
  return assetsOf(genesis).btm.id;
}

export function assetOf(genesis: Genesis, id: Uint8Array): Asset | undefined {
  const { btm, byId } = assetsOf(genesis);
  return equal(id, btm.id) ? btm : byId.get(keyOf(id));
}

/** FMT-6: "0.5 BBTC"; an asset outside the registry by its smallest unit and its id. */
export function formatAsset(genesis: Genesis, id: Uint8Array, value: bigint): string {
  const asset = assetOf(genesis, id);
  if (asset === undefined) return `${value} 0x${toHex(id)}`;
  return `${formatAmount(value, asset.decimals)} ${asset.symbol}`;
}

/** FMT-4: the lock of a key, its 20-byte address left-padded. */
export function lockOfAddress(address: Uint8Array): Bytes32 {
  assert(address.length === 20, `an address of ${address.length} bytes`);
  return bytes32(concat(new Uint8Array(12), address));
}

/** True for a lock that somebody may open. Of a hash only its owner knows (FMT-4). */
export function isLock(lock: Uint8Array): boolean {
  return lock.length === 32 && !isZero(lock);
}

/** True for the lock of a key that somebody can hold: 12 zero bytes, then an address that is not zero. */
export function isKeyLock(lock: Uint8Array): boolean {
  if (lock.length !== 32) return false;
  // Every lock is asked, often: two views would cost more than the answer.
  for (let i = 0; i < 12; i++) if (lock[i] !== 0) return false;
  for (let i = 12; i < 32; i++) if (lock[i] !== 0) return true;
  return false;
}

/** EIP-55 text of an address. */
export function formatAddress(address: Uint8Array): string {
  const digits = toHex(address);
  const hash = keccak256Text(digits);
  const codes = [0x30, 0x78];
  for (let i = 0; i < digits.length; i++) {
    const nibble = ((hash[i >> 1] as number) >> (i % 2 === 0 ? 4 : 0)) & 15;
    const code = digits.charCodeAt(i);
    // A letter becomes its capital.
    codes.push(nibble >= 8 && code >= 0x61 ? code - 32 : code);
  }
  return String.fromCharCode(...codes);
}

const bech32Prefix = "cw";

/** FMT-4: EIP-55 text for a key's lock, bech32m `cw1...` for every other. */
export function formatLock(lock: Uint8Array): string {
  const key = keyOf(lock);
  const known = lockTexts.get(key);
  if (known !== undefined) return known;
  assert(lock.length === 32, `a lock of ${lock.length} bytes`);
  const text = isZero(lock.subarray(0, 12))
    ? formatAddress(lock.subarray(12))
    : bech32m.encode(bech32Prefix, bech32m.toWords(lock));
  lockTexts.set(key, text);
  return text;
}

/** Each transaction names its owners several times, and EIP-55's case costs a hash. 300 bytes an entry. */
const lockTexts = recentMap<string>(16_384);

export type BadLock = Rejected<"bad-lock">;

/** The lock that a person wrote; mixed-case hex must be in EIP-55's case. */
export function parseLock(text: unknown): Bytes32 | BadLock {
  if (typeof text !== "string" || text.length > 90)
    return rejected("bad-lock", "expected an address as 0x... or cw1...");
  if (text.toLowerCase().startsWith(`${bech32Prefix}1`)) return parseBech32(text);
  const digits = text.slice(2);
  if (!text.startsWith("0x") || !/^[0-9a-fA-F]{40}$/.test(digits))
    return rejected("bad-lock", "an address is 0x and 40 hex digits");
  const address = fromHex(digits);
  const isMixed = digits !== digits.toLowerCase() && digits !== digits.toUpperCase();
  if (isMixed && formatAddress(address) !== text)
    return rejected("bad-lock", `the checksum of ${text} is wrong`);
  return lockOfAddress(address);
}

function parseBech32(text: string): Bytes32 | BadLock {
  const decoded = bech32m.decodeUnsafe(text);
  const lock =
    decoded?.prefix === bech32Prefix ? bech32m.fromWordsUnsafe(decoded.words) : undefined;
  if (!(lock instanceof Uint8Array) || lock.length !== 32)
    return rejected("bad-lock", `${text} is no lock of this ledger`);
  if (isZero(lock.subarray(0, 12)))
    return rejected("bad-lock", "a key's lock is written as an address");
  return bytes32(lock);
}
