// What a slash reaches (STK-2): all that backed the validator in the epoch of the offence, wherever it is now.
import type { Bytes32 } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { economyOf, moveEconomy, supplyOf } from "../economy.ts";
import { testGenesis, testLock } from "../testing.ts";
import { delegationOf } from "./delegation.ts";
import { withdrawRule } from "./payout-rules.ts";
import { poolOf } from "./pool.ts";
import { causes, slash, slashesOf } from "./punish.ts";
import { delegateRule, redelegateRule, stakeView, undelegateRule } from "./stake-rules.ts";
import type { StakeWorld } from "./testing.ts";
import { act, contextOf, runEpochs, stakeWorld } from "./testing.ts";
import { exitValue } from "./unbonding.ts";

const coin = 1_00000000n;
const genesis = testGenesis(4, {
  seats: 4,
  epochMs: 10_000,
  unbondingMs: 1_000_000,
  issuanceMax: 0n,
});
const [ann, bea] = genesis.validators.map(({ owner }) => owner) as [Bytes32, Bytes32, ...Bytes32[]];
const alice = testLock("alice");

function done(of: StakeWorld, rule: Parameters<typeof act>[1], body: unknown): void {
  expect(act(of, rule, body)).toBe(undefined);
}
const to = (validator: Uint8Array, amount: bigint): unknown => ({
  delegator: alice,
  validator,
  amount,
});
const move = (amount: bigint): unknown => ({ delegator: alice, from: ann, to: bea, amount });
const view = (of: StakeWorld, validator: Uint8Array): ReturnType<typeof stakeView> =>
  stakeView(contextOf(of), { validator, delegator: alice });
const exit = (of: StakeWorld, epoch: number): bigint =>
  exitValue(of.state, { validator: ann, epoch, delegator: alice });

/** A tenth; the amount is burnt. */
function slashTenth(of: StakeWorld, epoch: number): bigint {
  const taken = slash(contextOf(of), ann, { epoch, cause: causes.doubleSign, bps: 1_000 });
  moveEconomy(of.state, { burnt: taken });
  return taken;
}

describe("a slash", () => {
  test("reaches bonded, unbonding and redelegated stake of the offence's epoch, to the unit", () => {
    const of = stakeWorld(genesis);
    done(of, delegateRule, to(ann, 600n * coin));
    runEpochs(of, 2);
    done(of, undelegateRule, to(ann, 100n * coin));
    done(of, redelegateRule, move(200n * coin));
    const own = poolOf(of.state, ann).tokens;
    const before = economyOf(of.state);
    const taken = slashTenth(of, 2);
    expect(taken).toBe(own / 10n + 10n * coin + 20n * coin);
    expect(view(of, ann).value).toBe(270n * coin);
    expect(exit(of, 2)).toBe(90n * coin);
    expect(view(of, bea).value).toBe(180n * coin);
    const after = economyOf(of.state);
    expect(supplyOf(before) - supplyOf(after)).toBe(taken);
    expect(before.unbonding - after.unbonding).toBe(10n * coin);
    expect(before.staked - after.staked).toBe(taken - 10n * coin);
    expect(slashesOf(of.state, ann)).toMatchObject([
      { epoch: 2, cause: causes.doubleSign, bps: 1_000, amount: taken },
    ]);
  });

  test("does not reach who had left when the committee of the offence's epoch was fixed", () => {
    const of = stakeWorld(genesis);
    done(of, delegateRule, to(ann, 600n * coin));
    done(of, undelegateRule, to(ann, 100n * coin));
    done(of, redelegateRule, move(200n * coin));
    runEpochs(of, 1);
    done(of, undelegateRule, to(ann, 50n * coin));
    runEpochs(of, 1);
    slashTenth(of, 2);
    // Left in epoch 0: the set of epoch 2 was fixed at its end. Left in epoch 1: it was counted.
    expect([exit(of, 0), exit(of, 1), view(of, bea).value]).toEqual([
      100n * coin,
      45n * coin,
      200n * coin,
    ]);
    slashTenth(of, 1);
    expect([exit(of, 0), exit(of, 1), view(of, bea).value]).toEqual([
      90n * coin,
      (405n * coin) / 10n,
      180n * coin,
    ]);
  });

  test("leaves other delegators of the second validator whole", () => {
    const of = stakeWorld(genesis);
    const other = poolOf(of.state, bea).tokens;
    done(of, delegateRule, to(ann, 200n * coin));
    done(of, redelegateRule, move(200n * coin));
    slashTenth(of, 0);
    const own = { validator: bea, delegator: bea };
    expect(stakeView(contextOf(of), own).value).toBe(other);
    expect(poolOf(of.state, bea).tokens).toBe(other + 180n * coin);
    // What is left of it is still bound.
    expect(delegationOf(of.state, { validator: bea, delegator: alice }).locked).toBe(180n * coin);
    expect(act(of, undelegateRule, to(bea, coin))).toBe("locked");
  });

  test("of one that is slashed twice takes a part of what is left; a withdrawal pays that", () => {
    const of = stakeWorld({ ...genesis, params: { ...genesis.params, unbondingMs: 15_000 } });
    done(of, delegateRule, to(ann, 100n * coin));
    done(of, undelegateRule, to(ann, 100n * coin));
    slashTenth(of, 0);
    slashTenth(of, 0);
    expect(exit(of, 0)).toBe(81n * coin);
    runEpochs(of, 4);
    const { unbonding } = economyOf(of.state);
    done(of, withdrawRule, { delegator: alice, validator: ann, epoch: 0 });
    expect(unbonding - economyOf(of.state).unbonding).toBe(81n * coin);
  });
});
