// What grows from round to round, what a restarted validator can show, and what a flood costs.
import type { NetworkId } from "@causeway/primitives";
import { must, sha256, zero32 } from "@causeway/primitives";
import { testBls } from "@causeway/primitives/testing";
import { describe, expect, it } from "vitest";
import type { Block, Proposal, Vote } from "../codec/block.ts";
import {
  blockCodec,
  blockId,
  proposalDigest,
  transactionsRoot,
  voteDigest,
  voteKinds,
} from "../codec/block.ts";
import { guard } from "./guard.ts";
import { genesisHeader } from "./header.ts";
import { proofOfLock } from "./proof-of-lock.ts";
import { proposerOf } from "./proposer.ts";
import * as round from "./round.ts";
import { timeoutMs, toleranceMs } from "./round-state.ts";
import { testCommittee, testSecret } from "./testing.ts";
import { votersOf } from "./voters.ts";

const network = sha256(new Uint8Array(1)) as unknown as NetworkId;
const inner = testBls();
let verified = 0;
const bls: typeof inner = {
  ...inner,
  verify: (...args) => {
    verified += 1;
    return inner.verify(...args);
  },
};
const voters = votersOf(network, testCommittee(bls, 4));
const timing = {
  proposeTimeoutMs: 1000,
  voteTimeoutMs: 500,
  timeoutDeltaMs: 250,
  clockToleranceMs: 2000,
};
const height = 1;
const now = 1_000_000;
const start = (): round.Start => ({ height, parentTime: 1, proposeFrom: 1, guard: guard() });

function configOf(good: () => boolean = () => true): round.Config {
  return {
    network,
    bls,
    voters,
    timing,
    signer: { seat: 0, secretKey: testSecret(0) },
    build: () => blockBy(0),
    validate: () => (good() ? undefined : { kind: "rejected", code: "not-yet", message: "" }),
  };
}

function blockBy(proposer: number, time = now): Block {
  const header = genesisHeader(network, 1, voters.committee);
  return {
    header: {
      ...header,
      height,
      time,
      proposer,
      transactionsRoot: transactionsRoot(network, []),
    },
    certificate: [],
    late: [],
    transactions: [],
  };
}

function proposalBy(seat: number, inRound: number, block: Block, polRound = 0): Proposal {
  const id = blockId(network, block.header);
  const digest = proposalDigest(network, { height, round: inRound, block: id, polRound });
  const signature = bls.sign(testSecret(seat), digest);
  return { height, round: inRound, polRound, block: blockCodec.encode(block), signature };
}

function votes(kind: number, inRound: number, block: Uint8Array, seats = [1, 2, 3]): Vote[] {
  return seats.map((seat) => {
    const content = { kind, height, round: inRound, block, polRound: 0 };
    return {
      ...content,
      seat,
      signature: bls.sign(testSecret(seat), voteDigest(network, content)),
    };
  });
}

function feed(config: round.Config, state: round.State, all: readonly Vote[]): round.Effect[] {
  return all.flatMap((vote) => [...round.step(config, state, { kind: "vote", at: now, vote })[1]]);
}
function hear(
  config: round.Config,
  state: round.State,
  proposal: Proposal,
  at: number = now,
): readonly round.Effect[] {
  return round.step(config, state, { kind: "proposal", at, arrivedAt: at, proposal })[1];
}
const castBy = (effects: readonly round.Effect[]): Vote[] =>
  effects.flatMap((effect) => (effect.kind === "vote" ? [effect.vote] : []));

describe("from round to round", () => {
  it("time-outs grow by a constant, the tolerance of clocks by a tenth, both to a bound (TIM-1)", () => {
    expect([0, 1, 2, 100, 5_000].map((of) => timeoutMs(1_000, 250, of))).toEqual([
      1_000, 1_250, 1_500, 26_000, 26_000,
    ]);
    expect([0, 1, 2, 3].map((of) => toleranceMs(timing, of))).toEqual([2_000, 2_200, 2_420, 2_662]);
    expect(toleranceMs(timing, 5_000)).toBe(toleranceMs(timing, 100));
    expect(Number.isSafeInteger(toleranceMs({ ...timing, clockToleranceMs: 60_000 }, 100))).toBe(
      true,
    );
  });

  it("a late clock is forgiven in the next round, and not asked with a proof of lock (TIM-1)", () => {
    const vote = (inRound: number, polRound: number, late: number): Uint8Array => {
      const config = configOf();
      const state = round.initial(config, start());
      const seat = proposerOf(4, height, inRound);
      const block = blockBy(seat);
      const id = blockId(network, block.header);
      if (polRound > 0) feed(config, state, votes(voteKinds.prevote, polRound - 1, id));
      for (let of = 0; of < inRound; of++)
        feed(config, state, votes(voteKinds.precommit, of, zero32));
      expect(state.round).toBe(inRound);
      const cast = castBy(
        hear(config, state, proposalBy(seat, inRound, block, polRound), now + late),
      );
      return must(cast[0], "a vote").block;
    };
    expect(vote(0, 0, 2_001)).toEqual(zero32);
    expect(vote(1, 0, 2_001)).not.toEqual(zero32);
    expect(vote(1, 0, 2_201)).toEqual(zero32);
    expect(vote(1, 1, 90_000_000)).not.toEqual(zero32);
  });

  it("a block that was refused is judged anew", () => {
    let good = false;
    const config = configOf(() => good);
    const state = round.initial(config, start());
    const block = blockBy(1);
    const id = blockId(network, block.header);
    expect(castBy(hear(config, state, proposalBy(1, 0, block)))).toMatchObject([{ block: zero32 }]);
    feed(config, state, votes(voteKinds.prevote, 0, id));
    good = true;
    feed(config, state, votes(voteKinds.precommit, 0, zero32));
    const cast = castBy(hear(config, state, proposalBy(2, 1, block, 1)));
    expect(cast[0]).toMatchObject({ round: 1, block: id, polRound: 1 });
  });
});

