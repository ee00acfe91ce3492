// What leaves: burns, payments on Bitcoin, batches on an EVM chain, and what breaks a lineage.
import { concat, must } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { reclaimDelay } from "../../interchain/bitcoin/scripts.ts";
import { encodeTransaction } from "../../interchain/bitcoin/transaction.ts";
import { payoutCost, ringFee, vaultsOf } from "../../interchain/policy.ts";
import type { Coin } from "../../interchain/records.ts";
import {
  coinStatus,
  coins,
  inboundReasons,
  inboundStatus,
  inbounds,
  lineages,
  outpoint,
  planKinds,
  planStatus,
  plans,
  withdrawalStatus,
} from "../../interchain/records.ts";
import { eventIdOf } from "../../interchain/statement.ts";
import { testLock } from "../testing.ts";
import { isBalanced, listOf, queueName } from "./accounting.ts";
import { burnRule } from "./burn.ts";
import { heldCoins } from "./coins.ts";
import { signatureRule } from "./signature.ts";
import type { World } from "./testing.ts";
import {
  account,
  act,
  attest,
  bring,
  confirm,
  createWorld,
  deposit,
  endBlock,
  mine,
  openPlans,
  payment,
  runPlans,
  settle,
  sign,
  subjectOf,
} from "./testing.ts";
import { evmOf } from "./testing-evm.ts";
import { burn, burnOf, coin, funded, p2wpkh, withdrawalOf } from "./testing-funded.ts";
import { assertSound } from "./testing-inbound.ts";

describe("A burn", () => {
  test.each([
    ["unknown-asset", { asset: new Uint8Array(32).fill(1) }],
    ["below-minimum", { amount: 9_999n }],
    ["fee-above-maximum", { maxFee: 1n }],
    ["bad-refund", { refund: new Uint8Array(32) }],
    ["above-maximum", { amount: 2_100_000_000_000_001n }],
  ])("is refused with %s", (code, change) => {
    const world = funded();
    expect(act(world, burnRule, burnOf(world, change))).toBe(code);
  });

  test.each([
    ["bad-destination", Uint8Array.of(0x6a, 1, 1)],
    ["bad-destination", concat(Uint8Array.of(0x51, 32), new Uint8Array(32).fill(0xff))],
    ["bad-destination", concat(Uint8Array.of(0x52, 32), new Uint8Array(32).fill(2))],
  ])("is refused with %s for a script that nobody could spend", (code, payload) => {
    const world = funded();
    const destination = { chain: world.genesis.bitcoin.chain, payload };
    expect(act(world, burnRule, burnOf(world, { destination }))).toBe(code);
  });

  test("names a lock of several owners for what comes back (FMT-8)", () => {
    const world = funded();
    const refund = new Uint8Array(32).fill(9);
    const id = burn(world, { refund });
    expect(withdrawalOf(world, id)?.refund).toEqual(refund);
  });

  test("is refused to the ring's own vault, to this ledger and to an unknown chain", () => {
    const world = funded();
    const { bitcoin, networkId } = world.genesis;
    const [vault] = vaultsOf(world.genesis, world.state);
    const to = (chain: Uint8Array, payload: Uint8Array): string | undefined =>
      act(world, burnRule, burnOf(world, { destination: { chain, payload } }));
    expect(to(bitcoin.chain, must(vault, "vault").script)).toBe("own-destination");
    expect(to(networkId, testLock("bob"))).toBe("not-leaving");
    expect(to(new Uint8Array(32).fill(1), p2wpkh)).toBe("unknown-chain");
    const evm = evmOf(world);
    expect(to(evm.chain, evm.gateway)).toBe("own-destination");
    expect(to(evm.chain, new Uint8Array(20))).toBe("bad-destination");
  });

  test("is described with amount, place and most fee", () => {
    const world = funded();
    expect(burnRule.describe?.(world.genesis, burnOf(world))).toMatch(
      /^Send 0\.1 BBTC to bcrt1q\w+ on Bitcoin, less a fee of at most 0\.00005 BBTC$/,
    );
  });
});

