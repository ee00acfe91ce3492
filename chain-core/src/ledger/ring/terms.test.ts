// Terms of the ring on a ledger: elections, generation by the elected ring, resharing to it.
import { equal, must } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { drawRing } from "../../beacon/elect.ts";
import { lastCreditOf } from "../../interchain/key-life.ts";
import {
  activeKeys,
  ceremonies,
  ceremonyStages,
  currentKeys,
  deals,
  draws,
  electionStates,
  electorates,
  keys,
  nextKeys,
  openCeremonies,
  purposes,
  reshares,
  rings,
  terms,
} from "../../ring/records.ts";
import { validators } from "../epoch/validators.ts";
import { pools } from "../staking/pool.ts";
import { testGenesis, testHash } from "../testing.ts";
import type { RingWorld } from "./testing.ts";
import {
  beat,
  ceremony,
  endOfBlock,
  finish,
  ringWorld,
  sendDeal,
  setStatus,
  turnEpoch,
} from "./testing.ts";

const size = 6;
const terming = {
  ringSeats: 4,
  ringTermEpochs: 4,
  ringRetireTerms: 2,
  epochMs: 10_000,
  seats: 6,
  ringHeartbeatMs: 60_000,
  unbondingMs: 20_000,
};
const genesis = testGenesis(size, terming);
const [bitcoin, evm] = [genesis.bitcoin.chain, must(genesis.evm[0], "chain").chain];

/** A ledger whose genesis ring has made both keys. */
function begun(of = genesis): RingWorld {
  const world = ringWorld(of);
  endOfBlock(world);
  for (const keyId of [1, 2]) finish(world, keyId);
  return world;
}

const termOf = (world: RingWorld): number => must(terms.get(world.state, "only"), "terms").term;
const open = (world: RingWorld) => openCeremonies.get(world.state, "only")?.keyIds;

function turnTo(world: RingWorld, term: number): void {
  for (let i = 0; i < 20 && termOf(world) < term; i++) turnEpoch(world);
}

