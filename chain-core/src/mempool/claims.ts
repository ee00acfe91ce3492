// What only one transaction can use up.
import { isRejected, keyOf } from "@causeway/primitives";
import type { OutputId } from "../codec/action.ts";
import { kinds, spendCodec } from "../codec/action.ts";
import type { Transaction } from "../codec/transaction.ts";

/** The outputs that it spends, and the number of its envelope; `inputs` are {@link inputsOf} it. */
export function claimsOf(tx: Transaction, inputs: readonly OutputId[] = inputsOf(tx)): string[] {
  const claims = inputs.map(({ txid, index }) => `${keyOf(txid)}:${index}`);
  for (const { validator, role, sequence } of tx.envelope)
    claims.push(`${keyOf(validator)}/${role}/${sequence}`);
  return claims;
}

export function inputsOf(tx: Transaction): OutputId[] {
  const inputs: OutputId[] = [];
  for (const { kind, body } of tx.actions) {
    if (kind !== kinds.spend) continue;
    const spend = spendCodec.parse(body);
    if (!isRejected(spend)) inputs.push(...spend.inputs);
  }
  return inputs;
}