describe("A withdrawal on Bitcoin", () => {
  test("is planned, signed, mined and settled, and the reserve pays the miner", () => {
    const world = funded();
    const before = account(world);
    const id = burn(world);
    endBlock(world);
    const { params } = world.genesis;
    const cost = payoutCost(params, p2wpkh.length);
    const rewards = ringFee(params, cost);
    expect(rewards).toBeGreaterThan(0n);
    const fee = cost + rewards;
    expect(withdrawalOf(world, id)).toMatchObject({ status: withdrawalStatus.planned, fee });
    const [plan] = openPlans(world, planKinds.withdrawal);
    expect(subjectOf(must(plan, "plan").plan).outputs[0]).toEqual({
      amount: 10_000_000n - fee,
      script: p2wpkh,
    });
    runPlans(world);
    expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.settled);
    const after = account(world);
    expect(after.supply).toBe(before.supply - 10_000_000n);
    expect(after.pending).toBe(0n);
    const paid = must(plan, "plan").plan.fee;
    expect(after.coins).toBe(before.coins - (10_000_000n - fee) - paid);
    expect(after.reserve).toBe(before.reserve + cost - paid);
    expect(after.rewards).toBe(before.rewards + rewards);
    assertSound(world);
  });

  test("waits while the vault is empty, and is paid by the sweep's coins", () => {
    const world = createWorld();
    const made = deposit(world, { amount: coin });
    const block = mine(world, [made.transaction]);
    bring(world, block);
    attest(world, [made.event(block)]);
    confirm(world, 1);
    const id = burn(world);
    endBlock(world);
    expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.queued);
    confirm(world, 1);
    runPlans(world);
    expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.planned);
  });

  test("of everything takes all coins and leaves no dust", () => {
    const world = funded();
    const { supply } = account(world);
    const id = burn(world, { amount: supply, maxFee: supply });
    endBlock(world);
    const [plan] = openPlans(world, planKinds.withdrawal);
    const outputs = subjectOf(must(plan, "plan").plan).outputs;
    for (const { amount } of outputs) expect(amount).toBeGreaterThanOrEqual(330n);
    runPlans(world);
    expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.settled);
    expect(account(world).supply).toBe(0n);
    assertSound(world);
  });

  test("in parallel lanes uses other coins than the plans under way", () => {
    const world = funded(4);
    const ids: Uint8Array[] = [];
    for (let i = 0; i < 4; i++) {
      ids.push(burn(world));
      endBlock(world);
    }
    const open = openPlans(world, planKinds.withdrawal);
    expect(open.length).toBe(4);
    const spent = open.flatMap(({ plan }) =>
      plan.inputs.map(({ txid, vout }) => `${txid}:${vout}`),
    );
    expect(new Set(spent).size).toBe(spent.length);
    runPlans(world);
    for (const id of ids) expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.settled);
    assertSound(world);
  });

  test("is planned the same on every node: same state, same bytes", () => {
    const subjects = [0, 1].map(() => {
      const world = funded(3);
      burn(world);
      burn(world, { amount: 20_000_000n });
      endBlock(world);
      return must(openPlans(world, planKinds.withdrawal)[0], "plan").plan.subject;
    });
    expect(subjects[0]).toEqual(subjects[1]);
  });

  test("is settled again in another block after a reorganisation deeper than final, without paying twice", () => {
    const world = funded();
    const id = burn(world);
    endBlock(world);
    const { id: planId, plan } = must(openPlans(world, planKinds.withdrawal)[0], "plan");
    sign(world, planId);
    const fork = world.tip;
    const block = mine(world, [plan.subject]);
    bring(world, block, mine(world), mine(world));
    expect(settle(world, block, plan.subject)).toBeUndefined();
    endBlock(world);
    const before = account(world);
    let at = mine(world, [], fork);
    const branch = [at];
    const again = mine(world, [plan.subject], at);
    at = again;
    branch.push(again);
    for (let i = 0; i < 3; i++) branch.push(mine(world));
    bring(world, ...branch);
    endBlock(world);
    expect(account(world).deficit).toBeGreaterThan(0n);
    expect(isBalanced(account(world))).toBe(true);
    expect(settle(world, again, plan.subject)).toBeUndefined();
    endBlock(world);
    expect(account(world)).toEqual(before);
    expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.settled);
  });
});

