// Who answers with stake for a key of the ring, how long it stays, and what a forfeit reaches (RNG-7).
import type { Bytes32 } from "@causeway/primitives";
import { must } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { currentKeys } from "../../ring/records.ts";
import { economyOf } from "../economy.ts";
import { delegationOf } from "../staking/delegation.ts";
import { liableEpochsMax } from "../staking/fixed.ts";
import { withdrawRule } from "../staking/payout-rules.ts";
import { poolOf } from "../staking/pool.ts";
import { slashesOf } from "../staking/punish.ts";
import { movesOf } from "../staking/redelegation.ts";
import { delegateRule, redelegateRule, undelegateRule } from "../staking/stake-rules.ts";
import type { StakeWorld } from "../staking/testing.ts";
import { act, contextOf, runEpochs, stakeWorld } from "../staking/testing.ts";
import { exitPools } from "../staking/unbonding.ts";
import { testGenesis, testLock } from "../testing.ts";
import { bondOf, forfeit, noteCustody } from "./liability.ts";
import { answersOf, custodies, holdersOf, liableKeysOf } from "./liability-records.ts";
import { holdKey } from "./liability-testing.ts";

const coin = 1_00000000n;
const stake = 1_000_000n * coin;
const genesis = testGenesis(4, {
  seats: 4,
  epochMs: 10_000,
  unbondingMs: 30_000,
  issuanceMax: 0n,
  ringBondBps: 4_000,
});
const owners = genesis.validators.map(({ owner }) => owner);
const [ann, bea, cat] = owners as [Bytes32, Bytes32, Bytes32, ...Bytes32[]];
const alice = testLock("alice");
const to = (validator: Uint8Array, amount: bigint): unknown => ({
  delegator: alice,
  validator,
  amount,
});
const move = (from: Uint8Array, target: Uint8Array, amount: bigint): unknown => ({
  delegator: alice,
  from,
  to: target,
  amount,
});
const exit = (validator: Uint8Array, epoch: number): unknown => ({
  delegator: alice,
  validator,
  epoch,
});

const load = (world: StakeWorld, ...keyIds: number[]): void =>
  noteCustody(contextOf(world), new Set(keyIds));

/** Alice has 100 BTM behind Ann, who holds key 1, and Bea, who does not. */
function world(): StakeWorld {
  const made = stakeWorld(genesis);
  expect(act(made, delegateRule, to(ann, 100n * coin))).toBe(undefined);
  holdKey(contextOf(made), 1, [ann, cat, ann]);
  return made;
}

