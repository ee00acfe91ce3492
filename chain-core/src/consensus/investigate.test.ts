// Accountability: machines under random schedules never convict themselves; whoever made two blocks final is found.
import type { NetworkId, Random } from "@causeway/primitives";
import { isZero, keyOf, must, seeded, sha256, zero32 } from "@causeway/primitives";
import { testBls } from "@causeway/primitives/testing";
import { describe, expect, it } from "vitest";
import type { Block, Certificate, Proposal, Vote } from "../codec/block.ts";
import { blockCodec, blockId, proposalDigest, voteDigest, voteKinds } from "../codec/block.ts";
import { contradicts } from "./accountability.ts";
import { certificateOf } from "./certificate.ts";
import { guard } from "./guard.ts";
import { genesisHeader } from "./header.ts";
import { investigate } from "./investigate.ts";
import type { Entry } from "./journal.ts";
import { proofOfLock, verifyProofOfLock } from "./proof-of-lock.ts";
import { proposerAt } from "./proposer.ts";
import * as round from "./round.ts";
import { testCommittee, testSecret } from "./testing.ts";
import type { Evidence } from "./vote-set.ts";
import { addVote, convictOf, voteSet } from "./vote-set.ts";
import type { Voters } from "./voters.ts";
import { votersOf } from "./voters.ts";

const network = sha256(new Uint8Array(1)) as unknown as NetworkId;
const bls = testBls();
const four: Voters = votersOf(network, testCommittee(bls, 4));
const [A, B] = [sha256(Uint8Array.of(1)), sha256(Uint8Array.of(2))];
const height = 1;
const now = 1_000_000;
const timing = {
  proposeTimeoutMs: 1,
  voteTimeoutMs: 1,
  timeoutDeltaMs: 1,
  clockToleranceMs: 1_000_000,
};
const start = (): round.Start => ({ height, parentTime: 1, proposeFrom: 1, guard: guard() });

function voteBy(
  seat: number,
  kind: number,
  inRound: number,
  block: Uint8Array,
  polRound = 0,
): Vote {
  const content = { kind, height, round: inRound, block, polRound };
  return { ...content, seat, signature: bls.sign(testSecret(seat), voteDigest(network, content)) };
}

type Sent = { readonly to: number; readonly what: Vote | Proposal };
type Peer = { readonly config: round.Config; state: round.State; readonly journal: Entry[] };

