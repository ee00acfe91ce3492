// CON-6, CON-8: a node that joins by a snapshot, against peers that help, lie, leave or know nothing.
import type { NetworkId } from "@causeway/primitives";
import { bigEndian, concat, isRejected, must, seeded, sha256 } from "@causeway/primitives";
import { testBls } from "@causeway/primitives/testing";
import { describe, expect, it } from "vitest";
import { blockId, headerCodec } from "../codec/block.ts";
import { testCommittee, testSecret } from "../consensus/testing.ts";
import type { Manifest } from "./chunks.ts";
import { chunkHash, chunkTree, encodeChunk, snapshotRoot } from "./chunks.ts";
import { initial, patienceMs, step } from "./join.ts";
import type { Edges, JoinConfig, JoinEffect, Joined, JoinState } from "./join-state.ts";
import type { Finality, SyncMessage } from "./message.ts";
import { encodeSync } from "./message.ts";
import type { TestSeats } from "./testing.ts";
import { testFinality, testHeader, testStart } from "./testing.ts";

const network = sha256(Uint8Array.of(7)) as unknown as NetworkId;
const bls = testBls();
const seats: TestSeats = {
  network,
  bls,
  committee: testCommittee(bls, 4),
  secret: testSecret,
};
const day = 86_400_000;
const genesisTime = 1_000;
const now = genesisTime + 5 * day;

/** Four epochs of ten blocks; the last header of each from 1 on commits to the snapshot that it began with. */
function chain(chunkCount = 20, versionOf: (height: number) => number = () => 1) {
  const chunks = Array.from({ length: chunkCount }, (_, i) =>
    encodeChunk(
      Array.from({ length: 5 }, (_, j) => ({
        key: concat(Uint8Array.of(1), bigEndian(i * 5 + j, 4)),
        value: sha256(bigEndian(i * 5 + j, 4)),
      })),
    ),
  );
  const tree = chunkTree(
    network,
    chunks.map((chunk, i) => chunkHash(network, i, chunk)),
  );
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const ends: Finality[] = [];
  const manifests: Manifest[] = [];
  let block: Uint8Array = testStart(seats, genesisTime).id;
  for (let epoch = 0; epoch < 4; epoch++) {
    const manifest = {
      epoch,
      height: 10 * epoch,
      block,
      chunks: chunkCount,
      size,
      tree: tree.root,
    };
    const header = testHeader(seats, epoch, {
      version: versionOf(10 * (epoch + 1)),
      height: 10 * (epoch + 1),
      time: genesisTime + (epoch + 1) * day,
      ...(epoch > 0 && { snapshotRoot: snapshotRoot(network, manifest) }),
    });
    if (epoch > 0) manifests.unshift(manifest);
    ends.push(testFinality(seats, epoch, header));
    block = blockId(network, header);
  }
  const inside = (height: number): Finality => {
    const header = testHeader(seats, Math.floor((height - 1) / 10), {
      version: versionOf(height),
      height,
      time: genesisTime + (height / 10) * day,
    });
    return { ...testFinality(seats, 0, header), committee: new Uint8Array(0) };
  };
  return { chunks, tree, ends, manifests: manifests.slice(0, 2), inside };
}
type Chain = ReturnType<typeof chain>;

type Peer = (message: SyncMessage) => SyncMessage | undefined;

function honest({ chunks, tree, ends, manifests, inside }: Chain): Peer {
  return (message) => {
    switch (message.kind) {
      case "headersRequest": {
        const { from, exact } = message;
        if (exact) return { kind: "headers", from, headers: from <= 45 ? [inside(from)] : [] };
        return { kind: "headers", from, headers: ends.slice(Math.ceil(from / 10) - 1) };
      }
      case "offersRequest":
        return { kind: "offers", manifests };
      case "chunkRequest": {
        const { epoch, index } = message;
        const chunk = must(chunks[index], "chunk");
        return { kind: "chunk", epoch, index, chunk, path: tree.path(index) };
      }
      default:
        return undefined;
    }
  };
}