describe("stake behind a seat (RNG-7)", () => {
  test("leaves when the key has held no credited value for the whole delay", () => {
    const of = world();
    load(of, 1);
    expect(act(of, undelegateRule, to(ann, 10n * coin))).toBe(undefined);
    runEpochs(of, 10);
    expect(act(of, withdrawRule, exit(ann, 0))).toBe("bonded-by-ring");
    load(of);
    runEpochs(of, 2);
    expect(act(of, withdrawRule, exit(ann, 0))).toBe("bonded-by-ring");
    runEpochs(of, 2);
    expect(act(of, withdrawRule, exit(ann, 0))).toBe(undefined);
  });

  test("is not bound by a key that never held any, nor by one of others, nor where there are no bonds", () => {
    const of = world();
    expect(act(of, delegateRule, to(bea, coin))).toBe(undefined);
    holdKey(contextOf(of), 2, [cat]);
    for (const validator of [ann, bea])
      expect(act(of, undelegateRule, to(validator, coin))).toBe(undefined);
    load(of, 2);
    runEpochs(of, 10);
    for (const validator of [ann, bea])
      expect(act(of, withdrawRule, exit(validator, 0))).toBe(undefined);
    const params = { ...genesis.params, ringBondBps: 0 };
    expect(forfeit({ ...contextOf(of), params }, 1)).toBe(0n);
  });

  test("is not bound by a key that its validator got after it had left", () => {
    const of = world();
    expect(act(of, undelegateRule, to(ann, coin))).toBe(undefined);
    runEpochs(of, 2);
    holdKey(contextOf(of), 2, [ann]);
    load(of, 2);
    runEpochs(of, 10);
    expect(act(of, withdrawRule, exit(ann, 0))).toBe(undefined);
  });

  test("that moved on to another validator is as bound, and is followed there", () => {
    const of = world();
    load(of, 1);
    expect(act(of, redelegateRule, move(ann, bea, 50n * coin))).toBe(undefined);
    runEpochs(of, 10);
    expect(act(of, undelegateRule, to(bea, 0n))).toBe("locked");
    expect(forfeit(contextOf(of), 1)).toBe((4n * (2n * stake + 100n * coin)) / 10n);
    expect(delegationOf(of.state, { validator: bea, delegator: alice }).shares).toBe(30n * coin);
    expect(poolOf(of.state, bea).tokens).toBe(stake + 30n * coin);
    expect(act(of, undelegateRule, to(bea, 0n))).toBe(undefined);
  });

  test("answers for 128 epochs at most, and no longer waits for what no slash would take", () => {
    const of = world();
    load(of, 1);
    expect(act(of, undelegateRule, to(ann, 10n * coin))).toBe(undefined);
    expect(act(of, redelegateRule, move(ann, bea, 50n * coin))).toBe(undefined);
    runEpochs(of, liableEpochsMax + 1);
    expect(movesOf(of.state, { validator: ann, epoch: 0 }).length).toBe(1);
    expect(act(of, withdrawRule, exit(ann, 0))).toBe("bonded-by-ring");
    const before = must(exitPools.get(of.state, { validator: ann, epoch: 0 }), "exit pool");
    expect(before.tokens).toBe(10n * coin);
    runEpochs(of, 1);
    expect(act(of, withdrawRule, exit(ann, 0))).toBe(undefined);
    expect(act(of, undelegateRule, to(bea, 0n))).toBe(undefined);
  });
});

describe("a forfeit (RNG-7)", () => {
  test("takes the bond of each who has or had a share, wherever it is, to the restitution pool, once", () => {
    const of = world();
    load(of, 1);
    expect(act(of, undelegateRule, to(ann, 10n * coin))).toBe(undefined);
    holdKey(contextOf(of), 1, [cat, bea]);
    runEpochs(of, 2);
    expect(bondOf(contextOf(of), 1)).toBe((4n * (3n * stake + 90n * coin)) / 10n);
    const due = (4n * (3n * stake + 100n * coin)) / 10n;
    expect(forfeit(contextOf(of), 1)).toBe(due);
    expect(economyOf(of.state)).toMatchObject({ restitution: due, burnt: 0n });
    expect(exitPools.get(of.state, { validator: ann, epoch: 0 })?.tokens).toBe(6n * coin);
    for (const owner of [ann, bea, cat])
      expect(slashesOf(of.state, owner)).toMatchObject([{ cause: 4, bps: 4_000 }]);
    expect(forfeit(contextOf(of), 1)).toBe(0n);
    expect(economyOf(of.state).restitution).toBe(due);
    expect(bondOf(contextOf(of), 1)).toBe(0n);
  });

  test("asks nobody who was released: a former holder of a key that stood empty for the delay", () => {
    const of = world();
    load(of, 1);
    holdKey(contextOf(of), 1, [bea]);
    runEpochs(of, 5);
    expect(holdersOf(of.state, 1)).toEqual([ann, cat, bea]);
    load(of);
    currentKeys.put(of.state, new Uint8Array(32), { keyId: 1 });
    runEpochs(of, 4);
    expect(holdersOf(of.state, 1)).toEqual([ann, cat, bea]);
    currentKeys.put(of.state, new Uint8Array(32), { keyId: 2 });
    runEpochs(of, 1);
    expect(holdersOf(of.state, 1)).toEqual([bea]);
    expect(answersOf(of.state, ann)).toEqual([]);
    expect(forfeit(contextOf(of), 1)).toBe((4n * stake) / 10n);
  });

  test("of a retired key that stood empty has nobody left, and nothing is kept of it", () => {
    const of = world();
    holdKey(contextOf(of), 1, [ann], false);
    runEpochs(of, 4);
    expect([liableKeysOf(of.state), custodies.get(of.state, 1)]).toEqual([[], undefined]);
    expect(forfeit(contextOf(of), 1)).toBe(0n);
  });
});
