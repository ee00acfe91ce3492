// What goes wrong in a term: silent seats, cheating dealers of an old ring, rings that die, keys that are done (RNG-2, 3, 5).
import { equal, must } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { kinds } from "../../codec/action.ts";
import { lastCreditOf } from "../../interchain/key-life.ts";
import { dealCodec } from "../../ring/index.ts";
import {
  activeKeys,
  ceremonies,
  ceremonyStages,
  currentKeys,
  deals,
  heartbeats,
  keys,
  nextKeys,
  oldRings,
  reshares,
  rings,
  terms,
} from "../../ring/records.ts";
import { validatorStatus, validators } from "../epoch/validators.ts";
import { slashesOf } from "../staking/punish.ts";
import { testGenesis } from "../testing.ts";
import type { RingWorld } from "./testing.ts";
import {
  beat,
  blocks,
  canaryOf,
  ceremony,
  dealerPlaces,
  dealFrom,
  endOfBlock,
  finish,
  paramsIn,
  ringWorld,
  seatPlaces,
  send,
  sendCanary,
  sendComplaint,
  sendConfirm,
  sendDeal,
  setStatus,
  turnEpoch,
} from "./testing.ts";

const size = 7;
const genesis = testGenesis(size, {
  ringSeats: 4,
  ringTermEpochs: 8,
  ringRetireTerms: 1,
  epochMs: 60_000,
  ringHeartbeatMs: 50_000,
  unbondingMs: 120_000,
  seats: size,
});
const [bitcoin, evm] = [genesis.bitcoin.chain, must(genesis.evm[0], "chain").chain];
const ownerOf = (place: number): Uint8Array => must(genesis.validators[place], "validator").owner;
const termOf = (world: RingWorld): number => must(terms.get(world.state, "only"), "terms").term;
const windowBlocks = 3 * size + 1;

function begun(of = genesis): RingWorld {
  const world = ringWorld(of);
  endOfBlock(world);
  for (const keyId of [1, 2]) finish(world, keyId);
  return world;
}

function turnTo(world: RingWorld, term: number): void {
  for (let i = 0; i < 20 && termOf(world) < term; i++) turnEpoch(world);
}

function inTerm(term: number, of = genesis): RingWorld {
  const world = begun(of);
  turnTo(world, term);
  return world;
}

describe("silent seats (RNG-3)", () => {
  test("of a generation are drawn anew from the other candidates; n and t stay", () => {
    const world = inTerm(1);
    const before = ceremony(world, 3);
    for (const seat of [0, 1]) expect(sendDeal(world, 3, seat)).toBe("ok");
    blocks(world, windowBlocks + 1);
    const after = ceremony(world, 3);
    expect(after).toMatchObject({ attempt: 1, threshold: 3, dealt: [] });
    expect(after.seats.slice(0, 2)).toEqual(before.seats.slice(0, 2));
    for (const seat of [2, 3]) {
      const { validator, hostKey } = must(after.seats[seat], "seat");
      expect(before.seats.some((one) => equal(one.validator, validator))).toBe(false);
      expect(hostKey).toEqual(validators.get(world.state, validator)?.hostKey);
    }
    // Silence costs standing only.
    for (const { validator } of before.seats) {
      expect(slashesOf(world.state, validator)).toEqual([]);
      expect(validators.get(world.state, validator)?.status).toBe(validatorStatus.active);
    }
    finish(world, 3);
    expect(keys.get(world.state, 3)?.seats).toEqual(after.seats);
    expect(rings.get(world.state, 1)?.seats).toEqual(before.seats);
  });

  test("that deal and do not confirm are drawn anew, too, and of a resharing only those", () => {
    const world = inTerm(1);
    const before = ceremony(world, 1);
    for (let seat = 3; seat < 7; seat++) expect(sendDeal(world, 1, seat)).toBe("ok");
    blocks(world, windowBlocks + 1);
    // Four deals of the seven of the old ring are one too few: nobody of the new one is to blame.
    expect(ceremony(world, 1)).toMatchObject({ attempt: 2, seats: before.seats });
    for (const seat of dealerPlaces(world, 1).keys()) sendDeal(world, 1, seat);
    endOfBlock(world);
    for (const seat of [1, 2]) expect(sendConfirm(world, 1, seat)).toBe("ok");
    blocks(world, windowBlocks + 1);
    const after = ceremony(world, 1);
    expect(after).toMatchObject({ attempt: 3, stage: ceremonyStages.deal });
    expect(after.seats.slice(1, 3)).toEqual(before.seats.slice(1, 3));
    expect(
      equal(must(after.seats[0], "seat").validator, must(before.seats[0], "seat").validator),
    ).toBe(false);
    finish(world, 1);
    expect(keys.get(world.state, 1)).toMatchObject({ attempt: 3, seats: after.seats });
  });

  test("of which no other candidate is left stay as they are", () => {
    const world = inTerm(1);
    const { seats } = ceremony(world, 3);
    for (const { owner } of genesis.validators)
      if (!seats.some(({ validator }) => equal(validator, owner)))
        setStatus(world, owner, "exited");
    blocks(world, windowBlocks + 1);
    expect(ceremony(world, 3)).toMatchObject({ attempt: 1, seats });
  });
});

