// Nodes on a network with delays, loss, silence and crashes at any effect, over a tiny ledger: one history,
// progress after healing, nothing final lost.
import { bigEndian, equal, isRejected, must, rejected, seeded, sha256 } from "@causeway/primitives";
import { describe, expect, it } from "vitest";
import {
  blockCodec,
  blockId,
  blockSizeMax,
  certificateCodec,
  proposalDigest,
  voteKinds,
  votesRoot,
} from "../codec/block.ts";
import { parseRecord } from "../consensus/journal.ts";
import { proposerOf } from "../consensus/proposer.ts";
import { testSecret } from "../consensus/testing.ts";
import * as sync from "../sync/sync.ts";
import { answerTimeoutMs } from "../sync/sync.ts";
import { earlySizeMax } from "./consensus.ts";
import * as node from "./machine.ts";
import { encodeMessage, transactionsCodec } from "./message.ts";
import { evidence } from "./query.ts";
import { testTransaction } from "./testing.ts";
import { network, start, world } from "./testing-world.ts";

describe("a network of nodes", () => {
  it("makes blocks at the heartbeat while idle and at the interval while there is work (CON-1)", () => {
    const w = world({});
    w.run(60_000);
    const idle = w.height(w.peer("v0"));
    expect(idle).toBeGreaterThanOrEqual(11);
    expect(idle).toBeLessThanOrEqual(14);
    for (let i = 1; i <= 100; i++) {
      w.submit(w.peer(`v${i % 4}`));
      w.run(60_000 + i * 100);
    }
    const busy = w.height(w.peer("v0")) - idle;
    expect(busy).toBeGreaterThanOrEqual(17);
    expect(busy).toBeLessThanOrEqual(22);
    w.run(72_000);
    for (const peer of w.peers) expect(w.included(peer)).toBe(100);
    expect(w.bans).toEqual([]);
  });

  it("makes the next block at once after one that changed interchain state (CON-1)", () => {
    const w = world({ ledger: { changes: 7 } });
    w.run(21_000);
    const before = w.height(w.peer("v0"));
    w.submit(
      w.peer("v0"),
      testTransaction({ spends: sha256(new Uint8Array(9)), index: 7, expires: start + 600_000 }),
    );
    w.run(22_500);
    expect(w.height(w.peer("v0"))).toBeGreaterThanOrEqual(before + 2);
  });

  it("has a transaction final within a second of its submission, median", () => {
    const w = world({});
    w.run(10_000);
    const took: number[] = [];
    for (let i = 0; i < 20; i++) {
      const peer = w.peer(`v${i % 4}`);
      const from = w.now();
      const goal = w.included(peer) + 1;
      w.submit(peer);
      while (w.included(peer) < goal) w.run(w.now() - start + 10);
      took.push(w.now() - from);
      w.run(w.now() - start + 137);
    }
    took.sort((a, b) => a - b);
    expect(took[10]).toBeLessThan(600);
  });

  it("keeps a good pace with one silent validator of four", () => {
    for (const silent of [0, 1, 2, 3]) {
      const w = world({ silent });
      for (let i = 1; i <= 300; i++) {
        w.submit(must(w.peers[i % 3], "peer"));
        w.run(i * 100);
      }
      // Three heights of four take half a second, the fourth a time-out more.
      expect(w.height(must(w.peers[0], "peer"))).toBeGreaterThanOrEqual(30);
      w.run(33_000);
      expect(w.included(must(w.peers[0], "peer"))).toBe(300);
    }
  });

  it("repairs every lost proposal and every lost vote, although all three votes are needed", () => {
    for (const mutedKind of ["proposal", "votes"]) {
      const w = world({ silent: 3, mutedKind });
      w.submit(w.peer("v0"));
      w.run(30_000);
      expect(w.height(w.peer("v0")), mutedKind).toBeGreaterThanOrEqual(2);
    }
  });

  it("has one history under loss, delay and crashes at any effect, and moves on after healing", () => {
    let crashes = 0;
    for (let seed = 0; seed < 60; seed++) {
      const healAt = 20_000;
      const options = { seed, loss: 0.2, delayMs: 800, crash: 0.004, healAt, followers: 1 };
      const w = world(options);
      for (let t = 250; t <= healAt; t += 250) {
        if (w.random.chance(0.5)) w.submit(w.random.pick(w.peers));
        w.run(t);
      }
      crashes += w.peers.filter((peer) => peer.state === undefined).length;
      w.run(healAt + 30_000);
      const heights = w.peers.map(w.height);
      const before = Math.min(...heights);
      w.submit(w.peer("v0"));
      w.run(healAt + 45_000);
      const after = Math.min(...w.peers.map(w.height));
      expect(after, `seed ${seed}: ${heights}`).toBeGreaterThan(before);
      const spread = Math.max(...heights) - before;
      expect(spread, `seed ${seed}: ${heights}`).toBeLessThanOrEqual(1);
      expect(w.bans, `seed ${seed}`).toEqual([]);
    }
    expect(crashes).toBeGreaterThan(0);
  });

  it("goes on when all nodes stop at once and start again", () => {
    for (let seed = 0; seed < 20; seed++) {
      const w = world({ seed });
      w.submit(w.peer("v0"));
      w.run(3_000 + seed * 7);
      w.submit(w.peer("v1"));
      w.run(3_300 + seed * 11);
      for (const peer of w.peers) delete peer.state;
      w.run(5_000);
      for (const peer of w.peers) w.boot(peer);
      const before = w.height(w.peer("v0"));
      w.run(16_000);
      expect(w.height(w.peer("v0")), `seed ${seed}`).toBeGreaterThan(before + 1);
    }
  });

  it("brings a node that starts late up to the others by block sync", () => {
    const w = world({});
    for (let i = 1; i <= 400; i++) {
      w.submit(w.peer("v0"));
      w.run(i * 250);
    }
    const late = w.addPeer("late");
    w.boot(late);
    w.run(108_000);
    expect(w.height(late)).toBeGreaterThan(150);
    expect(w.height(late)).toBeGreaterThanOrEqual(w.height(w.peer("v0")) - 1);
    expect(equal(must(late.disk.root, "root"), must(w.peer("v0").disk.root, "root"))).toBe(true);
  });

  it("never signs two things even when its store has lost the newest block", () => {
    const w = world({});
    w.run(12_000);
    const peer = w.peer("v2");
    delete peer.state;
    const tip = must(peer.disk.tip, "tip").header.height;
    // The ledger was idle, so that the state is the same; only the block is gone.
    const previous = must(peer.disk.blocks.get(tip - 1), "block");
    peer.disk.blocks.delete(tip);
    peer.disk.tip = {
      header: blockCodec.decode(previous.block).header,
      certificate: certificateCodec.decode(previous.certificate),
    };
    w.boot(peer);
    w.run(30_000);
    expect(w.height(peer)).toBeGreaterThan(tip + 1);
  });

  it("keeps its journal bounded and its locks and votes in it readable", () => {
    const w = world({});
    for (let i = 1; i <= 50; i++) {
      for (let index = 0; index < 3; index++) {
        const spends = sha256(bigEndian(i, 8));
        const expires = start + 600_000;
        w.submit(w.peer("v0"), testTransaction({ spends, index, expires, padding: 60_000 }));
      }
      w.run(i * 500);
    }
    const { journal } = w.peer("v1").disk;
    const size = journal.reduce((sum, record) => sum + record.length, 0);
    expect(size).toBeLessThan(6 * 1024 * 1024);
    for (const record of journal) expect(isRejected(parseRecord(record))).toBe(false);
  });

  it("goes on after a transaction that breaks the ledger when applied (CON-5)", () => {
    const w = world({ ledger: { poison: 66 } });
    w.run(6_000);
    const spends = sha256(new Uint8Array(66));
    const poison = testTransaction({ spends, index: 66, expires: start + 15_000 });
    w.submit(w.peer("v0"), poison);
    w.run(14_000);
    const before = w.height(w.peer("v0"));
    w.submit(w.peer("v1"));
    w.run(30_000);
    expect(w.height(w.peer("v0"))).toBeGreaterThan(before + 2);
    expect(w.included(w.peer("v1"))).toBe(1);
  });
});

