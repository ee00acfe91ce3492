// Heights that others decide (CON-3), and votes that come late (CON-4).
import { must, sha256 } from "@causeway/primitives";
import { testBls } from "@causeway/primitives/testing";
import { describe, expect, it } from "vitest";
import { seatsOf } from "../codec/bitmap.ts";
import type { Block, Committee } from "../codec/block.ts";
import { blockCodec, certificateCodec, voteDigest, voteKinds } from "../codec/block.ts";
import { verifyCertificate } from "../consensus/certificate.ts";
import { testCommittee, testSecret } from "../consensus/testing.ts";
import { votersOf } from "../consensus/voters.ts";
import { missedVotes } from "../ledger/epoch/votes.ts";
import { testGenesis, testBls as trueBls, validatorSecret } from "../ledger/testing.ts";
import { bindLedger } from "./ledger.ts";
import { encodeMessage } from "./message.ts";
import type { Deciders } from "./testing.ts";
import { changingLedger, testLedger } from "./testing.ts";
import type { Ground, Peer, World } from "./testing-world.ts";
import { network, tinyGenesis, world } from "./testing-world.ts";

const bls = testBls();
const keys = testCommittee(bls, 7).members;
const epochHeights = 5;

/** Of keys 0 to 6 who votes in an epoch, in seat order: some leave, come back, and change seats. */
const plan = [
  [0, 1, 2, 3],
  [0, 1, 2, 3],
  [4, 3, 2, 5],
  [6, 5, 4, 3, 2, 1, 0],
  [1, 0, 6, 5],
];
function committeeOf(epoch: number): Committee {
  const seats = must(plan[epoch % plan.length], "seats");
  return { epoch, members: seats.map((key) => must(keys[key], "key")) };
}
function deciders(height: number): Deciders {
  const epoch = Math.floor((height - 1) / epochHeights);
  return { committee: committeeOf(epoch), nextCommittee: committeeOf(epoch + 1), barred: [] };
}
function ground(at: (height: number) => Deciders): Ground {
  const ledger = (): Ground["ledger"] extends () => infer L ? L : never =>
    changingLedger(testLedger(network, committeeOf(0)), at);
  return { genesis: tinyGenesis, bls, ledger, secret: testSecret };
}

function blocksOf(peer: Peer): { block: Block; signers: readonly number[] }[] {
  return [...peer.disk.blocks].map(([height, stored]) => {
    const certificate = certificateCodec.decode(stored.certificate);
    const { committee, barred } = deciders(height);
    const voters = votersOf(network, committee, barred);
    expect(verifyCertificate(network, bls, voters, certificate)).toBeUndefined();
    const block = blockCodec.decode(stored.block);
    expect(block.header.committee, `height ${height}`).toEqual(voters.id);
    return { block, signers: seatsOf(certificate.bitmap, voters.size) as number[] };
  });
}

function work(w: World, from: number, until: number): void {
  for (let t = from; t < until; t += 250) {
    w.submit(must(w.peers[(t / 250) % w.peers.length], "peer"));
    w.run(t);
  }
}

describe("a committee that changes at an epoch boundary (CON-3)", () => {
  it("hands over, whatever seat a key has then, or none", () => {
    const w = world({ keys: 7, ground: ground(deciders) });
    work(w, 250, 20_000);
    w.run(30_000);
    const height = w.height(w.peer("v0"));
    expect(height).toBeGreaterThan(6 * epochHeights);
    for (const peer of w.peers) expect(w.height(peer)).toBeGreaterThanOrEqual(height - 1);
    const signers = new Set(blocksOf(w.peer("v0")).flatMap((one) => one.signers));
    expect(signers.size).toBe(7);
    expect(w.bans).toEqual([]);
    // Who is in no seat now follows, and votes again when it has one.
    for (const peer of w.peers) {
      const state = must(peer.state, "state");
      const seat = deciders(state.round.height).committee.members.findIndex(
        ({ consensusKey }) =>
          consensusKey.join() === bls.publicKey(testSecret(must(peer.seat, "key"))).join(),
      );
      expect(state.signer?.seat ?? -1).toBe(seat);
    }
  });

  it("holds under loss, delay and crashes at any effect, and a new node syncs over all epochs", () => {
    for (let seed = 0; seed < 12; seed++) {
      const healAt = 20_000;
      const w = world({
        seed,
        keys: 7,
        ground: ground(deciders),
        loss: 0.1,
        delayMs: 300,
        crash: 0.002,
        healAt,
      });
      work(w, 250, healAt);
      w.run(healAt + 25_000);
      const late = w.addPeer("late");
      w.boot(late);
      work(w, healAt + 25_000, healAt + 35_000);
      w.run(healAt + 45_000);
      const heights = w.peers.map(w.height);
      expect(Math.min(...heights), `seed ${seed}: ${heights}`).toBeGreaterThan(3 * epochHeights);
      expect(Math.max(...heights) - Math.min(...heights), `${heights}`).toBeLessThanOrEqual(1);
      blocksOf(late);
      expect(w.bans).toEqual([]);
    }
  });

  it("serves after an epoch's last block the committee that its header names", async () => {
    const { finality } = await import("./query.ts");
    const { committeeId } = await import("../codec/block.ts");
    const w = world({ keys: 7, ground: ground(deciders) });
    const seen = new Set<number>();
    for (let t = 100; t < 12_000; t += 100) {
      if (t % 300 === 0) w.submit(w.peer("v0"));
      w.run(t);
      const served = finality(must(w.peer("v0").state, "state"));
      if (served === undefined) continue;
      expect(committeeId(network, served.committee)).toEqual(served.header.nextCommittee);
      seen.add(served.header.height % epochHeights);
    }
    expect(seen.size).toBe(epochHeights);
  });
});

