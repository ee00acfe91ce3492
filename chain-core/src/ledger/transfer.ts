// The transaction that nearly all are: one spend, then one create, the fee in BTM. It is judged as any other
// (execute.ts), but with nothing in between: no state of its own, no steps, no rules in a loop. Whatever is not
// clearly valid is left to the general path, which words the refusal; a property test holds the two together.
import type { Rejected } from "@causeway/primitives";
import { concat, equal, isRejected, keyOf } from "@causeway/primitives";
import type { Create, Output, Spend } from "../codec/action.ts";
import { inputsMax, kinds, outputsMax } from "../codec/action.ts";
import { outputSize } from "../codec/fast.ts";
import type { Transaction } from "../codec/transaction.ts";
import { btm, isLock } from "./assets.ts";
import type { LedgerEnv } from "./env.ts";
import { feeAt } from "./fees/base-fee.ts";
import type { Shares } from "./fees/settle.ts";
import { surplusOf } from "./fees/surplus.ts";
import { weightOf } from "./fees/weight.ts";
import type { Genesis } from "./genesis.ts";
import { signatureCount } from "./locks.ts";
import type { Parsed, TransferForm } from "./parsed.ts";
import { parseBody } from "./parsed.ts";
import type { BlockContext } from "./rule.ts";
import type { State } from "./state.ts";
import { createRule } from "./utxo/create.ts";
import { outputs } from "./utxo/outputs.ts";
import { spendRule } from "./utxo/spend.ts";
import { checkOwners } from "./witness.ts";

/** As `Executed` has it (execute.ts). */
type Transfer = {
  readonly form: TransferForm;
  readonly weight: number;
  readonly fee: bigint;
  readonly shares: Shares;
  readonly owner: Uint8Array;
};

/** Undefined: the general path judges it. Reads only. */
export function judgeTransfer(
  env: LedgerEnv,
  block: BlockContext,
  parsed: Parsed,
  bytes: Uint8Array,
): Transfer | Rejected | undefined {
  const { tx, id } = parsed;
  const form = formOf(env, block, parsed);
  if (form === undefined) return undefined;
  if (tx.expires < block.time || tx.expires > block.time + block.params.expiryMaxMs)
    return undefined;
  const records: Uint8Array[] = [];
  for (const key of form.inputs) {
    const record = block.state.get(key);
    if (record === undefined) return undefined;
    records.push(record);
  }
  const spent = records.map((record) => outputs.codec.decode(record));
  const asset = btm(env.genesis);
  const fee = feeOf(env.genesis, asset, spent, form.outputs);
  const weight = weightOf({
    size: bytes.length,
    signatures: signaturesOf(tx),
    inputs: form.inputs.length,
    outputs: form.outputs.length,
    growth: 0,
  });
  const least = feeAt(block.baseFee, weight);
  const [first] = spent;
  if (first === undefined || fee === undefined || fee < least) return undefined;
  const signed = { tx, id, bytes, spent, records, signers: [], fee: { asset, amount: fee } };
  // All else that can be wrong was looked at: the general path would say no other.
  const bad = checkOwners(env, signed, block.time);
  if (bad !== undefined) return bad;
  return { form, weight, fee, shares: { burnt: least, tip: fee - least }, owner: first.lock };
}

/** The effect of a transfer that was judged on this state. */
export function applyTransfer(state: State, { inputs, created, body }: TransferForm): void {
  for (const key of inputs) state.delete(key);
  for (const [i, key] of created.entries()) {
    const at = 4 + i * outputSize;
    // As the body has it: an output is its own record.
    state.put(key, concat(body.subarray(at, at + outputSize)), true);
  }
}

/** What `parsed` is as a transfer, read once; undefined: it is another transaction, or not well-formed. */
function formOf(
  env: LedgerEnv,
  { version }: BlockContext,
  parsed: Parsed,
): TransferForm | undefined {
  const { ruleOf } = env.protocol;
  if (ruleOf(version, kinds.spend) !== spendRule) return undefined;
  if (ruleOf(version, kinds.create) !== createRule) return undefined;
  if (parsed.transfer === undefined) parsed.transfer = readForm(parsed) ?? "other";
  return parsed.transfer === "other" ? undefined : parsed.transfer;
}

function readForm(parsed: Parsed): TransferForm | undefined {
  const { tx, id } = parsed;
  const [first, second, ...others] = tx.actions;
  if (tx.envelope.length > 0 || first?.kind !== kinds.spend || second?.kind !== kinds.create)
    return undefined;
  const spend = parseBody(parsed, 0, spendRule, first) as Spend | Rejected;
  const create = parseBody(parsed, 1, createRule, second) as Create | Rejected;
  if (others.length > 0 || isRejected(spend) || isRejected(create)) return undefined;
  const { outputs: made } = create;
  if (spend.inputs.length === 0 || spend.inputs.length > inputsMax) return undefined;
  if (made.length === 0 || made.length > outputsMax) return undefined;
  if (made.some(({ amount, lock }) => amount === 0n || !isLock(lock))) return undefined;
  const inputs = spend.inputs.map(outputs.key);
  if (inputs.length > 1 && new Set(inputs.map(keyOf)).size < inputs.length) return undefined;
  const created = made.map((_, index) => outputs.key({ txid: id, index }));
  return { inputs, created, outputs: made, body: second.body };
}

/** What is left over, where that is BTM and nothing is lacking. */
function feeOf(
  genesis: Genesis,
  asset: Uint8Array,
  spent: readonly Output[],
  made: readonly Output[],
): bigint | undefined {
  let over = 0n;
  for (const output of spent) {
    if (!equal(output.asset, asset)) return feeOfSeveral(genesis, asset, spent, made);
    over += output.amount;
  }
  for (const output of made) {
    if (!equal(output.asset, asset)) return feeOfSeveral(genesis, asset, spent, made);
    over -= output.amount;
  }
  return over < 0n ? undefined : over;
}

function feeOfSeveral(
  genesis: Genesis,
  own: Uint8Array,
  spent: readonly Output[],
  made: readonly Output[],
): bigint | undefined {
  const fee = surplusOf(genesis, [
    spent.map(({ asset, amount }) => [asset, amount]),
    made.map(({ asset, amount }) => [asset, -amount]),
  ]);
  return isRejected(fee) || !equal(fee.asset, own) ? undefined : fee.amount;
}

/** Signatures of all witnesses. */
export function signaturesOf({ witnesses }: Transaction): number {
  let count = 0;
  for (const witness of witnesses) count += signatureCount(witness);
  return count;
}
