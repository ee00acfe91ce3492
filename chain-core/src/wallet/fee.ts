// What a wallet offers for a transaction: a rate for its weight, in BTM or in a wrapped asset that has a price.
import type { Rejected } from "@causeway/primitives";
import { equal, rejected } from "@causeway/primitives";
import { createCodec, kinds, spendCodec } from "../codec/action.ts";
import { transactionCodec } from "../codec/transaction.ts";
import { assetOf, btm, formatAsset } from "../ledger/assets.ts";
import { feeAt } from "../ledger/fees/base-fee.ts";
import { amountFor } from "../ledger/fees/surplus.ts";
import { weightOf } from "../ledger/fees/weight.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { signatureCount, witnessDraft } from "../ledger/locks.ts";
import type { Price } from "../ledger/prices.ts";
import { ruleOf } from "../ledger/rules.ts";
import type { KnownLock, Unsigned } from "../ledger/sign.ts";

export type Offer = {
  /**
   * BTM units per 1,000 of weight, the tip included; the node's estimate says what is enough. By default the genesis'
   * first base fee, which is too low once blocks are full.
   */
  readonly feeRate?: bigint;
  /** A wrapped asset that pays the fee; BTM by default. */
  readonly feeAsset?: Uint8Array;
  /** Its price; that of the genesis by default. */
  readonly price?: Price;
};

/** `price` undefined: BTM. */
export type Rate = {
  readonly asset: Uint8Array;
  readonly rate: bigint;
  readonly price: Price | undefined;
};

export function feeOffer(
  genesis: Genesis,
  { feeRate, feeAsset, price }: Offer,
): Rate | Rejected<"not-a-fee-asset"> {
  const rate = feeRate ?? genesis.params.baseFeeInitial;
  const own = btm(genesis);
  if (feeAsset === undefined || equal(feeAsset, own)) return { asset: own, rate, price: undefined };
  const known = price ?? genesisPrice(genesis, feeAsset);
  return known === undefined || known.btm === 0n
    ? rejected("not-a-fee-asset", `${formatAsset(genesis, feeAsset, 0n)} pays no fees`)
    : { asset: feeAsset, rate, price: known };
}

function genesisPrice(genesis: Genesis, asset: Uint8Array): Price | undefined {
  return assetOf(genesis, asset)?.registry?.price;
}

export type Quote = { readonly size: number; readonly weight: number; readonly fee: bigint };

/** Size, weight and fee of the transaction once it is signed. */
export function quoteOf(unsigned: Unsigned, known: readonly KnownLock[], offer: Rate): Quote {
  const witnesses = unsigned.locks.map((lock) =>
    witnessDraft(known.find((one) => equal(one.lock, lock))?.terms),
  );
  const tx = { ...unsigned.tx, witnesses };
  const size = transactionCodec.encode(tx).length;
  const load = { inputs: 0, outputs: 0, growth: 0 };
  for (const { kind, body } of tx.actions) {
    if (kind === kinds.spend) load.inputs += spendCodec.decode(body).inputs.length;
    if (kind === kinds.create) load.outputs += createCodec.decode(body).outputs.length;
    load.growth += ruleOf(kind)?.growth ?? 0;
  }
  const signatures = witnesses.reduce((sum, witness) => sum + signatureCount(witness), 0);
  const weight = weightOf({ size, signatures, ...load });
  const value = feeAt(offer.rate, weight);
  return {
    size,
    weight,
    fee: offer.price === undefined ? value : amountFor(offer.price, value),
  };
}