describe("a resharing (RNG-2)", () => {
  test("goes on without a dealer that cheats, who pays, and takes no other constant term", () => {
    const world = inTerm(1);
    const cheat = 2;
    const other = dealFrom(world, { ...paramsIn(world, ceremony(world, 1)), from: undefined }, 0);
    const place = must(dealerPlaces(world, 1)[0], "dealer");
    expect(send(world, place, kinds.deal, dealCodec.encode(other))).toBe("wrong-constant-term");
    for (const seat of dealerPlaces(world, 1).keys())
      expect(sendDeal(world, 1, seat, seat === cheat ? { wrongFor: 3 } : {})).toBe("ok");
    endOfBlock(world);
    expect(sendConfirm(world, 1, 3)).toBe("wrong-share");
    expect(sendComplaint(world, 1, { seat: 3, dealer: cheat })).toBe("ok");
    endOfBlock(world);
    const liar = ownerOf(must(dealerPlaces(world, 1)[cheat], "dealer"));
    expect(slashesOf(world.state, liar)).toHaveLength(1);
    expect(validators.get(world.state, liar)?.status).toBe(validatorStatus.jailed);
    for (const { owner } of genesis.validators)
      if (!equal(owner, liar)) expect(slashesOf(world.state, owner)).toEqual([]);
    for (const seat of [0, 1, 2, 3]) expect(sendConfirm(world, 1, seat)).toBe("ok");
    endOfBlock(world);
    expect(sendCanary(world, 1, [0, 1, 3])).toBe("ok");
    expect(keys.get(world.state, 1)).toMatchObject({ heldBy: 1, attempt: 1 });
  });

  test("keeps what is confirmed when a deal is void that did not count", () => {
    const world = inTerm(1);
    const spare = 6;
    for (const seat of dealerPlaces(world, 1).keys())
      expect(sendDeal(world, 1, seat, seat === spare ? { wrongFor: 2 } : {})).toBe("ok");
    endOfBlock(world);
    for (const seat of [0, 1]) expect(sendConfirm(world, 1, seat)).toBe("ok");
    const before = ceremony(world, 1);
    expect(sendComplaint(world, 1, { seat: 2, dealer: spare })).toBe("ok");
    expect(ceremony(world, 1)).toEqual({ ...before, voided: [spare] });
    const cheat = ownerOf(must(dealerPlaces(world, 1)[spare], "dealer"));
    expect(slashesOf(world.state, cheat)).toHaveLength(1);
    for (const seat of [2, 3]) expect(sendConfirm(world, 1, seat)).toBe("ok");
    endOfBlock(world);
    expect(sendCanary(world, 1, [0, 2, 3])).toBe("ok");
    expect(keys.get(world.state, 1)?.heldBy).toBe(1);
  });

  test("lets a seat of the old ring confirm late, which deals from the next attempt on", () => {
    const world = ringWorld(genesis);
    endOfBlock(world);
    const late = 6;
    for (const keyId of [1, 2]) {
      for (let seat = 0; seat < size; seat++) sendDeal(world, keyId, seat);
      endOfBlock(world);
      for (let seat = 0; seat < late; seat++) sendConfirm(world, keyId, seat);
      blocks(world, windowBlocks + 1);
      expect(sendCanary(world, keyId, [0, 1, 2, 3, 4])).toBe("ok");
    }
    turnTo(world, 1);
    const old = must(ceremonies.get(world.state, 1), "ceremony");
    const from = () => oldRings.get(world.state, { keyId: 1, attempt: ceremony(world, 1).attempt });
    expect(sendDeal(world, 1, 0)).toBe("ok");
    expect(sendConfirm(world, 1, late, old)).toBe("ok");
    expect(keys.get(world.state, 1)?.shares[late]).not.toEqual(new Uint8Array(33));
    expect(from()?.shares[late]).toEqual(new Uint8Array(33));
    expect(sendDeal(world, 1, late)).toBe("wrong-constant-term");
    blocks(world, windowBlocks + 1);
    expect(from()?.shares[late]).toEqual(keys.get(world.state, 1)?.shares[late]);
    expect(sendDeal(world, 1, late)).toBe("ok");
  });

  test("is given up with its canary when a newer term begins: an older canary activates nothing", () => {
    const world = inTerm(1);
    for (const seat of dealerPlaces(world, 1).keys()) sendDeal(world, 1, seat);
    endOfBlock(world);
    for (const seat of [0, 1, 2, 3]) sendConfirm(world, 1, seat);
    endOfBlock(world);
    const stale = canaryOf(world, 1, [0, 1, 2]);
    turnTo(world, 2);
    expect(send(world, 0, kinds.signature, stale)).toBe("dead-plan");
    for (const seat of dealerPlaces(world, 1).keys()) sendDeal(world, 1, seat);
    endOfBlock(world);
    for (const seat of [0, 1, 2, 3]) sendConfirm(world, 1, seat);
    endOfBlock(world);
    expect(ceremony(world, 1)).toMatchObject({ term: 2, attempt: 2, stage: ceremonyStages.canary });
    expect(send(world, 0, kinds.signature, stale)).toBe("dead-plan");
    expect(keys.get(world.state, 1)).toMatchObject({ heldBy: 0, attempt: 0 });
    expect(sendCanary(world, 1, [1, 2, 3])).toBe("ok");
    expect(keys.get(world.state, 1)).toMatchObject({ heldBy: 2, attempt: 2 });
  });
});

