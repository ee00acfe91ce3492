// Proposals without the transactions that the others have: who lacks them gets them, and who lies about them gains
// nothing.
import {
  bigEndian,
  concat,
  equal,
  H,
  isRejected,
  must,
  sha256,
  zero32,
} from "@causeway/primitives";
import { expect, it } from "vitest";
import { bitmapOf } from "../codec/bitmap.ts";
import type { Proposal } from "../codec/block.ts";
import {
  blockCodec,
  blockId,
  proposalDigest,
  transactionsRoot,
  votesRoot,
} from "../codec/block.ts";
import type { CompactProposal } from "../codec/compact.ts";
import { blockBytes, compactOf } from "../codec/compact.ts";
import { transactionBytesHash } from "../codec/transaction.ts";
import { proposerOf } from "../consensus/proposer.ts";
import { testSecret } from "../consensus/testing.ts";
import type { Message } from "./message.ts";
import { encodeMessage, parseMessage } from "./message.ts";
import { testTransaction } from "./testing.ts";
import type { Options, Peer, World } from "./testing-world.ts";
import { network, start, world } from "./testing-world.ts";

const kindsOf = (w: World, kind: string): number =>
  w.sent.filter((one) => one.kind === kind).length;

function busy(options: Options): World {
  const w = world({ seats: 4, ...options });
  for (let i = 0; i < 40; i++) {
    w.submit(must(w.peers[i % 4], "peer"));
    w.run(1_000 + 150 * i);
  }
  w.run(12_000);
  return w;
}

it("blocks of transactions that everybody has travel without them", () => {
  const w = busy({});
  for (const peer of w.peers) expect(w.included(peer)).toBe(40);
  expect(kindsOf(w, "compact")).toBeGreaterThan(20);
  expect(kindsOf(w, "wanted")).toBe(0);
  expect(w.bans).toEqual([]);
});

it("who never heard of a transaction asks the proposer for it", () => {
  // Each proposer has its own ones alone, older than what comes along.
  const w = busy({ mutedKind: "gossip" });
  for (const peer of w.peers) expect(w.included(peer)).toBe(40);
  expect(kindsOf(w, "wanted")).toBeGreaterThan(0);
  // Unless it decided without them in the meantime.
  expect(kindsOf(w, "parts")).toBeGreaterThan(0.8 * kindsOf(w, "wanted"));
  expect(w.bans).toEqual([]);
});

it("an answer that never comes is repaired by the whole proposal", () => {
  const w = busy({ mutedKind: "gossip", lostKind: "parts" });
  w.run(40_000);
  for (const peer of w.peers) expect(w.included(peer)).toBe(40);
  expect(kindsOf(w, "wanted")).toBeGreaterThan(0);
  expect(kindsOf(w, "proposal")).toBeGreaterThan(0);
  expect(w.bans).toEqual([]);
});

// ---------------------------------------------------------------- a proposer that lies

type Forged = {
  readonly proposal: Proposal;
  readonly compact: CompactProposal;
  readonly id: Uint8Array;
};

/** A block on v0's tip by the seat whose turn it is, of transactions that nobody has. */
function forge(w: World, honest: Peer, count: number): Forged & { readonly from: string } {
  const { tip, round } = must(honest.state, "state");
  const transactions = Array.from({ length: count }, (_, i) =>
    testTransaction({ spends: sha256(bigEndian(1_000 + i, 8)), expires: start + 600_000 }),
  );
  const seat = proposerOf(4, round.height, 0);
  const header = {
    ...tip.header,
    height: round.height,
    time: tip.time + 1,
    parent: tip.id,
    proposer: seat,
    transactionsRoot: transactionsRoot(network, transactions),
    votesRoot: votesRoot(network, { certificate: [], late: [] }),
  };
  const block = { header, certificate: [], late: [], transactions };
  const id = blockId(network, header);
  const content = { height: round.height, round: 0, polRound: 0 };
  const signature = w.bls.sign(
    testSecret(seat),
    proposalDigest(network, { ...content, block: id }),
  );
  const proposal = { ...content, block: blockCodec.encode(block), signature };
  const from = `v${seat}`;
  return { proposal, compact: compactOf(proposal, transactions, new Set()), id, from };
}

type Victim = {
  readonly w: World;
  readonly honest: Peer;
  /** Hands it a message, and gives what it says to it. */
  readonly tell: (from: string, message: Message) => Message[];
};

