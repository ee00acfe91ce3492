// What every final block must satisfy, from the writes that it makes: the accounts to the unit (ACC-1), supply as
// the sum of outputs, one outcome a deposit, credits at their depth, unswept credit within E (BTC-2).

import type { Put } from "@causeway/primitives";
import { equal, isZero, keyOf, reversed, toHex } from "@causeway/primitives";
import { Transaction } from "bitcoinjs-lib";
import type { Output } from "../../../chain-core/src/codec/action.ts";
import type { Inbound, Plan } from "../../../chain-core/src/interchain/records.ts";
import {
  accountings,
  bitcoinTips,
  inboundStatus,
  inbounds,
  planKinds,
  planStatus,
  plans,
  withdrawalStatus,
  withdrawals,
} from "../../../chain-core/src/interchain/records.ts";
import { btm } from "../../../chain-core/src/ledger/assets.ts";
import { economy } from "../../../chain-core/src/ledger/economy.ts";
import { accountOf, wrappedAssets } from "../../../chain-core/src/ledger/interchain/accounting.ts";
import type { StateReader, Table } from "../../../chain-core/src/ledger/state.ts";
import { outputs } from "../../../chain-core/src/ledger/utxo/outputs.ts";
import type { Effect } from "../../../chain-core/src/node/machine.ts";
import { violated } from "../../seeds/violation.ts";
import type { Tx } from "../bitcoin.ts";
import { ancestorAt } from "../bitcoin.ts";
import { executionsOf, finalized } from "../ethereum.ts";
import { readerOf } from "../ledger.ts";
import type { NodeDisk, World } from "../model.ts";
import { checkBeacon } from "./beacon.ts";

const prefixOf = <K, V>(table: Table<K, V>, key: K): Uint8Array => table.key(key).subarray(0, 2);
const zero = new Uint8Array(32);
const prefixes = {
  outputs: prefixOf(outputs, { txid: zero, index: 0 }),
  inbounds: prefixOf(inbounds, zero),
  withdrawals: prefixOf(withdrawals, zero),
  plans: prefixOf(plans, zero),
};

function isIn(prefix: Uint8Array, key: Uint8Array): boolean {
  return key[0] === prefix[0] && key[1] === prefix[1];
}

/** `disk` is that of the first node that has the block, which is written already. */
export function checkBlock(
  world: World,
  disk: NodeDisk,
  { height, puts }: Effect & { kind: "persist" },
): void {
  const reader = readerOf(disk);
  const undone = new Map(disk.undo.map((put) => [keyOf(put.key), put.value]));
  checkBeacon(world, reader, puts, undone);
  for (const { key, value } of puts) {
    if (isIn(prefixes.outputs, key)) checkOutput(world, key, value, undone.get(keyOf(key)));
    else if (value === undefined) continue;
    else if (isIn(prefixes.inbounds, key))
      checkInbound(world, reader, keyOf(key.subarray(2)), inbounds.codec.decode(value));
    else if (isIn(prefixes.withdrawals, key)) checkWithdrawal(world, key.subarray(2), value);
    else if (isIn(prefixes.plans, key)) keepPlan(world, reader, key.subarray(2), value);
  }
  checkSums(world, reader, height);
}

// ------------------------------------------------------------------------------------------ outputs

function add(world: World, { asset, amount }: Output, sign: bigint): void {
  const { sums } = world.checks;
  const name = keyOf(asset);
  sums.set(name, (sums.get(name) ?? 0n) + sign * amount);
}

function checkOutput(
  world: World,
  key: Uint8Array,
  value: Uint8Array | undefined,
  before: Uint8Array | undefined,
): void {
  if (before !== undefined) add(world, outputs.codec.decode(before), -1n);
  if (value === undefined) return;
  const output = outputs.codec.decode(value);
  if (before !== undefined)
    violated("outputs are new", `output ${toHex(key.subarray(2))} is written twice`);
  add(world, output, 1n);
  const lock = world.checks.locks.get(keyOf(output.lock));
  if (lock === undefined || equal(output.asset, btm(world.genesis))) return;
  lock.count += 1;
  lock.sum += output.amount;
  if (lock.count > 1)
    violated("one outcome a deposit", `${lock.count} outputs under lock ${keyOf(output.lock)}`);
}

/** The genesis' outputs. */
export function startSums(world: World, records: Iterable<Put>): void {
  for (const { key, value } of records)
    if (value !== undefined && isIn(prefixes.outputs, key))
      add(world, outputs.codec.decode(value), 1n);
}

function checkSums(world: World, reader: StateReader, height: number): void {
  const { genesis, checks } = world;
  for (const { id } of wrappedAssets(genesis)) {
    const account = accountings.get(reader, id) ?? accountOf(reader, id);
    const { coins, deficit, supply, exported, pending, reserve, rewards, unswept } = account;
    const text = (): string =>
      Object.entries(account)
        .map(([name, value]) => `${name} ${value}`)
        .join(", ");
    if (coins + deficit !== supply + exported + pending + reserve + rewards)
      violated("ACC-1", `at height ${height}: ${text()}`);
    const sum = checks.sums.get(keyOf(id)) ?? 0n;
    if (supply !== sum)
      violated("supply", `outputs add up to ${sum} at height ${height}: ${text()}`);
    if (unswept > genesis.params.loanLimit)
      violated("unswept credit stays within E", `at height ${height}: ${text()}`);
    if (unswept > coins) violated("unswept is a part of coins", `at height ${height}: ${text()}`);
    if (account.halted) violated("nothing halts", `at height ${height}: ${text()}`);
  }
  const own = economy.get(reader, "only");
  if (own === undefined) return;
  const sum = checks.sums.get(keyOf(btm(genesis))) ?? 0n;
  const { issued, ...elsewhere } = own;
  if (sum !== issued - Object.values(elsewhere).reduce((a, b) => a + b, 0n))
    violated("supply of BTM", `outputs add up to ${sum} at height ${height}`);
}

