// What a transaction costs those who keep the ledger, as one number: a pure function of its bytes, so that a wallet
// knows it before it signs.

/** A signature is a recovery, of which a core does 22,000 a second: an estimate in bytes, not measured (ADR 0009). */
const signatureWeight = 200;
/** An unspent output is some 120 bytes in every node's store, also where blocks are pruned. */
export const outputWeight = 300;

/** What weight is made of. */
export type Load = {
  /** Bytes of the transaction. */
  readonly size: number;
  readonly signatures: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Sum of `growth` over the rules of its actions. */
  readonly growth: number;
};

/** An output spent makes up for one created; no transaction weighs less than its bytes. */
export function weightOf({ size, signatures, inputs, outputs, growth }: Load): number {
  const grown = Math.max(0, outputs - inputs);
  return size + signatureWeight * signatures + outputWeight * grown + growth;
}