/** Honest machines in any order of events, with crashes, and `bad` seats that say what disturbs most. */
function schedule(random: Random, size: number, bad: readonly number[]) {
  const voters = votersOf(network, testCommittee(bls, size));
  const header = genesisHeader(network, 1, voters.committee);
  const blockOf = (proposer: number, time: number): Block => ({
    header: { ...header, height, time, proposer, committee: voters.id },
    certificate: [],
    late: [],
    transactions: [],
  });
  const seats = voters.committee.members.map((_, seat) => seat);
  const peers = new Map<number, Peer>();
  const queue: Sent[] = [];
  const votes: Vote[] = [];
  const evidence: Evidence[] = [];
  const decided = new Set<string>();
  /** What bad seats may repeat: every block that anybody proposed. */
  const blocks = new Map<string, Block>();
  let at = now;
  const perform = (seat: number, effects: readonly round.Effect[]): void => {
    const peer = must(peers.get(seat), "peer");
    for (const effect of effects) {
      if (effect.kind === "journal") peer.journal.push(effect.entry);
      if (effect.kind === "vote") votes.push(effect.vote);
      if (effect.kind === "decided") decided.add(effect.candidate.key);
      if (effect.kind === "propose") learn(blockCodec.decode(effect.proposal.block));
      if (effect.kind === "vote" || effect.kind === "propose")
        for (const to of peers.keys())
          queue.push({ to, what: effect.kind === "vote" ? effect.vote : effect.proposal });
    }
  };
  const learn = (block: Block): void => {
    blocks.set(blockId(network, block.header).join(), block);
  };
  const run = (seat: number, event: round.Event): void => {
    const peer = must(peers.get(seat), "peer");
    const [, effects] = round.step(peer.config, peer.state, event);
    evidence.push(...peer.state.votes.evidence.splice(0));
    perform(seat, effects);
  };
  for (const seat of seats.filter((one) => !bad.includes(one))) {
    const config: round.Config = {
      network,
      bls,
      voters,
      timing,
      signer: { seat, secretKey: testSecret(seat) },
      build: (time) => blockOf(seat, time),
      validate: () => undefined,
    };
    peers.set(seat, { config, state: round.initial(config, start()), journal: [] });
  }
  const disturb = (): void => {
    const by = random.pick(bad);
    const to = random.pick([...peers.keys()]);
    const { state } = must(peers.get(to), "peer");
    const inRound = Math.max(0, state.round - random.below(2));
    // Old blocks again, as new ones and with any proof that exists or not.
    const block =
      blocks.size > 0 && random.chance(0.8) ? random.pick([...blocks.values()]) : blockOf(by, at);
    learn(block);
    const id = blockId(network, block.header);
    const polRound = random.chance(0.5) ? 0 : random.below(inRound + 1);
    if (proposerAt(voters, height, inRound) === by && random.chance(0.7)) {
      const digest = proposalDigest(network, { height, round: inRound, block: id, polRound });
      const signature = bls.sign(testSecret(by), digest);
      const what = { height, round: inRound, polRound, block: blockCodec.encode(block), signature };
      queue.push({ to, what });
      return;
    }
    // One prevote to one machine makes a proof of lock that only this one sees.
    const current = state.proposals.get(state.round)?.[0];
    if (current !== undefined && random.chance(0.6)) {
      const { candidate, proposal } = current;
      const honest = voteBy(by, voteKinds.prevote, state.round, candidate.id, proposal.polRound);
      queue.push({ to, what: honest });
      return;
    }
    const isPrevote = random.chance(0.8);
    const kind = isPrevote ? voteKinds.prevote : voteKinds.precommit;
    queue.push({ to, what: voteBy(by, kind, inRound, id, isPrevote ? polRound : 0) });
  };
  for (let i = 0; i < 100 * size && decided.size === 0; i++) {
    at += random.below(3);
    const seat = random.pick([...peers.keys()]);
    const peer = must(peers.get(seat), "peer");
    if (random.chance(0.05)) run(seat, { kind: "ready", at });
    if (random.chance(0.1)) run(seat, { kind: "woke", at });
    if (random.chance(0.01)) {
      const again = start();
      round.replayGuard(network, again.guard, peer.journal);
      peer.state = round.restore(peer.config, again, peer.journal);
    }
    if (bad.length > 0 && random.chance(0.4)) disturb();
    for (let j = 0; j < 3 && queue.length > 0; j++) {
      const [sent] = queue.splice(random.below(queue.length), 1);
      if (sent === undefined || random.chance(0.05)) continue;
      const { to, what } = sent;
      // Precommits get lost most of the time: locks without a decision.
      const isPrecommit = "seat" in what && what.kind === voteKinds.precommit;
      if (isPrecommit && !isZero(what.block) && random.chance(0.7)) continue;
      if ("seat" in what) run(to, { kind: "vote", at, vote: what });
      else run(to, { kind: "proposal", at, arrivedAt: at, proposal: what });
    }
  }
  const rounds = Math.max(...[...peers.values()].map(({ state }) => state.round));
  return { votes, evidence, decided, rounds, peers };
}

