import { must, zero32 } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Certificate } from "../../codec/block.ts";
import { pastEpochs } from "../staking/fixed.ts";
import { testGenesis, testHash } from "../testing.ts";
import { committeeOfHeight, epochOf } from "./epochs.ts";
import type { TestChain } from "./testing.ts";
import { extend, precommits, testChain, tryBlock } from "./testing.ts";
import { tombstone } from "./validators.ts";
import { includedVotes, missedVotes, openVotes } from "./votes.ts";

const genesis = testGenesis(4);
const window = genesis.params.missedWindow;

function chainOf(blocks: number, absent: readonly number[] = []): TestChain {
  const chain = testChain(genesis);
  for (let i = 0; i < blocks; i++) extend(chain, { absent });
  return chain;
}

const committee = (chain: TestChain): ReturnType<typeof committeeOfHeight> =>
  committeeOfHeight(chain.state, chain.height + 1);

/** Late precommits of `seats` for the final block `height`. */
function lateVotes(chain: TestChain, seats: readonly number[], height: number): Certificate {
  const open = openVotes(chain.state).find((one) => one.height === height);
  const block = height === chain.height ? chain.tip : (open?.block ?? zero32);
  return precommits(chain, committee(chain), seats, { height, block });
}

describe("the certificate of the parent (CON-4)", () => {
  test("is in every block but the first", () => {
    const chain = testChain(genesis);
    const fake = precommits(chain, committee(chain), [0, 1, 2], { height: 0, block: zero32 });
    expect(tryBlock(chain, { certificate: [fake] })).toMatchObject({ code: "early-votes" });
    extend(chain);
    expect(tryBlock(chain, { certificate: [] })).toMatchObject({ code: "no-certificate" });
    expect(tryBlock(chain)).toHaveProperty("puts");
  });

  test("is for the parent, of a quorum, by the keys of its bitmap", () => {
    const chain = chainOf(2);
    const good = must(chain.certificate, "certificate");
    const of = { height: chain.height, block: chain.tip };
    const codeOf = (certificate: Certificate): unknown =>
      (tryBlock(chain, { certificate: [certificate] }) as { code?: string }).code;
    expect(codeOf({ ...good, height: 1 })).toBe("wrong-certificate");
    expect(codeOf({ ...good, block: testHash(genesis.networkId, 1) })).toBe("wrong-certificate");
    expect(codeOf(precommits(chain, committee(chain), [0, 1], of))).toBe("no-quorum");
    expect(codeOf({ ...good, round: 1 })).toBe("bad-signature");
    expect(codeOf({ ...good, bitmap: Uint8Array.of(0b0111) })).toBe("bad-signature");
    expect(codeOf({ ...good, bitmap: Uint8Array.of(0b10111) })).toBe("bad-bitmap");
    expect(codeOf(precommits(chain, committee(chain), [1, 2, 3], { ...of, round: 7 }))).toBe(
      undefined,
    );
  });

  test("does not count a barred seat, which may be in it (CON-3)", () => {
    const chain = chainOf(2);
    const [, owner] = genesis.validators.map((one) => one.owner);
    tombstone(chain.state, must(owner, "owner"), { epoch: 0, height: 1 });
    const of = { height: chain.height, block: chain.tip };
    const codeOf = (seats: readonly number[]): unknown => {
      const certificate = [precommits(chain, committee(chain), seats, of)];
      return (tryBlock(chain, { certificate }) as { code?: string }).code;
    };
    expect(codeOf([0, 1, 2])).toBe("no-quorum");
    expect(codeOf([0, 2, 3])).toBe(undefined);
    expect(codeOf([0, 1, 2, 3])).toBe(undefined);
  });

  test("counts a seat that was barred only by the parent", () => {
    const chain = chainOf(2);
    tombstone(chain.state, must(genesis.validators[1], "validator").owner, { epoch: 0, height: 2 });
    const of = { height: chain.height, block: chain.tip };
    const certificate = [precommits(chain, committee(chain), [0, 1, 2], of)];
    expect(tryBlock(chain, { certificate })).toHaveProperty("puts");
  });
});

