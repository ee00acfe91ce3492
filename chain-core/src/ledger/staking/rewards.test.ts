import { must } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { economyOf } from "../economy.ts";
import { committeeAt, epochOf } from "../epoch/epochs.ts";
import { standings } from "../epoch/votes.ts";
import { testGenesis } from "../testing.ts";
import { poolOf, potOf } from "./pool.ts";
import { runEpochs, stakeWorld } from "./testing.ts";

const genesis = testGenesis(4, { epochMs: 10_000, lateVoteBps: 1_000 });

describe("the turn of an epoch (STK-3, CON-4)", () => {
  test("pays no more for late votes than their part, however many an epoch of one block brings", () => {
    const world = stakeWorld(genesis);
    const { state } = world;
    const { members } = must(committeeAt(state, 0), "committee");
    for (const { validator } of members)
      standings.put(state, validator, { included: 1_000, paid: 0, misses: [] });
    const { late, pot } = potOf(state);
    expect(late).toBeGreaterThan(0n);
    runEpochs(world, 1);
    expect(epochOf(state).number).toBe(1);
    for (const { validator } of members)
      expect(poolOf(state, validator).commission).toBe(late / BigInt(members.length));
    const pools = members.map(({ validator }) => poolOf(state, validator));
    const accrued = pools.reduce((sum, one) => sum + one.rewards + one.commission, 0n);
    expect(accrued).toBeLessThanOrEqual(pot);
    expect(potOf(state).pot + accrued).toBe(economyOf(state).rewards);
  });

  test("prices a late vote by all that the epoch could have had", () => {
    const world = stakeWorld(genesis);
    const { state } = world;
    const [one] = must(committeeAt(state, 0), "committee").members;
    const owner = must(one, "member").validator;
    standings.put(state, owner, { included: 3, paid: 1, misses: [] });
    world.height = 9;
    const { late } = potOf(state);
    runEpochs(world, 1);
    // Ten blocks of four votes, of which it added two that were not paid.
    expect(poolOf(state, owner).commission).toBe((late * 2n) / 40n);
  });
});
