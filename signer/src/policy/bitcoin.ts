// A Bitcoin plan against the final ledger and the own derivation of every script (BTC-1, BTC-3, BTC-5): it spends
// coins of the ring that its lineage binds, pays each bound withdrawal once and the vault with the rest, and its
// fee is within the signer's own bound.
import type { Genesis, Key, Plan, PlanInput, StateReader } from "@causeway/chain-core/interchain";
import {
  coinKinds,
  coins,
  currentKeys,
  depositScript,
  depositVersion,
  inbounds,
  keyPathSize,
  keys,
  lineages,
  outpoint,
  ownSequence,
  ownVersion,
  parseTransaction,
  planKinds,
  plans,
  transactionHash,
  vaultScript,
  withdrawals,
} from "@causeway/chain-core/interchain";
import type { Bytes32, Rejected } from "@causeway/primitives";
import { equal, isRejected, keyOf, rejected, toHex } from "@causeway/primitives";
import type { NotYet } from "./not-yet.ts";
import { recordMissing } from "./not-yet.ts";

export type BitcoinCode =
  /** The subject is no transaction of ours: version, sequence, lock time, inputs. */
  | "bad-transaction"
  /** The lineage has ended, belongs to another key or kind, or has another plan as this attempt. */
  | "wrong-lineage"
  /** No input is the lineage's anchor (BTC-3). */
  | "no-anchor"
  /** An input is not the coin that the ledger has: amount, key, kind or lineage. */
  | "wrong-coin"
  /** An input's script is not the one that we derive for the coin (BTC-1). */
  | "wrong-script"
  /** A bound withdrawal is not paid exactly, or is bound elsewhere (BTC-3). */
  | "wrong-withdrawal"
  /** An output pays neither a bound withdrawal nor the vault. */
  | "wrong-output"
  /** The fee is not what inputs and outputs leave. */
  | "wrong-fee"
  /** BTC-5: above 1,000 sat x (max(v, v') + 1,000) + v'. */
  | "fee-too-high";

type Bad = Rejected<BitcoinCode> | NotYet;
type Transaction = Exclude<ReturnType<typeof parseTransaction>, Rejected>;

/** Undefined when the plan is right. */
export function judgeBitcoinPlan(
  genesis: Genesis,
  view: StateReader,
  id: Bytes32,
  plan: Plan,
  key: Key,
): Bad | undefined {
  const transaction = parseTransaction(plan.subject);
  if (isRejected(transaction)) return rejected("bad-transaction", transaction.message);
  return (
    judgeShape(plan, transaction) ??
    judgeLineage(view, id, plan) ??
    judgeInputs(genesis, view, plan, key) ??
    judgeOutputs(genesis, view, id, plan, key, transaction) ??
    judgeFee(view, plan, transaction)
  );
}

function judgeShape(plan: Plan, transaction: Transaction): Bad | undefined {
  const { version, lockTime, inputs } = transaction;
  if (version !== ownVersion || lockTime !== 0)
    return rejected("bad-transaction", `version ${version}, lock time ${lockTime}`);
  if (inputs.length !== plan.inputs.length)
    return rejected(
      "bad-transaction",
      `${inputs.length} inputs, ${plan.inputs.length} in the plan`,
    );
  for (const [i, input] of inputs.entries()) {
    const planned = plan.inputs[i];
    const same =
      planned !== undefined &&
      equal(input.txid, planned.txid) &&
      input.vout === planned.vout &&
      input.script.length === 0 &&
      input.sequence === ownSequence;
    if (!same) return rejected("bad-transaction", `input ${i} is not the plan's`);
  }
  if (!equal(transactionHash(transaction), plan.txid))
    return rejected("bad-transaction", "the transaction has another id");
  return undefined;
}

function judgeLineage(view: StateReader, id: Bytes32, plan: Plan): Bad | undefined {
  const lineage = lineages.get(view, plan.anchor);
  if (lineage === undefined) return recordMissing("lineage", plan.anchor);
  const attempt = lineage.plans[plan.attempt];
  const isOurs =
    !lineage.ended &&
    lineage.keyId === plan.keyId &&
    lineage.kind === plan.kind &&
    attempt !== undefined &&
    equal(attempt, id);
  if (!isOurs)
    return rejected("wrong-lineage", `attempt ${plan.attempt} of ${toHex(plan.anchor)} is another`);
  const hasAnchor = plan.inputs.some(({ txid, vout }) => equal(outpoint(txid, vout), plan.anchor));
  return hasAnchor ? undefined : rejected("no-anchor", "no input is the lineage's anchor");
}

function judgeInputs(genesis: Genesis, view: StateReader, plan: Plan, key: Key): Bad | undefined {
  for (const input of plan.inputs) {
    const bad = judgeInput(genesis, view, plan, key, input);
    if (bad !== undefined) return bad;
  }
  return undefined;
}

