// Taking a deposit back by leaf A, without anybody's help (BTC-1): from the terms of the address and the
// owner's reclaim key alone, half a year after the deposit.
import type { Bytes32, Rejected } from "@causeway/primitives";
import { equal, rejected } from "@causeway/primitives";
import { dustLimits, scriptType } from "./address.ts";
import type { BadTerms, DepositTerms, ScriptGenesis } from "./scripts.ts";
import { depositScript, leafHash, reclaimDelay } from "./scripts.ts";
import type { BitcoinTransaction } from "./transaction.ts";
import { encodeTransaction, feeOf, ownVersion, sighash } from "./transaction.ts";

/** Virtual size of a reclaim to a P2TR or P2WSH output, the largest there are: 549 weight units. */
const reclaimSize = 138;

export type Reclaim = {
  readonly transaction: BitcoinTransaction;
  /** To be signed by the reclaim key, BIP340. */
  readonly sighash: Bytes32;
  /** The bytes to send, given that signature. */
  readonly finish: (signature: Uint8Array) => Uint8Array;
};

export type ReclaimRequest = {
  readonly terms: DepositTerms;
  readonly coin: { readonly txid: Uint8Array; readonly vout: number; readonly amount: bigint };
  /** Where the coins go: a payable scriptPubKey. */
  readonly payTo: Uint8Array;
  /** sat/kvB. */
  readonly feeRate: number;
};

/** Height from which the mempool takes the reclaim of a deposit mined at `height`, as the tip's height. */
export function reclaimableFrom(height: number): number {
  return height + reclaimDelay - 1;
}

/** The transaction that takes a deposit back. */
export function buildReclaim(
  genesis: ScriptGenesis,
  request: ReclaimRequest,
): Reclaim | BadTerms | Rejected<"unpayable-address" | "dust"> {
  const { terms, coin, payTo, feeRate } = request;
  const deposit = depositScript(genesis, terms);
  if ("kind" in deposit) return deposit;
  const type = scriptType(payTo);
  if (type === undefined || equal(payTo, deposit.script))
    return rejected("unpayable-address", "no address to take the coins back to");
  const amount = coin.amount - feeOf(reclaimSize, feeRate);
  if (amount < dustLimits[type])
    return rejected("dust", `${coin.amount} sats do not pay for the reclaim`);
  const transaction: BitcoinTransaction = {
    version: ownVersion,
    inputs: [
      { txid: coin.txid, vout: coin.vout, script: new Uint8Array(0), sequence: reclaimDelay },
    ],
    outputs: [{ amount, script: payTo }],
    lockTime: 0,
  };
  const spent = [{ amount: coin.amount, script: deposit.script }];
  const options = { leafHash: leafHash(deposit.leafA) };
  const finish = (signature: Uint8Array): Uint8Array =>
    encodeTransaction(transaction, [[signature, deposit.leafA, deposit.controlBlock]]);
  return { transaction, sighash: sighash(transaction, spent, 0, options), finish };
}
