// One transaction against a state: the same code for the mempool's check, the proposer's build and the block's
// application. Cheap checks come first; nothing is written unless all of it is valid.
import type { Bytes32, Rejected } from "@causeway/primitives";
import { isRejected, keyOf, rejected } from "@causeway/primitives";
import type { Create, Output, Spend } from "../codec/action.ts";
import { inputsMax, kinds, outputsMax } from "../codec/action.ts";
import type { Envelope, Transaction } from "../codec/transaction.ts";
import { transactionCodec, transactionId } from "../codec/transaction.ts";
import { btm, formatAsset } from "./assets.ts";
import type { LedgerEnv } from "./env.ts";
import { useSequence } from "./envelope.ts";
import { feeMin } from "./fee.ts";
import { commit, overlay } from "./overlay.ts";
import type { ActionContext, BlockContext } from "./rule.ts";
import type { AnyRule } from "./rules.ts";
import { ruleOf } from "./rules.ts";
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
  /** An asset that does not sum to zero; for BTM more paid than taken. */
  | "unbalanced"
  | "fee-too-low";

export type Executed = {
  readonly id: Bytes32;
  readonly tx: Transaction;
  /** Bytes. */
  readonly weight: number;
  /** BTM units; 0 for an envelope. */
  readonly fee: bigint;
  /** In an envelope: it takes room of the reserved fifth (CON-7). */
  readonly isFeeFree: boolean;
};

type Step = { readonly rule: AnyRule; readonly body: unknown; readonly context: ActionContext };

/** Validates `bytes` on the context's state and, when all holds, writes the effect there. */
export function executeTransaction(
  env: LedgerEnv,
  block: BlockContext,
  bytes: Uint8Array,
): Executed | Rejected {
  const tx = transactionCodec.parse(bytes);
  if (isRejected(tx)) return tx;
  const bad = checkShape(block, tx);
  if (bad !== undefined) return bad;
  const id = transactionId(env.genesis.networkId, tx);
  const state = overlay(block.state);
  const [envelope] = tx.envelope;
  const steps = stepsOf({ ...block, state }, tx, id, envelope);
  if (isRejected(steps)) return steps;
  const weight = bytes.length;
  const fee =
    envelope === undefined
      ? admitUser(env, { ...block, state }, { tx, id, weight, steps })
      : admitEnvelope(env, { ...block, state }, { tx, id, steps, envelope });
  if (isRejected(fee)) return fee;
  for (const { rule, body, context } of steps) {
    const invalid = rule.validate(context, body);
    if (invalid !== undefined) return invalid;
    rule.apply(context, body);
  }
  commit(state, block.state);
  return { id, tx, weight, fee, isFeeFree: envelope !== undefined };
}

function checkShape(
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
    const isAllowed =
      rule.carriers === "user"
        ? role === undefined
        : role !== undefined && rule.carriers.includes(role);
    if (!isAllowed)
      return rejected(
        "wrong-carrier",
        `action ${kind} in ${role ? `role ${role}` : "no envelope"}`,
      );
  }
  return undefined;
}

function stepsOf(
  block: BlockContext,
  tx: Transaction,
  txid: Bytes32,
  envelope: Envelope | undefined,
): Step[] | Rejected<ExecuteCode> {
  const sender = envelope && { validator: envelope.validator, role: envelope.role };
  const steps: Step[] = [];
  let firstOutput = 0;
  for (const [position, action] of tx.actions.entries()) {
    const rule = ruleOf(action.kind);
    if (rule === undefined) return rejected("unknown-action", `no action of kind ${action.kind}`);
    const body: unknown = rule.codec.parse(action.body);
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
  readonly weight: number;
  readonly steps: readonly Step[];
};

/** Inputs, balance, fee and signatures of a user's transaction; gives the fee. */
function admitUser(
  env: LedgerEnv,
  block: BlockContext,
  { tx, id, weight, steps }: UserTransaction,
): bigint | Rejected {
  const many = checkCounts(steps);
  if (many !== undefined) return many;
  const spent = spentOutputs(block, steps);
  if (isRejected(spent)) return spent;
  if (spent.length === 0) return rejected("no-inputs", "a user's transaction spends something");
  const fee = surplus(env, steps);
  if (isRejected(fee)) return fee;
  const least = feeMin(block.params, weight);
  if (fee < least) {
    const [paid, due] = [fee, least].map((value) =>
      formatAsset(env.genesis, btm(env.genesis), value),
    );
    return rejected("fee-too-low", `the fee is ${paid}, at least ${due} for ${weight} bytes`);
  }
  return checkOwners(env, tx, id, spent, fee) ?? fee;
}

/** Signature, sequence and zero balance of an envelope, which pays no fee. */
function admitEnvelope(
  env: LedgerEnv,
  block: BlockContext,
  { tx, id, steps, envelope }: Omit<UserTransaction, "weight"> & { readonly envelope: Envelope },
): bigint | Rejected {
  const used = useSequence(block.state, envelope);
  if (used !== undefined) return used;
  const bad = checkEnvelope(env, tx, id, envelope);
  if (bad !== undefined) return bad;
  const fee = surplus(env, steps);
  if (isRejected(fee) || fee === 0n) return fee;
  return rejected("unbalanced", "an envelope moves no value");
}

function checkCounts(steps: readonly Step[]): Rejected<ExecuteCode> | undefined {
  const counts = { inputs: 0, outputs: 0, others: 0 };
  for (const { rule, body } of steps)
    if (rule.kind === kinds.spend) counts.inputs += (body as Spend).inputs.length;
    else if (rule.kind === kinds.create) counts.outputs += (body as Create).outputs.length;
    else counts.others += 1;
  const { inputs, outputs: created, others } = counts;
  if (inputs <= inputsMax && created <= outputsMax && others <= otherActionsMax) return undefined;
  return rejected(
    "too-many",
    `${inputs} inputs, ${created} outputs, ${others} other actions; at most ${inputsMax}, ${outputsMax}, ${otherActionsMax}`,
  );
}

/** What all spends of the transaction take, in order. */
function spentOutputs(
  { state }: BlockContext,
  steps: readonly Step[],
): Output[] | Rejected<ExecuteCode> {
  const spent: Output[] = [];
  const seen = new Set<string>();
  for (const { rule, body } of steps) {
    if (rule.kind !== kinds.spend) continue;
    for (const id of (body as Spend).inputs) {
      const name = formatOutputId(id);
      if (seen.has(name)) return rejected("repeated-input", `output ${name} is spent twice`);
      seen.add(name);
      const output = outputs.get(state, id);
      if (output === undefined)
        return rejected("missing-output", `output ${name} is unknown or spent`);
      spent.push(output);
    }
  }
  return spent;
}

/** BTM that the actions leave over, once every other asset sums to zero. */
function surplus({ genesis }: LedgerEnv, steps: readonly Step[]): bigint | Rejected<ExecuteCode> {
  const sums = new Map<string, { asset: Uint8Array; sum: bigint }>();
  for (const { rule, body, context } of steps)
    for (const [asset, value] of rule.balance(context, body)) {
      const key = keyOf(asset);
      sums.set(key, { asset, sum: (sums.get(key)?.sum ?? 0n) + value });
    }
  const own = keyOf(btm(genesis));
  for (const [key, { asset, sum }] of sums) {
    if (key === own ? sum >= 0n : sum === 0n) continue;
    const size = formatAsset(genesis, asset, sum < 0n ? -sum : sum);
    return rejected("unbalanced", `the transaction ${sum < 0n ? "lacks" : "leaves over"} ${size}`);
  }
  return sums.get(own)?.sum ?? 0n;
}