it("a barred seat neither votes nor proposes, its power stays, and nobody is blamed for it (CON-3)", () => {
  const barredFrom = 6;
  const committee = { ...testCommittee(bls, 4), epoch: 0 };
  const at = (height: number): Deciders => ({
    committee,
    nextCommittee: { ...committee, epoch: 1 },
    barred: height >= barredFrom ? [2] : [],
  });
  const w = world({ ground: ground(at) });
  work(w, 250, 12_000);
  const stored = [...w.peer("v0").disk.blocks].filter(([height]) => height >= barredFrom);
  expect(stored.length).toBeGreaterThan(10);
  for (const [, one] of stored) {
    expect(seatsOf(certificateCodec.decode(one.certificate).bitmap, 4)).toEqual([0, 1, 3]);
    expect(blockCodec.decode(one.block).header.proposer).not.toBe(2);
  }
  const v0 = must(w.peer("v0").state, "state");
  const content = {
    kind: voteKinds.prevote,
    height: v0.round.height,
    round: 0,
    block: sha256(new Uint8Array(3)),
    polRound: 0,
  };
  const signature = bls.sign(testSecret(2), voteDigest(network, content));
  const bytes = encodeMessage({ kind: "votes", votes: [{ ...content, seat: 2, signature }] });
  w.deliver(w.peer("v0"), { kind: "message", at: w.now(), from: "v2", bytes });
  expect(v0.round.votes.rounds.get(0)?.prevotes.votes[2]).toBeUndefined();
  expect(w.bans).toEqual([]);
});

describe("votes that come late (CON-4)", () => {
  const run = (slowMs: number): { w: World; blocks: Block[]; certified: number[] } => {
    // Over some epochs of the true ledger.
    const genesis = testGenesis(4, { epochMs: 4_000, heartbeatMs: 500, seats: 4 });
    const w = world({
      ground: {
        genesis,
        bls: trueBls,
        ledger: () => bindLedger(genesis, trueBls),
        secret: (seat) => validatorSecret(seat, "consensusKey"),
      },
      slow: "v3",
      slowMs,
    });
    w.run(16_000);
    const { disk } = w.peer("v0");
    const blocks = [...disk.blocks.values()].map(({ block }) => blockCodec.decode(block));
    const missed = genesis.validators.map(({ owner }) =>
      missedVotes(disk.store, owner, w.height(w.peer("v0")), 1_000),
    );
    expect(missed).toEqual([0, 0, 0, 0]);
    const certified = blocks.flatMap(({ certificate: [of] }) =>
      of ? [seatsOf(of.bitmap, 4)] : [],
    );
    return { w, blocks, certified: certified.flatMap((seats) => seats as number[]) };
  };

  it("of the same round complete the parent's certificate", () => {
    const { w, blocks, certified } = run(200);
    expect(w.height(w.peer("v0"))).toBeGreaterThan(20);
    const ofSlow = certified.filter((seat) => seat === 3).length;
    expect(ofSlow).toBeGreaterThan(0.7 * blocks.length);
    const stored = [...w.peer("v0").disk.blocks.values()];
    const alone = stored.filter(({ certificate }) => {
      const seats = seatsOf(certificateCodec.decode(certificate).bitmap, 4) as number[];
      return seats.includes(3);
    });
    expect(alone.length).toBeLessThan(0.7 * blocks.length);
    expect(w.bans).toEqual([]);
  });

  it("later than that are added by later blocks, so that a slow validator misses nothing", () => {
    const { blocks } = run(800);
    const late = blocks.flatMap((block) => block.late);
    expect(late.length).toBeGreaterThan(5);
    for (const one of late) expect(seatsOf(one.bitmap, 4)).toEqual([3]);
  });

  it("cost one verification each, however many are sent, and the bringer of a wrong one", () => {
    const w = world({});
    w.run(30_000);
    const v0 = w.peer("v0");
    const state = must(v0.state, "state");
    let verified = 0;
    const counted = { ...state.context.bls };
    const { verify } = counted;
    counted.verify = (...args) => {
      verified += 1;
      return verify(...args);
    };
    Object.assign(state, { context: { ...state.context, bls: counted } });
    const height = state.tip.height - 1;
    const recent = must(state.recent.get(height), "recent");
    const seat = 1;
    Object.assign(recent, { named: new Set() });
    recent.votes[seat] = undefined;
    const vote = (at: number, block: Uint8Array, round = 0) => {
      const content = { kind: voteKinds.precommit, height: at, round, block, polRound: 0 };
      const digest = voteDigest(network, content);
      return { ...content, seat, signature: w.bls.sign(testSecret(seat), digest) };
    };
    const send = (votes: ReturnType<typeof vote>[]): void =>
      w.deliver(v0, {
        kind: "message",
        at: w.now(),
        from: "v1",
        bytes: encodeMessage({ kind: "votes", votes }),
      });
    send(Array.from({ length: 200 }, (_, round) => vote(height, recent.block, round)));
    expect(verified).toBe(1);
    // Heights that are over, other blocks, and seats that are named already.
    send(Array.from({ length: 200 }, (_, i) => vote(1, sha256(Uint8Array.of(i)))));
    send(Array.from({ length: 200 }, (_, i) => vote(height, sha256(Uint8Array.of(i)))));
    expect(verified).toBe(1);
    expect(w.bans).toEqual([]);
    recent.votes[seat] = undefined;
    send([{ ...vote(height, recent.block), signature: new Uint8Array(96) }]);
    expect(w.bans).toMatchObject([{ by: "v0", peer: "v1" }]);
    expect(state.recent.size).toBeLessThanOrEqual(8);
  });
});
