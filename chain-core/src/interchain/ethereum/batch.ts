// What the ring signs for Gateway, and the calls that carry it (ETH-1 to ETH-3). The digests are computed
// by the contract too; contracts/src/Gateway.sol is the other side of every line here.
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import {
  amountMax,
  assert,
  bigEndian,
  bytes32,
  concat,
  fromBigEndian,
  H,
  rejected,
} from "@causeway/primitives";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { addressWord, bytesTail, selector, uintWord } from "./abi.ts";

/** ETH-2: what happens to an item; the numbers are the contract's. */
export const itemKinds = { mint: 1, releaseEth: 2, releaseErc20: 3 } as const;

/** One payment of a batch. `token` is zero for releaseEth; `amount` in the token's unit, u128. */
export type Item = {
  readonly kind: number;
  /** 20 bytes. */
  readonly token: Uint8Array;
  /** 20 bytes. */
  readonly to: Uint8Array;
  readonly amount: bigint;
};

/** ETH-2: gas numbers are fields, because forks reprice; the ledger sets them. */
export type Batch = {
  /** The key that signs it, from 1 (FMT-8). */
  readonly keyId: number;
  /** One sequence for the life of the contract, from 1 (ETH-1). */
  readonly nonce: number;
  readonly stipend: number;
  readonly overhead: number;
  readonly items: readonly Item[];
};

/** Where a message is valid: one contract on one chain of one network. */
export type Domain = {
  readonly network: NetworkId;
  /** EIP-155. */
  readonly chainId: bigint;
  /** 20 bytes. */
  readonly contract: Uint8Array;
};

/** ETH-2. */
export const itemsMax = 50;
/** Packed: kind 1, token 20, recipient 20, amount 16. */
export const itemSize = 57;
/** ETH-2: bound on the gas that a batch can need, and its parts. */
const batchGasMax = 5_000_000;
const batchGasBase = 80_000;
const itemGasBase = 38_000;
/** ETH-2: below this a relayer can starve an item (16,000 random batches; least safe 14,371). */
const overheadMin = 16_000;

const u32Max = 0xffff_ffff;

/** Gas that a batch can need at most, when every stipend is burnt and every item becomes a claim (ETH-2). */
export function batchGas(stipend: number, items: number): number {
  return batchGasBase + items * (stipend + itemGasBase);
}

/** Largest number of items that a batch may hold at this stipend (ETH-2). */
export function itemsMaxAt(stipend: number): number {
  const fits = Math.floor((batchGasMax - batchGasBase) / (stipend + itemGasBase));
  return Math.max(0, Math.min(itemsMax, fits));
}

/** Why a batch may not be planned: a number or length out of range, or ETH-2's limits. */
export type BadBatch = Rejected<"bad-batch">;

/** The batch itself if it keeps every limit of ETH-2 and FMT-8. */
export function checkBatch(batch: Batch): Batch | BadBatch {
  const { keyId, nonce, stipend, overhead, items } = batch;
  if (!isBetween(keyId, 1, u32Max))
    return rejected("bad-batch", `key id ${keyId} is not 1 to 2^32 - 1`);
  if (!isBetween(nonce, 1, Number.MAX_SAFE_INTEGER))
    return rejected("bad-batch", `nonce ${nonce} is not from 1`);
  if (!isBetween(stipend, 1, u32Max))
    return rejected("bad-batch", `stipend ${stipend} is not 1 to 2^32 - 1`);
  if (!isBetween(overhead, overheadMin, u32Max))
    return rejected("bad-batch", `overhead ${overhead} is below ${overheadMin}`);
  if (items.length === 0 || items.length > itemsMaxAt(stipend))
    return rejected("bad-batch", `${items.length} items are not 1 to ${itemsMaxAt(stipend)}`);
  for (const item of items) {
    if (!isBetween(item.kind, 1, 3)) return rejected("bad-batch", `no item kind ${item.kind}`);
    if (item.token.length !== 20 || item.to.length !== 20)
      return rejected("bad-batch", "token and recipient have 20 bytes each");
    if (item.amount <= 0n || item.amount > amountMax)
      return rejected("bad-batch", `amount ${item.amount} is not 1 to 2^128 - 1`);
  }
  return batch;
}

function isBetween(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}

