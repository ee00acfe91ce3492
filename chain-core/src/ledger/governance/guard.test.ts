import { isRejected, must, zero32 } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kinds } from "../../codec/action.ts";
import {
  inboundReasons,
  inboundStatus,
  planKinds,
  withdrawalStatus,
} from "../../interchain/records.ts";
import type { ForeignEvent } from "../../interchain/statement.ts";
import type { World } from "../interchain/testing.ts";
import {
  act,
  attest,
  bring,
  confirm,
  contextOf,
  createWorld,
  deposit,
  endBlock,
  mine,
  openPlans,
  runPlans,
} from "../interchain/testing.ts";
import { burn, coin, funded, withdrawalOf } from "../interchain/testing-funded.ts";
import { inboundOf } from "../interchain/testing-inbound.ts";
import type { Guard, GuardOrder } from "./guard.ts";
import { guardActs, guardCodec, guardRule, guardSubject } from "./guard.ts";
import { directions, isPaused, isSlow } from "./restrictions.ts";
import { testApproval, testGuardian } from "./testing.ts";
import { governanceEndBlock } from "./turn.ts";

const { pauseMs, slowModeMs, slowModeRestMs } = createWorld().genesis.params;

function slowOrder(sequence = 0): GuardOrder {
  return { act: guardActs.slow, chain: zero32, direction: 0, sequence };
}

/** About what comes in from Bitcoin, unless changed. */
function order(world: World, change: Partial<GuardOrder> = {}): GuardOrder {
  const { chain } = world.genesis.bitcoin;
  return { act: guardActs.pause, chain, direction: directions.in, sequence: 0, ...change };
}

function byGuardians(world: World, of: GuardOrder, guardians: readonly number[]): Guard {
  const signatures = guardians.map((guardian) => testGuardian(world.genesis, of, guardian));
  return { order: of, guardians: signatures, approval: [] };
}

function byCommittee(world: World, of: GuardOrder, seats: readonly number[]): Guard {
  const subject = guardSubject(of);
  const approved = { kind: kinds.guard, subject, sequence: of.sequence, epoch: 0 };
  return { order: of, guardians: [], approval: [testApproval(world.genesis, approved, seats)] };
}

const guard = (world: World, body: Guard): string | undefined => act(world, guardRule, body);
const paused = (world: World, direction: number): boolean =>
  isPaused(world.state, { chain: world.genesis.bitcoin.chain, direction }, world.time);

/** The end of a block a while later. */
function later(world: World, ms: number): void {
  world.time += ms;
  governanceEndBlock(contextOf(world));
  endBlock(world);
}

describe("one guardian (GOV-2)", () => {
  test("slows transfers down for slowModeMs, and again after its rest alone", () => {
    const world = createWorld();
    expect(guard(world, byGuardians(world, slowOrder(), [2]))).toBeUndefined();
    expect(isSlow(world.state, world.time)).toBe(true);
    expect(guard(world, byGuardians(world, slowOrder(), [2]))).toBe("wrong-sequence");
    expect(guard(world, byGuardians(world, slowOrder(1), [2]))).toBe("rests");
    expect(guard(world, byGuardians(world, slowOrder(), [0]))).toBeUndefined();
    world.time += slowModeMs;
    expect(isSlow(world.state, world.time)).toBe(false);
    world.time += slowModeRestMs - slowModeMs;
    expect(guard(world, byGuardians(world, slowOrder(1), [2]))).toBeUndefined();
  });

  test("alone pauses nothing, and nobody signs for it", () => {
    const world = createWorld();
    expect(guard(world, byGuardians(world, order(world), [2]))).toBe("not-enough");
    const forged = byGuardians(world, slowOrder(), [2]);
    const [signature] = forged.guardians;
    const as = { ...must(signature, "signature"), guardian: 3 };
    expect(guard(world, { ...forged, guardians: [as] })).toBe("bad-signature");
    const nobody = { ...must(signature, "signature"), guardian: 5 };
    expect(guard(world, { ...forged, guardians: [nobody] })).toBe("unknown-guardian");
    expect(guard(world, byGuardians(world, slowOrder(), []))).toBe("wrong-signers");
    expect(guard(world, byGuardians(world, slowOrder(), [0, 1]))).toBe("wrong-signers");
    const elsewhere = { ...slowOrder(), direction: 1 };
    expect(guard(world, byGuardians(world, elsewhere, [0]))).toBe("unknown-way");
    expect(guard(world, byGuardians(world, { ...slowOrder(), act: 9 }, [0]))).toBe("unknown-act");
  });
});

