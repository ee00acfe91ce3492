// The contract gets its next key (ETH-1): one message of the one sequence, and older ones signed again, once executed.
import { equal, must } from "@causeway/primitives";
import { xOnly } from "@causeway/primitives/secp256k1";
import { describe, expect, test } from "vitest";
import { isHandedOver } from "../../interchain/key-life.ts";
import { batchCodec, parseBatch, planMessages, setKeyCodec } from "../../interchain/messages.ts";
import type { EvmState, Plan } from "../../interchain/records.ts";
import {
  accountings,
  evmStates,
  planKinds,
  planStatus,
  plans,
  withdrawalStatus,
} from "../../interchain/records.ts";
import { currentKeys, keys, nextKeys } from "../../ring/records.ts";
import { directions, restrictions } from "../governance/restrictions.ts";
import type { World } from "./testing.ts";
import { account, attest, endBlock, openPlans, rotateEvm, sign } from "./testing.ts";
import { evmOf, executedEvent, stateContract } from "./testing-evm.ts";
import { burn, funded, withdrawalOf } from "./testing-funded.ts";
import { assertSound } from "./testing-inbound.ts";

const { evmBatch, evmSetKey } = planKinds;

function toEvm(world: World): Uint8Array {
  const destination = { chain: evmOf(world).chain, payload: new Uint8Array(20).fill(4) };
  return burn(world, { amount: 1_000_000n, destination });
}

function stated(): World {
  const world = funded();
  stateContract(world);
  endBlock(world);
  return world;
}

function contract(world: World): EvmState {
  return must(evmStates.get(world.state, evmOf(world).chain), "contract");
}

function current(world: World): number | undefined {
  return currentKeys.get(world.state, evmOf(world).chain)?.keyId;
}

function next(world: World): number | undefined {
  return nextKeys.get(world.state, evmOf(world).chain)?.keyId;
}

function run(world: World, nonce: number, keyId: number): string | undefined {
  return attest(world, [executedEvent(world, nonce, 0n, keyId)], { chain: evmOf(world).chain });
}

function only(world: World, kind: number): { id: Uint8Array; plan: Plan } {
  const open = openPlans(world, kind);
  expect(open).toHaveLength(1);
  return must(open[0], "plan");
}

function statusOf(world: World, id: Uint8Array): number | undefined {
  return plans.get(world.state, id)?.status;
}

