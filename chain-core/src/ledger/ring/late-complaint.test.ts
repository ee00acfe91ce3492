// Complaints that the network held up (RNG-3, RNG-4): what follows from them while a canary is signed, when the shares
// are in use, and where a resharing cannot do without the dealer.
import { must } from "@causeway/primitives";
import { beforeEach, describe, expect, test } from "vitest";
import { kinds } from "../../codec/action.ts";
import { listNames, lists } from "../../interchain/records.ts";
import type { Key } from "../../ring/records.ts";
import { ceremonyStages, keys, purposes, terms } from "../../ring/records.ts";
import { validatorStatus, validators } from "../epoch/validators.ts";
import { slashesOf } from "../staking/punish.ts";
import { testGenesis } from "../testing.ts";
import { complaints } from "./complaint-records.ts";
import type { RingWorld } from "./testing.ts";
import {
  blocks,
  canaryOf,
  ceremony,
  dealerPlaces,
  endOfBlock,
  ringWorld,
  send,
  sendCanary,
  sendComplaint,
  sendConfirm,
  sendDeal,
  turnEpoch,
} from "./testing.ts";

const size = 4;
const genesis = testGenesis(size, {
  ringSeats: size,
  ringTermEpochs: 8,
  epochMs: 60_000,
  ringHeartbeatMs: 50_000,
  seats: size,
});
/** A window ends by blocks: three turns of each proposer. */
const windowBlocks = 3 * size + 1;
const ownerOf = (place: number): Uint8Array => must(genesis.validators[place], "validator").owner;
const isPunished = (place: number): boolean =>
  slashesOf(world.state, ownerOf(place)).length === 1 &&
  validators.get(world.state, ownerOf(place))?.status === validatorStatus.jailed;
const keyOne = (): Key => must(keys.get(world.state, 1), "key");
const plans = (): number => lists.get(world.state, listNames.plans)?.ids.length ?? 0;

let world: RingWorld;

/** Seat 1 deals seat 2 a wrong share, and nobody hears seat 2. */
function cheat(keyId: number): void {
  for (const seat of [0, 1, 2, 3]) sendDeal(world, keyId, seat, seat === 1 ? { wrongFor: 2 } : {});
  endOfBlock(world);
  for (const seat of [0, 1, 3]) expect(sendConfirm(world, keyId, seat)).toBe("ok");
  blocks(world, windowBlocks);
  expect(ceremony(world, keyId).stage).toBe(ceremonyStages.canary);
}

beforeEach(() => {
  world = ringWorld(genesis);
  endOfBlock(world);
});

describe("a complaint that comes late", () => {
  test("while the canary is signed begins the next attempt: one epoch has one set of shares", () => {
    cheat(1);
    expect(plans()).toBe(1);
    const canary = canaryOf(world, 1, [0, 1, 3]);
    expect(sendComplaint(world, 1, { seat: 2, dealer: 1 })).toBe("ok");
    expect(isPunished(1)).toBe(true);
    expect(send(world, 0, kinds.signature, canary)).toBe("ok");
    expect(keys.get(world.state, 1)).toBeUndefined();
    endOfBlock(world);
    const { deal: stage } = ceremonyStages;
    expect(ceremony(world, 1)).toMatchObject({ attempt: 1, stage, voided: [], dealt: [] });
    expect(plans()).toBe(0);
    expect(complaints.get(world.state, { keyId: 1, attempt: 0, dealer: 1 })).toBeUndefined();
  });

  test("of an active key costs the dealer, stays as evidence and changes no share", () => {
    cheat(1);
    expect(sendCanary(world, 1, [0, 1, 3])).toBe("ok");
    const before = keyOne();
    expect(sendComplaint(world, 1, { seat: 2, dealer: 1 })).toBe("ok");
    expect(isPunished(1)).toBe(true);
    expect(keyOne()).toEqual(before);
    const wronged = [{ seat: 2, dealer: 1 }];
    expect(ceremony(world, 1)).toMatchObject({ attempt: 0, voided: [], wronged });
    expect(complaints.get(world.state, { keyId: 1, attempt: 0, dealer: 1 })).toBeDefined();
    expect(sendComplaint(world, 1, { seat: 2, dealer: 1 })).toBe("known-wrong");
    // A lie is one at any time.
    expect(sendComplaint(world, 1, { seat: 3, dealer: 1 })).toBe("ok");
    expect(isPunished(3)).toBe(true);
    expect(ceremony(world, 1).wronged).toEqual(wronged);
  });
});

test("a canary that nobody signs ends, and the next attempt begins", () => {
  cheat(1);
  blocks(world, 3 * windowBlocks - 1);
  expect(ceremony(world, 1).stage).toBe(ceremonyStages.canary);
  blocks(world, windowBlocks / 2);
  expect(ceremony(world, 1)).toMatchObject({ attempt: 1, stage: ceremonyStages.deal });
  expect(plans()).toBe(0);
});

describe("a resharing by exactly t holders, one of whom cheats", () => {
  /** Seat 2 has no share: it was cheated. Key 1 is to be dealt to the ring of the next term. */
  beforeEach(() => {
    for (const keyId of [1, 2]) {
      cheat(keyId);
      expect(sendCanary(world, keyId, [0, 1, 3])).toBe("ok");
    }
    expect(sendComplaint(world, 1, { seat: 2, dealer: 1 })).toBe("ok");
    for (let i = 0; i < 20 && terms.get(world.state, "only")?.term !== 1; i++) turnEpoch(world);
    expect(ceremony(world, 1)).toMatchObject({ purpose: purposes.reshare, attempt: 1 });
    for (const seat of [0, 1, 3])
      expect(sendDeal(world, 1, seat, seat === 1 ? { wrongFor: 0 } : {})).toBe("ok");
    endOfBlock(world);
    expect(ceremony(world, 1).stage).toBe(ceremonyStages.confirm);
  });

  test("is made of its deal all the same: who was cheated goes without, the others have the key", () => {
    const before = ceremony(world, 1);
    expect(sendComplaint(world, 1, { seat: 0, dealer: 1 })).toBe("ok");
    const wronged = [{ seat: 0, dealer: 1 }];
    expect(ceremony(world, 1)).toEqual({ ...before, wronged });
    for (const seat of [1, 2, 3]) expect(sendConfirm(world, 1, seat)).toBe("ok");
    endOfBlock(world);
    expect(ceremony(world, 1).stage).toBe(ceremonyStages.canary);
    const { groupPoint } = keyOne();
    expect(sendCanary(world, 1, [1, 2, 3])).toBe("ok");
    expect(keyOne()).toMatchObject({ heldBy: 1, attempt: 1, groupPoint });
  });

  test("costs the dealer of the old ring's seat, also when the new shares are in use", () => {
    const dealer = must(dealerPlaces(world, 1)[1], "dealer");
    const paid = slashesOf(world.state, ownerOf(dealer)).length;
    for (const seat of [1, 2, 3]) expect(sendConfirm(world, 1, seat)).toBe("ok");
    blocks(world, windowBlocks);
    expect(sendCanary(world, 1, [1, 2, 3])).toBe("ok");
    expect(sendComplaint(world, 1, { seat: 0, dealer: 1 })).toBe("ok");
    expect(slashesOf(world.state, ownerOf(dealer))).toHaveLength(paid + 1);
  });
});
