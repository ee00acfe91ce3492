// Transactions as the node keeps them, and the checks that need no coins: consensus sanity, finality,
// standardness. Rejection codes and messages are Bitcoin Core's own, since clients read them.
import type { Rejected } from "@causeway/primitives";
import { rejected, reversed, sha256d, toHex } from "@causeway/primitives";
import { Transaction } from "bitcoinjs-lib";
import { classify, dustLimit, isUnspendable } from "./script.ts";

/** A parsed transaction with what every caller needs computed once. Ids are in display order. */
export type Tx = {
  readonly body: Transaction;
  readonly txid: string;
  readonly wtxid: string;
  readonly raw: Uint8Array;
  readonly strippedSize: number;
  readonly weight: number;
  readonly vsize: number;
};

/** An unspent output; `value` in satoshi, `height` of the block that created it. */
export type Coin = {
  readonly value: bigint;
  readonly script: Uint8Array;
  readonly height: number;
  readonly coinbase: boolean;
};

/** 21 million coins in satoshi: no output and no sum of outputs may exceed it. */
const moneyMax: bigint = 2_100_000_000_000_000n;
/** Transactions of this version follow the TRUC rules (BIP431). */
export const trucVersion = 3;
const weightMax = 4_000_000;
const standardWeightMax = 400_000;
const dataCarrierMax = 100_000;

/** Bytes of an id or hash in the order in which people read them. */
export function display(hash: Uint8Array): string {
  return toHex(reversed(hash));
}

export function outpoint(txid: string, index: number): string {
  return `${txid}:${index}`;
}

/** The outpoint that an input spends. */
export function spentOutpoint(input: {
  readonly hash: Uint8Array;
  readonly index: number;
}): string {
  return outpoint(display(input.hash), input.index);
}

export function describe(body: Transaction): Tx {
  const strippedSize = body.byteLength(false);
  const raw = body.toBuffer();
  const weight = strippedSize * 3 + raw.length;
  return {
    body,
    txid: body.getId(),
    // Not getHash(true), which is zero for a coinbase: right in a witness commitment, wrong as an id.
    wtxid: display(sha256d(raw)),
    raw,
    strippedSize,
    weight,
    vsize: Math.ceil(weight / 4),
  };
}

/** The transaction in `raw` (at most 4 MB), or a rejection when it does not decode exactly. */
export function parseTx(raw: Uint8Array): Tx | Rejected<"tx-decode"> {
  if (raw.length > weightMax) return rejected("tx-decode", "larger than a block");
  try {
    const body = Transaction.fromBuffer(raw);
    return body.ins.length === 0 ? rejected("tx-decode", "no input") : describe(body);
  } catch (error) {
    return rejected("tx-decode", error instanceof Error ? error.message : "malformed");
  }
}

/** Core's CheckTransaction: what consensus asks of a transaction alone. */
export function checkSanity(tx: Tx): Rejected | undefined {
  const { ins, outs } = tx.body;
  if (ins.length === 0) return refuse("bad-txns-vin-empty");
  if (outs.length === 0) return refuse("bad-txns-vout-empty");
  if (tx.strippedSize * 4 > weightMax) return refuse("bad-txns-oversize");
  let total = 0n;
  for (const { value } of outs) {
    if (value < 0n) return refuse("bad-txns-vout-negative");
    if (value > moneyMax) return refuse("bad-txns-vout-toolarge");
    total += value;
    if (total > moneyMax) return refuse("bad-txns-txouttotal-toolarge");
  }
  if (new Set(ins.map(spentOutpoint)).size !== ins.length)
    return refuse("bad-txns-inputs-duplicate");
  const size = ins[0]?.script.length ?? 0;
  if (tx.body.isCoinbase()) {
    if (size < 2 || size > 100) return refuse("bad-cb-length");
  } else if (ins.some((input) => Transaction.isCoinbaseHash(input.hash)))
    return refuse("bad-txns-prevout-null");
  return undefined;
}

/** Lock time: may `tx` be in a block at `height` whose parent's median time is `medianTime` (seconds)? */
export function isFinal(tx: Tx, height: number, medianTime: number): boolean {
  const { locktime, ins } = tx.body;
  if (locktime === 0 || locktime < (locktime < 500_000_000 ? height : medianTime)) return true;
  return ins.every((input) => input.sequence === 0xffffffff);
}

/**
 * BIP68: may `tx` be in the block at `height`? `coins` are what its inputs spend, in order;
 * `medianTimeAt(h)` is the median time past of the block at height h, in seconds.
 */
export function sequenceLocksPass(
  tx: Tx,
  coins: readonly Coin[],
  height: number,
  medianTimeAt: (height: number) => number,
): boolean {
  if (tx.body.version < 2) return true;
  return tx.body.ins.every(({ sequence }, index) => {
    const coin = coins[index];
    if (sequence & 0x80000000 || coin === undefined) return true;
    const lock = sequence & 0xffff;
    if (!(sequence & 0x400000)) return coin.height + lock <= height;
    const since = medianTimeAt(Math.max(coin.height - 1, 0));
    return since + lock * 512 <= medianTimeAt(height - 1);
  });
}

/** Core's IsStandardTx with default settings; `hasDust` outputs are judged later, with the fee. */
export function checkStandard(tx: Tx): Rejected | undefined {
  if (tx.body.isCoinbase()) return refuse("coinbase");
  if (tx.body.version < 1 || tx.body.version > trucVersion) return refuse("version");
  if (tx.weight > standardWeightMax) return refuse("tx-size");
  if (tx.strippedSize < 65) return refuse("tx-size-small");
  for (const input of tx.body.ins) if (input.script.length > 1650) return refuse("scriptsig-size");
  let dataSize = 0;
  for (const { script } of tx.body.outs) {
    const type = classify(script);
    if (type === "nonstandard" || type === "pubkey") return refuse("scriptpubkey");
    if (type === "nulldata") dataSize += script.length;
  }
  if (dataSize > dataCarrierMax) return refuse("datacarrier");
  if (tx.body.outs.filter(isDust).length > 1) return refuse("dust");
  return undefined;
}

/** True for a spendable output below Core's dust limit for its type (3 sat/vB). */
export function isDust(output: { readonly script: Uint8Array; readonly value: bigint }): boolean {
  return !isUnspendable(output.script) && output.value < dustLimit(output.script);
}

/** A rejection whose message is Core's: "reason" or "reason, detail". */
export function refuse(reason: string, detail?: string): Rejected {
  return rejected(reason, detail === undefined ? reason : `${reason}, ${detail}`);
}

/** Satoshi as Core writes them in messages: at least two decimals, no more zeros than that. */
export function formatMoney(value: bigint): string {
  const [whole = "0", decimals = ""] = decimal(value).split(".");
  return `${whole}.${decimals.slice(0, 2)}${decimals.slice(2).replace(/0+$/, "")}`;
}

/** Satoshi as coins with eight decimals. */
export function decimal(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString().padStart(9, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -8)}.${digits.slice(-8)}`;
}
