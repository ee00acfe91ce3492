// Random lives of a vault, with reorganisations and gifts: whatever honest signers do costs nobody a bond, and a theft
// costs it once for each key, to the unit (RNG-7). LIABILITY_RUNS sets the number of histories.
import { must } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { vaultsOf } from "../../interchain/policy.ts";
import type { Coin } from "../../interchain/records.ts";
import { economyOf } from "../economy.ts";
import { isBalanced } from "../interchain/accounting.ts";
import { heldCoins } from "../interchain/coins.ts";
import type { Block, World } from "../interchain/testing.ts";
import {
  account,
  attest,
  bring,
  confirm,
  deposit,
  endBlock,
  mine,
  payment,
  runPlans,
  settle,
} from "../interchain/testing.ts";
import { evmOf, executedEvent, stateContract } from "../interchain/testing-evm.ts";
import { burn, coin, funded, p2wpkh } from "../interchain/testing-funded.ts";
import { custodies } from "./liability-records.ts";

/** `keys`: those under which something was stolen; `expected`: what the pool must hold. */
type Life = { readonly world: World; readonly keys: Set<number>; expected: bigint };

/** Four validators of equal stake. */
const stakeOfAll = 4_000_000_00000000n;
const pick = fc.nat(1_000);
const event = fc.oneof(
  fc.record({ kind: fc.constant("deposit" as const), amount: fc.bigInt(20_000n, coin) }),
  fc.record({ kind: fc.constant("burn" as const), amount: fc.bigInt(20_000n, coin / 2n) }),
  fc.record({ kind: fc.constant("plans" as const) }),
  fc.record({ kind: fc.constant("blocks" as const), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant("gift" as const) }),
  // Nothing at final depth is taken back: that is what final means.
  fc.record({ kind: fc.constant("undone theft" as const), pick }),
  fc.record({ kind: fc.constant("theft" as const), pick, count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant("message" as const), isSeen: fc.boolean() }),
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

/** Coins that nothing else spends, to a stranger, by the key path. */
function theftOf(world: World, from: number, count: number): [Uint8Array, number[]] | undefined {
  const all = heldCoins(world.state).map(({ coin: one }): Coin => one);
  if (all.length === 0) return undefined;
  const stolen = Array.from({ length: Math.min(count, all.length) }, (_, i) =>
    must(all[(from + i) % all.length], "coin"),
  );
  const script = new Uint8Array(0);
  const inputs = stolen.map(({ txid, vout }) => ({ txid, vout, script, sequence: 0xfffffffd }));
  const keys = stolen.map(({ keyId }) => keyId);
  return [payment(world, [{ amount: 1_000n, script: p2wpkh }], inputs), keys];
}

/** Mines it and, unless it is to be undone, brings it to final depth. */
function seen(world: World, transaction: Uint8Array): string | undefined {
  const block = mine(world, [transaction]);
  bring(world, block, mine(world), mine(world));
  const code = settle(world, block, transaction);
  endBlock(world);
  return code;
}

function expectForfeit(life: Life, keyIds: readonly number[]): void {
  for (const keyId of keyIds) {
    if (life.keys.has(keyId)) continue;
    life.keys.add(keyId);
    // Half of what is left behind each.
    life.expected += (stakeOfAll - life.expected) / 2n;
  }
}

function undone(world: World, transaction: Uint8Array): void {
  const fork: Block = world.tip;
  const block = mine(world, [transaction]);
  bring(world, block, mine(world));
  expect(settle(world, block, transaction)).toBe("too-shallow");
  endBlock(world);
  const branch = [mine(world, [], fork)];
  for (let i = 0; i < 3; i++) branch.push(mine(world));
  bring(world, ...branch);
  expect(settle(world, block, transaction)).toBe("unknown-block");
  endBlock(world);
}

function run(life: Life, of: Event): void {
  const { world } = life;
  switch (of.kind) {
    case "deposit": {
      const made = deposit(world, { amount: of.amount });
      const block = mine(world, [made.transaction]);
      bring(world, block);
      attest(world, [made.event(block)]);
      endBlock(world);
      return;
    }
    case "burn":
      if (!account(world).halted && account(world).supply > of.amount)
        burn(world, { amount: of.amount });
      endBlock(world);
      return;
    case "plans":
      runPlans(world);
      return;
    case "blocks":
      confirm(world, of.count);
      return;
    case "gift": {
      const { script } = must(vaultsOf(world.genesis, world.state)[0], "vault");
      expect(seen(world, payment(world, [{ amount: coin, script }]))).toBe("nothing-new");
      return;
    }
    case "undone theft": {
      const theft = theftOf(world, of.pick, 1);
      if (theft !== undefined) undone(world, theft[0]);
      return;
    }
    case "theft": {
      const theft = theftOf(world, of.pick, of.count);
      if (theft === undefined) return;
      expect(seen(world, theft[0])).toBeUndefined();
      expectForfeit(life, theft[1]);
      return;
    }
    case "message": {
      if (of.isSeen) stateContract(world);
      const isKnown = (custodies.get(world.state, 2)?.heldFrom ?? 0) > 0;
      const { chain } = evmOf(world);
      const code = attest(world, [executedEvent(world, 900 + world.serial)], { chain });
      expect(code).toBe(isKnown ? undefined : "not-stated");
      if (isKnown) expectForfeit(life, [2]);
      endBlock(world);
    }
  }
}

function check({ world, keys, expected }: Life): void {
  const { restitution, staked } = economyOf(world.state);
  expect(restitution).toBe(expected);
  expect(staked + restitution).toBe(stakeOfAll);
  for (const keyId of [1, 2])
    expect(custodies.get(world.state, keyId)?.isForfeited).toBe(keys.has(keyId));
  if (keys.size > 0) expect(account(world).halted).toBe(true);
  expect(isBalanced(account(world))).toBe(true);
}

describe("a random life of a vault (RNG-7)", () => {
  test("costs bonds for thefts at final depth, once a key, and for nothing else", () => {
    const stolen = new Set<number>();
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 12, size: "max" }), (events) => {
        const world = funded(2, { vaultCoins: 3 });
        const life: Life = { world, keys: new Set(), expected: 0n };
        check(life);
        for (const one of events) {
          run(life, one);
          check(life);
        }
        for (const keyId of life.keys) stolen.add(keyId);
      }),
      { numRuns: Number(process.env.LIABILITY_RUNS ?? 40) },
    );
    expect([...stolen].sort()).toEqual([1, 2]);
  }, 600_000);
});