type Run = {
  readonly result: Extract<JoinEffect, { kind: "end" }>["result"] | undefined;
  readonly bans: string[];
  readonly stored: Map<number, Edges>;
  readonly asked: Map<string, number>;
  readonly begun: Manifest[];
};

/** Runs to the end, or until `chunksMax` chunks are stored. Messages arrive in any order. */
function run(
  peers: Readonly<Record<string, Peer>>,
  given: Partial<JoinConfig> = {},
  chunksMax = Number.MAX_SAFE_INTEGER,
  at = now,
): Run {
  const config: JoinConfig = {
    network,
    bls,
    start: testStart(seats, genesisTime),
    trustMsMax: 14 * day,
    above: 0,
    ...given,
  };
  const out: Run = { result: undefined, bans: [], stored: new Map(), asked: new Map(), begun: [] };
  const mutable = out as { result: Run["result"] };
  const random = seeded(3);
  let time = at;
  let wakeAt = 0;
  const inbox: { from: string; bytes: Uint8Array }[] = [];
  const stored: number[] = [];
  const perform = ([, effects]: readonly [JoinState, readonly JoinEffect[]]): void => {
    for (const effect of effects) {
      if (effect.kind === "send") {
        if (effect.message.kind === "chunkRequest")
          out.asked.set(effect.to, (out.asked.get(effect.to) ?? 0) + 1);
        const answer = peers[effect.to]?.(effect.message);
        if (answer !== undefined) inbox.push({ from: effect.to, bytes: encodeSync(answer) });
      } else if (effect.kind === "ban") out.bans.push(effect.peer);
      else if (effect.kind === "begin") out.begun.push(effect.manifest);
      else if (effect.kind === "store") {
        out.stored.set(effect.index, effect.edges);
        stored.push(effect.index);
      } else if (effect.kind === "wake") wakeAt = effect.at;
      else mutable.result = effect.result;
    }
  };
  const first = initial(config, time);
  const [state] = first;
  perform(first);
  for (const peer of Object.keys(peers))
    perform(step(state, { kind: "connected", at: time, peer }));
  for (let i = 0; i < 5_000 && out.result === undefined; i++) {
    if (out.stored.size >= chunksMax) break;
    const index = stored.shift();
    if (index !== undefined) perform(step(state, { kind: "stored", at: time, index }));
    else if (inbox.length > 0) {
      const [one] = inbox.splice(random.below(inbox.length), 1);
      const { from, bytes } = must(one, "message");
      if (!out.bans.includes(from))
        perform(step(state, { kind: "message", at: time, from, bytes }));
    } else {
      time = Math.max(time + 1, wakeAt);
      perform(step(state, { kind: "woke", at: time }));
    }
  }
  return out;
}

const joined = (result: Run["result"]): Joined => {
  expect(isRejected(result) ? result.message : undefined).toBeUndefined();
  return result as Joined;
};

