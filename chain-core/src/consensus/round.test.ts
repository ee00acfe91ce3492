// Four round machines on a network that delays, loses, reorders and duplicates, with crashes and journal
// replay, silent and equivocating seats: agreement always, a decision after healing.
import type { NetworkId } from "@causeway/primitives";
import {
  equal,
  isRejected,
  must,
  rejected,
  seeded,
  sha256,
  toHex,
  zero32,
} from "@causeway/primitives";
import { testBls } from "@causeway/primitives/testing";
import { describe, expect, it } from "vitest";
import type { Block, Certificate, Header, Proposal, Vote } from "../codec/block.ts";
import {
  blockCodec,
  blockId,
  proposalDigest,
  transactionsRoot,
  voteDigest,
  voteKinds,
  votesRoot,
} from "../codec/block.ts";
import { certificateOf, verifyCertificate } from "./certificate.ts";
import { authorize, guard, guardSteps } from "./guard.ts";
import type { Entry } from "./journal.ts";
import { encodeRecord, parseRecord } from "./journal.ts";
import { proposerOf } from "./proposer.ts";
import * as round from "./round.ts";
import { testCommittee, testSecret } from "./testing.ts";
import type { Evidence } from "./vote-set.ts";
import { convictOf } from "./vote-set.ts";
import { votersOf } from "./voters.ts";

const network = sha256(new Uint8Array(1)) as unknown as NetworkId;
const bls = testBls();
const timing = {
  proposeTimeoutMs: 1000,
  voteTimeoutMs: 500,
  timeoutDeltaMs: 250,
  clockToleranceMs: 2000,
};
const voters = votersOf(network, testCommittee(bls, 4));
const height = 1;
const start = 1_000_000;

function blockOf(proposer: number, time: number, salt = 0): Block {
  const header: Header = {
    version: 1,
    height,
    time,
    parent: zero32,
    proposer,
    transactionsRoot: transactionsRoot(network, []),
    stateRoot: sha256(Uint8Array.of(salt)),
    utxoCommitment: zero32,
    votesRoot: votesRoot(network, { certificate: [], late: [] }),
    snapshotRoot: zero32,
    committee: voters.id,
    nextCommittee: voters.id,
  };
  return { header, certificate: [], late: [], transactions: [] };
}

function configOf(seat: number): round.Config {
  return {
    network,
    bls,
    voters,
    timing,
    signer: { seat, secretKey: testSecret(seat) },
    build: (time) => blockOf(seat, time),
    validate: (block) => {
      if (equal(block.header.stateRoot, sha256(Uint8Array.of(66)))) throw new Error("poison");
      return block.header.height === height ? undefined : rejected("bad-height", "");
    },
  };
}

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

function proposalBy(seat: number, inRound: number, block: Block, polRound = 0): Proposal {
  const id = blockId(network, block.header);
  const digest = proposalDigest(network, { height, round: inRound, block: id, polRound });
  const signature = bls.sign(testSecret(seat), digest);
  return { height, round: inRound, polRound, block: blockCodec.encode(block), signature };
}

const fresh = (seat: number): round.State =>
  round.initial(configOf(seat), {
    height,
    parentTime: start - 500,
    proposeFrom: start,
    guard: guard(),
  });

type Message = { to: number; at: number; order: number; what: Proposal | Vote };
type Peer = {
  config: round.Config;
  state?: round.State;
  journal: Uint8Array[];
  decided?: Uint8Array;
  certificate?: Certificate;
};

