// A node that was away, among peers that serve it, serve slowly, lie or are silent: the real ledger and real
// signatures, on a network of which every message is a line here.
import { equal, isRejected, must } from "@causeway/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import type { Block } from "../codec/block.ts";
import { blockCodec, blockId, certificateCodec } from "../codec/block.ts";
import { genesisHeader } from "../consensus/header.ts";
import { committeeAt } from "../ledger/epoch/epochs.ts";
import type { TestChain } from "../ledger/epoch/testing.ts";
import { extend, testChain } from "../ledger/epoch/testing.ts";
import { genesisState } from "../ledger/genesis-state.ts";
import { memoryState } from "../ledger/memory-state.ts";
import { testBls, testGenesis } from "../ledger/testing.ts";
import { emptyTree, update } from "../ledger/tree.ts";
import { answerTimeoutMs, serve } from "../sync/sync.ts";
import { bindLedger } from "./ledger.ts";
import * as node from "./machine.ts";
import type { Message } from "./message.ts";
import { encodeMessage, parseMessage, replySizeMax } from "./message.ts";

const longest = 700;
/** As many as a few requests bring. */
const some = 250;
let chain: TestChain;
const blocks: node.FinalBlock[] = [];

beforeAll(() => {
  chain = testChain(testGenesis(4));
  const { genesis, state } = chain;
  const committee = must(committeeAt(state, 0), "committee");
  chain.tip = blockId(genesis.networkId, genesisHeader(genesis.networkId, genesis.time, committee));
  while (chain.height < longest) {
    const block = blockCodec.encode(extend(chain));
    const certificate = certificateCodec.encode(must(chain.certificate, "certificate"));
    blocks.push({ block, certificate });
  }
}, 120_000);

/** What a peer sends back for what it is asked, `delayMs` later; undefined: nothing. */
type Behaviour = {
  readonly delayMs: number;
  readonly answer: (from: number, found: node.FinalBlock[]) => node.FinalBlock[] | undefined;
};
const honest: Behaviour = { delayMs: 30, answer: (_, found) => found };

/** One follower that is new, until it has all blocks or `untilMs` is over; and what happened. */
function catchUp(peers: Readonly<Record<string, Behaviour>>, count = some, untilMs = 120_000) {
  const { genesis } = chain;
  const store = memoryState(genesisState(genesis));
  const tree = update(emptyTree, genesisState(genesis));
  const bound = { genesis, bls: testBls, ledger: bindLedger(genesis, testBls), store };
  const start = chain.time + 1_000;
  let now = start;
  let wakeAt = start;
  let longestStepMs = 0;
  const queue: { at: number; event: node.Event }[] = [];
  const bans: { peer: string; reason: string }[] = [];
  const asked: string[] = [];
  const [state, first] = node.initial(
    { ...bound, blocks: () => undefined },
    { tree, journal: [] },
    now,
  );
  const ask = (peer: string, message: Message & { kind: "blocksRequest" }): void => {
    const { delayMs, answer } = must(peers[peer], peer);
    asked.push(peer);
    const found = serve((height) => blocks[height - 1], message.from, message.count, replySizeMax);
    const reply = answer(message.from, found);
    if (reply === undefined) return;
    const bytes = encodeMessage({ kind: "blocksReply", from: message.from, blocks: reply });
    queue.push({ at: now + delayMs, event: { kind: "message", at: 0, from: peer, bytes } });
  };
  const perform = (effects: readonly node.Effect[]): void => {
    for (const effect of effects) {
      if (effect.kind === "persist") store.write(effect.puts);
      if (effect.kind === "wake") wakeAt = effect.at;
      if (effect.kind === "ban") bans.push(effect);
      if (effect.kind !== "send") continue;
      const message = parseMessage(effect.bytes);
      if (isRejected(message) || message.kind !== "blocksRequest") continue;
      ask(must(effect.to, "one peer"), message);
    }
  };
  const step = (event: node.Event): void => {
    const began = performance.now();
    perform(node.step(state, { ...event, at: now })[1]);
    longestStepMs = Math.max(longestStepMs, performance.now() - began);
  };
  perform(first);
  const status: Message = {
    kind: "status",
    status: { height: count, lowest: 1, round: 0, views: [] },
  };
  for (let tellAt = now; state.tip.height < count && now < start + untilMs; ) {
    queue.sort((a, b) => a.at - b.at);
    if (now >= tellAt) {
      tellAt = now + 1_000;
      const bytes = encodeMessage(status);
      for (const from of Object.keys(peers)) step({ kind: "message", at: now, from, bytes });
      continue;
    }
    const next = queue[0];
    now = Math.max(now, Math.min(tellAt, wakeAt, next?.at ?? tellAt));
    if (next !== undefined && next.at <= now) step(must(queue.shift(), "event").event);
    else if (wakeAt <= now) step({ kind: "woke", at: now });
  }
  return { state, bans, asked, tookMs: now - start, longestStepMs };
}