it("days without a decision leave little behind, and lose no block that may still be decided", () => {
  const config = configOf();
  const state = round.initial(config, start());
  const block = blockBy(1);
  const id = blockId(network, block.header);
  hear(config, state, proposalBy(1, 0, block));
  feed(config, state, votes(voteKinds.prevote, 0, id));
  feed(config, state, votes(voteKinds.precommit, 0, id, [1]));
  for (let of = 0; of < 500; of++)
    feed(
      config,
      state,
      votes(voteKinds.precommit, of, zero32, of === 0 ? [2, 3] : undefined),
    ).concat(round.step(config, state, { kind: "woke", at: now + 1_000_000 * of })[1]);
  expect(state.round).toBeGreaterThan(490);
  expect(state.votes.rounds.size).toBeLessThan(40);
  const before = state.votes.rounds.size;
  verified = 0;
  feed(config, state, votes(voteKinds.prevote, 100, zero32));
  expect([verified, state.votes.rounds.size]).toEqual([0, before]);
  const last = feed(config, state, votes(voteKinds.precommit, 0, id, [2, 3]));
  expect(last.map((effect) => effect.kind)).toContain("decided");
});

it("a proof of lock that a prevote claims is journaled before it, and there after a restart", () => {
  const config = configOf();
  const state = round.initial(config, start());
  const block = blockBy(1);
  const id = blockId(network, block.header);
  // The proof is of a round in which this validator heard no proposal.
  const out = feed(config, state, votes(voteKinds.prevote, 0, id));
  out.push(...feed(config, state, votes(voteKinds.precommit, 0, zero32)));
  const claimed = hear(config, state, proposalBy(2, 1, block, 1));
  expect(claimed.map((effect) => effect.kind)).toEqual(["journal", "journal", "vote"]);
  expect(castBy(claimed)).toMatchObject([{ polRound: 1, block: id }]);
  const entries = [...out, ...claimed].flatMap((effect) =>
    effect.kind === "journal" ? [effect.entry] : [],
  );
  const again = start();
  round.replayGuard(network, again.guard, entries);
  const restored = round.restore(config, again, entries);
  expect(restored).toMatchObject({ round: 1, step: "prevote" });
  expect(restored.locked).toBeUndefined();
  expect(proofOfLock(restored.votes, 0)).toEqual(proofOfLock(state.votes, 0));
});

it("the own vote that completes a quorum has those looked at that wait for their check", () => {
  const config = configOf();
  const state = round.initial(config, start());
  const block = blockBy(1);
  const id = blockId(network, block.header);
  round.step(config, state, { kind: "ready", at: now });
  // Seat 3 is silent, and the block comes after the votes for it.
  for (const vote of votes(voteKinds.prevote, 0, id, [1, 2]))
    round.step(config, state, { kind: "vote", at: now, vote, from: `v${vote.seat}` });
  const cast = castBy(hear(config, state, proposalBy(1, 0, block)));
  expect(cast.map(({ kind }) => kind)).toEqual([voteKinds.prevote, voteKinds.precommit]);
});

it("who hears the block last still precommits before the height is decided (CON-4)", () => {
  const config = configOf();
  const state = round.initial(config, start());
  const block = blockBy(1);
  const id = blockId(network, block.header);
  feed(config, state, votes(voteKinds.prevote, 0, id));
  feed(config, state, votes(voteKinds.precommit, 0, id));
  const effects = hear(config, state, proposalBy(1, 0, block));
  expect(castBy(effects).map((vote) => vote.kind)).toEqual([
    voteKinds.prevote,
    voteKinds.precommit,
  ]);
  const decided = effects.find((effect) => effect.kind === "decided");
  expect(decided?.kind === "decided" && decided.certificate.bitmap).toEqual(Uint8Array.of(0b1111));
});

it("a proposer that proposes without end costs two verifications a round", () => {
  const config = configOf();
  const state = round.initial(config, start());
  verified = 0;
  for (let i = 0; i < 50; i++) hear(config, state, proposalBy(1, 0, blockBy(1, now + i)));
  expect(verified).toBe(2);
  expect(state.votes.evidence).toMatchObject([{ kind: "double-proposal", seat: 1, round: 0 }]);
  expect(state.candidates.size).toBe(1);
  // Nor do proposals of rounds that are over.
  for (const of of [0, 1, 2]) feed(config, state, votes(voteKinds.precommit, of, zero32));
  verified = 0;
  for (let i = 0; i < 50; i++) hear(config, state, proposalBy(2, 1, blockBy(2, now + i)));
  expect(verified).toBe(0);
});
