import type { NetworkId } from "@causeway/primitives";
import { bigEndian, isRejected, must, sha256, zero32 } from "@causeway/primitives";
import { testBls } from "@causeway/primitives/testing";
import { describe, expect, it } from "vitest";
import type { Certificate, Vote } from "../codec/block.ts";
import { voteDigest, voteKinds } from "../codec/block.ts";
import { certificateOf, verifyCertificate } from "./certificate.ts";
import { testCommittee, testSecret } from "./testing.ts";
import {
  addOwnVote,
  addVote,
  reachedRound,
  settleVotes,
  tallyOf,
  voteSet,
  votesFor,
} from "./vote-set.ts";
import { votersOf } from "./voters.ts";

const network = sha256(new Uint8Array(1)) as unknown as NetworkId;
const base = testBls();
let verified = 0;
const bls: typeof base = {
  ...base,
  verify: (...args) => {
    verified += 1;
    return base.verify(...args);
  },
};
const voters = votersOf(network, testCommittee(bls, 4));
const a = sha256(Uint8Array.of(1));
const b = sha256(Uint8Array.of(2));
const never = (): boolean => false;

function vote(seat: number, block: Uint8Array, fields: Partial<Vote> = {}): Vote {
  const content = { kind: voteKinds.precommit, height: 7, round: 0, polRound: 0, block, ...fields };
  return { ...content, seat, signature: bls.sign(testSecret(seat), voteDigest(network, content)) };
}

