// What a signer signs of a rotation, and what it refuses (RNG-2, ETH-1): plans as the ledger itself makes them, and bent.
import type { Plan } from "@causeway/chain-core/interchain";
import {
  accountings,
  batches,
  currentKeys,
  directions,
  encodeTransaction,
  evmStates,
  isEvmPlan,
  keys,
  lineages,
  nextKeys,
  parseTransaction,
  planId,
  planKinds,
  planMessages,
  restrictions,
  setKeyCodec,
  transactionHash,
  vaultScript,
} from "@causeway/chain-core/interchain";
import { trustGenesis } from "@causeway/chain-core/light";
import { bytes32, isRejected, must, toHex } from "@causeway/primitives";
import { expect, test } from "vitest";
import type { World } from "../../../chain-core/src/ledger/interchain/testing.ts";
import {
  endBlock,
  openPlans,
  rotateBitcoin,
  rotateEvm,
} from "../../../chain-core/src/ledger/interchain/testing.ts";
import { evmOf, stateContract } from "../../../chain-core/src/ledger/interchain/testing-evm.ts";
import { burn, funded, p2wpkh } from "../../../chain-core/src/ledger/interchain/testing-funded.ts";
import { emptyGuard, slotsOf, take } from "../guard.ts";
import { approve } from "./approve.ts";

/** The verdict on a plan that the final ledger holds as it is given here. */
function codeOf(world: World, plan: Plan): string {
  const { genesis, state } = world;
  const id = planId(genesis.networkId, plan.kind, plan.subject);
  if (isEvmPlan(plan)) batches.put(state, { chain: plan.chain, nonce: plan.nonce }, { plan: id });
  else {
    const lineage = must(lineages.get(state, plan.anchor), "lineage");
    lineages.put(state, plan.anchor, { ...lineage, plans: [id] });
  }
  const { committee } = trustGenesis(genesis);
  const ledger = { view: state, headerMs: world.time, height: world.height, committee };
  const key = must(keys.get(state, plan.keyId), "key");
  const verdict = approve(genesis, ledger, bytes32(id), plan, key, world.time + 1_000);
  return verdict.kind === "approved" ? "approved" : `${verdict.kind}: ${verdict.code}`;
}

function only(world: World, kind: number): Plan {
  return must(openPlans(world, kind)[0], "plan").plan;
}

function handingOver(): World {
  const world = funded(4);
  rotateBitcoin(world, 3);
  endBlock(world);
  return world;
}

function halt(world: World): void {
  const account = must(accountings.get(world.state, world.bbtc), "account");
  accountings.put(world.state, world.bbtc, { ...account, halted: true });
}

function pause(world: World, chain: Uint8Array): void {
  const one = { chain, direction: directions.out, until: world.time + 1_000_000, sequence: 1 };
  const pauses = [{ ...one, open: true }];
  restrictions.put(world.state, "only", { slowUntil: 0, slowOpen: false, pauses });
}

/** The hand-over with its outputs to another script, or its sums changed. */
function bent(plan: Plan, script: Uint8Array, less = 0n): Plan {
  const transaction = parseTransaction(plan.subject);
  if (isRejected(transaction)) throw new Error(transaction.message);
  const outputs = transaction.outputs.map(({ amount }, i) => ({
    amount: i === 0 ? amount - less : amount,
    script,
  }));
  const changed = { ...transaction, outputs };
  const subject = encodeTransaction(changed);
  return { ...plan, subject, txid: transactionHash(changed), fee: plan.fee + less };
}

function vaultOf({ genesis, state }: World, keyId: number): Uint8Array {
  return vaultScript(genesis, must(keys.get(state, keyId), "key").groupPoint).script;
}

test("a hand-over to the vault of the running key is signed, whatever is halted or paused (GOV-2)", () => {
  const world = handingOver();
  const plan = only(world, planKinds.handover);
  expect(codeOf(world, plan)).toBe("approved");
  halt(world);
  pause(world, plan.chain);
  expect(codeOf(world, plan)).toBe("approved");
});

test("a hand-over to anywhere else is refused: the own vault, a stranger, the vault of an older key", () => {
  const world = handingOver();
  const plan = only(world, planKinds.handover);
  expect(codeOf(world, bent(plan, vaultOf(world, 1)))).toBe("rejected: wrong-output");
  expect(codeOf(world, bent(plan, p2wpkh))).toBe("rejected: wrong-output");
  rotateBitcoin(world, 4);
  keys.put(world.state, 4, { ...must(keys.get(world.state, 4), "key"), activatedAt: world.time });
  const late = { ...plan, plannedAt: world.time };
  expect(codeOf(world, late)).toBe("rejected: wrong-output");
  expect(codeOf(world, bent(late, vaultOf(world, 4)))).toBe("approved");
  // One that was planned before the key moved again goes on; the next hand-over takes those coins further.
  expect(codeOf(world, { ...plan, plannedAt: world.time - 1 })).toBe("approved");
});

test("a hand-over of the running key's own coins, or with a fee that no size asks for, is refused", () => {
  const world = handingOver();
  const plan = only(world, planKinds.handover);
  currentKeys.put(world.state, plan.chain, { keyId: 1 });
  expect(codeOf(world, plan)).toBe("rejected: wrong-output");
  expect(codeOf(world, bent(plan, vaultOf(world, 1)))).toBe("rejected: wrong-output");
  currentKeys.put(world.state, plan.chain, { keyId: 3 });
  expect(codeOf(world, bent(plan, vaultOf(world, 3), 5_000_000n))).toBe("rejected: fee-too-high");
  expect(codeOf(world, { ...plan, fee: plan.fee + 1n })).toBe("rejected: wrong-fee");
});