describe("late votes (CON-4)", () => {
  test("are refused when they are stale, repeated, unsorted, empty, forged or for another block", () => {
    const chain = chainOf(12, [3]);
    const codeOf = (...late: Certificate[]): unknown =>
      (tryBlock(chain, { late }) as { code?: string }).code;
    const vote = (height: number, seats: readonly number[] = [3]): Certificate =>
      lateVotes(chain, seats, height);
    expect(codeOf(vote(12))).toBe(undefined);
    expect(codeOf(vote(5), vote(6), vote(12))).toBe(undefined);
    expect(codeOf(vote(6), vote(5))).toBe("unsorted-votes");
    expect(codeOf(vote(5), vote(5))).toBe("unsorted-votes");
    // Block 13 closes 5 after taking it, and 4 is closed.
    expect(codeOf(vote(4))).toBe("closed-height");
    expect(codeOf(vote(13))).toBe("closed-height");
    expect(codeOf(vote(6, [2, 3]))).toBe("repeated-vote");
    expect(codeOf({ ...vote(6), bitmap: Uint8Array.of(0) })).toBe("no-votes");
    expect(codeOf({ ...vote(6), bitmap: Uint8Array.of(0x80) })).toBe("bad-bitmap");
    expect(codeOf({ ...vote(6), round: 1 })).toBe("bad-signature");
    expect(codeOf({ ...vote(6), block: zero32 })).toBe("wrong-block");
    const later = precommits(chain, committee(chain), [3], { ...vote(6), round: 1 });
    expect(codeOf(later)).toBe(undefined);
    expect(codeOf(vote(6), later)).toBe("repeated-vote");
  });

  test("are counted for the proposer that included them", () => {
    const chain = chainOf(4, [3]);
    extend(chain, { proposer: 2, late: [3, 4].map((height) => lateVotes(chain, [3], height)) });
    const { owner } = must(genesis.validators[2], "validator");
    expect(includedVotes(chain.state, owner)).toBe(2);
    expect(openVotes(chain.state).map(({ height }) => height)).toEqual([1, 2]);
    expect(tryBlock(chain, { proposer: 4 })).toHaveProperty("code");
  });
});

describe("missed votes (CON-4)", () => {
  const plan = fc.array(
    fc.record({
      absent: fc.option(fc.nat(3), { nil: undefined }),
      // After how many blocks the absent vote comes late; never when out of the window.
      delay: fc.integer({ min: 1, max: 12 }),
    }),
    { minLength: 20, maxLength: 30 },
  );

  test("are those that no certificate and no late vote in 2N blocks names", () => {
    fc.assert(
      fc.property(plan, (blocks) => {
        const chain = testChain(genesis);
        const expected = [0, 0, 0, 0];
        const waiting: { height: number; seat: number; at: number }[] = [];
        for (const [i, { absent, delay }] of blocks.entries()) {
          const height = i + 1;
          const due = waiting.filter(({ at, height: of }) => at === height && at <= of + 8);
          const late = due.map(({ seat, height: of }) => lateVotes(chain, [seat], of));
          late.sort((a, b) => a.height - b.height);
          extend(chain, { late, absent: absent === undefined ? [] : [absent] });
          if (absent === undefined) continue;
          waiting.push({ height, seat: absent, at: height + delay });
          const isNamed = delay <= 8 && height + delay <= blocks.length;
          const isCounted = height + 8 <= blocks.length;
          if (!isNamed && isCounted) expected[absent] = (expected[absent] ?? 0) + 1;
        }
        const missed = genesis.validators.map(({ owner }) =>
          missedVotes(chain.state, owner, chain.height, window),
        );
        expect(missed).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });

  test("are forgotten when the window has passed", () => {
    const small = testGenesis(4, { missedWindow: 16 });
    const chain = testChain(small);
    const { owner } = must(small.validators[3], "validator");
    for (let i = 0; i < 9; i++) extend(chain, { absent: i < 4 ? [3] : [] });
    const missed = (height: number): number => missedVotes(chain.state, owner, height, 16);
    expect(missed(9)).toBe(1);
    for (let i = 0; i < 6; i++) extend(chain);
    expect([15, 17, 18, 19, 20].map(missed)).toEqual([4, 3, 2, 1, 0]);
  });

  test("close with the epoch whose committee is forgotten", () => {
    const short = testGenesis(4, { epochMs: 1_000 });
    const chain = testChain(short);
    for (let i = 0; i < 12; i++) extend(chain, { absent: [1] });
    const { number } = epochOf(chain.state);
    expect(number).toBe(6);
    const previousFirst = must(pastEpochs.get(chain.state, number - 1), "epoch").firstHeight;
    expect(Math.min(...openVotes(chain.state).map(({ height }) => height))).toBe(previousFirst);
  });
});
