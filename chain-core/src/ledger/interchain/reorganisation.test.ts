import { describe, expect, test } from "vitest";
import { coinStatus, coins, outpoint } from "../../interchain/records.ts";
import { isBalanced } from "./accounting.ts";
import {
  account,
  attest,
  bring,
  confirm,
  createWorld,
  deposit,
  endBlock,
  mine,
  mineMany,
  runPlans,
} from "./testing.ts";
import { assertSound, creditOf, deposited, inboundOf } from "./testing-inbound.ts";

const half = 50_000_000n;

describe("A reorganisation", () => {
  test("below the depth drops the deposit, and mined again it is credited once", () => {
    const world = createWorld();
    const fork = world.tip;
    const made = deposit(world, { amount: half });
    const block = mine(world, [made.transaction]);
    bring(world, block);
    attest(world, [made.event(block)]);
    endBlock(world);
    bring(world, mine(world, [], fork), mine(world));
    endBlock(world);
    expect(account(world).coins).toBe(0n);
    const again = mine(world, [made.transaction]);
    bring(world, again);
    expect(attest(world, [made.event(again)])).toBeUndefined();
    confirm(world, 3);
    expect(account(world).coins).toBe(half);
    expect(inboundOf(world, made.event(again))?.candidates.length).toBe(2);
    assertSound(world);
  });

  test("that takes a credited coin is paid by the reserve and halts; the coin that returns refills it", () => {
    const world = createWorld();
    const fork = world.tip;
    const made = deposited(world, { amount: half });
    attest(world, [made.stated]);
    confirm(world, 1);
    const before = account(world);
    expect(before.coins).toBe(half);
    const branch = [mine(world, [], fork)];
    for (let i = 0; i < 3; i++) branch.push(mine(world));
    bring(world, ...branch);
    endBlock(world);
    const gone = account(world);
    expect(gone).toMatchObject({ coins: 0n, reserve: 0n, unswept: 0n, supply: before.supply });
    expect(gone.deficit).toBe(half - before.reserve);
    expect(isBalanced(gone)).toBe(true);
    const again = mine(world, [made.transaction]);
    bring(world, again);
    expect(attest(world, [made.event(again)])).toBeUndefined();
    endBlock(world);
    expect(account(world)).toEqual(before);
    expect(creditOf(world, made.stated)?.amount).toBe(before.supply);
    confirm(world, 4);
    runPlans(world);
    expect(account(world).supply).toBe(before.supply);
    assertSound(world);
  });

  test("back to the first branch gives the same coin its old block again", () => {
    const world = createWorld();
    const fork = world.tip;
    const made = deposited(world, { amount: half });
    attest(world, [made.stated]);
    confirm(world, 1);
    const tip = world.tip;
    const branch = [mine(world, [], fork)];
    for (let i = 0; i < 2; i++) branch.push(mine(world));
    bring(world, ...branch);
    endBlock(world);
    expect(account(world).coins).toBe(0n);
    bring(world, mine(world, [], tip), mineMany(world, 1));
    const name = outpoint(made.stated.txid, 0);
    endBlock(world);
    expect(coins.get(world.state, name)?.status).not.toBe(coinStatus.missing);
    expect(account(world).coins).toBe(half);
    assertSound(world);
  });

  test("that mines a credited deposit again, all within one block of the ledger, changes nothing", () => {
    const world = createWorld();
    const fork = world.tip;
    const made = deposited(world, { amount: half });
    attest(world, [made.stated]);
    confirm(world, 1);
    const before = account(world);
    const again = mine(world, [made.transaction], fork);
    bring(world, again, mine(world), mine(world));
    expect(attest(world, [made.event(again)])).toBeUndefined();
    endBlock(world);
    expect(account(world)).toEqual(before);
    expect(coins.get(world.state, outpoint(made.stated.txid, 0))?.blockHash).toEqual(again.hash);
    assertSound(world);
  });
});