describe("a pause (GOV-2)", () => {
  test("needs the guardians' threshold, each once and in order, whoever they are", () => {
    fc.assert(
      fc.property(fc.subarray([0, 1, 2, 3, 4]), (guardians) => {
        const world = createWorld();
        const expected = guardians.length >= 3 ? undefined : "not-enough";
        if (guardians.length > 0)
          expect(guard(world, byGuardians(world, order(world), guardians))).toBe(expected);
        expect(paused(world, directions.in)).toBe(guardians.length >= 3);
        expect(paused(world, directions.out)).toBe(false);
      }),
      { numRuns: 40 },
    );
    const world = createWorld();
    expect(guard(world, byGuardians(world, order(world), [0, 1, 1]))).toBe("unknown-guardian");
    expect(guard(world, byGuardians(world, order(world), [2, 1, 0]))).toBe("unknown-guardian");
  });

  test("or more than a third of the power; half of the seats do, one of four does not", () => {
    const world = createWorld();
    expect(guard(world, byCommittee(world, order(world), [1]))).toBe("no-quorum");
    expect(guard(world, byCommittee(world, order(world), [1, 3]))).toBeUndefined();
    expect(paused(world, directions.in)).toBe(true);
  });

  test("ends by itself; guardians and a third neither renew it nor begin it again at once, the quorum does", () => {
    const world = createWorld();
    expect(guard(world, byGuardians(world, order(world), [0, 1, 2]))).toBeUndefined();
    const next = order(world, { sequence: 1 });
    world.time += pauseMs - 1;
    expect(paused(world, directions.in)).toBe(true);
    expect(guard(world, byGuardians(world, next, [0, 1, 2, 3, 4]))).toBe("not-renewable");
    expect(guard(world, byCommittee(world, next, [0, 1]))).toBe("no-quorum");
    world.time += 1;
    expect(paused(world, directions.in)).toBe(false);
    expect(guard(world, byGuardians(world, next, [0, 1, 2]))).toBe("not-renewable");
    expect(guard(world, byCommittee(world, next, [0, 1, 2]))).toBeUndefined();
    expect(paused(world, directions.in)).toBe(true);
    const lift = order(world, { act: guardActs.lift, sequence: 2 });
    expect(guard(world, byGuardians(world, lift, [0, 1, 2, 3, 4]))).toBe("not-renewable");
    expect(guard(world, byCommittee(world, lift, [0, 1, 2]))).toBeUndefined();
    expect(paused(world, directions.in)).toBe(false);
    const again = order(world, { act: guardActs.lift, sequence: 3 });
    expect(guard(world, byCommittee(world, again, [0, 1, 2]))).toBe("not-paused");
    world.time += pauseMs;
    const fresh = order(world, { sequence: 3 });
    expect(guard(world, byGuardians(world, fresh, [2, 3, 4]))).toBeUndefined();
  });

  test("is of a chain and direction that there are, by guardians or committee, not both, and not twice", () => {
    const world = createWorld();
    const both = {
      ...byGuardians(world, order(world), [0, 1, 2]),
      approval: byCommittee(world, order(world), [0, 1]).approval,
    };
    expect(guard(world, both)).toBe("wrong-signers");
    expect(guard(world, byGuardians(world, order(world), []))).toBe("wrong-signers");
    const nowhere = order(world, { chain: zero32 });
    expect(guard(world, byGuardians(world, nowhere, [0, 1, 2]))).toBe("unknown-way");
    const aside = order(world, { direction: 3 });
    expect(guard(world, byGuardians(world, aside, [0, 1, 2]))).toBe("unknown-way");
    const first = byGuardians(world, order(world), [0, 1, 2]);
    expect(guard(world, first)).toBeUndefined();
    world.time += 10 * pauseMs;
    expect(guard(world, first)).toBe("wrong-sequence");
  });

  test("of random bytes is a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
        isRejected(guardCodec.parse(bytes)),
      ),
    );
  });
});

/** A deposit of `amount` that the ledger has heard of, in a block that it knows. */
function stated(world: World, amount: bigint): ForeignEvent {
  const made = deposit(world, { amount });
  const block = mine(world, [made.transaction]);
  bring(world, block);
  const event = made.event(block);
  expect(attest(world, [event])).toBeUndefined();
  return event;
}

const held = (reason: number): object => ({ status: inboundStatus.held, reason });
const minted = { status: inboundStatus.minted, reason: 0 };

describe("what restrictions stop (GOV-2)", () => {
  test("a paused chain's deposits are kept and swept, and credited when the pause ends", () => {
    const world = createWorld();
    guard(world, byGuardians(world, order(world), [0, 1, 2]));
    const event = stated(world, coin);
    confirm(world, 2);
    expect(inboundOf(world, event)).toMatchObject(held(inboundReasons.paused));
    expect(openPlans(world, planKinds.sweep)).toHaveLength(1);
    runPlans(world);
    expect(openPlans(world, planKinds.sweep)).toHaveLength(0);
    expect(inboundOf(world, event)).toMatchObject(held(inboundReasons.paused));
    later(world, pauseMs);
    expect(inboundOf(world, event)).toMatchObject(minted);
  });

  test("nothing is paid to a paused chain; burns wait in the queue and are paid when it ends", () => {
    const world = funded();
    guard(world, byGuardians(world, order(world, { direction: directions.out }), [0, 1, 2]));
    const id = burn(world);
    endBlock(world);
    expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.queued);
    const event = stated(world, coin);
    confirm(world, 2);
    expect(inboundOf(world, event)).toMatchObject(minted);
    later(world, pauseMs);
    expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.planned);
  });

  test("slow mode lets a tenth through: larger deposits and withdrawals wait, loans are a tenth", () => {
    const world = funded(3);
    guard(world, byGuardians(world, slowOrder(), [4]));
    const large = stated(world, 2n * coin);
    const first = stated(world, (7n * coin) / 10n);
    const second = stated(world, (7n * coin) / 10n);
    const id = burn(world, { amount: coin + 1n });
    const small = burn(world);
    // Depth 2 of all, with no sweep settled in between.
    confirm(world, 2);
    expect(inboundOf(world, large)).toMatchObject(held(inboundReasons.slow));
    expect(inboundOf(world, first)).toMatchObject(minted);
    expect(inboundOf(world, second)).toMatchObject(held(inboundReasons.loanLimit));
    expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.queued);
    expect(withdrawalOf(world, small).status).toBe(withdrawalStatus.planned);
    later(world, slowModeMs);
    expect(inboundOf(world, large)).toMatchObject(minted);
    expect(inboundOf(world, second)).toMatchObject(minted);
    expect(withdrawalOf(world, id).status).toBe(withdrawalStatus.planned);
  });
});
