import { isRejected, keyOf, must } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Block, Certificate, Committee } from "../../codec/block.ts";
import { committeeCodec } from "../../codec/block.ts";
import type { Trusted } from "../../light.ts";
import { advance, trustGenesis } from "../../light.ts";
import { committeeOf } from "../committee.ts";
import { blockContext } from "../context.ts";
import type { Genesis } from "../genesis.ts";
import { genesisState } from "../genesis-state.ts";
import { memoryState } from "../memory-state.ts";
import { poolOf, pools } from "../staking/pool.ts";
import { testBls, testGenesis } from "../testing.ts";
import { emptyTree, update } from "../tree.ts";
import { committeeAt, committeeOfHeight, epochOf, knownCommittee } from "./epochs.ts";
import { extend, testChain } from "./testing.ts";
import { epochEndBlock } from "./turn.ts";
import { suspendedSeats, tombstone } from "./validators.ts";

/** CON-2's cap by counting down, for stakes below 100. */
function cappedPowers(stakes: readonly bigint[]): bigint[] {
  if (stakes.length <= 2) return [...stakes];
  const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
  for (let cap = 10_000n; ; cap--) {
    const sum = stakes.reduce((total, stake) => total + min(stake, cap), 0n);
    if (cap <= (2n * sum) / BigInt(stakes.length)) return stakes.map((stake) => min(stake, cap));
  }
}

/** Written from the rule's text, over names: who sits where, with what power. */
function expectedMembers(
  all: readonly { readonly name: string; readonly stake: bigint }[],
  dead: ReadonlySet<string>,
  seats: number,
): [string, bigint][] {
  const living = all.filter(({ name }) => !dead.has(name));
  const isBetter = (a: (typeof all)[number], b: (typeof all)[number]): boolean =>
    a.stake > b.stake || (a.stake === b.stake && a.name < b.name);
  const seated = living.filter(
    (one) => living.filter((other) => isBetter(other, one)).length < seats,
  );
  const powers = cappedPowers(seated.map(({ stake }) => stake));
  return seated.map(({ name }, seat) => [name, powers[seat] ?? 0n]);
}

const named = ({ members }: Committee): [string, bigint][] =>
  members.map(({ validator, power }) => [keyOf(validator), power]);

function withStakes(genesis: Genesis, stakes: readonly number[]): Genesis {
  const all = genesis.validators.map((one, i) => ({ ...one, stake: BigInt(stakes[i] ?? 1) }));
  return { ...genesis, validators: all };
}

const base = new Map(
  [2, 4, 7].map((seats) => [
    seats,
    testGenesis(9, { seats, epochMs: 10_000, unbondingMs: 10_000, selfStakeMin: 1n }),
  ]),
);

describe("the committees of epochs (CON-2, CON-3)", () => {
  const run = fc.record({
    seats: fc.constantFrom(2, 4, 7),
    stakes: fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 9, maxLength: 9 }),
    blocks: fc.array(
      fc.record({ stepMs: fc.integer({ min: 500, max: 25_000 }), dead: fc.option(fc.nat(8)) }),
      { minLength: 5, maxLength: 40 },
    ),
  });

  test("are what the rule's text says, over random epochs with tombstonings", () => {
    fc.assert(
      fc.property(run, ({ seats, stakes, blocks }) => {
        const genesis = withStakes(must(base.get(seats), "genesis"), stakes);
        const all = genesis.validators.map(({ owner, stake }) => ({ name: keyOf(owner), stake }));
        const state = memoryState(genesisState(genesis));
        const dead = new Set<string>();
        const fixed = [0, 1].map(() => expectedMembers(all, dead, seats));
        let epoch = 0;
        let ends = genesis.time + 10_000;
        let time = genesis.time;
        for (const [i, block] of blocks.entries()) {
          time += block.stepMs;
          const height = i + 1;
          const offender = block.dead === null ? undefined : genesis.validators[block.dead];
          if (offender !== undefined && dead.size < 8 && !dead.has(keyOf(offender.owner))) {
            dead.add(keyOf(offender.owner));
            tombstone(state, offender.owner, { epoch, height });
          }
          expect(named(committeeOfHeight(state, height))).toEqual(fixed[epoch]);
          const context = blockContext({ genesis, bls: testBls } as never, state, { height, time });
          epochEndBlock(context);
          if (time >= ends) {
            epoch += 1;
            fixed.push(expectedMembers(all, dead, seats));
            while (ends <= time) ends += 10_000;
          }
          expect(epochOf(state)).toMatchObject({ number: epoch, endsAt: ends });
          for (const known of [epoch - 1, epoch, epoch + 1]) {
            if (known < 0) continue;
            const committee = must(committeeAt(state, known), "committee");
            expect(committee.epoch).toBe(known);
            expect(named(committee)).toEqual(fixed[known]);
            const barred = suspendedSeats(state, committee).map((seat) => named(committee)[seat]);
            expect(barred).toEqual((fixed[known] ?? []).filter(([name]) => dead.has(name)));
          }
          expect(committeeAt(state, epoch + 2)).toBeUndefined();
          if (epoch >= 4) expect(committeeAt(state, epoch - 4)).toBeUndefined();
        }
      }),
      { numRuns: 60 },
    );
  });

  test("of the genesis are those of epochs 0 and 1, in the genesis' order", () => {
    const genesis = withStakes(must(base.get(4), "genesis"), [5, 9, 1, 5, 5, 2, 9, 5, 1]);
    const state = memoryState(genesisState(genesis));
    const { members } = committeeOf(genesis);
    for (const epoch of [0, 1]) expect(committeeAt(state, epoch)).toEqual({ epoch, members });
    const seats = members.map(({ validator }) =>
      genesis.validators.findIndex(({ owner }) => keyOf(owner) === keyOf(validator)),
    );
    expect(seats).toEqual([...seats].sort((a, b) => a - b));
    expect(seats).toEqual(expect.arrayContaining([1, 6]));
    expect(seats).toHaveLength(4);
  });

  test("stay when nobody is left to elect: a state, no exception (CON-5)", () => {
    const chain = testChain(testGenesis(3, { epochMs: 1_000 }));
    extend(chain);
    for (const { owner } of chain.genesis.validators)
      tombstone(chain.state, owner, { epoch: 0, height: 1 });
    const at = { height: 2, time: chain.time + 5_000 };
    epochEndBlock(blockContext(chain.env, chain.state, at));
    const committee = must(committeeAt(chain.state, 2), "committee");
    expect(committee.members).toEqual(committeeOf(chain.genesis).members);
    expect(suspendedSeats(chain.state, committee)).toEqual([0, 1, 2]);
  });

  test("change of a stake counts from the second epoch after it", () => {
    const chain = testChain(testGenesis(4, { epochMs: 1_000, seats: 3 }));
    const { owner } = must(chain.genesis.validators[0], "validator");
    const isSeated = (): boolean =>
      must(committeeAt(chain.state, epochOf(chain.state).number), "committee").members.some(
        ({ validator }) => keyOf(validator) === keyOf(owner),
      );
    const before = isSeated();
    const pool = poolOf(chain.state, owner);
    const tokens = before ? pool.tokens / 2n : pool.tokens * 2n;
    pools.put(chain.state, owner, { ...pool, tokens });
    const seen: boolean[] = [];
    for (let i = 0; i < 4; i++) {
      epochEndBlock(
        blockContext(chain.env, chain.state, { height: i + 1, time: chain.time + 1_000 * (i + 1) }),
      );
      seen.push(isSeated());
    }
    expect(seen).toEqual([before, !before, !before, !before]);
  });
});