describe("an early end of a term (RNG-2)", () => {
  const third = (world: RingWorld): number[] => seatPlaces(world, 3).slice(0, 2);

  test("comes when more than a third of the seats have gone, once in a quarter of a term", () => {
    const world = inTerm(1);
    const [first = 0, second = 0] = third(world);
    setStatus(world, ownerOf(first), "jailed");
    turnEpoch(world);
    expect(termOf(world)).toBe(1);
    setStatus(world, ownerOf(second), "exited");
    turnEpoch(world);
    expect(termOf(world)).toBe(2);
    const gone = [first, second].map(ownerOf);
    const { seats, epoch } = must(rings.get(world.state, 2), "ring");
    for (const { validator } of seats)
      expect(gone.some((owner) => equal(owner, validator))).toBe(false);
    for (const place of third(world)) setStatus(world, ownerOf(place), "tombstoned");
    turnEpoch(world);
    expect([termOf(world), epoch]).toEqual([2, 10]);
    // A quarter of eight epochs after the last.
    for (const { owner } of genesis.validators)
      if (!seats.some(({ validator }) => equal(validator, owner)))
        setStatus(world, owner, "active");
    turnEpoch(world);
    turnEpoch(world);
    expect(termOf(world)).toBe(3);
  });

  test("does not come for a third exactly", () => {
    const world = inTerm(1, testGenesis(size, { ...genesis.params, ringSeats: 3 }));
    setStatus(world, must(ceremony(world, 3).seats[1], "seat").validator, "jailed");
    turnEpoch(world);
    expect(termOf(world)).toBe(1);
    setStatus(world, must(ceremony(world, 3).seats[2], "seat").validator, "jailed");
    turnEpoch(world);
    expect(termOf(world)).toBe(2);
  });

  test("comes when a seat was punished for a ceremony", () => {
    const world = inTerm(1);
    for (let seat = 0; seat < 4; seat++)
      sendDeal(world, 3, seat, seat === 0 ? { wrongFor: 1 } : {});
    endOfBlock(world);
    expect(sendComplaint(world, 3, { seat: 1, dealer: 0 })).toBe("ok");
    const cheat = must(ceremony(world, 3).seats[0], "seat").validator;
    turnEpoch(world);
    expect(termOf(world)).toBe(2);
    expect(rings.get(world.state, 2)?.seats.some(({ validator }) => equal(validator, cheat))).toBe(
      false,
    );
    for (let i = 0; i < 3; i++) turnEpoch(world);
    expect(termOf(world)).toBe(2);
  });

  test("comes when no more than t live, and others do", () => {
    const world = inTerm(1);
    finish(world, 3);
    const dead = must(seatPlaces(world, 3)[0], "seat");
    // Nobody gives a sign of life: an election would give nothing better.
    for (let i = 0; i < 2; i++) turnEpoch(world);
    expect(termOf(world)).toBe(1);
    // Three of four live, as many as must sign. An election that gives the dead one a seat again is no better.
    for (let i = 0; i < 5 && termOf(world) === 1; i++) {
      world.time += 30_000;
      for (let place = 0; place < size; place++)
        if (place !== dead) expect(beat(world, place)).toBe("ok");
      turnEpoch(world);
    }
    expect(must(terms.get(world.state, "only"), "terms")).toMatchObject({ term: 2 });
    const { seats, epoch } = must(rings.get(world.state, 2), "ring");
    expect(epoch).toBeLessThan(16);
    expect(seats.some(({ validator }) => equal(validator, ownerOf(dead)))).toBe(false);
  });

  test("asks for signs of life that are signed, of the running term, and no more often than needed", () => {
    const world = inTerm(1);
    expect(beat(world, 0)).toBe("ok");
    expect(heartbeats.get(world.state, ownerOf(0))).toEqual({ at: world.time });
    expect(beat(world, 0)).toBe("too-early");
    world.time += 25_000;
    expect(beat(world, 0)).toBe("ok");
    setStatus(world, ownerOf(1), "jailed");
    expect(beat(world, 1)).toBe("not-in-service");
    expect(send(world, 2, kinds.heartbeat, Uint8Array.of(0, 0, 0, 0))).toBe("wrong-term");
    expect(send(world, 2, kinds.heartbeat, Uint8Array.of(1, 0, 0))).toBe("bad-bytes");
  });
});

