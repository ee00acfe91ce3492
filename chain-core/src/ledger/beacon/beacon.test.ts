// An epoch of the beacon on the ledger, with real walks of a few hundred steps.
import { bytes32, equal, keyOf, must } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import type { Contribution, PostedSegment } from "../../beacon/contribution.ts";
import { beaconField, decodeElement, encodeElement } from "../../beacon/field.ts";
import { nextSeed } from "../../beacon/output.ts";
import type { Puzzle } from "../../beacon/seqpow.ts";
import { firstStep, search, shareDigest, startOf } from "../../beacon/seqpow.ts";
import { advance } from "../../beacon/sloth.ts";
import { roles } from "../../codec/transaction.ts";
import { blockContext } from "../context.ts";
import { ledgerEnv } from "../env.ts";
import { committeeAt, epochOf } from "../epoch/epochs.ts";
import { epochEndBlock } from "../epoch/turn.ts";
import { tombstone } from "../epoch/validators.ts";
import { genesisState } from "../genesis-state.ts";
import { memoryState } from "../memory-state.ts";
import type { ActionContext } from "../rule.ts";
import type { AnyRule } from "../rules.ts";
import { poolOf } from "../staking/pool.ts";
import { testBls, testGenesis, testHash, validatorSecret } from "../testing.ts";
import {
  beaconEndBlock,
  delayOrder,
  newestOutput,
  outputs,
  proposerOrder,
  roundOf,
  seeded,
  stages,
} from "./round.ts";
import { contributionRule, segmentRule } from "./rules.ts";

const genesis = testGenesis(4, {
  epochMs: 60_000,
  beaconWindowMs: 2_000,
  beaconDifficulty: 512,
  beaconSegments: 3,
  beaconSegmentSteps: 300,
  beaconTurnMs: 1_000,
});
const env = ledgerEnv(genesis, testBls);

function createWorld() {
  const state = memoryState(genesisState(genesis));
  let height = 0;
  let time = genesis.time;
  const context = (sender = 0): ActionContext => ({
    ...blockContext(env, state, { height, time }),
    txid: testHash(genesis.networkId, height),
    position: 0,
    sender: { validator: must(genesis.validators[sender], "validator").owner, role: roles.relay },
  });
  const act = (rule: AnyRule, body: unknown, sender = 0): string | undefined => {
    const bad = rule.validate(context(sender), body);
    if (bad === undefined) rule.apply(context(sender), body);
    return bad?.code;
  };
  /** The end of a block after `ms`. */
  const wait = (ms: number): void => {
    height += 1;
    time += ms;
    beaconEndBlock(context());
    epochEndBlock(context());
  };
  return { state, act, wait, context };
}
type World = ReturnType<typeof createWorld>;

/** The secret of the seat's validator, wherever the beacon has put it. */
function secretOf(state: World["state"], epoch: number, seat: number): Uint8Array {
  const { validator } = must(must(committeeAt(state, epoch), "committee").members[seat], "member");
  const place = genesis.validators.findIndex(({ owner }) => equal(owner, validator));
  return validatorSecret(place, "consensusKey");
}

function solve({ state }: World, seat: number): Contribution {
  const round = roundOf(state);
  const { network, epoch, seed } = seeded(genesis, round);
  const share = testBls.sign(secretOf(state, epoch, seat), shareDigest(network, epoch, seed));
  const start = startOf(network, seed, share);
  const puzzle: Puzzle = { field: beaconField, network, start, difficulty: round.difficulty };
  const { status, walk } = search(puzzle, firstStep(puzzle), 10_000);
  expect(status).toBe("solved");
  const solution = encodeElement(beaconField, walk.value);
  return { epoch, seat, share, solution, steps: walk.index };
}

function walkSegment({ state }: World, wrong = 0): PostedSegment {
  const { epoch, next, end, segmentSteps } = roundOf(state);
  const value = must(decodeElement(beaconField, end), "element");
  const walk = advance(beaconField, { index: next * segmentSteps, value }, segmentSteps + wrong);
  return { epoch, index: next, end: encodeElement(beaconField, walk.value) };
}

/** The validator whose turn the next segment is. */
function poster({ state }: World): number {
  const round = roundOf(state);
  const order = delayOrder(genesis, round, 4);
  const seat = must(order[round.next % 4], "seat");
  const { validator } = must(must(committeeAt(state, round.epoch), "committee").members[seat], "m");
  return genesis.validators.findIndex(({ owner }) => equal(owner, validator));
}