describe("A spend that no plan contains (RNG-7)", () => {
  function vaultCoin(world: World): Coin {
    return must(
      heldCoins(world.state).find(({ coin: one }) => one.kind === 2),
      "vault coin",
    ).coin;
  }
  function spend(world: World, of: Coin, sequence: number): Uint8Array {
    const script = new Uint8Array(0);
    const inputs = [{ txid: of.txid, vout: of.vout, script, sequence }];
    return payment(world, [{ amount: of.amount - 500n, script: p2wpkh }], inputs);
  }

  test("of a vault coin by the key path halts the asset and frees its lineage's rest", () => {
    const world = funded(2);
    const id = burn(world, { amount: 150_000_000n });
    endBlock(world);
    const { id: planId, plan } = must(openPlans(world, planKinds.withdrawal)[0], "plan");
    expect(plan.inputs.length).toBeGreaterThan(1);
    const other = must(plan.inputs[1], "input");
    const stolen = must(coins.get(world.state, outpoint(other.txid, other.vout)), "coin");
    const theft = spend(world, stolen, 0xfffffffd);
    const block = mine(world, [theft]);
    bring(world, block, mine(world), mine(world));
    expect(settle(world, block, theft)).toBeUndefined();
    endBlock(world);
    expect(account(world).halted).toBe(true);
    expect(isBalanced(account(world))).toBe(true);
    expect(plans.get(world.state, planId)?.status).toBe(planStatus.dead);
    expect(lineages.get(world.state, plan.anchor)?.ended).toBe(true);
    expect(withdrawalOf(world, id)).toMatchObject({ status: withdrawalStatus.queued, fee: 0n });
    expect(listOf(world.state, queueName(world.genesis.bitcoin.chain))).toEqual([id]);
    const anchor = must(coins.get(world.state, plan.anchor), "anchor");
    expect(anchor).toMatchObject({ status: coinStatus.live, lineage: new Uint8Array(0) });
    expect(sign(world, planId)).toBe("dead-plan");
    expect(act(world, burnRule, burnOf(world))).toBe("halted");
  });

  test("leaves an anchor whose next plan is the next attempt, since signers have used the first's slots", () => {
    const world = createWorld({ loanLimit: 0n });
    const made = Array.from({ length: 2 }, () => deposit(world, { amount: coin }));
    const block = mine(
      world,
      made.map(({ transaction }) => transaction),
    );
    bring(world, block);
    attest(
      world,
      made.map(({ event }) => event(block)),
    );
    confirm(world, 2);
    const { plan } = must(openPlans(world, planKinds.sweep)[0], "sweep");
    const second = must(plan.inputs[1], "second input");
    const gone = must(coins.get(world.state, outpoint(second.txid, second.vout)), "coin");
    const theft = spend(world, gone, 0xfffffffd);
    const mined = mine(world, [theft]);
    bring(world, mined, mine(world), mine(world));
    expect(settle(world, mined, theft)).toBeUndefined();
    endBlock(world);
    const next = must(openPlans(world, planKinds.sweep)[0], "next sweep").plan;
    expect(next).toMatchObject({ attempt: 1, anchor: plan.anchor });
    expect(lineages.get(world.state, plan.anchor)?.plans.length).toBe(2);
    runPlans(world);
    expect(isBalanced(account(world))).toBe(true);
  });

  test("of a vault coin that shows no year of waiting is no recovery", () => {
    const world = funded();
    const theft = spend(world, vaultCoin(world), 52_560);
    const block = mine(world, [theft]);
    bring(world, block, mine(world), mine(world));
    settle(world, block, theft);
    endBlock(world);
    expect(account(world).halted).toBe(true);
  });

  test("of an uncredited deposit by its owner, after the delay, ends it as reclaimed", () => {
    const world = createWorld({ loanLimit: 0n });
    const made = deposit(world, { amount: coin });
    const block = mine(world, [made.transaction]);
    bring(world, block);
    const event = made.event(block);
    attest(world, [event]);
    for (let i = 0; i < 14; i++) {
      world.time += 2_000_000;
      const blocks = Array.from({ length: 1_900 }, () => mine(world));
      expect(bring(world, ...blocks)).toBeUndefined();
    }
    endBlock(world);
    expect(openPlans(world, planKinds.sweep).length).toBe(1);
    const [input] = must(openPlans(world, planKinds.sweep)[0], "sweep").plan.inputs;
    const own = must(coins.get(world.state, outpoint(must(input, "input").txid, 0)), "coin");
    const reclaim = spend(world, own, reclaimDelay);
    const mined = mine(world, [reclaim]);
    bring(world, mined, mine(world), mine(world));
    expect(settle(world, mined, reclaim)).toBeUndefined();
    endBlock(world);
    const id = eventIdOf(world.genesis.networkId, world.genesis.bitcoin.chain, event) as Uint8Array;
    expect(inbounds.get(world.state, id)).toMatchObject({
      status: inboundStatus.reclaim,
      reason: inboundReasons.reclaimed,
    });
    expect(openPlans(world, planKinds.sweep).length).toBe(0);
    assertSound(world);
  });
});

describe("A signature", () => {
  test("that is not the ring's, or not of every input, is refused", () => {
    const world = createWorld();
    const made = deposit(world, { amount: coin });
    const block = mine(world, [made.transaction]);
    bring(world, block);
    attest(world, [made.event(block)]);
    confirm(world, 2);
    const { id, plan } = must(openPlans(world, planKinds.sweep)[0], "sweep");
    expect(sign(world, id)).toBeUndefined();
    const [signature] = must(plans.get(world.state, id), "plan").signatures;
    plans.put(world.state, id, plan);
    const bad = Uint8Array.from(must(signature, "signature"));
    bad[40] = (bad[40] as number) ^ 1;
    expect(act(world, signatureRule, { plan: id, signatures: [bad] })).toBe("bad-signature");
    expect(act(world, signatureRule, { plan: id, signatures: [] })).toBe("bad-length");
    expect(act(world, signatureRule, { plan: bad.slice(0, 32), signatures: [] })).toBe(
      "unknown-plan",
    );
    expect(encodeTransaction(subjectOf(plan))).toEqual(plan.subject);
  });
});