describe("a key that nobody needs (RNG-5)", () => {
  test("is retired after the last day of its addresses, with all that was dealt for it", () => {
    const world = begun();
    const last = must(lastCreditOf(world.state, 1), "last day");
    expect(last).toBe(genesis.time + 2 * 8 * 60_000);
    turnTo(world, 1);
    for (const keyId of [1, 3, 4]) finish(world, keyId);
    turnEpoch(world);
    expect(activeKeys.get(world.state, "only")).toEqual({ keyIds: [1, 2, 3, 4] });
    turnTo(world, 2);
    expect(world.time >= last).toBe(true);
    turnEpoch(world);
    expect(keys.get(world.state, 1)).toMatchObject({ active: false });
    expect(ceremonies.get(world.state, 1)?.stage).toBe(ceremonyStages.retired);
    expect(reshares.get(world.state, 1)).toBeUndefined();
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(oldRings.get(world.state, { keyId: 1, attempt })).toBeUndefined();
      for (let seat = 0; seat < size; seat++)
        expect(deals.get(world.state, { keyId: 1, attempt, seat })).toBeUndefined();
    }
    // The contract still holds key 2, and key 4 waits for it.
    expect(activeKeys.get(world.state, "only")).toEqual({ keyIds: [2, 3, 4] });
    expect(send(world, 0, kinds.deal, new Uint8Array(3))).toBe("bad-bytes");
    expect(currentKeys.get(world.state, bitcoin)).toEqual({ keyId: 3 });
    currentKeys.put(world.state, evm, { keyId: 4 });
    nextKeys.delete(world.state, evm);
    turnEpoch(world);
    expect(activeKeys.get(world.state, "only")).toEqual({ keyIds: [3, 4] });
  });
});