it("a machine that was locked on another block before rests its prevote on its own lock", () => {
  const config: round.Config = {
    network,
    bls,
    voters: four,
    timing,
    signer: { seat: 0, secretKey: testSecret(0) },
    build: () => {
      throw new Error("the valid block is proposed again");
    },
    validate: () => undefined,
  };
  const state = round.initial(config, start());
  const cast: Vote[] = [];
  const run = (event: round.Event): void => {
    for (const effect of round.step(config, state, event)[1])
      if (effect.kind === "vote") cast.push(effect.vote);
  };
  const header = genesisHeader(network, 1, four.committee);
  const blockOf = (proposer: number): Block => ({
    header: { ...header, height, time: now + proposer, proposer },
    certificate: [],
    late: [],
    transactions: [],
  });
  const [first, second] = [blockOf(1), blockOf(2)];
  const hear = (by: number, inRound: number, block: Block, polRound: number): void => {
    const id = blockId(network, block.header);
    const digest = proposalDigest(network, { height, round: inRound, block: id, polRound });
    const signature = bls.sign(testSecret(by), digest);
    const proposal = {
      height,
      round: inRound,
      polRound,
      block: blockCodec.encode(block),
      signature,
    };
    run({ kind: "proposal", at: now, arrivedAt: now, proposal });
  };
  const others = (kind: number, inRound: number, block: Uint8Array): void => {
    for (const seat of [1, 2, 3])
      run({ kind: "vote", at: now, vote: voteBy(seat, kind, inRound, block) });
  };
  const idOf = (block: Block): Uint8Array => blockId(network, block.header);
  others(voteKinds.prevote, 0, idOf(first));
  others(voteKinds.precommit, 0, zero32);
  hear(2, 1, second, 0);
  others(voteKinds.prevote, 1, idOf(second));
  others(voteKinds.precommit, 1, zero32);
  hear(3, 2, first, 1);
  others(voteKinds.prevote, 2, idOf(first));
  others(voteKinds.precommit, 2, zero32);
  others(voteKinds.precommit, 3, zero32);
  hear(1, 4, first, 1);
  expect(cast.at(-1)).toMatchObject({ round: 4, block: idOf(first), polRound: 3 });
  const locks = cast.filter(({ kind, block }) => kind === voteKinds.precommit && !isZero(block));
  expect(locks.map((vote) => vote.round)).toEqual([1, 2]);
  for (const a of cast) for (const b of cast) expect(contradicts(a, b)).toBeUndefined();
});

describe("honest machines under any schedule", () => {
  for (const size of [4, 7])
    it(`of ${size} never convict themselves, and can show what they claim`, () => {
      let [convicted, claims, locks, rounds, relocked] = [0, 0, 0, 0, 0];
      for (let seed = 0; seed < 150; seed++) {
        const random = seeded(seed * 10 + size);
        const bad = seed % 4 === 0 ? [] : size === 4 ? [seed % 4] : [1, 2 + (seed % 5)];
        const seen = schedule(random, size, bad);
        expect(seen.decided.size, `seed ${seed}`).toBeLessThanOrEqual(1);
        rounds = Math.max(rounds, seen.rounds);
        for (const [i, a] of seen.votes.entries())
          for (const b of seen.votes.slice(i + 1))
            expect(contradicts(a, b), `seed ${seed}, seat ${a.seat}`).toBeUndefined();
        for (const found of seen.evidence) expect(bad, `seed ${seed}`).toContain(convictOf(found));
        for (const seat of seen.peers.keys()) {
          const own = seen.votes.filter((vote) => vote.seat === seat && !isZero(vote.block));
          const locked = own.filter((vote) => vote.kind === voteKinds.precommit);
          if (new Set(locked.map((vote) => keyOf(vote.block))).size > 1) relocked += 1;
        }
        convicted += seen.evidence.length;
        locks += seen.evidence.filter(({ kind }) => kind === "lock-violation").length;
        for (const vote of seen.votes) {
          if (vote.polRound === 0) continue;
          claims += 1;
          const { config, state } = must(seen.peers.get(vote.seat), "peer");
          const proof = proofOfLock(state.votes, vote.polRound - 1);
          expect(proof?.block, `seed ${seed}`).toEqual(vote.block);
          const bad = proof && verifyProofOfLock(network, bls, config.voters, proof);
          expect(bad, `seed ${seed}`).toBeUndefined();
        }
      }
      expect(convicted).toBeGreaterThan(100);
      expect(locks).toBeGreaterThan(0);
      expect(claims).toBeGreaterThan(5);
      expect(relocked).toBeGreaterThan(0);
      expect(rounds).toBeGreaterThan(2);
    }, 60_000);
});

