// One transaction against a state: the same code for the mempool's check, the proposer's build and the block's
// application. Cheap checks come first; nothing is written unless all of it is valid.
import type { Bytes32, Rejected } from "@causeway/primitives";
import { isRejected, keyOf, rejected } from "@causeway/primitives";
import type { Create, Output, Spend } from "../codec/action.ts";
import { inputsMax, kinds, outputsMax } from "../codec/action.ts";
import type { Envelope, Transaction } from "../codec/transaction.ts";
import { btm, formatAsset } from "./assets.ts";
import type { LedgerEnv } from "./env.ts";
import { useQuota, useSequence } from "./envelope.ts";
import { epochOf } from "./epoch/epochs.ts";
import { feeAt } from "./fees/base-fee.ts";
import type { Shares } from "./fees/settle.ts";
import { splitFee } from "./fees/settle.ts";
import type { Fee, FeeCode } from "./fees/surplus.ts";
import { surplusOf, worthOf } from "./fees/surplus.ts";
import { weightOf } from "./fees/weight.ts";
import { commit, overlay } from "./overlay.ts";
import type { Parsed } from "./parsed.ts";
import { parseBody, parseTransaction } from "./parsed.ts";
import type { ActionContext, Balance, BlockContext } from "./rule.ts";
import type { AnyRule } from "./rules.ts";
import { applyTransfer, judgeTransfer, signaturesOf } from "./transfer.ts";
import { outputs } from "./utxo/outputs.ts";
import { formatOutputId } from "./utxo/spend.ts";
import { checkEnvelope, checkOwners } from "./witness.ts";

/** FMT-6: actions of a user's transaction besides spends and creates. */
export const otherActionsMax = 8;

/** Besides these, the codes of envelopes, witnesses and of each rule. */
export type ExecuteCode =
  | "bad-bytes"
  | "no-actions"
  /** A kind that this version does not know. */
  | "unknown-action"
  /** An action that this kind of sender may not bring. */
  | "wrong-carrier"
  /** The ledger's time has passed `expires`. */
  | "expired"
  /** `expires` is further ahead than the parameter allows. */
  | "expires-too-late"
  /** A limit of FMT-6 on inputs, outputs or other actions. */
  | "too-many"
  /** A user's transaction spends something: nothing else stands behind it. */
  | "no-inputs"
  | "missing-output"
  | "repeated-input"
  /** Worth less than the base fee of its weight. */
  | "fee-too-low"
  | FeeCode;

export type Executed = {
  readonly id: Bytes32;
  readonly tx: Transaction;
  /** As in fees/weight.ts. */
  readonly weight: number;
  /** What the whole fee is worth in BTM units; 0 for an envelope. */
  readonly fee: bigint;
  /** Where BTM among it goes at the end of the block. */
  readonly shares: Shares;
  /** In an envelope: it takes room of the reserved fifth (CON-7). */
  readonly isFeeFree: boolean;
  /** Lock of the first spent output; absent in an envelope. */
  readonly owner?: Uint8Array;
};

/** `write` puts the effect into the context's state, once. */
export type Attempt = Executed & { readonly write: () => void };

/** In the version of the block. */
type RuleOf = (kind: number) => AnyRule | undefined;
type Step = { readonly rule: AnyRule; readonly body: unknown; readonly context: ActionContext };

/** Validates `bytes` on the context's state and, when all holds, writes the effect there. */
export function executeTransaction(
  env: LedgerEnv,
  block: BlockContext,
  bytes: Uint8Array,
): Executed | Rejected {
  const attempt = attemptTransaction(env, block, bytes);
  if (!isRejected(attempt)) attempt.write();
  return attempt;
}

/** The same without writing it. */
export function attemptTransaction(
  given: LedgerEnv,
  block: BlockContext,
  bytes: Uint8Array,
): Attempt | Rejected {
  const parsed = parseTransaction(given, bytes);
  if (isRejected(parsed)) return parsed;
  const { tx, id } = parsed;
  // With the assets of the registry as the block has it.
  const env = block.genesis === given.genesis ? given : { ...given, genesis: block.genesis };
  const transfer = judgeTransfer(env, block, parsed, bytes);
  if (transfer === undefined) return attemptAny(env, block, parsed, bytes);
  if (isRejected(transfer)) return transfer;
  const { form, weight, fee, shares, owner } = transfer;
  const write = (): void => applyTransfer(block.state, form);
  return { id, tx, weight, fee, shares, isFeeFree: false, owner, write };
}

