// Which transfers are possible and what they cost: one set of functions for the ledger's rules and for the
// quotes that people get before they pay (ACC-2). Pure: genesis, parameters, amounts.
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import {
  amountMax,
  bigEndian,
  concat,
  equal,
  H,
  isZero,
  rejected,
  satsMax,
} from "@causeway/primitives";
import type { Destination } from "../codec/action.ts";
import { isLock } from "../ledger/assets.ts";
import type { EvmChain, Genesis, Params, RegistryAsset } from "../ledger/genesis.ts";
import type { StateReader } from "../ledger/state.ts";
import { currentKeys, keys } from "../ring/records.ts";
import type { ScriptType } from "./bitcoin/address.ts";
import { dustLimits, scriptType } from "./bitcoin/address.ts";
import type { VaultScript } from "./bitcoin/scripts.ts";
import { vaultScript } from "./bitcoin/scripts.ts";
import { feeOf, keyPathSize } from "./bitcoin/transaction.ts";
import { itemKinds } from "./ethereum/batch.ts";

/** Bytes of a P2TR scriptPubKey. */
export const p2trSize = 34;

/** Where value can go: under a lock of the ledger, to a Bitcoin script, or as an item of an EVM batch. */
export type Route =
  | { readonly kind: "ledger" }
  | { readonly kind: "bitcoin"; readonly type: ScriptType }
  | {
      readonly kind: "evm";
      readonly evm: EvmChain;
      readonly itemKind: number;
      /** Zero for the chain's own coin. */
      readonly token: Uint8Array;
    };

export type RouteCode =
  /** No chain of this network. */
  | "unknown-chain"
  /** The asset does not exist on that chain. */
  | "asset-not-there"
  /** Not a lock, not a payable script, or not an address. */
  | "bad-destination"
  /** A script or contract of the network itself: the value would be lost or come back. */
  | "own-destination";

/** How `asset` reaches `destination`. `ringScripts` are the vaults of the ring's keys (BTC-4). */
export function routeOf(
  genesis: Genesis,
  asset: RegistryAsset,
  { chain, payload }: Destination,
  ringScripts: readonly Uint8Array[],
): Route | Rejected<RouteCode> {
  if (equal(chain, genesis.networkId))
    return isLock(payload)
      ? { kind: "ledger" }
      : rejected("bad-destination", "the destination is no lock of this ledger");
  if (equal(chain, genesis.bitcoin.chain)) return bitcoinRoute(asset, chain, payload, ringScripts);
  const evm = genesis.evm.find((one) => equal(one.chain, chain));
  if (evm === undefined) return rejected("unknown-chain", "no chain of this network");
  return evmRoute(genesis, asset, evm, payload);
}

function bitcoinRoute(
  asset: RegistryAsset,
  chain: Uint8Array,
  payload: Uint8Array,
  ringScripts: readonly Uint8Array[],
): Route | Rejected<RouteCode> {
  if (!equal(asset.chain, chain))
    return rejected("asset-not-there", `${asset.symbol} cannot go to Bitcoin`);
  const type = scriptType(payload);
  if (type === undefined)
    return rejected("bad-destination", "the destination is no script that Bitcoin can pay");
  if (ringScripts.some((script) => equal(script, payload)))
    return rejected("own-destination", "the destination is the ring's own vault");
  return { kind: "bitcoin", type };
}

function evmRoute(
  genesis: Genesis,
  asset: RegistryAsset,
  evm: EvmChain,
  payload: Uint8Array,
): Route | Rejected<RouteCode> {
  const isOrigin = equal(asset.chain, evm.chain);
  const exported = asset.exports.find((one) => equal(one.chain, evm.chain));
  const token = isOrigin ? asset.token : exported?.token;
  if (token === undefined)
    return rejected("asset-not-there", `${asset.symbol} is not on chain ${evm.chainId}`);
  if (payload.length !== 20 || isZero(payload))
    return rejected("bad-destination", "the destination is no address of 20 bytes");
  if (equal(payload, evm.gateway) || isToken(genesis, evm, payload))
    return rejected("own-destination", "the destination is a contract of the network");
  const release = isZero(token) ? itemKinds.releaseEth : itemKinds.releaseErc20;
  return { kind: "evm", evm, token, itemKind: isOrigin ? release : itemKinds.mint };
}

/** An EVM contract makes the value there, instead of giving what it holds. */
export function isMint(route: Route): boolean {
  return route.kind === "evm" && route.itemKind === itemKinds.mint;
}

/** True for a token contract that the genesis names on this chain. */
function isToken(genesis: Genesis, evm: EvmChain, address: Uint8Array): boolean {
  return genesis.assets.some((asset) => {
    const places = [{ chain: asset.chain, token: asset.token }, ...asset.exports];
    return places.some(({ chain, token }) => equal(chain, evm.chain) && equal(token, address));
  });
}

// --------------------------------------------------------------------------------------------- fees

