// Deposits from the statement to the credit, the sweep and its settlement, with every reorganisation between.

import { describe, expect, test } from "vitest";
import { ringFee, sweepCost, sweepFee } from "../../interchain/policy.ts";
import { inboundReasons, inboundStatus, planKinds } from "../../interchain/records.ts";
import type { ForeignEvent } from "../../interchain/statement.ts";
import type { LockTerms } from "../locks.ts";
import { lockOf, lockTerms } from "../locks.ts";
import { testLock } from "../testing.ts";
import {
  account,
  attest,
  attestAs,
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
import { assertSound, creditOf, deposited, inboundOf } from "./testing-inbound.ts";

const half = 50_000_000n;

describe("A deposit", () => {
  test("is credited at its depth and not before, once, less the quoted sweep", () => {
    const world = createWorld();
    const { stated } = deposited(world, { amount: half });
    expect(attest(world, [stated])).toBeUndefined();
    endBlock(world);
    expect(inboundOf(world, stated)?.status).toBe(inboundStatus.waiting);
    expect(creditOf(world, stated)).toBeUndefined();
    confirm(world, 1);
    const { params } = world.genesis;
    const fee = sweepFee(params);
    expect(creditOf(world, stated)).toEqual({
      asset: world.bbtc,
      amount: half - fee,
      lock: testLock("alice"),
    });
    const [reserve, rewards] = [sweepCost(params), ringFee(params, sweepCost(params))];
    expect(reserve + rewards).toBe(fee);
    const expected = { coins: half, supply: half - fee, reserve, rewards, unswept: half };
    expect(account(world)).toMatchObject(expected);
    confirm(world, 5);
    expect(account(world)).toMatchObject(expected);
    assertSound(world);
  });

  test("that is stated twice is refused the second time as nothing new", () => {
    const world = createWorld();
    const { stated } = deposited(world, { amount: half });
    expect(attest(world, [stated])).toBeUndefined();
    expect(attest(world, [stated])).toBe("nothing-new");
    confirm(world, 3);
    expect(attest(world, [stated])).toBe("nothing-new");
    const second = deposited(world, { amount: half });
    expect(attest(world, [stated, second.stated])).toBeUndefined();
    confirm(world, 1);
    expect(account(world).coins).toBe(2n * half);
    assertSound(world);
  });

  test("is swept to the vault at final depth, and its loan ends with the settlement", () => {
    const world = createWorld();
    const { stated } = deposited(world, { amount: half });
    attest(world, [stated]);
    confirm(world, 1);
    expect(openPlans(world, planKinds.sweep).length).toBe(0);
    confirm(world, 1);
    const [sweep] = openPlans(world, planKinds.sweep);
    expect(sweep?.plan.inputs.length).toBe(1);
    runPlans(world);
    const after = account(world);
    expect(after.unswept).toBe(0n);
    expect(after.coins).toBe(half - (sweep?.plan.fee ?? 0n));
    expect(after.supply).toBe(half - sweepFee(world.genesis.params));
    expect(openPlans(world, planKinds.sweep).length).toBe(0);
    assertSound(world);
  });

  test("beyond the loan limit is credited when its sweep is final, less its own share (BTC-2)", () => {
    const world = createWorld({ loanLimit: 0n });
    const { stated } = deposited(world, { amount: half });
    attest(world, [stated]);
    confirm(world, 2);
    expect(inboundOf(world, stated)).toMatchObject({
      status: inboundStatus.held,
      reason: inboundReasons.loanLimit,
    });
    expect(account(world)).toMatchObject({ coins: 0n, supply: 0n, reserve: 0n });
    const fee = openPlans(world, planKinds.sweep)[0]?.plan.fee ?? 0n;
    runPlans(world);
    const rewards = ringFee(world.genesis.params, fee);
    expect(creditOf(world, stated)?.amount).toBe(half - fee - rewards);
    const books = { coins: half - fee, supply: half - fee - rewards, reserve: 0n, rewards };
    expect(account(world)).toMatchObject(books);
    expect(inboundOf(world, stated)?.fee).toBe(fee + rewards);
    assertSound(world);
  });

  test("of several shares of loan room takes what fits and holds the rest", () => {
    const world = createWorld({ loanLimit: half + half / 2n });
    const first = deposited(world, { amount: half });
    const second = deposited(world, { amount: half });
    attest(world, [first.stated, second.stated]);
    confirm(world, 2);
    const statuses = [first, second].map(({ stated }) => inboundOf(world, stated)?.status);
    expect(statuses.toSorted()).toEqual([inboundStatus.held, inboundStatus.minted]);
    runPlans(world);
    expect(account(world).coins).toBeGreaterThan(half + half - 1_000n);
    expect(inboundOf(world, second.stated)?.status).toBe(inboundStatus.minted);
    assertSound(world);
  });

  test("is credited only after its sweep while another's sweep is overdue (BTC-2)", () => {
    const world = createWorld({ loanOverdueBlocks: 5 });
    const first = deposited(world, { amount: half });
    attest(world, [first.stated]);
    confirm(world, 7);
    const second = deposited(world, { amount: half });
    attest(world, [second.stated]);
    confirm(world, 1);
    expect(inboundOf(world, second.stated)?.reason).toBe(inboundReasons.loanLimit);
    runPlans(world);
    expect(inboundOf(world, second.stated)?.status).toBe(inboundStatus.minted);
    assertSound(world);
  });

  test.each([
    ["below the minimum", { amount: 9_999n }, inboundReasons.belowMinimum],
    ["above the cap", { amount: 1_000_000_001n }, inboundReasons.aboveCap],
    [
      "to no lock of the ledger",
      { amount: half, destination: "bad" as const },
      inboundReasons.badDestination,
    ],
  ])("%s is left to its owner's reclaim", (_, { amount, ...rest }, reason) => {
    const world = createWorld();
    const chain = world.genesis.networkId;
    const destination = "destination" in rest ? { chain, payload: new Uint8Array(32) } : undefined;
    const { stated } = deposited(world, { amount, ...(destination && { destination }) });
    expect(attest(world, [stated])).toBeUndefined();
    confirm(world, 5);
    expect(inboundOf(world, stated)).toMatchObject({ status: inboundStatus.reclaim, reason });
    expect(openPlans(world, planKinds.sweep).length).toBe(0);
    expect(account(world).coins).toBe(0n);
  });

  test("goes to a lock of several owners (FMT-8)", () => {
    const world = createWorld();
    const owners = ["alice", "bob"].map((name) => testLock(name).slice(12));
    const terms = lockTerms(owners) as LockTerms;
    const payload = lockOf(world.genesis.networkId, terms);
    const destination = { chain: world.genesis.networkId, payload };
    const { stated } = deposited(world, { amount: half, destination });
    attest(world, [stated]);
    confirm(world, 1);
    expect(creditOf(world, stated)?.lock).toEqual(payload);
    assertSound(world);
  });

  test("whose address allows less than the fee is left to its owner's reclaim (ACC-2)", () => {
    const world = createWorld();
    const { stated } = deposited(world, { amount: half, maxFee: 10n });
    attest(world, [stated]);
    confirm(world, 5);
    expect(inboundOf(world, stated)).toMatchObject({
      status: inboundStatus.reclaim,
      reason: inboundReasons.feeAboveMaximum,
    });
    expect(openPlans(world, planKinds.sweep).length).toBe(0);
  });

  test("for another chain opens a withdrawal there, within the address' maximum", () => {
    const world = createWorld();
    const destination = { chain: evmOf(world).chain, payload: new Uint8Array(20).fill(5) };
    const { stated } = deposited(world, { amount: half, destination });
    attest(world, [stated]);
    confirm(world, 1);
    expect(inboundOf(world, stated)?.status).toBe(inboundStatus.forwarded);
    expect(account(world).pending).toBe(half - sweepFee(world.genesis.params));
    assertSound(world);
  });

  test("to the same address twice is two deposits", () => {
    const world = createWorld();
    const first = deposited(world, { amount: half });
    const second = deposited(world, { amount: half });
    attest(world, [first.stated, second.stated]);
    confirm(world, 2);
    expect(account(world).coins).toBe(2n * half);
  });

  test("by a coinbase waits a hundred blocks longer, and so does its sweep (WIT-5)", () => {
    const world = createWorld();
    const { event, script } = deposit(world, { amount: half });
    const block = mine(world, [], undefined, script);
    const stated = event(block, block.transactions[0]);
    bring(world, block);
    expect(attest(world, [stated])).toBeUndefined();
    confirm(world, 100);
    expect(inboundOf(world, stated)?.status).toBe(inboundStatus.waiting);
    confirm(world, 1);
    expect(inboundOf(world, stated)?.status).toBe(inboundStatus.minted);
    expect(openPlans(world, planKinds.sweep).length).toBe(0);
    confirm(world, 1);
    expect(openPlans(world, planKinds.sweep).length).toBe(1);
  });
});

describe("A statement", () => {
  test("needs strictly more than two thirds of the power, of the running epoch", () => {
    const world = createWorld();
    const { stated } = deposited(world, { amount: half });
    expect(attest(world, [stated], { seats: [0, 1] })).toBe("no-quorum");
    expect(attest(world, [stated], { epoch: 1 })).toBe("unknown-epoch");
    expect(attest(world, [stated], { seats: [0, 1, 3] })).toBeUndefined();
  });

  test("of a block that the ledger does not have, or has off its best chain, is refused", () => {
    const world = createWorld();
    const made = deposit(world, { amount: half });
    const fork = world.tip;
    const block = mine(world, [made.transaction]);
    expect(attest(world, [made.event(block)])).toBe("unknown-block");
    bring(world, block);
    const other = mine(world, [], fork);
    bring(world, other, mine(world, [], other));
    expect(attest(world, [made.event(block)])).toBe("unknown-block");
  });

  test("of another amount, output, script or block height is refused", () => {
    const world = createWorld();
    const made = deposited(world, { amount: half });
    const other = deposit(world, { amount: half, maxFee: 9_999n });
    const lie = { ...made.stated, index: 1 };
    expect(attest(world, [lie])).toBe("no-such-output");
    expect(attest(world, [{ ...made.stated, height: 7 }])).toBe("wrong-height");
    const forged = { ...other.event(mine(world, [other.transaction])), blockHash: made.block.hash };
    expect(attest(world, [{ ...forged, height: made.block.height }])).toBe("bad-inclusion");
    expect(attest(world, [made.stated])).toBeUndefined();
  });

  test("with events out of order or twice is refused", () => {
    const world = createWorld();
    const first = deposited(world, { amount: half }).stated;
    const { chain } = world.genesis.bitcoin;
    const twice = { epoch: 0, chain, events: [first, first] };
    expect(attestAs(world, twice, [0, 1, 2])).toBe("unsorted");
    expect(attestAs(world, { ...twice, events: [] }, [0, 1, 2])).toBe("empty-statement");
    expect(attestAs(world, { ...twice, chain: new Uint8Array(32) }, [0, 1, 2])).toBe(
      "unknown-chain",
    );
  });
});

describe("A sweep", () => {
  test("takes all final deposits of a key in one transaction and splits the vault into lanes", () => {
    const world = createWorld();
    const made = Array.from({ length: 4 }, () => deposited(world, { amount: half }));
    attest(
      world,
      made.map(({ stated }) => stated),
    );
    confirm(world, 3);
    const sweeps = openPlans(world, planKinds.sweep);
    expect(sweeps.length).toBe(1);
    const transaction = subjectOf(sweeps[0]?.plan as never);
    expect(transaction.inputs.length).toBe(4);
    expect(transaction.outputs.length).toBe(8);
    const amounts = transaction.outputs.map(({ amount }) => amount);
    expect(Number(amounts[0]) - Number(amounts[7])).toBeLessThan(8);
  });

  test("near its reclaim goes alone, and its deposit is not credited before (BTC-2)", () => {
    const world = createWorld({ reclaimMarginBlocks: 26_280 });
    const made = Array.from({ length: 2 }, () => deposited(world, { amount: half }));
    attest(
      world,
      made.map(({ stated }) => stated),
    );
    confirm(world, 3);
    expect(openPlans(world, planKinds.sweep).length).toBe(2);
    expect(inboundOf(world, made[0]?.stated as ForeignEvent)?.reason).toBe(
      inboundReasons.nearReclaim,
    );
    runPlans(world);
    expect(inboundOf(world, made[0]?.stated as ForeignEvent)?.status).toBe(inboundStatus.minted);
    assertSound(world);
  });

  test("is final once: a second settlement is nothing new, a shallow one too early", () => {
    const world = createWorld();
    const { stated } = deposited(world, { amount: half });
    attest(world, [stated]);
    confirm(world, 2);
    const sweep = openPlans(world, planKinds.sweep)[0];
    if (sweep === undefined) throw new Error("no sweep");
    expect(sign(world, sweep.id)).toBeUndefined();
    expect(sign(world, sweep.id)).toBe("already-signed");
    const block = mine(world, [sweep.plan.subject]);
    bring(world, block);
    expect(settle(world, block, sweep.plan.subject)).toBe("too-shallow");
    confirm(world, 2);
    expect(settle(world, block, sweep.plan.subject)).toBeUndefined();
    expect(settle(world, block, sweep.plan.subject)).toBe("nothing-new");
    const stranger = payment(world, [{ amount: 1n, script: Uint8Array.of(0x51) }]);
    const other = mine(world, [stranger]);
    bring(world, other);
    confirm(world, 2);
    expect(settle(world, other, stranger)).toBe("nothing-new");
    assertSound(world);
  });
});
