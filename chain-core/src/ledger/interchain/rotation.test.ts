// Random lives of the bridge whose keys move again and again: the accounts stay exact at every block, no coin is lost or
// paid twice, and no queue stands still for ever (ACC-1, BTC-3, ETH-1, RNG-2).
import { must } from "@causeway/primitives";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isHandedOver } from "../../interchain/key-life.ts";
import { handoverFee } from "../../interchain/policy.ts";
import { account, createWorld, endBlock } from "./testing.ts";
import type { Life } from "./testing-life.ts";
import { createLife, endProblems, heal, problemsOf, rotatingMoves } from "./testing-life.ts";

function live(life: Life, steps: readonly number[]): void {
  for (const step of steps) {
    must(rotatingMoves[step], "move")(life);
    endBlock(life.world);
    expect(problemsOf(life)).toEqual([]);
  }
  heal(life, 60);
  expect(problemsOf(life)).toEqual([]);
}

const seeds = fc.integer();
const histories = fc.array(fc.integer({ min: 0, max: rotatingMoves.length - 1 }), {
  minLength: 30,
  maxLength: 90,
});

test("a random life with rotations ends with every coin in the newest vault and everybody paid once", () => {
  const property = fc.property(seeds, histories, (seed, steps) => {
    const life = createLife(createWorld(), seed);
    live(life, steps);
    expect(endProblems(life)).toEqual([]);
    const { state, genesis } = life.world;
    const old = life.keyIds.slice(0, -1).filter((keyId) => !isHandedOver(state, keyId));
    // What the reserve cannot pay for waits for the next fee.
    const isPoor = account(life.world).reserve < handoverFee(genesis.params, 1);
    expect(isPoor ? [] : old).toEqual([]);
  });
  fc.assert(property, { numRuns: 10, endOnFailure: true });
}, 60_000);