/** A node that is not the proposer of the next height. */
function victim(): Victim {
  const w = world({ seats: 4 });
  w.run(100);
  const { height } = must(w.peers[0]?.state, "state").round;
  const honest = must(
    w.peers.find(({ seat }) => seat !== proposerOf(4, height, 0)),
    "peer",
  );
  const tell = (from: string, message: Message): Message[] => {
    w.caught.length = 0;
    w.deliver(honest, { kind: "message", at: w.now(), from, bytes: encodeMessage(message) });
    return w.caught.map(parseMessage).filter((said): said is Message => !isRejected(said));
  };
  return { w, honest, tell };
}

const only = (kind: Message["kind"], said: readonly Message[]): Message[] =>
  said.filter((message) => message.kind === kind);

it("a signed proposal is asked about once, and wrong transactions are their sender's fault", () => {
  const { w, honest, tell } = victim();
  const { compact, id, from } = forge(w, honest, 3);
  const first = tell(from, { kind: "compact", compact });
  expect(only("wanted", first)).toEqual([
    { kind: "wanted", wanted: { block: id, bitmap: bitmapOf([0, 1, 2], 3) } },
  ]);
  expect(only("wanted", tell(from, { kind: "compact", compact }))).toEqual([]);
  // Nobody else's answer is heard.
  tell("v9", { kind: "parts", parts: { block: id, transactions: [zero32] } });
  expect(w.bans).toEqual([]);
  tell(from, { kind: "parts", parts: { block: id, transactions: [zero32, zero32, zero32] } });
  expect(w.bans.map(({ peer }) => peer)).toEqual([from]);
});

it("what the proposer did not sign, or does not fit together, asks nobody and is blamed", () => {
  const bad: ((compact: CompactProposal) => CompactProposal)[] = [
    (compact) => ({
      ...compact,
      signature: compact.signature.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
    }),
    (compact) => ({ ...compact, hashes: compact.hashes.subarray(32) }),
    (compact) => ({ ...compact, hashes: compact.hashes.subarray(1) }),
    (compact) => ({ ...compact, head: compact.head.subarray(1) }),
  ];
  for (const change of bad) {
    const { w, honest, tell } = victim();
    const { compact, from } = forge(w, honest, 3);
    const said = tell(from, { kind: "compact", compact: change(compact) });
    expect(only("wanted", said)).toEqual([]);
    expect(w.bans.map(({ peer }) => peer)).toEqual([from]);
    expect(must(honest.state, "state").compacts.partials.size).toBe(0);
  }
});

it("one transaction that is named ten thousand times makes no block, and no gigabytes", () => {
  const { w, honest, tell } = victim();
  const { compact, from } = forge(w, honest, 1);
  const large = new Uint8Array(250_000);
  const hashes = concat(...new Array<Uint8Array>(16_384).fill(transactionBytesHash(large)));
  const block = blockCodec.decode(compact.head);
  const header = { ...block.header, transactionsRoot: H("transactions", network, hashes) };
  const head = blockCodec.encode({ ...block, header });
  expect(blockBytes(head, new Array<Uint8Array>(16_384).fill(large))).toBeUndefined();
  // Signed by nobody.
  tell(from, { kind: "compact", compact: { ...compact, head, hashes, fresh: [large] } });
  expect(must(honest.state, "state").compacts.partials.size).toBe(0);
  expect(must(honest.state, "state").round.proposals.size).toBe(0);
  expect(w.bans.map(({ peer }) => peer)).toEqual([from]);
});

it("a block's transactions are given to a peer once, and to a nonsense question never", () => {
  const { w, honest, tell } = victim();
  const { proposal, id, from } = forge(w, honest, 3);
  tell(from, { kind: "proposal", proposal });
  expect(must(honest.state, "state").round.proposals.get(0)?.length).toBe(1);
  const ask = (peer: string, block: Uint8Array, bitmap: Uint8Array): Message[] =>
    only("parts", tell(peer, { kind: "wanted", wanted: { block, bitmap } }));
  const bitmap = bitmapOf([0, 2], 3);
  expect(ask("v9", zero32, bitmap)).toEqual([]);
  const { transactions } = blockCodec.decode(proposal.block);
  const [, second] = transactions;
  const given = transactions.filter((bytes) => !equal(bytes, must(second, "second")));
  expect(ask("v9", id, bitmap)).toEqual([
    { kind: "parts", parts: { block: id, transactions: given } },
  ]);
  expect(ask("v9", id, bitmap)).toEqual([]);
  expect(ask("v8", id, new Uint8Array(2))).toEqual([]);
  expect(w.bans.map(({ peer }) => peer)).toEqual(["v8"]);
});