describe("a vote set", () => {
  it("counts each seat once, verifies each vote once, and finds the quorum", () => {
    const set = voteSet(network, bls, voters, 7);
    verified = 0;
    expect(addVote(set, vote(0, a), 0, never)).toBe("added");
    expect(addVote(set, vote(0, a), 0, never)).toBe("known");
    expect(addVote(set, vote(1, a), 0, never)).toBe("added");
    expect(tallyOf(set, 0, voteKinds.precommit).majority).toBeUndefined();
    expect(addVote(set, vote(3, a), 0, never)).toBe("added");
    expect(tallyOf(set, 0, voteKinds.precommit).majority).toEqual(a);
    expect(verified).toBe(3);
  });

  it("counts the own seat once when others bring its vote before it is cast", () => {
    const set = voteSet(network, bls, voters, 7);
    const tally = tallyOf(set, 0, voteKinds.precommit);
    expect(addVote(set, vote(0, a), 0, never, "x")).toBe("waiting");
    addOwnVote(set, vote(0, a));
    expect(addVote(set, vote(1, a), 0, never, "x")).toBe("waiting");
    settleVotes(set);
    expect([tally.power, tally.majority]).toEqual([2n, undefined]);
  });

  it("checks the votes of round 0 by one look when they make a quorum, and none after it", () => {
    const set = voteSet(network, bls, voters, 7);
    const tally = tallyOf(set, 0, voteKinds.precommit);
    verified = 0;
    expect(addVote(set, vote(0, a), 0, never, "x")).toBe("waiting");
    expect(addVote(set, vote(0, a), 0, never, "x")).toBe("known");
    expect(addVote(set, vote(1, a), 0, never, "x")).toBe("waiting");
    expect(tally.power).toBe(0n);
    expect(addVote(set, vote(3, a), 0, never, "x")).toBe("added");
    expect([tally.power, tally.majority]).toEqual([3n, a]);
    expect(addVote(set, vote(2, a), 0, never, "x")).toBe("waiting");
    expect(verified).toBe(0);
    // Who contradicts itself is looked at.
    expect(addVote(set, vote(2, b), 0, never, "x")).toBe("double");
    expect(set.evidence).toMatchObject([{ first: { seat: 2, block: a }, second: { block: b } }]);
    expect(addVote(set, vote(0, a, { round: 1 }), 1, never, "x")).toBe("added");
  });

  it("finds the forged among votes that wait, names who brought it, and takes the true one", () => {
    const set = voteSet(network, bls, voters, 7);
    const tally = tallyOf(set, 0, voteKinds.precommit);
    const forged = { ...vote(1, a), signature: vote(1, b).signature };
    expect(addVote(set, vote(0, a), 0, never, "x")).toBe("waiting");
    expect(addVote(set, forged, 0, never, "liar")).toBe("waiting");
    expect(addVote(set, vote(3, a), 0, never, "y")).toBe("added");
    expect(tally.power).toBe(2n);
    expect(set.forged).toMatchObject([{ from: "liar", reason: { code: "bad-signature" } }]);
    expect(addVote(set, vote(1, a), 0, never, "z")).toBe("added");
    expect(tally.majority).toEqual(a);
    const flood = voteSet(network, bls, voters, 7);
    verified = 0;
    for (const seat of [0, 1, 2])
      addVote(flood, { ...vote(seat, a), signature: vote(3, a).signature }, 0, never, "liar");
    expect([verified, flood.forged.length]).toEqual([1, 1]);
    // In the true one's place it does not keep that out.
    const other = voteSet(network, bls, voters, 7);
    expect(addVote(other, forged, 0, never, "liar")).toBe("waiting");
    expect(addVote(other, vote(1, a), 0, never, "z")).toBe("waiting");
    expect(other.forged.map(({ from }) => from)).toEqual(["liar"]);
    settleVotes(other);
    expect(tallyOf(other, 0, voteKinds.precommit).power).toBe(1n);
  });

  it("keeps two different votes of a seat as evidence, and counts the second for a wanted block", () => {
    const set = voteSet(network, bls, voters, 7);
    addVote(set, vote(2, a), 0, never);
    expect(addVote(set, vote(2, b), 0, never)).toBe("double");
    expect(set.evidence).toMatchObject([{ first: { block: a }, second: { block: b } }]);
    const tally = tallyOf(set, 0, voteKinds.precommit);
    expect(votesFor(tally, b)).toEqual([]);
    expect(addVote(set, vote(2, b), 0, () => true)).toBe("double");
    expect(addVote(set, vote(2, b), 0, () => true)).toBe("known");
    expect(votesFor(tally, b).length).toBe(1);
    expect(tally.power).toBe(1n);
    expect(set.evidence.length).toBe(1);
  });

  it("does not keep votes of far rounds, but notes that their seats are there", () => {
    const set = voteSet(network, bls, voters, 7);
    expect(addVote(set, vote(1, zero32, { round: 1_000_000 }), 0, never)).toBe("noted");
    expect(reachedRound(set)).toBe(-1);
    expect(addVote(set, vote(2, zero32, { round: 40 }), 0, never)).toBe("noted");
    expect(reachedRound(set)).toBe(40);
    expect(set.rounds.size).toBe(0);
  });

  it("finds a broken lock in either order of arrival, and none where a later proof is claimed", () => {
    const precommit = vote(2, a, { round: 1 });
    const prevote = (polRound: number, seat = 2): Vote =>
      vote(seat, b, { kind: voteKinds.prevote, round: 3, polRound });
    for (const votes of [
      [precommit, prevote(1)],
      [prevote(1), precommit],
    ]) {
      const set = voteSet(network, bls, voters, 7);
      for (const one of votes) expect(addVote(set, one, 3, never)).toBe("added");
      expect(set.evidence).toEqual([{ kind: "lock-violation", precommit, prevote: prevote(1) }]);
    }
    const set = voteSet(network, bls, voters, 7);
    for (const one of [precommit, prevote(3), prevote(0, 1), vote(1, zero32, { round: 1 })])
      addVote(set, one, 3, never);
    expect(set.evidence).toEqual([]);
  });

  it("keeps little evidence of one seat, and some of each of its kinds", () => {
    const set = voteSet(network, bls, voters, 7);
    for (let round = 0; round < 50; round++)
      for (const block of [a, b]) addVote(set, vote(2, block, { round }), round, never);
    expect(set.evidence.length).toBe(4);
    addVote(
      set,
      vote(2, sha256(Uint8Array.of(9)), { kind: voteKinds.prevote, round: 50 }),
      50,
      never,
    );
    expect(set.evidence.map((found) => found.kind)).toContain("lock-violation");
    expect(set.evidence.length).toBe(5);
    addVote(set, vote(1, a), 50, never);
    addVote(set, vote(1, b), 50, never);
    expect(set.evidence.length).toBe(6);
  });

  it("verifies few of the votes with which a key floods it", () => {
    const set = voteSet(network, bls, voters, 7);
    verified = 0;
    // Of far rounds; the 32 bits of a round are doubled 32 times at most.
    for (let round = 100; round < 3_000; round++) addVote(set, vote(1, a, { round }), 0, never);
    expect(verified).toBeLessThanOrEqual(32);
    verified = 0;
    // Of one round, each for another block.
    for (let i = 0; i < 200; i++) addVote(set, vote(2, sha256(bigEndian(i, 4))), 0, never);
    expect(verified).toBe(2);
    expect(set.evidence.length).toBe(1);
  });

  it("does not hear barred seats, whose power stays in the quorum's base (CON-3)", () => {
    const barred = votersOf(network, testCommittee(bls, 4), [3]);
    const set = voteSet(network, bls, barred, 7);
    verified = 0;
    expect(addVote(set, vote(3, a), 0, never)).toBe("known");
    expect(verified).toBe(0);
    for (const seat of [0, 1]) addVote(set, vote(seat, a), 0, never);
    expect(tallyOf(set, 0, voteKinds.precommit).majority).toBeUndefined();
    addVote(set, vote(2, a), 0, never);
    expect(tallyOf(set, 0, voteKinds.precommit).majority).toEqual(a);
    const without = certificateOf(bls, 4, [vote(0, a), vote(1, a), vote(3, a)]);
    expect(verifyCertificate(network, bls, voters, without)).toBeUndefined();
    expect(verifyCertificate(network, bls, barred, without)).toMatchObject({ code: "no-quorum" });
  });

  it("rejects votes that make no sense or are not the seat's", () => {
    const set = voteSet(network, bls, voters, 7);
    const bad: [Vote, string][] = [
      [vote(0, a, { height: 8 }), "wrong-height"],
      [{ ...vote(0, a), seat: 4 }, "bad-seat"],
      [vote(0, a, { kind: 3 }), "bad-kind"],
      [vote(0, a, { polRound: 1, round: 3 }), "bad-pol-round"],
      [vote(0, zero32, { kind: voteKinds.prevote, polRound: 1, round: 3 }), "bad-pol-round"],
      [vote(0, a, { kind: voteKinds.prevote, polRound: 4, round: 3 }), "bad-pol-round"],
      [{ ...vote(0, a), seat: 1 }, "bad-signature"],
      [{ ...vote(0, a), block: b }, "bad-signature"],
    ];
    for (const [one, code] of bad) expect(addVote(set, one, 3, never)).toMatchObject({ code });
    expect(tallyOf(set, 0, voteKinds.precommit).power).toBe(0n);
  });
});