describe("two final blocks at one height", () => {
  const precommits = (seats: number[], inRound: number, block: Uint8Array): Certificate =>
    certificateOf(
      bls,
      4,
      seats.map((seat) => voteBy(seat, voteKinds.precommit, inRound, block)),
    );
  const prevotes = (seats: number[], inRound: number, block: Uint8Array, polRound = 0): Vote[] =>
    seats.map((seat) => voteBy(seat, voteKinds.prevote, inRound, block, polRound));
  const first = precommits([0, 1, 2], 0, A);

  it("of one round convict whoever is in both certificates", () => {
    const found = investigate(four, first, precommits([1, 2, 3], 0, B), []);
    expect(found.convicted.map(({ seat, kind }) => [seat, kind])).toEqual([
      [1, "double-vote"],
      [2, "double-vote"],
    ]);
  });

  it("of two rounds convict those who forgot their lock, and no honest seat", () => {
    // Seats 1 and 2 forget that they precommitted A; seat 3 is honest and was locked on nothing.
    const votes = [...prevotes([0, 1, 2], 0, A), ...prevotes([1, 2, 3], 1, B)];
    const found = investigate(four, first, precommits([1, 2, 3], 1, B), votes);
    expect(found.convicted.map(({ seat, kind }) => [seat, kind])).toEqual([
      [1, "lock-violation"],
      [2, "lock-violation"],
    ]);
    expect(found.suspected).toEqual([]);
  });

  it("suspect those who claim a proof of lock that nobody can show", () => {
    const votes = [
      ...prevotes([0, 1, 2], 0, A),
      ...prevotes([3], 2, B),
      ...prevotes([1, 2], 2, B, 2),
    ];
    const found = investigate(four, first, precommits([1, 2, 3], 2, B), votes);
    expect(found.convicted).toEqual([]);
    expect(found.suspected.map(({ seat, round: of }) => [seat, of])).toEqual([
      [1, 1],
      [2, 1],
    ]);
  });

  it("suspect those who precommit without a quorum of prevotes", () => {
    const votes = [...prevotes([0, 1, 2], 0, A), ...prevotes([3], 1, B)];
    const found = investigate(four, first, precommits([1, 2, 3], 1, B), votes);
    expect(found.suspected.map(({ seat }) => seat)).toEqual([1, 2, 3]);
  });
});

describe("a proof of lock", () => {
  const set = voteSet(network, bls, four, height);
  for (const vote of [
    voteBy(0, voteKinds.prevote, 3, A, 2),
    voteBy(1, voteKinds.prevote, 3, A),
    voteBy(3, voteKinds.prevote, 3, A, 2),
    voteBy(2, voteKinds.prevote, 3, B),
  ])
    addVote(set, vote, 3, () => false);
  const proof = must(proofOfLock(set, 3), "proof");
  const check = (of: typeof proof): string | undefined =>
    verifyProofOfLock(network, bls, four, of)?.code;

  it("shows a quorum of prevotes, whatever each of them rests on", () => {
    expect(proof.parts.map(({ polRound, bitmap }) => [polRound, bitmap[0]])).toEqual([
      [0, 0b0010],
      [2, 0b1001],
    ]);
    expect(check(proof)).toBeUndefined();
    expect(proofOfLock(set, 2)).toBeUndefined();
  });

  it("shows nothing with a seat less, a seat twice, another block or round, or for nil", () => {
    expect(check({ ...proof, parts: proof.parts.slice(1) })).toBe("no-quorum");
    expect(check({ ...proof, parts: [...proof.parts, ...proof.parts.slice(0, 1)] })).toBe(
      "bad-bitmap",
    );
    expect(check({ ...proof, block: B })).toBe("bad-signature");
    expect(check({ ...proof, round: 4 })).toBe("bad-signature");
    expect(check({ ...proof, block: zero32 })).toBe("nil-block");
    expect(
      verifyProofOfLock(network, bls, votersOf(network, four.committee, [3]), proof)?.code,
    ).toBe("no-quorum");
  });
});