type FeeParams = Pick<Params, "feeRateInitial" | "evmItemFee" | "ringFeeBps">;

/** What the ring's seats get besides for a transfer that costs the network `cost` (ACC-2); a quote has both. */
export function ringFee({ ringFeeBps }: Pick<Params, "ringFeeBps">, cost: bigint): bigint {
  return (cost * BigInt(ringFeeBps)) / 10_000n;
}

/**
 * What a deposit's sweep costs: as if swept alone into two coins, which are handed over once, 376 vB (BTC-5's first rate).
 */
export function sweepCost(params: FeeParams): bigint {
  const sweep = feeOf(keyPathSize(1, [p2trSize, p2trSize]), params.feeRateInitial);
  return sweep + handoverFee(params, 2);
}

/** Quoted for a deposit. */
export function sweepFee(params: FeeParams): bigint {
  const cost = sweepCost(params);
  return cost + ringFee(params, cost);
}

/** What it takes to hand over a vault of `count` coins, in three parts where it has so many (RNG-2). */
export function handoverFee({ feeRateInitial }: FeeParams, count: number): bigint {
  const parts = Math.min(count, 3);
  const size = keyPathSize(Math.ceil(count / 3), [p2trSize]);
  return BigInt(parts) * feeOf(size, feeRateInitial);
}

/** What a withdrawal to a script of `size` bytes costs: as if paid alone from one coin, with change. */
export function payoutCost({ feeRateInitial }: FeeParams, size: number): bigint {
  return feeOf(keyPathSize(1, [size, p2trSize]), feeRateInitial);
}

/** What leaving by this route costs, in the asset's unit. */
export function routeFee(params: FeeParams, route: Route, destination: Destination): bigint {
  const cost = routeCost(params, route, destination);
  return cost + ringFee(params, cost);
}

function routeCost(params: FeeParams, route: Route, destination: Destination): bigint {
  switch (route.kind) {
    case "ledger":
      return 0n;
    case "bitcoin":
      return payoutCost(params, destination.payload.length);
    case "evm":
      return params.evmItemFee;
  }
}

/** Least and greatest amount that may leave by this route. */
export function routeLimits(
  params: Params,
  route: Route,
  destination: Destination,
): { readonly min: bigint; readonly max: bigint } {
  const fee = routeFee(params, route, destination);
  if (route.kind !== "bitcoin") return { min: fee + 1n, max: amountMax };
  const floor = dustLimits[route.type] + fee;
  return { min: floor > params.withdrawalMin ? floor : params.withdrawalMin, max: satsMax };
}

export type AmountCode = "below-minimum" | "above-maximum" | "fee-above-maximum";

/** Why `amount` may not leave by this route, given the most that it may cost. */
export function checkAmount(
  params: Params,
  route: Route,
  of: { readonly amount: bigint; readonly maxFee: bigint; readonly destination: Destination },
): Rejected<AmountCode> | undefined {
  const { min, max } = routeLimits(params, route, of.destination);
  if (of.amount < min) return rejected("below-minimum", `${of.amount} is below ${min}`);
  if (of.amount > max) return rejected("above-maximum", `${of.amount} is above ${max}`);
  const fee = routeFee(params, route, of.destination);
  if (fee > of.maxFee)
    return rejected("fee-above-maximum", `the fee of ${fee} exceeds the maximum of ${of.maxFee}`);
  return undefined;
}

// --------------------------------------------------------------------------------------------- keys

/** The ring's keys of a chain, newest first: their ids and points. Ids are dense, so there are few. */
function keysOfChain(
  view: StateReader,
  chain: Uint8Array,
): { readonly keyId: number; readonly groupPoint: Uint8Array }[] {
  const found: { keyId: number; groupPoint: Uint8Array }[] = [];
  for (let keyId = currentKeys.get(view, chain)?.keyId ?? 0; keyId > 0; keyId--) {
    const key = keys.get(view, keyId);
    if (key !== undefined && equal(key.chain, chain))
      found.push({ keyId, groupPoint: key.groupPoint });
  }
  return found;
}

/** A vault of the ring with the key that spends it. */
export type Vault = VaultScript & { readonly keyId: number };

/** The vaults of all keys of Bitcoin, the current one first; empty before a key is active. */
export function vaultsOf(genesis: Genesis, view: StateReader): Vault[] {
  return keysOfChain(view, genesis.bitcoin.chain).map(({ keyId, groupPoint }) => ({
    keyId,
    ...vaultScript(genesis, groupPoint),
  }));
}

// ---------------------------------------------------------------------------------------------- ids

/** Of a burn: its transaction and position. Of a forward: the inbound event's id and 0. */
export function withdrawalId(network: NetworkId, source: Uint8Array, position: number): Bytes32 {
  return H("withdrawal", network, concat(source, bigEndian(position, 4)));
}

/** The ledger transaction id under which an inbound event's output 0 appears. */
export function creditId(network: NetworkId, event: Uint8Array): Bytes32 {
  return H("credit", network, event);
}