describe("a node that was away", () => {
  it("catches up 700 blocks from several peers at once", () => {
    const began = performance.now();
    const { state, bans, asked, longestStepMs } = catchUp(
      { a: honest, b: honest, c: honest },
      longest,
    );
    const seconds = (performance.now() - began) / 1_000;
    process.stdout.write(
      `caught up ${longest} blocks, ${(longest / seconds).toFixed(0)} a second, longest step ${longestStepMs.toFixed(0)} ms\n`,
    );
    expect(equal(state.tip.id, chain.tip)).toBe(true);
    expect(bans).toEqual([]);
    for (const peer of ["a", "b", "c"])
      expect(asked.filter((one) => one === peer).length).toBeGreaterThan(1);
  });

  it("is not held up by one silent peer for longer than one answer takes", () => {
    const silent: Behaviour = { delayMs: 0, answer: () => undefined };
    const { state, tookMs } = catchUp({ silent, a: honest });
    expect(state.tip.height).toBe(some);
    expect(tookMs).toBeLessThan(3 * answerTimeoutMs);
  });

  it.each([
    ["a forged certificate at the end", spoilt(-1, forged), 1],
    ["a forged certificate in the middle", spoilt(3, forged), 1],
    ["other votes in a true block", spoilt(3, otherVotes), 1],
    ["blocks of other heights", { ...honest, answer: (_: number, found) => found.toReversed() }, 1],
    [
      "bytes that are no block",
      spoilt(0, () => ({ block: new Uint8Array(9), certificate: new Uint8Array(9) })),
      1,
    ],
  ] as [string, Behaviour, number][])(
    "drops a peer that serves %s, and goes on",
    (_, liar, times) => {
      const { state, bans } = catchUp({ liar, a: honest, b: honest });
      expect(state.tip.height).toBe(some);
      expect(bans.map(({ peer }) => peer)).toEqual(new Array(times).fill("liar"));
    },
  );

  it("drops a peer that claims and serves nothing again and again", () => {
    const empty: Behaviour = { delayMs: 10, answer: () => [] };
    const slow: Behaviour = { ...honest, delayMs: 4_000 };
    const { state, bans } = catchUp({ empty, slow }, some, 600_000);
    expect(state.tip.height).toBe(some);
    expect(bans.every(({ peer }) => peer === "empty")).toBe(true);
  });
});

/** Honest but for the block at `index` of each answer. */
function spoilt(index: number, spoil: (final: node.FinalBlock) => node.FinalBlock): Behaviour {
  return {
    ...honest,
    answer: (_, found) => {
      const at = index < 0 ? found.length + index : index;
      return found.map((final, i) => (i === at ? spoil(final) : final));
    },
  };
}

function forged({ block, certificate }: node.FinalBlock): node.FinalBlock {
  const bytes = Uint8Array.from(certificate);
  // The last byte of the signature.
  const at = bytes.length - 2;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return { block, certificate: bytes };
}

function otherVotes({ block, certificate }: node.FinalBlock): node.FinalBlock {
  const whole: Block = blockCodec.decode(block);
  return { block: blockCodec.encode({ ...whole, certificate: [] }), certificate };
}
