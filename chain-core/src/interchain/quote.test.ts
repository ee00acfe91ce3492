// Quotes and receipts for people: the ledger's own numbers, and a sentence for every state.
import { concat, isRejected, must } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { testGenesis, testLock } from "../ledger/testing.ts";
import { ringFee, sweepFee } from "./policy.ts";
import { checkWithdrawal, quoteDeposit, quoteWithdrawal } from "./quote.ts";
import {
  inboundName,
  inboundReason,
  inboundReceipt,
  withdrawalName,
  withdrawalReceipt,
} from "./receipt.ts";
import type { Inbound, Withdrawal } from "./records.ts";
import { inboundReasons, inboundStatus, withdrawalReasons, withdrawalStatus } from "./records.ts";

const genesis = testGenesis(4);
const { params } = genesis;
const asset = must(genesis.assets[0], "BBTC");
const evm = must(genesis.evm[0], "EVM chain");
const account = { halted: false, deficit: 0n, unswept: 0n };
const room = { custody: 0n, limit: 2n ** 128n - 1n, loan: 2n ** 128n - 1n };
const basis = { genesis, params, asset, account, ringScripts: [], room, mints: [] };
const home = { chain: genesis.networkId, payload: testLock("alice") };
const p2wpkh = concat(Uint8Array.of(0, 20), new Uint8Array(20).fill(3));
const out = { chain: genesis.bitcoin.chain, payload: p2wpkh };
const there = { chain: evm.chain, payload: new Uint8Array(20).fill(4) };

/** With what the ring's seats get of it. */
const itemFee = params.evmItemFee + ringFee(params, params.evmItemFee);

describe("A deposit's quote", () => {
  test("is the sweep to the ledger, and the sweep and the batch's item to an EVM chain", () => {
    const fee = sweepFee(params);
    expect(quoteDeposit(basis, { destination: home, maxFee: 5_000n })).toMatchObject({
      fee,
      minimum: params.depositMin,
      cap: params.depositCap,
      creditNow: params.loanLimit,
      reclaimAfterBlocks: 26_280,
    });
    expect(quoteDeposit(basis, { destination: there, maxFee: 5_000n })).toMatchObject({
      fee: fee + itemFee,
    });
  });

  test("offers what the ring's bonds leave room for, and nothing where they leave none (RNG-7)", () => {
    const quoteOf = (of: Partial<typeof room>): unknown =>
      quoteDeposit(
        { ...basis, room: { ...room, ...of }, account: { ...account, unswept: 3_000n } },
        { destination: home, maxFee: 5_000n },
      );
    expect(quoteOf({ limit: 50_000n, custody: 20_000n })).toMatchObject({ cap: 30_000n });
    expect(quoteOf({ loan: 8_000n })).toMatchObject({ creditNow: 5_000n });
    expect(quoteOf({ loan: 2_000n })).toMatchObject({ creditNow: 0n });
    for (const limit of [29_999n, 0n])
      expect(quoteOf({ limit, custody: 20_000n })).toMatchObject({ code: "above-maximum" });
  });

  test("to an EVM chain is no more than its contract may mint, and so is a withdrawal's (RNG-7)", () => {
    const of = (free: bigint) => ({ ...basis, mints: [{ chain: evm.chain, free }] });
    const wish = { destination: there, maxFee: 5_000n };
    const fee = sweepFee(params) + itemFee;
    expect(quoteDeposit(of(70_000n), wish)).toMatchObject({ cap: 70_000n + fee });
    expect(quoteDeposit(of(0n), wish)).toMatchObject({ code: "above-maximum" });
    expect(quoteDeposit(of(0n), { ...wish, destination: home })).toMatchObject({
      cap: params.depositCap,
    });
    expect(quoteWithdrawal(of(70_000n), there)).toMatchObject({ max: 70_000n + itemFee });
    expect(quoteWithdrawal(of(0n), there)).toMatchObject({ code: "above-maximum" });
    const all = { amount: 70_000n + itemFee, maxFee: 5_000n, destination: there };
    expect(checkWithdrawal(of(70_000n), all)).toBeUndefined();
    expect(checkWithdrawal(of(69_999n), all)).toMatchObject({ code: "above-maximum" });
  });

  test("says why not: the maximum, the destination, a halted asset", () => {
    const code = (destination: typeof home, maxFee: bigint, of = basis): string | undefined => {
      const quote = quoteDeposit(of, { destination, maxFee });
      return isRejected(quote) ? quote.code : undefined;
    };
    expect(code(home, 1n)).toBe("fee-above-maximum");
    expect(code(out as never, 5_000n)).toBe("bad-destination");
    expect(code({ ...home, payload: new Uint8Array(32) as never }, 5_000n)).toBe("bad-destination");
    const halted = { ...basis, account: { ...account, halted: true } };
    expect(code(home, 5_000n, halted)).toBe("halted");
    const short = { ...basis, account: { ...account, deficit: 1n } };
    expect(code(home, 5_000n, short)).toBe("halted");
  });
});