describe("joining by a snapshot", () => {
  const all = chain();
  const help = honest(all);

  it("takes the newest that a final header commits to, from all peers at once", () => {
    const { result, stored, asked, bans } = run({ a: help, b: help, c: help });
    const { manifest, after, ends } = joined(result);
    expect(manifest).toEqual(all.manifests[0]);
    expect(after.height).toBe(manifest.height + 1);
    expect(ends.map(({ height }) => height)).toEqual([10, 20, 30]);
    expect(stored.size).toBe(20);
    expect(bans).toEqual([]);
    for (const peer of ["a", "b", "c"]) expect(asked.get(peer)).toBeGreaterThan(3);
  });

  it("bans a peer that flips a bit and finishes with the other", () => {
    const liar: Peer = (message) => {
      const answer = help(message);
      if (answer?.kind !== "chunk") return answer;
      const chunk = Uint8Array.from(answer.chunk);
      chunk[9] = (chunk[9] ?? 0) ^ 1;
      return { ...answer, chunk };
    };
    const { result, bans, stored } = run({ liar, b: help });
    joined(result);
    expect(bans).toEqual(["liar"]);
    expect(stored.size).toBe(20);
  });

  it("bans a peer whose headers no committee signed, whatever it offers", () => {
    const other = testHeader(seats, 0, { height: 10, time: genesisTime + day });
    const signed = testFinality({ ...seats, secret: (seat) => testSecret(seat + 9) }, 0, other);
    const forger: Peer = (message) =>
      message.kind === "headersRequest"
        ? { kind: "headers", from: message.from, headers: [signed] }
        : help(message);
    const { result, bans } = run({ forger, b: help });
    joined(result);
    expect(bans).toEqual(["forger"]);
  });

  it("does not hang on a peer that says nothing", () => {
    joined(run({ silent: () => undefined, b: help }).result);
    const alone = run({ silent: () => undefined }).result;
    expect(alone).toMatchObject({ code: "no-snapshot" });
    expect(run({}).result).toMatchObject({ code: "no-snapshot", message: "no peer is connected" });
  });

  it("goes on where an earlier run was killed", () => {
    const before = run({ a: help }, {}, 12);
    expect(before.result).toBeUndefined();
    const loaded = { manifest: must(before.begun[0], "manifest"), chunks: before.stored };
    const { result, stored } = run({ a: help }, { loaded });
    joined(result);
    expect(stored.size).toBe(20 - before.stored.size);
    for (const index of before.stored.keys()) expect(stored.has(index)).toBe(false);
  });

  it("prefers the snapshot that is half here to a newer one, while it is offered", () => {
    const loaded = { manifest: must(all.manifests[1], "older"), chunks: new Map() };
    expect(joined(run({ a: help }, { loaded }).result).manifest).toEqual(all.manifests[1]);
  });

  it("takes nothing that is not above the own height", () => {
    expect(run({ a: help }, { above: 30 }).result).toMatchObject({ code: "no-snapshot" });
  });

  it("ends, and blames nobody, where a quorum follows rules that it lacks (GOV-1)", () => {
    const { result, bans } = run({ a: honest(chain(20, (height) => (height > 30 ? 2 : 1))) });
    expect(result).toMatchObject({ code: "upgrade-needed" });
    expect(bans).toEqual([]);
    // The node itself stops before the first block of the next version.
    const last = run({ a: honest(chain(20, (height) => (height > 40 ? 2 : 1))) });
    expect(last.result).toMatchObject({ kind: "joined" });
  });

  it("gives up after a while when the chunks stop", () => {
    let served = 0;
    const tired: Peer = (message) => {
      if (message.kind !== "chunkRequest") return help(message);
      served += 1;
      return served > 5 ? undefined : help(message);
    };
    expect(run({ tired }).result).toMatchObject({ code: "no-snapshot" });
    expect(patienceMs).toBeLessThan(60_000);
  });
});

describe("a checkpoint", () => {
  const all = chain();
  const help = honest(all);
  const late = genesisTime + 15 * day;

  it("is needed when the start is older than two thirds of the unbonding delay", () => {
    const { result } = run({ a: help }, {}, undefined, late);
    expect(result).toMatchObject({ code: "checkpoint-needed" });
  });

  it("lets the node join when the network has it, inside an epoch or at its end", () => {
    // 43 is after the last end of an epoch: what an operator confirms is most often the newest block.
    for (const height of [25, 30, 43]) {
      const { header } = height === 30 ? must(all.ends[2], "end") : all.inside(height);
      const id = blockIdOf(header);
      joined(run({ a: help }, { checkpoint: { height, id } }, undefined, late).result);
    }
  });

  it("stops the node when another block is final at its height", () => {
    for (const height of [25, 30, 43]) {
      const checkpoint = { height, id: sha256(Uint8Array.of(1)) };
      const { result } = run({ a: help }, { checkpoint }, undefined, late);
      expect(result).toMatchObject({ code: "checkpoint-mismatch" });
    }
  });

  it("that no peer has is no checkpoint", () => {
    const checkpoint = { height: 1_000, id: sha256(Uint8Array.of(1)) };
    const { result } = run({ a: help }, { checkpoint }, undefined, late);
    expect(result).toMatchObject({ code: "checkpoint-mismatch" });
  });
});

function blockIdOf(bytes: Uint8Array): Uint8Array {
  const header = headerCodec.parse(bytes);
  if (isRejected(header)) throw new Error(header.message);
  return blockId(network, header);
}
