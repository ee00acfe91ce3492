// What a block holds for the Bitcoin watcher: payments to watched scripts and spends of watched outputs, each with
// its proof of inclusion; and the block's fingerprints, by which something watched later is found without
// reading every block again.
import type { Bytes32 } from "@causeway/primitives";
import { keyOf, sha256d } from "@causeway/primitives";
import type { Genesis } from "../../ledger/genesis.ts";
import type { ParsedBlock } from "../bitcoin/inclusion.ts";
import { proveInclusion } from "../bitcoin/inclusion.ts";
import { outpoint } from "../records.ts";
import type { BitcoinDeposit, DepositRequest, ForeignEvent, Settle } from "../statement.ts";
import {
  bitcoinDepositCodec,
  eventId,
  eventKinds,
  foreignTransactionSizeMax,
} from "../statement.ts";

/** A payment to a watched script, or a log of a gateway, as an event to state. */
export type Found = { readonly id: Bytes32; readonly event: ForeignEvent };

/** A transaction that spends watched outputs: what proves it to the ledger, and which it spends (hex, 36 bytes). */
export type Spend = {
  readonly settle: Settle;
  readonly txid: Bytes32;
  /** Of its block. */
  readonly height: number;
  readonly outpoints: readonly string[];
};

/** Watched scripts (hex) with their requests, and watched outpoints (hex). */
export type Watched = {
  readonly scripts: ReadonlyMap<string, DepositRequest>;
  readonly outpoints: ReadonlySet<string>;
};

/** What one block holds. */
export type InBlock = {
  readonly height: number;
  readonly deposits: readonly Found[];
  readonly spends: readonly Spend[];
};

export function scanBlock(
  genesis: Genesis,
  watched: Watched,
  block: ParsedBlock,
  height: number,
): InBlock {
  const deposits: Found[] = [];
  const spends: Spend[] = [];
  for (const position of block.transactions.keys()) {
    // What no statement could carry (FMT-9) is left to its reclaim.
    if ((block.stripped[position]?.length ?? 0) > foreignTransactionSizeMax) continue;
    deposits.push(...depositsIn(genesis, watched, block, height, position));
    spends.push(...spendsIn(genesis, watched, block, height, position));
  }
  return { height, deposits, spends };
}

function depositsIn(
  { networkId, bitcoin }: Genesis,
  { scripts }: Watched,
  block: ParsedBlock,
  height: number,
  position: number,
): Found[] {
  const found: Found[] = [];
  for (const [index, output] of (block.transactions[position]?.outputs ?? []).entries()) {
    const request = scripts.get(keyOf(output.script));
    if (request === undefined) continue;
    const inclusion = proveInclusion(block.stripped, position);
    const { version, keyId, destination, maxFee, refund } = request;
    const terms = { version, keyId, amount: output.amount, destination, maxFee, refund };
    const deposit: BitcoinDeposit = { ...terms, ...inclusion };
    const txid = sha256d(inclusion.transaction);
    const place = { txid, index, blockHash: block.hash, height };
    const body = bitcoinDepositCodec.encode(deposit);
    const id = eventId(networkId, bitcoin.chain, undefined, txid, index);
    found.push({ id, event: { kind: eventKinds.bitcoinDeposit, ...place, body } });
  }
  return found;
}

function spendsIn(
  { bitcoin }: Genesis,
  { outpoints }: Watched,
  block: ParsedBlock,
  height: number,
  position: number,
): Spend[] {
  const inputs = block.transactions[position]?.inputs ?? [];
  const spent = inputs
    .map(({ txid, vout }) => keyOf(outpoint(txid, vout)))
    .filter((name) => outpoints.has(name));
  if (spent.length === 0) return [];
  const inclusion = proveInclusion(block.stripped, position);
  const settle = { chain: bitcoin.chain, blockHash: block.hash, ...inclusion };
  return [{ settle, txid: sha256d(inclusion.transaction), height, outpoints: spent }];
}

/** 32 bits of a script or outpoint by FNV-1a. A collision costs one needless read of a block, nothing else. */
export function fingerprint(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Fingerprints of every script that a block pays and every outpoint that it spends: 4 bytes each. */
export function fingerprints(block: ParsedBlock): Uint32Array {
  const prints: number[] = [];
  for (const { inputs, outputs } of block.transactions) {
    for (const { txid, vout } of inputs) prints.push(fingerprint(outpoint(txid, vout)));
    for (const { script } of outputs) prints.push(fingerprint(script));
  }
  return Uint32Array.from(prints);
}