describe("A contract whose ring has a next key", () => {
  test("is told under the next nonce, by the key that it holds; later batches wait until it has taken it", () => {
    const world = stated();
    rotateEvm(world, 3);
    endBlock(world);
    const { id, plan } = only(world, evmSetKey);
    expect(plan).toMatchObject({ keyId: 2, nonce: 1, withdrawals: [], inputs: [] });
    const key = must(keys.get(world.state, 3), "key");
    expect(setKeyCodec.decode(plan.subject)).toEqual({
      keyId: 2,
      nonce: 1,
      newKeyId: 3,
      key: xOnly(key.groupPoint),
    });
    const held = must(keys.get(world.state, 2), "key");
    expect(planMessages(world.genesis, plan, held)).toEqual([{ message: plan.txid }]);
    expect(sign(world, id)).toBeUndefined();
    const waiting = toEvm(world);
    for (let i = 0; i < 3; i++) endBlock(world);
    expect(openPlans(world, evmSetKey)).toHaveLength(1);
    expect(openPlans(world, evmBatch)).toEqual([]);
    expect(isHandedOver(world.state, 2)).toBe(false);
    // The key moves by the statement of the contract alone.
    expect(run(world, 1, 2)).toBeUndefined();
    endBlock(world);
    expect(openPlans(world, evmBatch)).toEqual([]);
    expect(stateContract(world, 3)).toBeUndefined();
    endBlock(world);
    expect([current(world), next(world), contract(world).keyId]).toEqual([3, undefined, 3]);
    expect(isHandedOver(world.state, 2)).toBe(true);
    expect(only(world, evmBatch).plan).toMatchObject({ keyId: 3, nonce: 2 });
    expect(withdrawalOf(world, waiting).status).toBe(withdrawalStatus.planned);
    assertSound(world);
  });

  test("signs older messages that have not run again, with identical content", () => {
    const world = stated();
    const id = toEvm(world);
    endBlock(world);
    const old = only(world, evmBatch);
    expect(sign(world, old.id)).toBeUndefined();
    rotateEvm(world, 3);
    endBlock(world);
    expect(stateContract(world, 3)).toBeUndefined();
    endBlock(world);
    const again = only(world, evmBatch);
    expect(again.plan).toMatchObject({ keyId: 3, nonce: 1, status: planStatus.planned });
    expect(again.plan.signatures).toEqual([]);
    expect(batchCodec.decode(again.plan.subject)).toEqual({
      ...batchCodec.decode(old.plan.subject),
      keyId: 3,
    });
    // What the old key signed is in no list that a relay reads, and takes no signature.
    expect(statusOf(world, old.id)).toBe(planStatus.dead);
    expect(sign(world, old.id)).toBe("dead-plan");
    expect(withdrawalOf(world, id)).toMatchObject({
      status: withdrawalStatus.planned,
      plan: again.id,
    });
    expect(openPlans(world, evmSetKey)).toEqual([]);
    expect(sign(world, again.id)).toBeUndefined();
    expect(run(world, 1, 3)).toBeUndefined();
    expect(run(world, 1, 3)).toBe("nothing-new");
    endBlock(world);
    expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.settled);
    expect(contract(world).nextNonce).toBe(3);
    expect(account(world).pending).toBe(0n);
    assertSound(world);
  });

  test("settles what the old key signed and the contract ran before, though it is heard of after", () => {
    const world = stated();
    const ids = [toEvm(world)];
    endBlock(world);
    const old = only(world, evmBatch);
    sign(world, old.id);
    rotateEvm(world, 3);
    endBlock(world);
    stateContract(world, 3);
    endBlock(world);
    const again = only(world, evmBatch);
    expect(run(world, 1, 2)).toBeUndefined();
    endBlock(world);
    expect(statusOf(world, old.id)).toBe(planStatus.final);
    expect(statusOf(world, again.id)).toBe(planStatus.dead);
    expect(openPlans(world, evmBatch)).toEqual([]);
    expect(withdrawalOf(world, must(ids[0], "id"))).toMatchObject({
      status: withdrawalStatus.settled,
      plan: old.id,
    });
    expect(run(world, 1, 3)).toBe("nothing-new");
    expect(account(world).pending).toBe(0n);
    assertSound(world);
  });

  test("goes on with the old key while nobody brings the message, and whoever brings it counts", () => {
    const world = stated();
    const id = toEvm(world);
    endBlock(world);
    rotateEvm(world, 3);
    for (let i = 0; i < 5; i++) endBlock(world);
    expect(run(world, 1, 2)).toBeUndefined();
    endBlock(world);
    expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.settled);
    expect(current(world)).toBe(2);
    // The ledger never saw the signature that a stranger brought to the contract.
    const { id: change } = only(world, evmSetKey);
    expect(statusOf(world, change)).toBe(planStatus.planned);
    expect(stateContract(world, 3)).toBeUndefined();
    expect(statusOf(world, change)).toBe(planStatus.final);
    expect(run(world, 2, 2)).toBe("nothing-new");
    expect(stateContract(world, 2)).toBe("wrong-key");
    assertSound(world);
  });

  test("that is overtaken by a later key is told of that too; whichever it takes first counts", () => {
    const world = stated();
    rotateEvm(world, 3);
    endBlock(world);
    rotateEvm(world, 4);
    endBlock(world);
    const [first, second] = openPlans(world, evmSetKey);
    expect([first?.plan.nonce, second?.plan.nonce]).toEqual([1, 2]);
    expect([first?.plan.keyId, second?.plan.keyId]).toEqual([2, 2]);
    expect(stateContract(world, 3)).toBeUndefined();
    endBlock(world);
    expect([current(world), next(world)]).toEqual([3, 4]);
    // The second is signed again by the key that the contract holds now.
    expect(only(world, evmSetKey).plan).toMatchObject({ keyId: 3, nonce: 2 });
    expect(stateContract(world, 4)).toBeUndefined();
    endBlock(world);
    expect([current(world), next(world)]).toEqual([4, undefined]);
    expect(openPlans(world, evmSetKey)).toEqual([]);
  });

  test("that took the later key directly never takes the earlier one", () => {
    const world = stated();
    rotateEvm(world, 3);
    endBlock(world);
    rotateEvm(world, 4);
    endBlock(world);
    const [first, second] = openPlans(world, evmSetKey);
    expect(stateContract(world, 4)).toBeUndefined();
    endBlock(world);
    expect([current(world), next(world)]).toEqual([4, undefined]);
    expect(statusOf(world, must(first, "first").id)).toBe(planStatus.dead);
    expect(statusOf(world, must(second, "second").id)).toBe(planStatus.final);
    expect(stateContract(world, 3)).toBe("wrong-key");
  });

  test("is told nothing before it is stated, nor of a key that is not active", () => {
    const world = funded();
    rotateEvm(world, 3);
    endBlock(world);
    expect(openPlans(world, evmSetKey)).toEqual([]);
    keys.put(world.state, 3, { ...must(keys.get(world.state, 3), "key"), active: false });
    expect(stateContract(world, 3)).toBe("wrong-key");
    expect(stateContract(world)).toBeUndefined();
    endBlock(world);
    expect(openPlans(world, evmSetKey)).toEqual([]);
  });

  test("is told whatever is halted or paused (GOV-2)", () => {
    const world = stated();
    const { chain } = evmOf(world);
    const pause = { chain, direction: directions.out, until: world.time + 10_000_000, sequence: 1 };
    const pauses = [{ ...pause, open: true }];
    restrictions.put(world.state, "only", { slowUntil: 0, slowOpen: false, pauses });
    accountings.put(world.state, world.bbtc, { ...account(world), halted: true });
    rotateEvm(world, 3);
    endBlock(world);
    expect(openPlans(world, evmSetKey)).toHaveLength(1);
  });

  test("that ran a message of a key which never had it halts what is there (RNG-7)", () => {
    const world = stated();
    toEvm(world);
    endBlock(world);
    const { plan } = only(world, evmBatch);
    expect(parseBatch(plan.subject)).toMatchObject({ nonce: 1, keyId: 2 });
    expect(run(world, 1, 3)).toBeUndefined();
    expect(account(world).halted).toBe(true);
    expect(equal(plan.chain, evmOf(world).chain)).toBe(true);
  });
});