test("a payment from an old vault pays its change to the running key's", () => {
  const world = funded(4);
  rotateBitcoin(world, 3);
  burn(world);
  endBlock(world);
  const plan = only(world, planKinds.withdrawal);
  expect(plan.keyId).toBe(1);
  expect(codeOf(world, plan)).toBe("approved");
  pause(world, plan.chain);
  expect(codeOf(world, plan)).toBe("not-yet: paused");
});

test("change that goes to a vault that ran when it was planned is signed in later terms too, to no other vault (RNG-2)", () => {
  const world = funded(4);
  rotateBitcoin(world, 3);
  burn(world);
  endBlock(world);
  const plan = only(world, planKinds.withdrawal);
  const transaction = parseTransaction(plan.subject);
  if (isRejected(transaction)) throw new Error(transaction.message);
  const scripts = new Set(transaction.outputs.map(({ script }) => toHex(script)));
  expect(plan.keyId).toBe(1);
  expect(scripts).toEqual(new Set([toHex(p2wpkh), toHex(vaultOf(world, 3))]));
  rotateBitcoin(world, 4);
  const key = must(keys.get(world.state, 4), "key");
  keys.put(world.state, 4, { ...key, activatedAt: plan.plannedAt + 1 });
  expect(codeOf(world, plan)).toBe("approved");
  // Planned when the newest key ran already.
  keys.put(world.state, 4, { ...key, activatedAt: plan.plannedAt });
  expect(codeOf(world, plan)).toBe("rejected: wrong-output");
});

function setting(): { readonly world: World; readonly plan: Plan } {
  const world = funded();
  stateContract(world);
  rotateEvm(world, 3);
  endBlock(world);
  return { world, plan: only(world, planKinds.evmSetKey) };
}

function changed(plan: Plan, change: Partial<ReturnType<typeof setKeyCodec.decode>>): Plan {
  return {
    ...plan,
    subject: setKeyCodec.encode({ ...setKeyCodec.decode(plan.subject), ...change }),
  };
}

test("the contract's key moves to the next one of the proven ledger, whatever is halted or paused", () => {
  const { world, plan } = setting();
  expect(codeOf(world, plan)).toBe("approved");
  halt(world);
  pause(world, plan.chain);
  expect(codeOf(world, plan)).toBe("approved");
});

test("to no other key: unknown, inactive, of another chain, with another point, without a canary", () => {
  const { world, plan } = setting();
  const key = must(keys.get(world.state, 3), "key");
  expect(codeOf(world, changed(plan, { newKeyId: 9 }))).toBe("not-yet: record-missing");
  expect(codeOf(world, changed(plan, { key: new Uint8Array(32).fill(7) }))).toBe(
    "rejected: wrong-next-key",
  );
  const states = [
    { ...key, active: false },
    { ...key, chain: world.genesis.bitcoin.chain },
    { ...key, canary: new Uint8Array(64) },
  ];
  for (const one of states) {
    keys.put(world.state, 3, one);
    expect(codeOf(world, plan)).toBe("rejected: wrong-next-key");
  }
  keys.put(world.state, 3, key);
  expect(codeOf(world, changed(plan, { nonce: 9 }))).toBe("rejected: bad-set-key");
  expect(codeOf(world, { ...plan, subject: new Uint8Array(3) })).toBe("rejected: bad-set-key");
});

test("not where the ledger has no next key, or a later one; not by a key that the contract has left", () => {
  const { world, plan } = setting();
  const { chain } = evmOf(world);
  nextKeys.delete(world.state, chain);
  expect(codeOf(world, plan)).toBe("not-yet: superseded");
  nextKeys.put(world.state, chain, { keyId: 4 });
  expect(codeOf(world, plan)).toBe("not-yet: superseded");
  nextKeys.put(world.state, chain, { keyId: 3 });
  const contract = must(evmStates.get(world.state, chain), "contract");
  evmStates.put(world.state, chain, { ...contract, keyId: 3 });
  expect(codeOf(world, plan)).toBe("rejected: wrong-key");
});

test("a batch signed again by the next key has its own slot; the old key's slot takes no other message", () => {
  const world = funded();
  stateContract(world);
  const destination = { chain: evmOf(world).chain, payload: new Uint8Array(20).fill(4) };
  burn(world, { amount: 1_000_000n, destination });
  endBlock(world);
  const old = only(world, planKinds.evmBatch);
  expect(codeOf(world, old)).toBe("approved");
  rotateEvm(world, 3);
  endBlock(world);
  const change = only(world, planKinds.evmSetKey);
  stateContract(world, 3);
  const again = only(world, planKinds.evmBatch);
  expect(again.nonce).toBe(old.nonce);
  expect(codeOf(world, again)).toBe("approved");
  const slots = (plan: Plan) => {
    const messages = planMessages(
      world.genesis,
      plan,
      must(keys.get(world.state, plan.keyId), "k"),
    );
    if (isRejected(messages)) throw new Error(messages.message);
    return slotsOf(
      plan,
      messages.map(({ message }) => message),
    );
  };
  const guard = take(emptyGuard, slots(old));
  if (isRejected(guard)) throw new Error(guard.message);
  expect(isRejected(take(guard, slots(again)))).toBe(false);
  expect(isRejected(take(guard, slots(change)))).toBe(false);
  // The sequence is one: a change of key in a batch's nonce is another message for its slot.
  expect(
    isRejected(take(guard, slots(changed({ ...change, nonce: old.nonce }, { nonce: old.nonce })))),
  ).toBe(true);
});
