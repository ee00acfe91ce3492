// What goes to an EVM chain and comes back from it.
import { must } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import type { Burn } from "../../codec/action.ts";
import { parseBatch } from "../../interchain/messages.ts";
import { creditId } from "../../interchain/policy.ts";
import {
  inboundStatus,
  inbounds,
  planKinds,
  withdrawalReasons,
  withdrawalStatus,
} from "../../interchain/records.ts";
import { eventId, eventKinds } from "../../interchain/statement.ts";
import { testLock } from "../testing.ts";
import { outputs } from "../utxo/outputs.ts";
import type { World } from "./testing.ts";
import { account, attest, endBlock, openPlans, runPlans, sign } from "./testing.ts";
import { evmOf, executedEvent, stateContract, transferEvent } from "./testing-evm.ts";
import { burn, funded, p2wpkh, withdrawalOf } from "./testing-funded.ts";
import { assertSound } from "./testing-inbound.ts";

describe("An EVM chain", () => {
  function toEvm(world: World, payload = new Uint8Array(20).fill(4)): Burn["destination"] {
    return { chain: evmOf(world).chain, payload };
  }

  test("gets no batch before the committee has stated its contract with the current key (ETH-3)", () => {
    const world = funded();
    const before = account(world).rewards;
    const id = burn(world, { destination: toEvm(world) });
    endBlock(world);
    expect(openPlans(world, planKinds.evmBatch).length).toBe(0);
    expect(stateContract(world, 1)).toBe("wrong-key");
    expect(stateContract(world)).toBeUndefined();
    expect(stateContract(world)).toBe("nothing-new");
    endBlock(world);
    const [batch] = openPlans(world, planKinds.evmBatch);
    expect(parseBatch(must(batch, "batch").plan.subject)).toMatchObject({
      nonce: 1,
      keyId: 2,
      items: [{ kind: 1, amount: 10_000_000n - 1_100n }],
    });
    expect(sign(world, must(batch, "batch").id)).toBeUndefined();
    expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.signed);
    const { chain } = evmOf(world);
    const executed = executedEvent(world, 1);
    expect(attest(world, [executed], { chain })).toBeUndefined();
    expect(attest(world, [executed], { chain })).toBe("nothing-new");
    endBlock(world);
    expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.settled);
    expect(account(world)).toMatchObject({ pending: 0n, exported: 9_998_900n });
    expect(account(world).rewards - before).toBe(100n);
    assertSound(world);
  });

  test("mints at most 50 a batch, under dense nonces, in the order of the queue", () => {
    const world = funded();
    stateContract(world);
    const ids = Array.from({ length: 60 }, () =>
      burn(world, { amount: 20_000n, destination: toEvm(world) }),
    );
    endBlock(world);
    endBlock(world);
    const open = openPlans(world, planKinds.evmBatch);
    expect(open.map(({ plan }) => plan.nonce)).toEqual([1, 2]);
    expect(open.flatMap(({ plan }) => plan.withdrawals)).toEqual(ids);
  });

  test("whose item failed keeps it as a claim, and the batch is settled (ETH-2)", () => {
    const world = funded();
    stateContract(world);
    const id = burn(world, { destination: toEvm(world) });
    endBlock(world);
    attest(world, [executedEvent(world, 1, 1n)], { chain: evmOf(world).chain });
    endBlock(world);
    expect(withdrawalOf(world, id)).toMatchObject({
      status: withdrawalStatus.settled,
      reason: withdrawalReasons.claim,
    });
    assertSound(world);
  });

  test("that obeyed a message which no plan contains halts what is there (RNG-7)", () => {
    const world = funded();
    stateContract(world);
    const { chain } = evmOf(world);
    expect(attest(world, [executedEvent(world, 9)], { chain })).toBeUndefined();
    expect(account(world).halted).toBe(true);
    expect(attest(world, [executedEvent(world, 9)], { chain })).toBe("nothing-new");
  });

  test("returns value: to a lock, to Bitcoin, or to its sender where neither can be paid", () => {
    const world = funded();
    stateContract(world);
    burn(world, { amount: 30_000_000n, destination: toEvm(world) });
    endBlock(world);
    const { chain } = evmOf(world);
    attest(world, [executedEvent(world, 1)], { chain });
    endBlock(world);
    const before = account(world);
    const { networkId, bitcoin } = world.genesis;
    const amount = 5_000_000n;
    const home = { chain: networkId, payload: testLock("bob") };
    const out = { chain: bitcoin.chain, payload: p2wpkh };
    const bad = { chain: bitcoin.chain, payload: Uint8Array.of(1) };
    const events = [home, out, bad].map((destination) =>
      transferEvent(world, { amount, destination }),
    );
    expect(attest(world, events, { chain })).toBeUndefined();
    endBlock(world);
    const found = events.map(({ txid, index }) => {
      const id = eventId(networkId, chain, evmOf(world).gateway, txid, index);
      const output = outputs.get(world.state, { txid: creditId(networkId, id), index: 0 });
      return { inbound: must(inbounds.get(world.state, id), "inbound"), output };
    });
    const { minted, forwarded, refunded } = inboundStatus;
    expect(found.map(({ inbound }) => inbound.status)).toEqual([minted, forwarded, refunded]);
    expect(found.map(({ output }) => output?.lock)).toEqual([
      testLock("bob"),
      undefined,
      testLock("carol"),
    ]);
    expect(account(world).exported).toBe(before.exported - 3n * amount);
    runPlans(world);
    const withdrawal = withdrawalOf(world, must(found[1], "forward").inbound.withdrawal);
    expect(withdrawal.status).toBe(withdrawalStatus.settled);
    assertSound(world);
  });

  test("that burns more than was ever exported halts the asset instead of breaking it", () => {
    const world = funded();
    stateContract(world);
    const { chain } = evmOf(world);
    const destination = { chain: world.genesis.networkId, payload: testLock("bob") };
    const event = transferEvent(world, { amount: 1n, destination });
    expect(attest(world, [event], { chain })).toBeUndefined();
    endBlock(world);
    expect(account(world)).toMatchObject({ halted: true, exported: 0n });
  });

  test("names tokens of the genesis, and events of its gateway alone", () => {
    const world = funded();
    const { chain } = evmOf(world);
    const destination = { chain: world.genesis.networkId, payload: testLock("bob") };
    const token = new Uint8Array(20).fill(1);
    const unknown = transferEvent(world, { amount: 1n, destination, token });
    expect(attest(world, [unknown], { chain })).toBe("unknown-token");
    const kind = eventKinds.evmDeposited;
    const deposited = transferEvent(world, { amount: 1n, destination, kind });
    expect(attest(world, [deposited], { chain })).toBe("unknown-token");
    const bitcoinKind = { ...deposited, kind: eventKinds.bitcoinDeposit };
    expect(attest(world, [bitcoinKind], { chain })).toBe("bad-event");
  });
});