/** 57 bytes of an item. */
function encodeItem(item: Item): Uint8Array {
  assert(item.token.length === 20 && item.to.length === 20, "addresses have 20 bytes");
  const kind = bigEndian(item.kind, 1);
  return concat(kind, item.token, item.to, bigEndian(item.amount, 16));
}

/** The packed items of a batch. */
export function encodeItems(items: readonly Item[]): Uint8Array {
  return concat(...items.map(encodeItem));
}

/** abi.encode(chainId, contract, keyId, nonce, ...words): how every signed message starts. */
function head(domain: Domain, keyId: number, nonce: number, ...words: Uint8Array[]): Uint8Array {
  const { chainId, contract } = domain;
  const start = [uintWord(chainId), addressWord(contract), uintWord(keyId), uintWord(nonce)];
  return concat(...start, ...words);
}

/**
 * What the ring signs for a batch (ETH-3): H("eth-batch", abi.encode(chainId, contract, keyId, nonce,
 * stipend, overhead, items as bytes)).
 */
export function batchDigest(domain: Domain, batch: Batch): Bytes32 {
  const gas = [uintWord(batch.stipend), uintWord(batch.overhead)];
  const items = bytesTail(encodeItems(batch.items));
  const message = head(domain, batch.keyId, batch.nonce, ...gas, uintWord(7 * 32), items);
  return H("eth-batch", domain.network, message);
}

/** Who signs a message and its place in the one sequence of nonces (ETH-1). */
export type Slot = { readonly keyId: number; readonly nonce: number };

/** ETH-1: from its execution on only the new key is valid. `key` is the x of a point, `keyId` a later one. */
export type NewKey = { readonly keyId: number; readonly key: Uint8Array };

/** H("eth-set-key", abi.encode(chainId, contract, keyId, nonce, newKeyId, newPx)). */
export function setKeyDigest(domain: Domain, slot: Slot, next: NewKey): Bytes32 {
  const words = [uintWord(next.keyId), bytes32(next.key)];
  return H("eth-set-key", domain.network, head(domain, slot.keyId, slot.nonce, ...words));
}

/** H("eth-heartbeat", abi.encode(chainId, contract, keyId, nonce)). */
export function heartbeatDigest(domain: Domain, slot: Slot): Bytes32 {
  return H("eth-heartbeat", domain.network, head(domain, slot.keyId, slot.nonce));
}

/** What a token may do at the contract: closed to deposits, held there, or minted there. */
export const tokenStatus = { none: 0, foreign: 1, wrapped: 2 } as const;

/** Status and capacity of a token; `capacity` (u104) leaves in a burst and refills in a day. */
export type TokenSetting = {
  /** 20 bytes, zero for ETH. */
  readonly token: Uint8Array;
  readonly status: number;
  readonly capacity: bigint;
};

function settingWords(setting: TokenSetting): Uint8Array[] {
  return [addressWord(setting.token), uintWord(setting.status), uintWord(setting.capacity)];
}

/** H("eth-set-token", abi.encode(chainId, contract, keyId, nonce, token, status, capacity)). */
export function setTokenDigest(domain: Domain, slot: Slot, setting: TokenSetting): Bytes32 {
  const message = head(domain, slot.keyId, slot.nonce, ...settingWords(setting));
  return H("eth-set-token", domain.network, message);
}

/** Seconds until which value may not come in, or leave; 0 opens. */
export type Pause = { readonly inUntil: number; readonly outUntil: number };

/** H("eth-set-pause", abi.encode(chainId, contract, keyId, nonce, inUntil, outUntil)). */
export function setPauseDigest(domain: Domain, slot: Slot, pause: Pause): Bytes32 {
  const words = [uintWord(pause.inUntil), uintWord(pause.outUntil)];
  return H("eth-set-pause", domain.network, head(domain, slot.keyId, slot.nonce, ...words));
}

/** ETH-3: the token that gets another minter after 7 days. */
export type NewMinter = { readonly token: Uint8Array; readonly minter: Uint8Array };

/** H("eth-move-minter", abi.encode(chainId, contract, keyId, nonce, token, minter)). */
export function moveMinterDigest(domain: Domain, slot: Slot, next: NewMinter): Bytes32 {
  const words = [addressWord(next.token), addressWord(next.minter)];
  return H("eth-move-minter", domain.network, head(domain, slot.keyId, slot.nonce, ...words));
}