/** Of any kind, action by action, on a state of its own. */
function attemptAny(
  env: LedgerEnv,
  block: BlockContext,
  parsed: Parsed,
  bytes: Uint8Array,
): Attempt | Rejected {
  const { tx, id } = parsed;
  const ruleOf: RuleOf = (kind) => env.protocol.ruleOf(block.version, kind);
  const bad = checkShape(ruleOf, block, tx);
  if (bad !== undefined) return bad;
  const state = overlay(block.state);
  const context = { ...block, state };
  const [envelope] = tx.envelope;
  const steps = stepsOf(ruleOf, context, parsed);
  if (isRejected(steps)) return steps;
  const counts = countsOf(steps);
  const weight = weightOf({
    ...counts,
    size: bytes.length,
    signatures: signaturesOf(tx),
  });
  const transaction = { tx, id, bytes, weight, steps };
  const paid =
    envelope === undefined
      ? (checkCounts(counts) ?? admitUser(env, context, transaction))
      : admitEnvelope(env, context, transaction, envelope);
  if (isRejected(paid)) return paid;
  for (const step of steps) {
    const invalid = step.rule.validate(step.context, step.body);
    if (invalid !== undefined) return invalid;
    step.rule.apply(step.context, step.body);
  }
  const { value: fee, owner } = paid;
  const shares = splitFee(context, paid.fee, paid.least);
  const isFeeFree = envelope !== undefined;
  const write = (): void => commit(state, block.state);
  return { id, tx, weight, fee, shares, isFeeFree, ...(owner && { owner }), write };
}

function checkShape(
  ruleOf: RuleOf,
  { params, time }: BlockContext,
  { envelope, actions, expires }: Transaction,
): Rejected<ExecuteCode> | undefined {
  if (actions.length === 0) return rejected("no-actions", "a transaction without actions");
  if (expires < time) return rejected("expired", `expired at ${expires}, ledger time is ${time}`);
  if (expires > time + params.expiryMaxMs)
    return rejected("expires-too-late", `expires more than ${params.expiryMaxMs} ms ahead`);
  const role = envelope[0]?.role;
  for (const { kind } of actions) {
    const rule = ruleOf(kind);
    if (rule === undefined) return rejected("unknown-action", `no action of kind ${kind}`);
    const { carriers } = rule;
    const isAllowed =
      carriers === "anyone" ||
      (role === undefined ? carriers === "user" : carriers !== "user" && carriers.includes(role));
    if (!isAllowed)
      return rejected(
        "wrong-carrier",
        `action ${kind} in ${role ? `role ${role}` : "no envelope"}`,
      );
  }
  return undefined;
}

function stepsOf(
  ruleOf: RuleOf,
  block: BlockContext,
  parsed: Parsed,
): Step[] | Rejected<ExecuteCode> {
  const { tx, id: txid } = parsed;
  const [envelope] = tx.envelope;
  const sender = envelope && { validator: envelope.validator, role: envelope.role };
  const steps: Step[] = [];
  let firstOutput = 0;
  for (const [position, action] of tx.actions.entries()) {
    const rule = ruleOf(action.kind);
    if (rule === undefined) return rejected("unknown-action", `no action of kind ${action.kind}`);
    const body = parseBody(parsed, position, rule, action);
    if (isRejected(body)) return rejected("bad-bytes", `action ${position}: ${body.message}`);
    const context = { ...block, txid, position, firstOutput, ...(sender && { sender }) };
    steps.push({ rule, body, context });
    if (rule.kind === kinds.create) firstOutput += (body as Create).outputs.length;
  }
  return steps;
}

type UserTransaction = {
  readonly tx: Transaction;
  readonly id: Bytes32;
  readonly bytes: Uint8Array;
  readonly weight: number;
  readonly steps: readonly Step[];
};

/** `fee` is worth `value` BTM units, of which `least` are the base fee; `owner` as in {@link Executed}. */
type Paid = {
  readonly fee: Fee;
  readonly value: bigint;
  readonly least: bigint;
  readonly owner?: Uint8Array;
};