describe("a light client (CON-6)", () => {
  test("follows changing committees from the genesis by real certificates", () => {
    const genesis = testGenesis(6, { epochMs: 2_000, seats: 4 });
    const chain = testChain(genesis);
    const follow: { block: Block; certificate: Certificate; next: Committee }[] = [];
    const sizes: number[] = [];
    for (let i = 0; epochOf(chain.state).number < 6; i++) {
      const [dead] = committeeOfHeight(chain.state, chain.height + 1).members;
      const { number } = epochOf(chain.state);
      const next = must(committeeAt(chain.state, number + 1), "committee");
      const barred = suspendedSeats(chain.state, committeeOfHeight(chain.state, chain.height + 1));
      const block = extend(chain, { absent: barred, proposer: 1 });
      // One validator goes in each of the first two epochs, at the third block.
      if ((i === 2 || i === 6) && dead !== undefined) {
        tombstone(chain.state, dead.validator, { epoch: number, height: chain.height });
        chain.tree = update(emptyTree, chain.state.entries());
      }
      follow.push({ block, certificate: must(chain.certificate, "certificate"), next });
      sizes.push(next.members.length);
    }
    expect(new Set(follow.map(({ block }) => keyOf(block.header.committee))).size).toBe(6);
    const everyBlock = followAll(genesis, follow);
    expect(everyBlock).toMatchObject({ height: chain.height });
    // One header of each epoch is enough, and skipping one is too much.
    const epochsOf = follow.filter(({ block }, i) => {
      const after = follow[i + 1]?.block.header.committee;
      return after === undefined || keyOf(after) !== keyOf(block.header.committee);
    });
    expect(epochsOf).toHaveLength(6);
    expect(followAll(genesis, epochsOf)).toMatchObject({ height: chain.height });
    const gap = epochsOf.filter((_, i) => i !== 1 && i !== 2);
    expect(followAll(genesis, gap)).toMatchObject({ code: "unknown-committee" });
    const first = must(follow[0], "block");
    const forged = { ...first, certificate: { ...first.certificate, round: 1 } };
    expect(followAll(genesis, [forged])).toMatchObject({ code: "bad-signature" });
  });

  function followAll(
    genesis: Genesis,
    updates: readonly { block: Block; certificate: Certificate; next: Committee }[],
  ): unknown {
    let trusted: Trusted = trustGenesis(genesis);
    for (const { block, certificate, next } of updates) {
      const committee = committeeCodec.encode(next);
      const update = { header: block.header, certificate, committee };
      const newer = advance(genesis.networkId, testBls, trusted, update);
      if (isRejected(newer)) return newer;
      trusted = newer;
    }
    return trusted;
  }
});

test("the committee of a height is known as long as stake answers for it (STK-2)", () => {
  const chain = testChain(testGenesis(4, { epochMs: 1_000, unbondingMs: 1_000 }));
  for (let i = 0; i < 13; i++) extend(chain);
  const { number, firstHeight } = epochOf(chain.state);
  expect([number, firstHeight]).toEqual([6, 13]);
  const known = (height: number): number | undefined => knownCommittee(chain.state, height)?.epoch;
  expect([4, 5, 6, 7, 11, 12, 13, 14].map(known)).toEqual([
    undefined,
    undefined,
    undefined,
    3,
    5,
    5,
    6,
    6,
  ]);
});
