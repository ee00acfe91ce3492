// What a peer may make a node do by asking.
import type { NetworkId } from "@causeway/primitives";
import { equal, isRejected, sha256 } from "@causeway/primitives";
import { testBls } from "@causeway/primitives/testing";
import { describe, expect, it } from "vitest";
import { roles, transactionCodec } from "../codec/transaction.ts";
import { genesisHeader } from "../consensus/header.ts";
import { testCommittee } from "../consensus/testing.ts";
import type { Genesis, Params } from "../ledger/genesis.ts";
import { memoryState } from "../ledger/memory-state.ts";
import { emptyTree } from "../ledger/tree.ts";
import { devnetParams } from "../params/devnet.ts";
import * as node from "./machine.ts";
import type { Message } from "./message.ts";
import { encodeMessage, parseMessage, transactionsCodec } from "./message.ts";
import { testLedger } from "./testing.ts";

const network = sha256(new Uint8Array(1)) as unknown as NetworkId;
const at = 100_000_000;
const height = 5;

/** A follower at height 5 whose blocks are all of one byte, and how often one was read. */
function follower(params: Partial<Params> = {}) {
  const bls = testBls();
  let verified = 0;
  const counting = {
    ...bls,
    verify: (...args: Parameters<typeof bls.verify>) => {
      verified += 1;
      return bls.verify(...args);
    },
  };
  const committee = testCommittee(bls, 4);
  const header = { ...genesisHeader(network, at - 1_000, committee), height };
  const certificate = {
    height,
    round: 0,
    block: new Uint8Array(32),
    bitmap: new Uint8Array(1),
    signature: new Uint8Array(96),
  };
  let reads = 0;
  let checked = 0;
  const ledger = testLedger(network, committee);
  const context: node.Context = {
    genesis: {
      networkId: network,
      time: at - 10_000,
      params: devnetParams,
      bitcoin: { chain: sha256(new Uint8Array(2)) },
    } as unknown as Genesis,
    bls: counting,
    ledger: {
      ...ledger,
      check: (...args) => {
        checked += 1;
        return ledger.check(...args);
      },
      frame: (reader) => ({ ...ledger.frame(reader), params: { ...devnetParams, ...params } }),
      // Only mallory's signature is good.
      refused: (_, bytes) => {
        const tx = transactionCodec.parse(bytes);
        const sender = isRejected(tx) ? undefined : tx.envelope[0];
        if (sender === undefined || !equal(sender.validator, sha256(Uint8Array.of(3))))
          return undefined;
        return { ...sender, id: sha256(bytes), weight: 1_000 };
      },
    },
    store: memoryState(),
    blocks: () => {
      reads += 1;
      return { block: new Uint8Array(1), certificate: new Uint8Array(1) };
    },
  };
  const stored = { tip: { header, certificate }, tree: emptyTree, journal: [] };
  const [state] = node.initial(context, stored, at);
  return {
    reads: () => reads,
    verified: () => verified,
    checked: () => checked,
    send: (bytes: Uint8Array): void => {
      node.step(state, { kind: "submit", at, ticket: 1, topic: "transactions", bytes });
    },
    gossip: (transactions: Uint8Array[]): readonly node.Effect[] => {
      const bytes = transactionsCodec.encode({ transactions });
      const event = { kind: "gossip", at, from: "peer", topic: "transactions", bytes } as const;
      return node.step(state, event)[1];
    },
    /** What `message` of a peer makes the node send back, by kind. */
    hear: (message: Message, time: number): string[] => {
      const bytes = encodeMessage(message);
      const [, effects] = node.step(state, { kind: "message", at: time, from: "peer", bytes });
      return effects.flatMap((effect) => {
        if (effect.kind === "ban") return ["ban"];
        if (effect.kind !== "send") return [];
        const said = parseMessage(effect.bytes);
        return isRejected(said) ? [] : [said.kind];
      });
    },
  };
}

describe("a peer", () => {
  it("that asks for blocks faster than it could apply them is not served at that pace", () => {
    const one = follower();
    const ask: Message = { kind: "blocksRequest", from: 1, count: 5 };
    const replies = (time: number): number =>
      Array.from({ length: 100 }, () => one.hear(ask, time)).filter((said) =>
        said.includes("blocksReply"),
      ).length;
    expect(replies(at)).toBe(16);
    expect(one.reads()).toBe(16 * 5);
    expect(replies(at + 100)).toBe(2);
    expect(replies(at + 149)).toBe(0);
    expect(replies(at + 60_000)).toBe(16);
  });

  it("is answered as before after the own clock went back", () => {
    const one = follower();
    const status: Message = {
      kind: "status",
      status: { height: 0, lowest: 1, round: 0, views: [] },
    };
    const hour = 3_600_000;
    expect(one.hear(status, at)).toContain("status");
    expect(one.hear(status, at - hour)).toEqual([]);
    expect(one.hear(status, at - hour + 300)).toContain("status");
  });

  it("pays for a batch of wrong votes with its connection after the first two", () => {
    const one = follower();
    const votes = Array.from({ length: 256 }, (_, seat) => ({
      kind: 1,
      height: height + 1,
      round: seat % 4,
      block: sha256(Uint8Array.of(seat)),
      polRound: 0,
      seat: seat % 4,
      signature: new Uint8Array(96),
    }));
    expect(one.hear({ kind: "votes", votes }, at)).toContain("ban");
    // One that waited for others, and the next of another round.
    expect(one.verified()).toBe(2);
  });

  it("pays for forged transactions with its connection, as gossip with the rest of its batch", () => {
    const one = follower();
    const forged = Array.from({ length: 256 }, (_, i) => Uint8Array.of(i));
    expect(one.gossip(forged).filter(({ kind }) => kind === "ban")).toEqual([]);
    expect(one.checked()).toBe(1);
    const again = forged.slice(100);
    expect(one.hear({ kind: "transactions", transactions: again }, at)).toContain("ban");
    expect(one.checked()).toBe(2);
  });

  it("charges refused envelopes to their sender, and looks at no more of it in this epoch (CON-7)", () => {
    const [mallory, bob] = [sha256(Uint8Array.of(3)), sha256(Uint8Array.of(4))];
    const one = follower({ envelopeQuota: 3 * 1_000 });
    const envelope = (validator: Uint8Array, sequence: number): Uint8Array =>
      transactionCodec.encode({
        envelope: [{ validator, role: roles.relay, sequence }],
        expires: 1,
        actions: [],
        witnesses: [],
      });
    for (let i = 1; i <= 5; i++) one.gossip([envelope(mallory, i)]);
    expect(one.checked()).toBe(3);
    // Nobody else pays for it, and nobody's name is charged by whoever cannot sign for it.
    for (let i = 1; i <= 5; i++) one.gossip([envelope(bob, i)]);
    expect(one.checked()).toBe(8);
    one.send(envelope(mallory, 9));
    expect(one.checked()).toBe(9);
  });
});