describe("a certificate", () => {
  const certificate = certificateOf(bls, 4, [vote(3, a), vote(0, a), vote(1, a)]);
  const check = (of: Certificate): string | undefined => {
    const bad = verifyCertificate(network, bls, voters, of);
    return isRejected(bad) ? bad.code : undefined;
  };

  it("proves a quorum's precommits", () => {
    expect(check(certificate)).toBeUndefined();
  });

  it("proves nothing with less power, another block, a stray bit, or nil", () => {
    expect(check(certificateOf(bls, 4, [vote(0, a), vote(1, a)]))).toBe("no-quorum");
    expect(check({ ...certificate, block: b })).toBe("bad-signature");
    expect(check({ ...certificate, round: 1 })).toBe("bad-signature");
    expect(check({ ...certificate, bitmap: Uint8Array.of(0b0111) })).toBe("bad-signature");
    expect(check({ ...certificate, bitmap: Uint8Array.of(0b11011) })).toBe("bad-bitmap");
    expect(check({ ...certificate, bitmap: Uint8Array.of(0b1011, 0) })).toBe("bad-bitmap");
    expect(check({ ...certificate, block: zero32 })).toBe("nil-block");
  });

  it("counts power, not seats (CON-2)", () => {
    const committee = testCommittee(bls, 4);
    must(committee.members[2], "seat").power = 3n;
    const heavy = votersOf(network, committee);
    const light = verifyCertificate(network, bls, heavy, certificate);
    expect(light).toMatchObject({ code: "no-quorum" });
    const two = certificateOf(bls, 4, [vote(2, a), vote(0, a), vote(1, a)]);
    expect(verifyCertificate(network, bls, heavy, two)).toBeUndefined();
  });
});