// --------------------------------------------------------------------------------- inbound, outbound

const outcomes: readonly number[] = [
  inboundStatus.minted,
  inboundStatus.forwarded,
  inboundStatus.refunded,
];

function checkInbound(world: World, reader: StateReader, name: string, inbound: Inbound): void {
  const { checks, genesis } = world;
  const before = checks.inbounds.get(name);
  checks.inbounds.set(name, inbound);
  const had = before !== undefined && outcomes.includes(before.status);
  const has = outcomes.includes(inbound.status);
  if (had && (before.status !== inbound.status || before.credited !== inbound.credited))
    violated("one outcome a deposit", `${name}: ${before.status} becomes ${inbound.status}`);
  if (had || !has) return;
  checks.credits += 1;
  if (inbound.credited + inbound.fee !== inbound.amount)
    violated("a credit is the amount less the fee", name);
  if (inbound.fee > inbound.maxFee) violated("no fee above the maximum", name);
  if (equal(inbound.chain, genesis.bitcoin.chain)) checkDepth(world, reader, name, inbound);
}

/** The deposit is in a block of the ledger's best branch, at the depth of a credit, counted on the simulated chain. */
function checkDepth(world: World, reader: StateReader, name: string, inbound: Inbound): void {
  const tx = deepTransaction(world, reader, inbound.txid, world.genesis.params.creditDepth);
  if (tx === undefined) violated("no credit below the depth", name);
  if (tx.body.outs[inbound.index]?.value !== inbound.amount)
    violated("a credit is what was paid", name);
}

/** A transaction with at least `depth` confirmations under the ledger's own Bitcoin tip. */
function deepTransaction(
  world: World,
  reader: StateReader,
  txid: Uint8Array,
  depth: number,
): Tx | undefined {
  const { chain } = world.bitcoin.node;
  const tip = bitcoinTips.get(reader, world.genesis.bitcoin.chain);
  const top = chain.entries.get(toHex(reversed(tip?.hash ?? zero)));
  if (top === undefined) violated("the ledger's Bitcoin tip is a block", toHex(tip?.hash ?? zero));
  const name = toHex(reversed(txid));
  const base = world.genesis.bitcoin.checkpoint.height;
  for (let at = ancestorAt(top, top.height - depth + 1); at && at.height > base; at = at.parent) {
    const tx = at.block.txs.find((one) => one.txid === name);
    if (tx !== undefined) return tx;
  }
  return undefined;
}

function checkWithdrawal(world: World, id: Uint8Array, value: Uint8Array): void {
  const { checks } = world;
  const withdrawal = withdrawals.codec.decode(value);
  const before = checks.withdrawals.get(keyOf(id));
  checks.withdrawals.set(keyOf(id), withdrawal);
  if (before?.status === withdrawalStatus.settled && withdrawal.status !== before.status)
    violated("a settled withdrawal stays settled", keyOf(id));
  if (withdrawal.fee > withdrawal.maxFee) violated("no fee above the maximum", keyOf(id));
  if (withdrawal.status === withdrawalStatus.settled && before?.status !== withdrawal.status)
    checks.settlements += 1;
}

function keepPlan(world: World, reader: StateReader, id: Uint8Array, value: Uint8Array): void {
  const { checks } = world;
  const name = keyOf(id);
  const plan = plans.codec.decode(value);
  const before = checks.plans.get(name);
  if (before !== undefined && !equal(before.subject, plan.subject))
    violated("a plan never changes", name);
  checks.plans.set(name, plan);
  checks.planned.add(keyOf(plan.txid));
  if (isZero(plan.txid)) violated("a plan has a message", name);
  if (before === undefined && plan.inputs.length > 0) checkAmounts(plan, name);
  if (plan.status === planStatus.final && before?.status !== planStatus.final)
    checkFinal(world, reader, plan, name);
}

function checkAmounts({ inputs, fee, subject }: Plan, name: string): void {
  const spent = inputs.reduce((sum, { amount }) => sum + amount, 0n);
  const { outs } = Transaction.fromBuffer(subject);
  const paid = outs.reduce((sum, { value }) => sum + value, 0n);
  if (spent !== paid + fee) violated("a plan's fee is what it leaves over", name);
}

/** What the ledger calls final is, on the simulated chains. */
function checkFinal(world: World, reader: StateReader, plan: Plan, name: string): void {
  if (plan.inputs.length > 0) {
    const tx = deepTransaction(world, reader, plan.txid, world.genesis.params.finalDepth);
    if (tx === undefined) violated("no settlement below the final depth", name);
  } else if (plan.kind === planKinds.evmBatch) {
    const { ethereum } = world;
    const isRun = executionsOf(ethereum, finalized(ethereum).height).some(({ digest }) =>
      equal(digest, plan.txid),
    );
    if (!isRun) violated("no settlement before it is final", name);
  }
}