/** Inputs, balance, fee and signatures of a user's transaction. */
function admitUser(
  env: LedgerEnv,
  block: BlockContext,
  { tx, id, bytes, weight, steps }: UserTransaction,
): Paid | Rejected {
  const { genesis } = env;
  const records = spentRecords(block, steps);
  if (isRejected(records)) return records;
  const spent = records.map((record) => outputs.codec.decode(record));
  const [first] = spent;
  if (first === undefined) return rejected("no-inputs", "a user's transaction spends something");
  const fee = surplusOf(genesis, balancesOf(steps, spent));
  if (isRejected(fee)) return fee;
  const value = worthOf(block.state, genesis, fee);
  if (isRejected(value)) return value;
  const least = feeAt(block.baseFee, weight);
  if (value < least) {
    const paid = formatAsset(genesis, fee.asset, fee.amount);
    const due = formatAsset(genesis, btm(genesis), least);
    return rejected("fee-too-low", `the fee is ${paid}, at least ${due} for a weight of ${weight}`);
  }
  const signers = steps.flatMap(({ rule, body }) => rule.signers?.(body) ?? []);
  const bad = checkOwners(env, { tx, id, bytes, spent, records, signers, fee }, block.time);
  return bad ?? { fee, value, least, owner: first.lock };
}

/** Signature, sequence and zero balance of an envelope, which pays no fee. */
function admitEnvelope(
  env: LedgerEnv,
  block: BlockContext,
  { tx, id, bytes, weight, steps }: UserTransaction,
  envelope: Envelope,
): Paid | Rejected {
  const { state } = block;
  const used = useSequence(state, envelope);
  if (used !== undefined) return used;
  const bad = checkEnvelope(env, state, { tx, id, bytes }, envelope);
  if (bad !== undefined) return bad;
  const epoch = epochOf(state).number;
  const over = useQuota(state, envelope, { weight, epoch, quota: block.params.envelopeQuota });
  if (over !== undefined) return over;
  const fee = surplusOf(env.genesis, balancesOf(steps, []));
  if (isRejected(fee)) return fee;
  if (fee.amount === 0n) return { fee, value: 0n, least: 0n };
  return rejected("unbalanced", "an envelope moves no value");
}

function balancesOf(steps: readonly Step[], spent: readonly Output[]): Balance[] {
  const balances: Balance[] = [spent.map(({ asset, amount }) => [asset, amount])];
  for (const { rule, body, context } of steps) balances.push(rule.balance(context, body));
  return balances;
}

/** Of all actions; `growth` as the rules declare it. */
type Counts = {
  readonly inputs: number;
  readonly outputs: number;
  readonly others: number;
  readonly growth: number;
};

function countsOf(steps: readonly Step[]): Counts {
  const counts = { inputs: 0, outputs: 0, others: 0, growth: 0 };
  for (const { rule, body } of steps) {
    if (rule.kind === kinds.spend) counts.inputs += (body as Spend).inputs.length;
    else if (rule.kind === kinds.create) counts.outputs += (body as Create).outputs.length;
    else counts.others += 1;
    counts.growth += rule.growth ?? 0;
  }
  return counts;
}

function checkCounts({ inputs, outputs: created, others }: Counts): Rejected | undefined {
  if (inputs <= inputsMax && created <= outputsMax && others <= otherActionsMax) return undefined;
  return rejected<ExecuteCode>(
    "too-many",
    `${inputs} inputs, ${created} outputs, ${others} other actions; at most ${inputsMax}, ${outputsMax}, ${otherActionsMax}`,
  );
}

/** The records of what all spends of the transaction take, in order. */
function spentRecords(
  { state }: BlockContext,
  steps: readonly Step[],
): Uint8Array[] | Rejected<ExecuteCode> {
  const spent: Uint8Array[] = [];
  const seen = new Set<string>();
  for (const { rule, body } of steps) {
    if (rule.kind !== kinds.spend) continue;
    for (const id of (body as Spend).inputs) {
      const key = outputs.key(id);
      const name = keyOf(key);
      if (seen.has(name))
        return rejected("repeated-input", `output ${formatOutputId(id)} is spent twice`);
      seen.add(name);
      const record = state.get(key);
      if (record === undefined)
        return rejected("missing-output", `output ${formatOutputId(id)} is unknown or spent`);
      spent.push(record);
    }
  }
  return spent;
}