function judgeInput(
  genesis: Genesis,
  view: StateReader,
  plan: Plan,
  key: Key,
  input: PlanInput,
): Bad | undefined {
  const point = outpoint(input.txid, input.vout);
  const coin = coins.get(view, point);
  if (coin === undefined) return recordMissing("coin", point);
  const kind = plan.kind === planKinds.sweep ? coinKinds.deposit : coinKinds.vault;
  const isOurs =
    coin.kind === kind &&
    coin.keyId === plan.keyId &&
    coin.amount === input.amount &&
    equal(coin.lineage, plan.anchor);
  if (!isOurs) return rejected("wrong-coin", `${toHex(point)} is not as the ledger has it`);
  const script = scriptOf(genesis, view, coin.kind, coin.origin, key);
  if (script === undefined) return recordMissing("inbound event", coin.origin);
  if (!equal(script.script, input.script) || !equal(script.merkleRoot, input.merkleRoot))
    return rejected("wrong-script", `${toHex(point)} has another script than ours`);
  return undefined;
}

function scriptOf(
  genesis: Genesis,
  view: StateReader,
  kind: number,
  origin: Uint8Array,
  key: Key,
): { readonly script: Uint8Array; readonly merkleRoot: Uint8Array } | undefined {
  if (kind === coinKinds.vault) return vaultScript(genesis, key.groupPoint);
  const inbound = inbounds.get(view, origin);
  if (inbound === undefined) return undefined;
  const { destination, maxFee, refund } = inbound;
  const keyPoint = key.groupPoint;
  const terms = { version: depositVersion, keyPoint, destination, maxFee, refund };
  const script = depositScript(genesis, terms);
  return isRejected(script) ? undefined : script;
}

/**
 * Scripts of the vaults that a plan may pay besides what is owed: the running term's key's, and what was right when it
 * was planned. That is its own key's, but for a hand-over, which leads forward only, and a newer key's that ran then:
 * terms go on while a plan waits for its signatures (RNG-2).
 */
function vaultScripts(genesis: Genesis, view: StateReader, plan: Plan, key: Key): Set<string> {
  const current = currentKeys.get(view, plan.chain);
  const running = current === undefined ? undefined : keys.get(view, current.keyId);
  const payable: Key[] = [];
  if (plan.kind !== planKinds.handover) payable.push(key);
  if (running !== undefined && running.keyId > key.keyId) {
    payable.push(running);
    if (plan.plannedAt < running.activatedAt)
      for (let keyId = key.keyId + 1; keyId < running.keyId; keyId++) {
        const between = keys.get(view, keyId);
        if (between?.active === true && equal(between.chain, plan.chain)) payable.push(between);
      }
  }
  return new Set(payable.map(({ groupPoint }) => keyOf(vaultScript(genesis, groupPoint).script)));
}

function judgeOutputs(
  genesis: Genesis,
  view: StateReader,
  id: Bytes32,
  plan: Plan,
  key: Key,
  transaction: Transaction,
): Bad | undefined {
  const owed: string[] = [];
  for (const withdrawalId of plan.withdrawals) {
    const withdrawal = withdrawals.get(view, withdrawalId);
    if (withdrawal === undefined) return recordMissing("withdrawal", withdrawalId);
    const { destination, amount, fee, asset } = withdrawal;
    const isBound =
      equal(withdrawal.plan, id) &&
      equal(asset, plan.asset) &&
      equal(destination.chain, plan.chain);
    if (!isBound || fee > withdrawal.maxFee || fee >= amount)
      return rejected("wrong-withdrawal", `${toHex(withdrawalId)} is bound elsewhere`);
    owed.push(`${keyOf(destination.payload)}:${amount - fee}`);
  }
  const vault = vaultScripts(genesis, view, plan, key);
  for (const { amount, script } of transaction.outputs) {
    const paid = owed.indexOf(`${keyOf(script)}:${amount}`);
    if (paid >= 0) owed.splice(paid, 1);
    else if (!vault.has(keyOf(script)))
      return rejected("wrong-output", `${amount} sat to ${toHex(script)} is owed to nobody`);
  }
  if (owed.length > 0)
    return rejected("wrong-withdrawal", `${owed.length} bound withdrawals are not paid exactly`);
  return undefined;
}

/** BTC-5: the signer bounds the fee by sizes alone, whatever rate was observed. */
function judgeFee(view: StateReader, plan: Plan, transaction: Transaction): Bad | undefined {
  const spent = plan.inputs.reduce((sum, { amount }) => sum + amount, 0n);
  const paid = transaction.outputs.reduce((sum, { amount }) => sum + amount, 0n);
  const fee = spent - paid;
  if (fee !== plan.fee || fee < 0n)
    return rejected("wrong-fee", `${fee} sat are left, the plan says ${plan.fee}`);
  const size = sizeOf(transaction);
  const before = sizeBefore(view, plan);
  const most = 1_000n * BigInt(Math.max(size, before) + 1_000) + BigInt(size);
  if (fee > most) return rejected("fee-too-high", `${fee} sat, at most ${most} for ${size} vB`);
  return undefined;
}

function sizeOf(transaction: Transaction): number {
  const sizes = transaction.outputs.map(({ script }) => script.length);
  return keyPathSize(transaction.inputs.length, sizes);
}

/** vB of the attempt that this one replaces; 0 without one, or where it has not been read. */
function sizeBefore(view: StateReader, plan: Plan): number {
  if (plan.attempt === 0) return 0;
  const lineage = lineages.get(view, plan.anchor);
  const id = lineage?.plans[plan.attempt - 1];
  const earlier = id === undefined ? undefined : plans.get(view, id);
  const transaction = earlier && parseTransaction(earlier.subject);
  return transaction === undefined || isRejected(transaction) ? 0 : sizeOf(transaction);
}