describe("a node among bad peers", () => {
  it("bans who sends bytes that are no message, and hears no more of it", () => {
    const w = world({});
    const v0 = w.peer("v0");
    const event = { kind: "message", at: w.now(), from: "evil", bytes: new Uint8Array(9) } as const;
    w.deliver(v0, event);
    expect(w.bans).toMatchObject([{ by: "v0", peer: "evil" }]);
    w.deliver(v0, event);
    expect(w.bans.length).toBe(1);
    w.deliver(v0, { kind: "connected", at: w.now(), peer: "evil" });
    expect(w.bans.length).toBe(2);
  });

  it("bans who gossips a deposit request that is none", () => {
    const w = world({});
    const at = w.now();
    const bytes = new Uint8Array(600);
    w.deliver(w.peer("v0"), { kind: "gossip", at, from: "evil", topic: "requests", bytes });
    expect(w.bans).toMatchObject([{ by: "v0", peer: "evil" }]);
    w.deliver(w.peer("v1"), { kind: "submit", at, ticket: 1, topic: "requests", bytes });
    expect(w.bans.length).toBe(1);
  });

  it("bans who brings a vote with a wrong signature", () => {
    const w = world({});
    w.run(500);
    const vote = {
      kind: voteKinds.prevote,
      height: w.height(w.peer("v0")) + 1,
      round: 0,
      block: new Uint8Array(32),
      polRound: 0,
      seat: 2,
      signature: new Uint8Array(96),
    };
    const bytes = encodeMessage({ kind: "votes", votes: [vote] });
    w.deliver(w.peer("v0"), { kind: "message", at: w.now(), from: "evil", bytes });
    // As soon as votes are looked at.
    w.run(2_000);
    expect(w.bans).toMatchObject([{ by: "v0", peer: "evil" }]);
  });

  it("asks another peer when one claims blocks and serves rubbish or nothing", () => {
    const w = world({});
    w.run(20_000);
    const late = w.addPeer("late");
    w.boot(late);
    const claim = { height: 1_000_000, lowest: 1, round: 0, views: [] };
    for (const from of ["liar", "mute"])
      w.deliver(late, {
        kind: "message",
        at: w.now(),
        from,
        bytes: encodeMessage({ kind: "status", status: claim }),
      });
    const served = must(w.peer("v0").disk.blocks.get(1), "block");
    const certificate = Uint8Array.from(served.certificate);
    certificate[certificate.length - 1] = (certificate[certificate.length - 1] ?? 0) ^ 1;
    const lie = { kind: "blocksReply", from: 1, blocks: [{ ...served, certificate }] } as const;
    w.deliver(late, { kind: "message", at: w.now(), from: "liar", bytes: encodeMessage(lie) });
    expect(w.bans).toMatchObject([{ by: "late", peer: "liar" }]);
    w.run(20_000 + 3 * answerTimeoutMs);
    expect(w.height(late)).toBeGreaterThanOrEqual(w.height(w.peer("v0")) - 1);
    expect(w.bans.filter((ban) => ban.by === "late").map((ban) => ban.peer)).not.toContain("v0");
  });

  it("keeps what comes for the next height until that begins, bounded per peer", () => {
    const w = world({});
    w.run(12_000);
    const v0 = must(w.peer("v0").state, "state");
    const height = v0.round.height + 1;
    const seat = proposerOf(4, height, 0);
    const noVotes = votesRoot(network, { certificate: [], late: [] });
    const stray = { ...v0.tip.header, height, proposer: seat, votesRoot: noVotes };
    const block = { header: stray, certificate: [], late: [], transactions: [] };
    const content = { height, round: 0, polRound: 0, block: blockId(network, stray) };
    const digest = proposalDigest(network, content);
    const signature = w.bls.sign(testSecret(seat), digest);
    const proposal = { ...content, block: blockCodec.encode(block), signature };
    const bytes = encodeMessage({ kind: "proposal", proposal });
    for (let i = 0; i < 9; i++)
      w.deliver(w.peer("v0"), { kind: "message", at: w.now(), from: "early", bytes });
    expect(v0.early.length).toBe(2);
    w.run(30_000);
    // The stray was the round's first proposal here, so that the true one convicts its proposer.
    expect(evidence(v0)).toMatchObject([{ kind: "double-proposal", height, seat }]);
    expect(v0.early).toEqual([]);
  });

  it("keeps no more of what many peers propose for the next height than some blocks, the small ones", () => {
    const w = world({});
    w.run(12_000);
    const v0 = must(w.peer("v0").state, "state");
    const propose = (from: string, size: number): void => {
      const block = new Uint8Array(size);
      const content = { height: v0.round.height + 1, round: 0, polRound: 0 };
      const proposal = { ...content, block, signature: new Uint8Array(96) };
      const bytes = encodeMessage({ kind: "proposal", proposal });
      w.deliver(w.peer("v0"), { kind: "message", at: w.now(), from, bytes });
    };
    propose("honest", 1_000);
    for (let i = 0; i < 40; i++) propose(`x${i}`, blockSizeMax - i);
    const sizes = v0.early.map(({ what }) =>
      what.kind === "proposal" ? what.proposal.block.length : 0,
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(earlySizeMax);
    expect([v0.early.length, sizes.includes(1_000)]).toEqual([32, true]);
  });

  it("survives random and truncated bytes on every message kind", () => {
    const w = world({});
    w.run(3_000);
    const v0 = w.peer("v0");
    const random = seeded(5);
    for (let i = 0; i < 3_000; i++) {
      const bytes = random.bytes(random.below(300));
      if (bytes.length > 0) bytes[0] = 1 + random.below(9);
      const from = `x${i}`;
      if (i % 2 === 0) w.deliver(v0, { kind: "message", at: w.now(), from, bytes });
      else w.deliver(v0, { kind: "gossip", at: w.now(), from, topic: "transactions", bytes });
    }
    w.run(20_000);
    expect(w.height(v0)).toBeGreaterThan(3);
  });
});

describe("submission", () => {
  it("is refused, and the node goes on, when the ledger throws at it (CON-5)", () => {
    const w = world({ ledger: { trap: 13 } });
    const spends = sha256(new Uint8Array(13));
    w.submit(w.peer("v0"), testTransaction({ spends, index: 13, expires: start + 100_000 }));
    expect(w.replies[0]?.result).toMatchObject({ kind: "rejected", code: "ledger-threw" });
  });

  it("answers with the id, again for the same bytes, and with the ledger's reason otherwise", () => {
    const w = world({});
    const bytes = w.submit(w.peer("v0"));
    w.submit(w.peer("v0"), bytes);
    w.submit(w.peer("v0"), new Uint8Array(5));
    expect(w.replies[0]?.result).toEqual(w.replies[1]?.result);
    expect(w.replies[2]?.result).toMatchObject({ kind: "rejected", code: "bad-bytes" });
  });

  it("gossips own transactions in batches and others' not at all", () => {
    const w = world({});
    const v0 = w.peer("v0");
    const batch: Uint8Array[] = [];
    const [, effects] = ((): ReturnType<typeof node.step> => {
      for (let i = 0; i < 3; i++)
        batch.push(testTransaction({ spends: sha256(bigEndian(i, 4)), expires: start + 100_000 }));
      return node.step(must(v0.state, "state"), {
        kind: "gossip",
        at: w.now(),
        from: "v1",
        topic: "transactions",
        bytes: transactionsCodec.encode({ transactions: batch }),
      });
    })();
    expect(effects.filter((effect) => effect.kind === "gossip")).toEqual([]);
    expect(v0.state?.pool.entries.size).toBe(3);
  });

  it("looks at no more of a batch than its first false proof of a key, and bans who sends it as its own", () => {
    const w = world({});
    const state = must(w.peer("v0").state, "state");
    let asked = 0;
    const check = (): ReturnType<typeof rejected> => {
      asked += 1;
      return rejected("bad-proof", "no proof by this key");
    };
    const context = { ...state.context, ledger: { ...state.context.ledger, check } };
    const transactions = [0, 1, 2].map((i) =>
      testTransaction({ spends: sha256(bigEndian(i, 4)), expires: start + 100_000 }),
    );
    const bytes = encodeMessage({ kind: "transactions", transactions });
    const tell = (): [asked: number, isBanned: boolean] => {
      asked = 0;
      const event = { kind: "message", at: w.now(), from: "v1", bytes } as const;
      const [, effects] = node.step({ ...state, context }, event);
      return [asked, effects.some(({ kind }) => kind === "ban")];
    };
    // Who is behind may not know the key with which it was signed.
    sync.claim(state.sync, "v2", state.tip.height + 1);
    expect(tell()).toEqual([1, false]);
    sync.failed(state.sync, "v2", w.now());
    state.pool.refused.clear();
    expect(tell()).toEqual([1, true]);
  });
});