describe("the beacon of an epoch (BCN)", () => {
  test("takes contributions, closes, is delayed, has an output, and orders the epoch after the next", () => {
    const world = createWorld();
    const { state, act, wait } = world;
    for (const seat of [2, 0, 3]) expect(act(contributionRule, solve(world, seat))).toBeUndefined();
    const early = walkSegment(world);
    expect(act(segmentRule, early)).toBe("wrong-stage");
    wait(2_000);
    expect(roundOf(state)).toMatchObject({ stage: stages.delay, next: 0 });
    for (let index = 0; index < 3; index++) {
      expect(newestOutput(state)).toBeUndefined();
      const posted = walkSegment(world);
      expect(act(segmentRule, posted, (poster(world) + 1) % 4)).toBe("not-your-turn");
      expect(act(segmentRule, posted, poster(world))).toBeUndefined();
      expect(act(segmentRule, posted, poster(world))).toMatch(/wrong-s/);
      wait(500);
    }
    const round = roundOf(state);
    const output = bytes32(must(outputs.get(state, 0), "output").output);
    expect(round.stage).toBe(stages.closed);
    const before = genesis.validators.map(({ owner }) => poolOf(state, owner).commission);
    wait(60_000);
    expect(epochOf(state).number).toBe(1);
    expect(roundOf(state).seed).toEqual(nextSeed(seeded(genesis, round), output));
    const order = proposerOrder(state, genesis, 2, 4);
    const owners = (epoch: number): string[] =>
      must(committeeAt(state, epoch), "committee").members.map(({ validator }) => keyOf(validator));
    expect(owners(2)).toEqual(order.map((i) => owners(1)[i]));
    // Who contributed was paid, and nobody else.
    const paid = genesis.validators.map(
      ({ owner }, i) => poolOf(state, owner).commission > must(before[i], "commission"),
    );
    expect(paid).toEqual([true, false, true, true]);
  });

  test("without a third of the power has no output, and the chain goes on with a seed", () => {
    const world = createWorld();
    const { state, act, wait } = world;
    expect(act(contributionRule, solve(world, 1))).toBeUndefined();
    wait(2_001);
    const round = roundOf(state);
    expect(round.stage).toBe(stages.closed);
    wait(60_000);
    expect(outputs.get(state, 0)).toBeUndefined();
    expect(roundOf(state)).toMatchObject({
      epoch: 1,
      stage: stages.window,
      seed: nextSeed(seeded(genesis, round), undefined),
    });
    expect(committeeAt(state, 2)?.members).toEqual(committeeAt(state, 1)?.members);
  });

  test("whose delay is not posted in time has no output", () => {
    const world = createWorld();
    const { state, act, wait } = world;
    for (const seat of [0, 1]) act(contributionRule, solve(world, seat));
    wait(2_000);
    act(segmentRule, walkSegment(world), poster(world));
    wait(60_000);
    expect(outputs.get(state, 0)).toBeUndefined();
    expect(roundOf(state)).toMatchObject({ epoch: 1, stage: stages.window, next: 0 });
  });

  test("lets the next in order post after a time-out, and nobody loses the turn", () => {
    const world = createWorld();
    const { state, act, wait } = world;
    for (const seat of [0, 1, 2]) act(contributionRule, solve(world, seat));
    wait(2_000);
    const first = poster(world);
    const order = delayOrder(genesis, roundOf(state), 4);
    const second = must(order[1], "seat");
    const posted = walkSegment(world);
    expect(act(segmentRule, posted, second)).toBe("not-your-turn");
    wait(1_000);
    expect(act(segmentRule, posted, second)).toBeUndefined();
    expect(first).not.toBe(second);
  });

  test("refuses what is late, repeated, not first, wrong by one, or of nobody, and changes nothing", () => {
    const world = createWorld();
    const { state, act, wait } = world;
    const good = solve(world, 0);
    const refused = (change: Partial<Contribution>, code: string): void => {
      const before = roundOf(state);
      expect(act(contributionRule, { ...good, ...change })).toBe(code);
      expect(roundOf(state)).toEqual(before);
    };
    refused({ epoch: 1 }, "wrong-epoch");
    refused({ seat: 9 }, "bad-seat");
    refused({ seat: 1 }, "bad-share");
    refused({ steps: good.steps + 1 }, "bad-steps");
    const value = must(decodeElement(beaconField, good.solution), "value");
    refused({ solution: encodeElement(beaconField, beaconField.p - value) }, "no-solution");
    refused({ solution: new Uint8Array(66).fill(255) }, "bad-element");
    expect(act(contributionRule, good)).toBeUndefined();
    refused({}, "repeated-contribution");
    const { owner } = must(genesis.validators[2], "validator");
    const third = solve(world, 2);
    tombstone(state, owner, { epoch: 0, height: 0 });
    expect(act(contributionRule, third)).toBe("bad-seat");
    act(contributionRule, solve(world, 1));
    wait(2_000);
    expect(act(contributionRule, solve(world, 3))).toBe("wrong-stage");
    const posting = poster(world) === 2 ? 3 : poster(world);
    wait(5_000);
    expect(act(segmentRule, walkSegment(world, 1), posting)).toBe("wrong-walk");
    expect(act(segmentRule, { ...walkSegment(world), index: 1 }, posting)).toBe("wrong-segment");
    expect(act(segmentRule, walkSegment(world), 2)).toBe("not-your-turn");
    expect(roundOf(state).next).toBe(0);
    expect(act(segmentRule, walkSegment(world), posting)).toBeUndefined();
  });
});
