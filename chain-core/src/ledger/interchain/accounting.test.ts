import { keyOf, must } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  agenda,
  inboundStatus,
  inbounds,
  listNames,
  planStatus,
  plans,
  withdrawalStatus,
  withdrawals,
} from "../../interchain/records.ts";
import { eventIdOf } from "../../interchain/statement.ts";
import { listOf } from "./accounting.ts";
import { interchainEndBlock } from "./end-block.ts";
import { bitcoinTip } from "./header-chain.ts";
import type { World } from "./testing.ts";
import { attest, bring, contextOf, createWorld, deposit, endBlock, mine } from "./testing.ts";
import { createLife, heal, moves, problemsOf } from "./testing-life.ts";

describe("A random life of the bridge", () => {
  test("keeps ACC-1 to the unit, the loan within E, and credits and pays once", () => {
    const property = fc.property(
      fc.integer(),
      fc.array(fc.integer({ min: 0, max: moves.length - 1 }), { minLength: 20, maxLength: 60 }),
      fc.constantFrom(0n, 350_000_000n, 1_000_000_000n),
      (seed, steps, loanLimit) => {
        const world = createWorld({ loanLimit });
        const life = createLife(world, seed);
        for (const step of steps) {
          must(moves[step], "move")(life);
          endBlock(world);
          expect(problemsOf(life)).toEqual([]);
        }
        heal(life);
        expect(problemsOf(life)).toEqual([]);
        for (const one of life.made) {
          const block = life.chain.find(({ transactions }) =>
            transactions.includes(one.transaction),
          );
          if (block === undefined) continue;
          const id = eventIdOf(
            world.genesis.networkId,
            world.genesis.bitcoin.chain,
            one.event(block),
          );
          const inbound = id instanceof Uint8Array ? inbounds.get(world.state, id) : undefined;
          if (inbound === undefined || inbound.status !== inboundStatus.waiting) continue;
          const deep = bitcoinTip(world.genesis, world.state).height - block.height > 12;
          const isStated = inbound.candidates.some(
            ({ blockHash }) => keyOf(blockHash) === keyOf(block.hash),
          );
          expect(deep && isStated).toBe(false);
        }
        expect(agenda.get(world.state, "only")?.due ?? false).toBe(false);
      },
    );
    fc.assert(property, { numRuns: 25 });
  });

  test("changes nothing at the end of a quiet block (CON-1)", () => {
    const world = createWorld();
    const made = deposit(world, { amount: 40_000_000n });
    const block = mine(world, [made.transaction]);
    bring(world, block);
    attest(world, [made.event(block)]);
    endBlock(world);
    const before = [...world.state.entries()].map(({ key, value }) => keyOf(key) + keyOf(value));
    interchainEndBlock(contextOf(world));
    const after = [...world.state.entries()].map(({ key, value }) => keyOf(key) + keyOf(value));
    expect(after).toEqual(before);
  });

  test("pays each withdrawal in at most one live plan", () => {
    const world = createWorld();
    const life = createLife(world, 7);
    const paid = new Map<string, string>();
    for (let i = 0; i < 300; i++) {
      must(moves[life.random.below(moves.length)], "move")(life);
      endBlock(world);
      for (const id of listOf(world.state, listNames.plans)) {
        const plan = must(plans.get(world.state, id), "plan");
        for (const one of plan.withdrawals) {
          const before = paid.get(keyOf(one));
          const dead = before !== undefined && isDead(world, before);
          expect(before === undefined || before === keyOf(id) || dead).toBe(true);
          paid.set(keyOf(one), keyOf(id));
          expect(withdrawals.get(world.state, one)?.status).not.toBe(withdrawalStatus.queued);
        }
      }
    }
    expect(paid.size).toBeGreaterThan(3);
  });
});

function isDead(world: World, id: string): boolean {
  const bytes = Uint8Array.from(id.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return plans.get(world.state, bytes)?.status === planStatus.dead;
}