describe("a term (RNG-2)", () => {
  test("begins after its epochs, by the output of two epochs before, drawn again by anybody", () => {
    const world = begun();
    for (let i = 0; i < 3; i++) turnEpoch(world);
    expect([termOf(world), open(world)]).toEqual([0, []]);
    turnEpoch(world);
    expect(termOf(world)).toBe(1);
    const ring = must(rings.get(world.state, 1), "ring");
    const output = testHash(genesis.networkId, 2);
    expect(ring).toMatchObject({ epoch: 4, threshold: 3, output });
    const drawn = drawRing(
      genesis.networkId,
      { term: 1, output, n: 4 },
      must(draws.get(world.state, 1), "draw").candidates,
    );
    if ("code" in drawn) throw new Error(drawn.code);
    expect(ring.seats.map(({ validator }) => validator)).toEqual(drawn.seats);
    for (const { validator, hostKey } of ring.seats)
      expect(hostKey).toEqual(validators.get(world.state, validator)?.hostKey);
    // Keys 3 and 4 for the two chains, and key 1 for its next holders; an EVM key is never reshared.
    expect(open(world)).toEqual([1, 3, 4]);
    expect(ceremony(world, 1)).toMatchObject({ purpose: purposes.reshare, term: 1, attempt: 1 });
    expect(ceremony(world, 3)).toMatchObject({ purpose: purposes.generate, term: 1, attempt: 0 });
    expect(ceremony(world, 4).chain).toEqual(evm);
  });

  test("hands the current key over, reshares the older and keeps its point", () => {
    const world = begun();
    turnTo(world, 1);
    const before = must(keys.get(world.state, 1), "key");
    finish(world, 3);
    expect(currentKeys.get(world.state, bitcoin)).toEqual({ keyId: 3 });
    finish(world, 4);
    expect(currentKeys.get(world.state, evm)).toEqual({ keyId: 2 });
    expect(nextKeys.get(world.state, evm)).toEqual({ keyId: 4 });
    expect(keys.get(world.state, 1)).toEqual(before);
    finish(world, 1);
    const after = must(keys.get(world.state, 1), "key");
    expect(after).toMatchObject({ term: 0, heldBy: 1, attempt: 1, threshold: 3, active: true });
    expect(after.groupPoint).toEqual(before.groupPoint);
    expect(after.seats).toEqual(rings.get(world.state, 1)?.seats);
    // RNG-5: what was dealt to the old ring is gone, what was dealt to the new one stays.
    expect(deals.get(world.state, { keyId: 1, attempt: 0, seat: 0 })).toBeUndefined();
    expect(deals.get(world.state, { keyId: 1, attempt: 1, seat: 0 })).toBeDefined();
    expect(reshares.get(world.state, 1)).toBeUndefined();
    expect(ceremonies.get(world.state, 1)).toMatchObject({
      purpose: purposes.reshare,
      stage: ceremonyStages.active,
    });
    expect(open(world)).toEqual([]);
    expect(activeKeys.get(world.state, "only")).toEqual({ keyIds: [1, 2, 3, 4] });
  });

  test("reshares again what was reshared before, and gives up a ceremony of an older ring", () => {
    const world = begun();
    turnTo(world, 1);
    finish(world, 1);
    for (const seat of [0, 1, 2, 3]) sendDeal(world, 3, seat);
    const { groupPoint } = must(keys.get(world.state, 1), "key");
    turnTo(world, 2);
    // Key 3 was not ready: the newer ring generates it, in the next attempt.
    expect(ceremony(world, 3)).toMatchObject({ term: 2, attempt: 1, dealt: [] });
    expect(deals.get(world.state, { keyId: 3, attempt: 0, seat: 0 })).toBeUndefined();
    finish(world, 1);
    finish(world, 3);
    expect(keys.get(world.state, 1)).toMatchObject({ heldBy: 2, attempt: 2, groupPoint });
    expect(keys.get(world.state, 3)).toMatchObject({ term: 2, heldBy: 2, attempt: 1 });
    // Not one more than it needs.
    expect(must(terms.get(world.state, "only"), "terms").nextKeyId).toBe(5);
  });

  test("without an output, or candidates, leaves the old ring, and elects at the next turn", () => {
    const world = begun();
    const electionOf = () => must(terms.get(world.state, "only"), "terms");
    for (let i = 0; i < 2; i++) turnEpoch(world);
    turnEpoch(world, true);
    turnEpoch(world);
    expect(electionOf()).toMatchObject({ term: 0, election: electionStates.noOutput });
    expect(open(world)).toEqual([]);
    // Too few of those who could be drawn are in service for a ring that makes a key.
    for (const { owner } of genesis.validators.slice(0, 5)) setStatus(world, owner, "jailed");
    turnEpoch(world);
    expect(electionOf()).toMatchObject({ term: 0, election: electionStates.noCandidates });
    for (const { owner } of genesis.validators.slice(0, 5)) setStatus(world, owner, "active");
    // Who was away cools down; here that takes no epoch.
    for (let i = 0; i < 3; i++) turnEpoch(world);
    expect(electionOf()).toMatchObject({ term: 1, election: electionStates.done });
  });

  test("of fewer validators than seats gives each as many as RNG-1 lets it have, each with a share", () => {
    const world = begun(testGenesis(4, { ...terming, ringSeats: 10 }));
    turnTo(world, 1);
    const { seats, threshold } = must(rings.get(world.state, 1), "ring");
    const counts = world.genesis.validators.map(
      ({ owner }) => seats.filter(({ validator }) => equal(validator, owner)).length,
    );
    expect([seats.length, threshold]).toEqual([10, 7]);
    expect(counts.toSorted()).toEqual([2, 2, 3, 3]);
    for (const keyId of [1, 3]) finish(world, keyId);
    for (const keyId of [1, 3])
      expect(new Set(keys.get(world.state, keyId)?.shares.map(String)).size).toBe(10);
    turnTo(world, 2);
    finish(world, 1);
    expect(keys.get(world.state, 1)).toMatchObject({ heldBy: 2, attempt: 2, threshold: 7 });
  });

  test("is drawn from committee and standby alone, who have cooled down, by the stakes of before", () => {
    const world = begun(
      testGenesis(size, { ...terming, seats: 3, standbySeats: 2, ringCooldownEpochs: 4 }),
    );
    const { state } = world;
    const owners = world.genesis.validators.map(({ owner }) => owner);
    const [poor, back, rich] = [must(owners[0], "0"), must(owners[1], "1"), must(owners[2], "2")];
    const stake = (owner: Uint8Array, tokens: bigint): void => {
      pools.put(state, owner, { ...must(pools.get(state, owner), "pool"), tokens });
    };
    stake(poor, 900_000_00000000n);
    setStatus(world, back, "jailed");
    turnEpoch(world);
    setStatus(world, back, "active");
    turnEpoch(world);
    // Epoch 2 has begun: what is staked now moves nothing in the draw by its output.
    stake(rich, 5_000_000_00000000n);
    turnEpoch(world);
    turnEpoch(world);
    const { candidates } = must(draws.get(state, 1), "draw");
    expect(candidates.map(({ stake: own }) => own)).toEqual(Array(4).fill(1_000_000_00000000n));
    for (const owner of [poor, back])
      expect(candidates.some((one) => equal(one.owner, owner))).toBe(false);
  });

  test("is as the genesis has it where no term ends", () => {
    const world = begun(testGenesis(4, { epochMs: 10_000, unbondingMs: 20_000 }));
    for (let i = 0; i < 5; i++) turnEpoch(world);
    expect([termOf(world), open(world)]).toEqual([0, []]);
    expect(electorates.get(world.state, 4)).toBeUndefined();
    expect(lastCreditOf(world.state, 1)).toBeUndefined();
    expect(beat(world, 0)).toBe("no-terms");
  });
});