/** A BIP340 signature (64 bytes) of one of the digests above, under `key` (x-only). */
export type RingSeal = { readonly key: Uint8Array; readonly signature: Uint8Array };

/**
 * The contract's `Signature` struct, 4 words: px, rx, ry, s. `ry` is the even root that BIP340 implies, which
 * the contract cannot afford to compute. Asserts that rx is on the curve: the signature was verified before.
 */
export function sealWords(seal: RingSeal): Uint8Array {
  assert(seal.signature.length === 64, "a BIP340 signature has 64 bytes");
  const rx = seal.signature.subarray(0, 32);
  const R = secp256k1.Point.fromBytes(concat(Uint8Array.of(2), rx));
  const ry = uintWord(R.toAffine().y);
  return concat(bytes32(seal.key), rx, ry, seal.signature.subarray(32));
}

const sealType = "(bytes32,bytes32,bytes32,bytes32)";
const selectors = {
  execute: selector(`execute((uint32,uint64,uint32,uint32,bytes),${sealType})`),
  claim: selector("claim(uint64,uint256,uint256,bytes)"),
  setKey: selector(`setKey(uint32,uint64,uint32,bytes32,${sealType})`),
  heartbeat: selector(`heartbeat(uint32,uint64,${sealType})`),
  setToken: selector(`setToken(uint32,uint64,(address,uint8,uint104),${sealType})`),
  setPause: selector(`setPause(uint32,uint64,uint40,uint40,${sealType})`),
  moveMinter: selector(`moveMinter(uint32,uint64,address,address,${sealType})`),
} as const;

/** Calldata of `execute`. */
export function executeCall(batch: Batch, seal: RingSeal): Uint8Array {
  const { keyId, nonce, stipend, overhead } = batch;
  const fields = [keyId, nonce, stipend, overhead, 5 * 32].map(uintWord);
  const struct = concat(...fields, bytesTail(encodeItems(batch.items)));
  return concat(selectors.execute, uintWord(5 * 32), sealWords(seal), struct);
}

/**
 * Calldata of `claim`: pays item `index` of a batch that ran, which had become a claim (ETH-2). `open` is the
 * batch's failedBitmap without the bits of what was claimed since.
 */
export function claimCall(
  nonce: number,
  open: bigint,
  index: number,
  items: readonly Item[],
): Uint8Array {
  const words = [nonce, open, index, 4 * 32].map(uintWord);
  return concat(selectors.claim, ...words, bytesTail(encodeItems(items)));
}

function slotWords(slot: Slot): Uint8Array {
  return concat(uintWord(slot.keyId), uintWord(slot.nonce));
}

/** Calldata of `setKey`. */
export function setKeyCall(slot: Slot, next: NewKey, seal: RingSeal): Uint8Array {
  const words = [uintWord(next.keyId), bytes32(next.key)];
  return concat(selectors.setKey, slotWords(slot), ...words, sealWords(seal));
}

/** Calldata of `heartbeat`. */
export function heartbeatCall(slot: Slot, seal: RingSeal): Uint8Array {
  return concat(selectors.heartbeat, slotWords(slot), sealWords(seal));
}

/** Calldata of `setToken`. */
export function setTokenCall(slot: Slot, setting: TokenSetting, seal: RingSeal): Uint8Array {
  return concat(selectors.setToken, slotWords(slot), ...settingWords(setting), sealWords(seal));
}

/** Calldata of `setPause`. */
export function setPauseCall(slot: Slot, pause: Pause, seal: RingSeal): Uint8Array {
  const words = [uintWord(pause.inUntil), uintWord(pause.outUntil)];
  return concat(selectors.setPause, slotWords(slot), ...words, sealWords(seal));
}

/** Calldata of `moveMinter`. */
export function moveMinterCall(slot: Slot, next: NewMinter, seal: RingSeal): Uint8Array {
  const words = [addressWord(next.token), addressWord(next.minter)];
  return concat(selectors.moveMinter, slotWords(slot), ...words, sealWords(seal));
}

/** FMT-8: the EIP-155 id that a 32-byte chain id stands for. */
export function chainIdOf(chain: Uint8Array): bigint {
  return fromBigEndian(bytes32(chain));
}