/** A world in which `seats` run honestly; others do what `script` sends for them. */
function simulate(seed: number, faults: { silent?: number; equivocator?: number }) {
  const random = seeded(seed);
  const peers: Peer[] = [0, 1, 2, 3].map((seat) => ({ config: configOf(seat), journal: [] }));
  const honest = [0, 1, 2, 3].filter((s) => s !== faults.silent && s !== faults.equivocator);
  const queue: Message[] = [];
  let order = 0;
  let now = start;
  const healAt = start + random.below(30_000);
  const evidence: Evidence[] = [];
  const lossy = (): boolean => now < healAt && random.chance(0.3);
  const post = (to: number, what: Proposal | Vote): void => {
    if (lossy()) return;
    const delay = 1 + random.below(now < healAt ? 2000 : 50);
    queue.push({ to, at: now + delay, order: order++, what });
    if (random.chance(0.1)) queue.push({ to, at: now + delay * 3, order: order++, what });
  };
  const broadcast = (from: number, what: Proposal | Vote): void => {
    for (const to of honest) if (to !== from) post(to, what);
  };
  const perform = (seat: number, effects: readonly round.Effect[]): void => {
    const peer = must(peers[seat], "peer");
    for (const effect of effects) {
      // A crash between any two effects: what follows never happens.
      if (now < healAt && random.chance(0.01)) {
        delete peer.state;
        return;
      }
      if (effect.kind === "journal") peer.journal.push(encodeRecord([effect.entry]));
      if (effect.kind === "propose") broadcast(seat, effect.proposal);
      if (effect.kind === "vote") broadcast(seat, effect.vote);
      if (effect.kind === "blame") throw new Error(`blamed: ${effect.reason.message}`);
      if (effect.kind === "decided") {
        expect(verifyCertificate(network, bls, voters, effect.certificate)).toBeUndefined();
        if (peer.decided !== undefined) expect(equal(peer.decided, effect.candidate.id)).toBe(true);
        peer.decided = effect.candidate.id;
        peer.certificate = effect.certificate;
      }
    }
  };
  const run = (seat: number, event: round.Event): void => {
    const peer = must(peers[seat], "peer");
    if (peer.state === undefined) return;
    const [, effects] = round.step(peer.config, peer.state, event);
    evidence.push(...peer.state.votes.evidence.splice(0));
    perform(seat, effects);
  };
  const boot = (seat: number): void => {
    const peer = must(peers[seat], "peer");
    const entries: Entry[] = peer.journal.flatMap((record) => {
      const parsed = parseRecord(record);
      if (isRejected(parsed)) throw new Error(parsed.message);
      return parsed;
    });
    const state = { height, parentTime: start - 500, proposeFrom: start, guard: guard() };
    round.replayGuard(network, state.guard, entries);
    peer.state = round.restore(peer.config, state, entries);
    run(seat, { kind: "woke", at: now });
  };
  for (const seat of honest) boot(seat);
  const equivocate = (): void => {
    const by = faults.equivocator;
    if (by === undefined) return;
    for (const to of honest) {
      const inRound = must(peers[to], "peer").state?.round ?? 0;
      const block = blockOf(by, now, to % 2);
      const id = blockId(network, block.header);
      if (proposerOf(4, height, inRound) === by) post(to, proposalBy(by, inRound, block));
      const known = [...(peers[to]?.state?.candidates.values() ?? [])];
      const target = known.length > 0 ? random.pick(known).id : id;
      const kind = random.pick([voteKinds.prevote, voteKinds.precommit]);
      post(to, voteBy(by, kind, inRound, random.chance(0.3) ? zero32 : target));
    }
  };
  /** What block sync does: a certificate counts even where the equivocator showed us its other vote. */
  const adopt = (seat: number, other: number): void => {
    const [peer, { certificate, decided }] = [
      must(peers[seat], "peer"),
      must(peers[other], "peer"),
    ];
    if (certificate === undefined || peer.decided !== undefined) return;
    expect(verifyCertificate(network, bls, voters, certificate)).toBeUndefined();
    peer.decided = must(decided, "decided");
  };
  const repair = (seat: number): void => {
    const { state } = must(peers[seat], "peer");
    if (state === undefined) {
      boot(seat);
      return;
    }
    for (const vote of round.ownVotes(configOf(seat), state)) broadcast(seat, vote);
    for (const other of honest) {
      const theirs = peers[other]?.state;
      if (other === seat || theirs === undefined || lossy()) continue;
      adopt(seat, other);
      const lacking = round.missing(theirs, state.round, round.view(state));
      for (const what of [...lacking.proposals, ...lacking.votes]) post(seat, what);
    }
  };
  const end = start + 400_000;
  while (now < end && honest.some((seat) => peers[seat]?.decided === undefined)) {
    now += 25;
    if (now % 1000 === 0) {
      equivocate();
      for (const seat of honest) repair(seat);
    }
    if (now >= start + 100) for (const seat of honest) run(seat, { kind: "ready", at: now });
    const due = queue.filter((m) => m.at <= now).sort((a, b) => a.at - b.at || a.order - b.order);
    for (const message of due) queue.splice(queue.indexOf(message), 1);
    for (const { to, what } of due)
      if ("seat" in what) run(to, { kind: "vote", at: now, vote: what });
      else run(to, { kind: "proposal", at: now, arrivedAt: now, proposal: what });
    for (const seat of honest) {
      const { state } = must(peers[seat], "peer");
      const deadline = state === undefined ? undefined : round.deadline(state);
      if (deadline !== undefined && deadline <= now) run(seat, { kind: "woke", at: now });
    }
  }
  const decided = honest.map((seat) => peers[seat]?.decided);
  return { decided: decided.map((id) => id && toHex(id)), evidence, tookMs: now - healAt };
}

