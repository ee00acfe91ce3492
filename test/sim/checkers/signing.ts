// What may leave a signer: shares of finalised plans alone, after a durable release that takes the plan's slots; no
// nonce for two sessions, no slot for two messages; statements of what is true alone.

import { bytes32, equal, isRejected, keyOf, must, reversed, toHex } from "@causeway/primitives";
import { Transaction } from "bitcoinjs-lib";
import { bundleId } from "../../../chain-core/src/interchain/messages.ts";
import type { Plan } from "../../../chain-core/src/interchain/records.ts";
import { isBitcoinPlan } from "../../../chain-core/src/interchain/records.ts";
import {
  bitcoinDepositCodec,
  eventKinds,
  statementCodec,
} from "../../../chain-core/src/interchain/statement.ts";
import type { Release } from "../../../signer/src/journal.ts";
import { decodeRecord } from "../../../signer/src/journal.ts";
import type { Effect } from "../../../signer/src/machine.ts";
import { commitCodec, shareCodec } from "../../../signer/src/roast/message.ts";
import { messageKinds, open, proposeCodec } from "../../../signer/src/wire.ts";
import { violated } from "../../seeds/violation.ts";
import { blockAt, finalLag, head, receiptOf } from "../ethereum.ts";
import type { Operator, World } from "../model.ts";
import type { SeatChecks } from "./checks.ts";

/** Before each effect of a signer is performed; a journal effect counts as durable from here on. */
export function checkSignerEffect(world: World, { seat }: Operator, effect: Effect): void {
  const own = world.checks.seats[seat];
  if (own === undefined) return;
  if (effect.kind === "journal") {
    const record = decodeRecord(effect.record);
    if (record?.kind === "release") checkRelease(world, seat, own, record.release);
    return;
  }
  if (effect.kind !== "send") return;
  const envelope = open(seat, effect.bytes);
  if (isRejected(envelope)) violated("a signer names itself", `signer ${seat}`);
  if (envelope.kind === messageKinds.commit) {
    const commit = commitCodec.decode(envelope.body);
    const offer = `${toHex(commit.request)}:${commit.coordinator}`;
    for (const nonce of commit.nonces) offerNonce(seat, own, nonce, offer);
  }
  if (envelope.kind === messageKinds.share) checkShare(world, seat, own, envelope.body);
  if (envelope.kind === messageKinds.propose) checkStated(world, seat, envelope.body);
}

/** WIT-1: what a signer has signed is there, on some branch that its node may have seen. */
function checkStated(world: World, seat: number, body: Uint8Array): void {
  const { statement: bytes, signature } = proposeCodec.decode(body);
  if (signature.length === 0) return;
  const statement = statementCodec.decode(bytes);
  for (const event of statement.events) {
    const { kind, txid, blockHash, height } = event;
    const place = `signer ${seat}: event kind ${kind} in ${toHex(txid)}`;
    if (kind === eventKinds.bitcoinDeposit) {
      const entry = world.bitcoin.node.chain.entries.get(toHex(reversed(blockHash)));
      const tx = entry?.block.txs.find((one) => one.txid === toHex(reversed(txid)));
      const output = tx?.body.outs[event.index];
      const { amount } = bitcoinDepositCodec.decode(event.body);
      if (output?.value !== amount || !world.checks.ringScripts.has(keyOf(output.script)))
        violated("nothing false is stated", place);
      continue;
    }
    const block = blockAt(world.ethereum, height);
    const isFinal = height + finalLag <= head(world.ethereum).height;
    if (block === undefined || !equal(block.hash, blockHash) || !isFinal)
      violated("nothing false is stated", `${place}: the block is not final`);
    const receipt = receiptOf(world.ethereum, txid);
    if (kind !== eventKinds.evmContract && receipt?.logs[event.index] === undefined)
      violated("nothing false is stated", `${place}: no such log`);
  }
}

function offerNonce(seat: number, own: SeatChecks, nonce: Uint8Array, offer: string): void {
  const name = keyOf(nonce);
  const before = own.nonces.get(name);
  if (before !== undefined && before !== offer)
    violated("no nonce signs twice", `signer ${seat} offers a nonce to two requests`);
  own.nonces.set(name, offer);
}

function checkRelease(world: World, seat: number, own: SeatChecks, release: Release): void {
  const plan = world.checks.plans.get(keyOf(release.plan));
  if (plan === undefined)
    violated("no signature without a finalised plan", `signer ${seat} releases for no plan`);
  const sid = keyOf(release.sid);
  const commitment = keyOf(release.commitment);
  const served = own.commitments.get(commitment);
  if (served !== undefined && served !== sid)
    violated("no nonce signs twice", `signer ${seat} serves two sessions with one commitment`);
  own.commitments.set(commitment, sid);
  for (const { slot, message } of release.slots) {
    const before = own.slots.get(keyOf(slot));
    if (before !== undefined && before !== keyOf(message))
      violated("one message a slot", `signer ${seat}, slot ${keyOf(slot)}`);
    own.slots.set(keyOf(slot), keyOf(message));
  }
  const messages = release.slots.map(({ message }) => keyOf(message));
  const answer = `${sid}/${release.seat}`;
  const others = own.releases.get(answer) ?? [];
  own.releases.set(answer, [...others, { plan: bytes32(release.plan), messages }]);
}

function checkShare(world: World, seat: number, own: SeatChecks, body: Uint8Array): void {
  const share = shareCodec.decode(body);
  const id = keyOf(share.request);
  const released = own.releases.get(`${keyOf(share.sid)}/${share.seat}`) ?? [];
  const [first, ...more] = released.map(({ plan }) => plan);
  const { networkId } = world.genesis;
  if (first === undefined || keyOf(bundleId(networkId, [first, ...more])) !== id)
    violated("no share before its release is durable", `signer ${seat}, plans ${id}`);
  for (const { plan, messages } of released) {
    const expected = messagesOf(must(world.checks.plans.get(keyOf(plan)), "plan")).map(toHex);
    const isWhole =
      expected.length === messages.length &&
      expected.every((message, i) => message === messages[i]);
    if (!isWhole) violated("no share without its slots", `signer ${seat}, plan ${keyOf(plan)}`);
  }
  if (share.shares.length !== released.flatMap(({ messages }) => messages).length)
    violated("a share for each message", `signer ${seat}, plans ${id}`);
  const offer = `${toHex(share.request)}:${share.coordinator}`;
  for (const nonce of share.nonces) offerNonce(seat, own, nonce, offer);
}

const known = new WeakMap<Plan, Uint8Array[]>();

/** What a plan's signatures are over, by another library than the one under test where there is one (BIP341). */
function messagesOf(plan: Plan): Uint8Array[] {
  const before = known.get(plan);
  if (before !== undefined) return before;
  const messages = plan.inputs.length === 0 ? [plan.txid] : sighashes(plan);
  known.set(plan, messages);
  return messages;
}

function sighashes({ subject, inputs, kind, txid }: Plan): Uint8Array[] {
  if (!isBitcoinPlan({ kind })) violated("a plan's inputs are Bitcoin's", `kind ${kind}`);
  const tx = Transaction.fromBuffer(subject);
  if (!equal(tx.getHash(), txid)) violated("a plan names its transaction", toHex(txid));
  const scripts = inputs.map(({ script }) => script);
  const amounts = inputs.map(({ amount }) => amount);
  return inputs.map((_, i) => tx.hashForWitnessV1(i, scripts, amounts, 0));
}
