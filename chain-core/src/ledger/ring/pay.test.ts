// What the ring's seats earn of fees, when, and how it is paid: to the unit (ACC-1, ACC-2, RNG-3). PAY_RUNS sets the
// number of histories.
import { equal, must, seeded } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { currentKeys, heartbeats, keys } from "../../ring/records.ts";
import { btm } from "../assets.ts";
import { endBlock as ledgerEndBlock } from "../end-block.ts";
import { validatorStatus, validators } from "../epoch/validators.ts";
import { halt, isBalanced, move } from "../interchain/accounting.ts";
import type { World } from "../interchain/testing.ts";
import { account, act, contextOf, createWorld, endBlock, runPlans } from "../interchain/testing.ts";
import { burn, coin, funded } from "../interchain/testing-funded.ts";
import { createLife, moves, problemsOf } from "../interchain/testing-life.ts";
import { claimRule } from "../staking/payout-rules.ts";
import { outputs } from "../utxo/outputs.ts";
import { earnedBy, paySeats, shared } from "./pay.ts";

const ownersOf = (world: World): Uint8Array[] => world.genesis.validators.map(({ owner }) => owner);
const earned = (world: World): bigint[] =>
  ownersOf(world).map((owner) => earnedBy(world.state, owner)[0]?.amount ?? 0n);

/** Without inflation, so that fees are all there is to claim. */
const still = { issuanceMax: 0n };

/** Fees of `amount` came in: out of nothing's supply, so that the books stay in balance. */
function earn(world: World, amount: bigint): void {
  move(world.state, world.bbtc, { coins: amount, rewards: amount });
}

function claim(world: World, seat: number): string | undefined {
  const validator = must(ownersOf(world)[seat], "owner");
  return act(world, claimRule, { validator, delegator: validator, isDelegated: false });
}

/** What is under the owner's lock, of an asset. */
function heldBy(world: World, seat: number, asset: Uint8Array): bigint {
  const lock = must(ownersOf(world)[seat], "owner");
  const prefix = outputs.key({ txid: new Uint8Array(32), index: 0 }).subarray(0, 2);
  return [...world.state.entries()]
    .filter(({ key }) => equal(key.subarray(0, 2), prefix))
    .map(({ value }) => outputs.codec.decode(value))
    .filter((one) => equal(one.lock, lock) && equal(one.asset, asset))
    .reduce((sum, { amount }) => sum + amount, 0n);
}

describe("the ring's part of fees (ACC-2)", () => {
  test("is shared equally by the seats of all keys in use; what does not divide waits", () => {
    const world = createWorld(still);
    earn(world, 1_003n);
    paySeats(contextOf(world));
    // Four seats under each of two keys.
    expect(earned(world)).toEqual([250n, 250n, 250n, 250n]);
    earn(world, 5n);
    paySeats(contextOf(world));
    expect(earned(world)).toEqual([252n, 252n, 252n, 252n]);
    expect(shared.get(world.state, world.bbtc)?.amount).toBe(1_008n);
    expect(account(world).rewards).toBe(1_008n);
  });

  test("is shared as an epoch ends, and not before", () => {
    const world = createWorld({ ...still, epochMs: 10_000 });
    earn(world, 800n);
    ledgerEndBlock(contextOf(world), 0);
    expect(earned(world)).toEqual([0n, 0n, 0n, 0n]);
    world.time += 10_000;
    ledgerEndBlock(contextOf(world), 0);
    expect(earned(world)).toEqual([200n, 200n, 200n, 200n]);
  });

  test("is not a seat's that has not confirmed, is gone, or under a key that is not in use (RNG-3)", () => {
    const world = createWorld(still);
    const key = must(keys.get(world.state, 1), "key");
    const shares = key.shares.map((share, seat) => (seat === 1 ? new Uint8Array(33) : share));
    keys.put(world.state, 1, { ...key, shares });
    const gone = must(ownersOf(world)[2], "owner");
    const validator = must(validators.get(world.state, gone), "validator");
    validators.put(world.state, gone, { ...validator, status: validatorStatus.jailed });
    currentKeys.delete(world.state, must(world.genesis.evm[0], "EVM chain").chain);
    earn(world, 100n);
    paySeats(contextOf(world));
    expect(earned(world)).toEqual([50n, 0n, 0n, 50n]);
  });

  test("is, where rings have terms, a seat's whose signer shows life (RNG-2)", () => {
    const world = createWorld({ ...still, ringTermEpochs: 6 });
    const [ann, bea, cat] = ownersOf(world) as [Uint8Array, Uint8Array, Uint8Array];
    const { ringHeartbeatMs } = world.genesis.params;
    earn(world, 100n);
    paySeats(contextOf(world));
    expect(earned(world)).toEqual([0n, 0n, 0n, 0n]);
    for (const owner of [ann, bea]) heartbeats.put(world.state, owner, { at: world.time });
    heartbeats.put(world.state, cat, { at: world.time - ringHeartbeatMs - 1 });
    paySeats(contextOf(world));
    expect(earned(world)).toEqual([50n, 50n, 0n, 0n]);
  });

  test("is claimed by the owner once, with what else it has; not while the asset is halted", () => {
    const world = createWorld(still);
    expect(claim(world, 0)).toBe("no-rewards");
    earn(world, 800n);
    paySeats(contextOf(world));
    const own = btm(world.genesis);
    const before = [heldBy(world, 0, own), heldBy(world, 0, world.bbtc)];
    expect(claim(world, 0)).toBeUndefined();
    expect([heldBy(world, 0, own), heldBy(world, 0, world.bbtc)]).toEqual([
      before[0],
      (before[1] ?? 0n) + 200n,
    ]);
    expect(account(world)).toMatchObject({ supply: 200n, rewards: 600n });
    expect(claim(world, 0)).toBe("no-rewards");
    halt(world.state, world.bbtc);
    expect(claim(world, 1)).toBe("no-rewards");
    expect(earned(world)).toEqual([0n, 200n, 200n, 200n]);
  });

  test("comes from deposits and withdrawals once they cannot come back", () => {
    const world = funded(2);
    const before = account(world).rewards;
    expect(before).toBeGreaterThan(0n);
    burn(world, { amount: coin });
    endBlock(world);
    expect(account(world).rewards).toBe(before);
    runPlans(world);
    expect(account(world).rewards).toBeGreaterThan(before);
    expect(isBalanced(account(world))).toBe(true);
  });
});

describe("a random life of the bridge with seats that are paid (ACC-1)", () => {
  test("keeps the books to the unit, and pays no more than came in", () => {
    let claimed = 0n;
    fc.assert(
      fc.property(fc.nat(1_000_000), (seed) => {
        const world = createWorld({ loanLimit: 300_000_000n });
        const life = createLife(world, seed);
        const random = seeded(seed + 1);
        for (let step = 0; step < 60; step++) {
          random.pick(moves)(life);
          if (random.chance(0.15)) paySeats(contextOf(world));
          if (random.chance(0.1)) {
            const before = account(world).rewards;
            claim(world, random.below(4));
            claimed += before - account(world).rewards;
          }
          endBlock(world);
          expect(problemsOf(life)).toEqual([]);
          const sum = earned(world).reduce((all, one) => all + one, 0n);
          expect(shared.get(world.state, world.bbtc)?.amount ?? 0n).toBe(sum);
          expect(account(world).rewards).toBeGreaterThanOrEqual(sum);
        }
      }),
      { numRuns: Number(process.env.PAY_RUNS ?? 40) },
    );
    expect(claimed).toBeGreaterThan(0n);
  });
});