function expectAgreement(decided: (string | undefined)[], seed: number): void {
  expect(
    decided.every((id) => id !== undefined && id === decided[0]),
    `seed ${seed}`,
  ).toBe(true);
}

describe("a network of four round machines", () => {
  it("agrees and decides under loss, delay, reordering and crashes", () => {
    for (let seed = 0; seed < 150; seed++) expectAgreement(simulate(seed, {}).decided, seed);
  });

  it("agrees and decides without one silent seat, the first proposer included", () => {
    for (let seed = 0; seed < 80; seed++)
      expectAgreement(simulate(seed, { silent: seed % 4 }).decided, seed);
  });

  it("agrees and decides with a seat that proposes and votes two ways, and convicts only that seat", () => {
    let convicted = 0;
    for (let seed = 0; seed < 150; seed++) {
      const by = seed % 4;
      const { decided, evidence } = simulate(seed, { equivocator: by });
      expectAgreement(decided, seed);
      for (const found of evidence) expect(convictOf(found)).toBe(by);
      convicted += evidence.length > 0 ? 1 : 0;
    }
    expect(convicted).toBeGreaterThan(0);
  });
});

describe("one round machine", () => {
  const kindsOf = (effects: readonly round.Effect[]): string[] => effects.map((e) => e.kind);

  it("journals each vote before it sends it, and the lock before the precommit (CON-1)", () => {
    const config = configOf(0);
    const state = fresh(0);
    const block = blockOf(1, start + 10);
    const id = blockId(network, block.header);
    const arrive = { kind: "proposal", at: start + 20, arrivedAt: start + 20 } as const;
    const [, first] = round.step(config, state, { ...arrive, proposal: proposalBy(1, 0, block) });
    expect(kindsOf(first)).toEqual(["journal", "vote"]);
    const at = start + 30;
    round.step(config, state, { kind: "vote", at, vote: voteBy(1, voteKinds.prevote, 0, id) });
    const vote = voteBy(2, voteKinds.prevote, 0, id);
    const [, second] = round.step(config, state, { kind: "vote", at, vote });
    expect(kindsOf(second)).toEqual(["journal", "journal", "vote"]);
    expect(second[0]).toMatchObject({ entry: { kind: "polka", polka: { locked: true } } });
  });

  const prevoteFor = (proposal: Proposal, arrivedAt: number): Uint8Array => {
    const [, effects] = round.step(configOf(0), fresh(0), {
      kind: "proposal",
      at: arrivedAt,
      arrivedAt,
      proposal,
    });
    const vote = effects.find((effect) => effect.kind === "vote");
    return must(vote?.kind === "vote" ? vote.vote.block : undefined, "a vote");
  };

  it("prevotes nil for a block outside of the time window (TIM-1)", () => {
    const block = blockOf(1, start);
    const id = blockId(network, block.header);
    expect(prevoteFor(proposalBy(1, 0, block), start + 2000)).toEqual(id);
    expect(prevoteFor(proposalBy(1, 0, block), start + 2001)).toEqual(zero32);
    expect(prevoteFor(proposalBy(1, 0, block), start - 2001)).toEqual(zero32);
  });

  it("prevotes nil for a block whose application throws (CON-5)", () => {
    expect(prevoteFor(proposalBy(1, 0, blockOf(1, start, 66)), start)).toEqual(zero32);
  });

  it("prevotes nil for a fresh block that names another proposer", () => {
    expect(prevoteFor(proposalBy(1, 0, blockOf(2, start)), start)).toEqual(zero32);
  });

  it("blames a proposal signed by a seat that is not the round's proposer", () => {
    const [, effects] = round.step(configOf(0), fresh(0), {
      kind: "proposal",
      at: start,
      arrivedAt: start,
      proposal: proposalBy(2, 0, blockOf(2, start)),
    });
    expect(kindsOf(effects)).toEqual(["blame"]);
  });

  it("waits in round 0 without a clock until there is reason to expect a proposal", () => {
    const state = fresh(0);
    expect(round.deadline(state)).toBeUndefined();
    round.step(configOf(0), state, { kind: "ready", at: start });
    expect(round.deadline(state)).toBe(start + timing.proposeTimeoutMs);
  });

  it("joins a later round as soon as more than a third is there, however far", () => {
    const state = fresh(0);
    for (const [seat, inRound] of [
      [1, 50],
      [2, 70],
    ] as const)
      round.step(configOf(0), state, {
        kind: "vote",
        at: start,
        vote: voteBy(seat, voteKinds.prevote, inRound, zero32),
      });
    expect(state.round).toBe(50);
    expect(state.votes.rounds.size).toBeLessThan(20);
  });

  it("stays locked against a new block and yields to a later proof of lock", () => {
    const config = configOf(0);
    const state = fresh(0);
    const locked = blockOf(1, start);
    const other = blockOf(2, start + 1);
    const otherId = blockId(network, other.header);
    const prevotes = (inRound: number, id: Uint8Array, seats: number[], polRound = 0): void => {
      for (const seat of seats) {
        const vote = voteBy(seat, voteKinds.prevote, inRound, id, polRound);
        round.step(config, state, { kind: "vote", at: start, vote });
      }
    };
    const propose = (proposal: Proposal): readonly round.Effect[] =>
      round.step(config, state, { kind: "proposal", at: start, arrivedAt: start, proposal })[1];
    propose(proposalBy(1, 0, locked));
    prevotes(0, blockId(network, locked.header), [1, 2]);
    expect(state.locked?.round).toBe(0);
    const [, timedOut] = ((): ReturnType<typeof round.step> => {
      for (const seat of [1, 2]) {
        const vote = voteBy(seat, voteKinds.precommit, 0, zero32);
        round.step(config, state, { kind: "vote", at: start, vote });
      }
      return round.step(config, state, { kind: "woke", at: start + 500 });
    })();
    expect([state.round, timedOut]).toEqual([1, []]);
    const voted = propose(proposalBy(2, 1, other)).find((effect) => effect.kind === "vote");
    expect(voted).toMatchObject({ vote: { block: zero32 } });
    prevotes(1, otherId, [1, 2, 3]);
    for (const seat of [1, 2, 3]) {
      const vote = voteBy(seat, voteKinds.precommit, 1, zero32);
      round.step(config, state, { kind: "vote", at: start, vote });
    }
    expect(state.round).toBe(2);
    const yields = propose(proposalBy(3, 2, other, 2)).find((effect) => effect.kind === "vote");
    expect(yields).toMatchObject({ vote: { block: otherId, polRound: 2 } });
  });

  const feed = (state: round.State, votes: Vote[]): readonly round.Effect[] =>
    votes.flatMap((vote) => round.step(configOf(0), state, { kind: "vote", at: start, vote })[1]);
  const hear = (state: round.State, proposal: Proposal): readonly round.Effect[] =>
    round.step(configOf(0), state, { kind: "proposal", at: start, arrivedAt: start, proposal })[1];
  const votesOf = (kind: number, inRound: number, id: Uint8Array): Vote[] =>
    [1, 2, 3].map((seat) => voteBy(seat, kind, inRound, id));

  it("stays locked against a proof of lock from before its own lock", () => {
    const state = fresh(0);
    const older = blockOf(1, start);
    const newer = blockOf(2, start, 1);
    const [olderId, newerId] = [older, newer].map((block) => blockId(network, block.header));
    feed(state, votesOf(voteKinds.prevote, 0, must(olderId, "id")));
    feed(state, votesOf(voteKinds.precommit, 0, zero32));
    hear(state, proposalBy(2, 1, newer));
    feed(state, votesOf(voteKinds.prevote, 1, must(newerId, "id")));
    expect(state.locked).toEqual({ round: 1, id: newerId });
    feed(state, votesOf(voteKinds.precommit, 1, zero32));
    const vote = hear(state, proposalBy(3, 2, older, 1)).find((effect) => effect.kind === "vote");
    expect(vote).toMatchObject({ vote: { round: 2, block: zero32 } });
  });

  it("comes back from its journal with round, step, lock, proof and guard", () => {
    const state = fresh(0);
    const block = blockOf(1, start);
    const id = blockId(network, block.header);
    const out = [...hear(state, proposalBy(1, 0, block))];
    out.push(...feed(state, votesOf(voteKinds.prevote, 0, id)));
    const entries = out.flatMap((effect) => (effect.kind === "journal" ? [effect.entry] : []));
    const again = guard();
    round.replayGuard(network, again, entries);
    const restored = round.restore(
      configOf(0),
      { height, parentTime: start - 500, proposeFrom: start, guard: again },
      entries,
    );
    expect(restored).toMatchObject({ round: 0, step: "precommit", locked: { round: 0, id } });
    expect(restored.valid?.candidate.id).toEqual(id);
    const digest = sha256(Uint8Array.of(9));
    for (const step of [guardSteps.prevote, guardSteps.precommit])
      expect(authorize(again, { height, round: 0, step, digest })).toBe("refused");
    feed(restored, votesOf(voteKinds.precommit, 0, zero32));
    const other = proposalBy(2, 1, blockOf(2, start));
    const vote = hear(restored, other).find((effect) => effect.kind === "vote");
    expect(vote).toMatchObject({ vote: { round: 1, block: zero32 } });
  });

  it("blames a proposal whose transactions or votes are not those of its header", () => {
    const swapped = { ...blockOf(1, start), transactions: [new Uint8Array(3)] };
    expect(kindsOf(hear(fresh(0), proposalBy(1, 0, swapped)))).toEqual(["blame"]);
    const precommit = voteBy(1, voteKinds.precommit, 0, sha256(new Uint8Array(1)));
    const late = [certificateOf(bls, 4, [precommit])];
    const added = { ...blockOf(1, start), late };
    expect(kindsOf(hear(fresh(0), proposalBy(1, 0, added)))).toEqual(["blame"]);
  });

  it("tells a peer's view what it lacks, and gives no more", () => {
    const state = fresh(0);
    const block = blockOf(1, start);
    const proposal = proposalBy(1, 0, block);
    hear(state, proposal);
    const empty = round.view(fresh(1));
    expect(round.missing(state, 0, empty).proposals).toEqual([proposal]);
    expect(round.missing(state, 0, empty).votes.map((vote) => vote.seat)).toEqual([0]);
    const same = round.view(state);
    expect(round.missing(state, 0, same)).toEqual({ proposals: [], votes: [] });
  });
});