describe("A withdrawal's quote", () => {
  test("states fee and limits, and the check refuses what the burn rule refuses", () => {
    const quote = quoteWithdrawal(basis, out);
    expect(quote).toMatchObject({ min: params.withdrawalMin });
    expect(quoteWithdrawal(basis, there)).toMatchObject({ fee: itemFee });
    expect(quoteWithdrawal(basis, home)).toMatchObject({ code: "bad-destination" });
    const of = { amount: 1_000_000n, maxFee: 5_000n, destination: out };
    expect(checkWithdrawal(basis, of)).toBeUndefined();
    expect(checkWithdrawal(basis, { ...of, amount: 1n })).toMatchObject({ code: "below-minimum" });
    expect(checkWithdrawal(basis, { ...of, maxFee: 1n })).toMatchObject({
      code: "fee-above-maximum",
    });
    const own = { ...basis, ringScripts: [p2wpkh] };
    expect(checkWithdrawal(own, of)).toMatchObject({ code: "own-destination" });
  });
});

describe("A receipt", () => {
  const inbound: Inbound = {
    chain: genesis.bitcoin.chain,
    asset: new Uint8Array(32),
    amount: 50_000n,
    destination: home,
    maxFee: 1_000n,
    refund: new Uint8Array(32),
    keyId: 1,
    txid: new Uint8Array(32),
    index: 0,
    coinbase: false,
    candidates: [],
    status: inboundStatus.waiting,
    reason: 0,
    credited: 0n,
    fee: 0n,
    statedAt: 5,
    updatedAt: 9,
    withdrawal: new Uint8Array(32),
  };
  const of = (change: Partial<Inbound>, depth = 1): ReturnType<typeof inboundReceipt> =>
    inboundReceipt({ ...inbound, ...change }, { genesis, params, depth });

  test("has a name for every status and a sentence for every reason", () => {
    for (const status of Object.values(inboundStatus))
      expect(inboundName(status)).not.toBe("unknown");
    for (const status of Object.values(withdrawalStatus))
      expect(withdrawalName(status)).not.toBe("unknown");
    for (const reason of Object.values(inboundReasons))
      expect(inboundReason(reason, params)).toMatch(/^[A-Z].*\.$/);
  });

  test("counts confirmations while it waits, and names what the owner must do", () => {
    expect(of({}).next).toBe("Confirmation 1 of 2.");
    expect(of({}, 0).next).toMatch(/mined again/);
    const held = { status: inboundStatus.held, reason: inboundReasons.bondLimit };
    expect(of(held).next).toMatch(/reclaim key/);
    expect(of({ ...held, chain: there.chain }).next).toBe("Credited when there is room.");
    const small = of({ status: inboundStatus.reclaim, reason: inboundReasons.belowMinimum });
    expect(small).toMatchObject({ status: "reclaim" });
    expect(small.reason).toMatch(/at least 10000 sats/);
    expect(small.next).toMatch(/reclaim key, 26280 blocks/);
    const done = of({ status: inboundStatus.minted, credited: 49_000n, fee: 1_000n });
    expect(done.next).toBe("");
    expect(done.steps.map(({ state }) => state)).toEqual(["stated", "credited"]);
  });

  test("of a forward goes on with its withdrawal's steps", () => {
    const withdrawal: Withdrawal = {
      source: new Uint8Array(32),
      asset: inbound.asset,
      amount: 49_000n,
      destination: there,
      maxFee: 900n,
      refund: new Uint8Array(32),
      status: withdrawalStatus.queued,
      reason: 0,
      plan: new Uint8Array(32),
      fee: 0n,
      ringFee: 0n,
      createdAt: 9,
      updatedAt: 9,
    };
    const onward = withdrawalReceipt(withdrawal, { params, position: 2, isBitcoin: false });
    expect(onward.next).toMatch(/^Position 3/);
    const whole = inboundReceipt(
      { ...inbound, status: inboundStatus.forwarded },
      { genesis, params, depth: 2 },
      onward,
    );
    expect(whole.steps.map(({ state }) => state)).toEqual(["stated", "forwarded", "queued"]);
    const short = { ...withdrawal, reason: withdrawalReasons.bondLimit };
    expect(withdrawalReceipt(short, { params, isBitcoin: false })).toMatchObject({
      reason: "The contract holds as much as the ring's bonds answer for.",
      next: "Planned when there is room.",
    });
    const claim = {
      ...withdrawal,
      status: withdrawalStatus.settled,
      reason: withdrawalReasons.claim,
    };
    expect(withdrawalReceipt(claim, { params, isBitcoin: false }).next).toMatch(/claim/);
  });
});
