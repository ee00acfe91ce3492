// For tests only: nodes on a network with delays, loss, silence and crashes, whose disks survive them. It asserts
// that nobody signs two things that exclude each other, and that there is one history.
import type { Bls, NetworkId, Put, Random, Rejected } from "@causeway/primitives";
import {
  assert,
  bigEndian,
  equal,
  isRejected,
  keyOf,
  must,
  Queue,
  seeded,
  sha256,
  toHex,
} from "@causeway/primitives";
import { testBls } from "@causeway/primitives/testing";
import type { Vote } from "../codec/block.ts";
import { blockCodec, blockId, certificateCodec } from "../codec/block.ts";
import { contradicts } from "../consensus/accountability.ts";
import { testCommittee, testSecret } from "../consensus/testing.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { memoryState } from "../ledger/memory-state.ts";
import type { Tree } from "../ledger/tree.ts";
import { emptyTree, update } from "../ledger/tree.ts";
import { devnetParams } from "../params/devnet.ts";
import * as node from "./machine.ts";
import { parseMessage } from "./message.ts";
import type { LedgerPort } from "./port.ts";
import { testLedger, testTransaction } from "./testing.ts";

export const network: NetworkId = sha256(new Uint8Array(1)) as unknown as NetworkId;
export const start = 1_000_000;
export const tinyGenesis: Genesis = {
  networkId: network,
  time: start,
  params: devnetParams,
  bitcoin: { chain: sha256(new Uint8Array(2)) },
} as unknown as Genesis;

function tinyGround(bls: Bls, seats: number, options: Parameters<typeof testLedger>[2]): Ground {
  const committee = testCommittee(bls, seats);
  const ledger = (): LedgerPort => testLedger(network, committee, options);
  return { genesis: tinyGenesis, bls, ledger, secret: testSecret };
}

function treeOf(puts: Iterable<Put>): Tree {
  return update(emptyTree, [...puts]);
}

export type Disk = {
  store: ReturnType<typeof memoryState>;
  blocks: Map<number, node.FinalBlock>;
  journal: Uint8Array[];
  tip?: NonNullable<node.Stored["tip"]>;
  root?: Uint8Array;
};
export type Peer = {
  name: string;
  seat?: number;
  disk: Disk;
  state?: node.State | undefined;
  wakeAt: number;
};

/** What the nodes have in common; by default the tiny ledger and {@link testBls}. */
export type Ground = {
  readonly genesis: Genesis;
  readonly bls: Bls;
  readonly ledger: () => LedgerPort;
  readonly secret: (seat: number) => Uint8Array;
};

export type Options = {
  readonly ground?: Ground;
  /** Keys that are on the network; those of the committee by default. */
  readonly keys?: number;
  /** Asked at each journal effect: lose the node right before it, or right after. */
  readonly crashAt?: (peer: Peer) => "before" | "after" | undefined;
  readonly seed?: number;
  readonly seats?: number;
  readonly silent?: number;
  readonly followers?: number;
  /** A crashed node is back after half a second and at most so long, ms. */
  readonly restartMs?: number;
  /** Per message while faults last. */
  readonly loss?: number;
  readonly delayMs?: number;
  readonly crash?: number;
  readonly healAt?: number;
  /** What this node sends takes `slowMs` more. */
  readonly slow?: string;
  readonly slowMs?: number;
  /** Broadcasts of this kind reach nobody; repairs do. */
  readonly mutedKind?: string;
  /** No message of this kind reaches anybody. */
  readonly lostKind?: string;
  readonly ledger?: Parameters<typeof testLedger>[2];
  /** A node's end by itself is no mistake (GOV-1). */
  readonly mayHalt?: true;
};

export type World = {
  readonly peers: Peer[];
  readonly bls: Bls;
  readonly random: Random;
  readonly run: (until: number) => void;
  /** Newest final height on the peer's disk. */
  readonly height: (peer: Peer) => number;
  readonly submit: (peer: Peer, transaction?: Uint8Array) => Uint8Array;
  /** Transactions in the peer's blocks. */
  readonly included: (peer: Peer) => number;
  readonly boot: (peer: Peer) => void;
  readonly crash: (peer: Peer) => void;
  readonly deliver: (peer: Peer, event: node.Event) => void;
  readonly addPeer: (name: string, seat?: number) => Peer;
  readonly replies: { ticket: number; result: { id: Uint8Array } | Rejected }[];
  readonly bans: { by: string; peer: string; reason: string }[];
  readonly sent: { from: string; to: string; kind: string; at: number }[];
  /** The bytes of every direct message; the tests empty it. */
  readonly caught: Uint8Array[];
  readonly now: () => number;
  readonly peer: (name: string) => Peer;
};

/** A world of nodes; `run` goes on until a time, in ms after the start. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one closure over the state of one simulated world
export function world(options: Options): World {
  const random: Random = seeded(options.seed ?? 1);
  const bls: Bls = options.ground?.bls ?? testBls();
  const seats = options.seats ?? 4;
  const ground = options.ground ?? tinyGround(bls, seats, options.ledger);
  const { genesis } = ground;
  const start = genesis.time;
  const healAt = start + (options.healAt ?? 0);
  const queue = new Queue<() => void>();
  let now = start;
  const history = new Map<number, string>();
  const replies: { ticket: number; result: { id: Uint8Array } | Rejected }[] = [];
  const bans: { by: string; peer: string; reason: string }[] = [];
  const sent: { from: string; to: string; kind: string; at: number }[] = [];
  const caught: Uint8Array[] = [];
  const signed = new Map<string, Vote[]>();
  const proposed = new Map<string, string>();
  const peers: Peer[] = [];
  const faulty = (): boolean => now < healAt;
  const later = (delay: number, run: () => void): void => queue.add(now + delay, run);

  const addPeer = (name: string, seat?: number): Peer => {
    const store = memoryState();
    store.write(ground.ledger().genesis().puts);
    const disk: Disk = { store, blocks: new Map(), journal: [] };
    const peer: Peer = { name, disk, wakeAt: 0, ...(seat !== undefined && { seat }) };
    peers.push(peer);
    return peer;
  };
  const boot = (peer: Peer): void => {
    const { disk } = peer;
    const context: node.Context = {
      genesis,
      bls,
      ledger: ground.ledger(),
      store: disk.store,
      blocks: (height) => disk.blocks.get(height),
      ...(peer.seat !== undefined && { secretKey: ground.secret(peer.seat) }),
    };
    const stored: node.Stored = {
      tree: treeOf(disk.store.entries()),
      journal: [...disk.journal],
      ...(disk.tip && { tip: disk.tip }),
      ...(disk.root && { root: disk.root }),
    };
    const [state, effects] = node.initial(context, stored, now);
    peer.state = state;
    perform(peer, effects);
    for (const other of peers) {
      if (other === peer || other.state === undefined) continue;
      deliver(peer, { kind: "connected", at: now, peer: other.name });
      deliver(other, { kind: "connected", at: now, peer: peer.name });
    }
  };
  const crash = (peer: Peer): void => {
    delete peer.state;
    for (const other of peers)
      if (other !== peer) deliver(other, { kind: "disconnected", at: now, peer: peer.name });
    later(500 + random.below(options.restartMs ?? 5_000), () => {
      if (peer.state === undefined) boot(peer);
    });
  };
  const deliver = (peer: Peer, event: node.Event): void => {
    if (peer.state === undefined) return;
    const [state, effects] = node.step(peer.state, event);
    assert(state === peer.state, "another state");
    perform(peer, effects);
  };
  const post = (from: Peer, to: Peer, event: (at: number) => node.Event): void => {
    if (faulty() && random.chance(options.loss ?? 0)) return;
    const slow = from.name === options.slow ? (options.slowMs ?? 0) : 0;
    const delay = slow + 1 + random.below(faulty() ? (options.delayMs ?? 20) : 20);
    later(delay, () => {
      if (from.state !== undefined || !faulty()) deliver(to, event(now));
    });
  };
  const watchVote = (from: Peer, vote: Vote): void => {
    const slot = `${vote.seat}/${vote.height}`;
    const before = signed.get(slot) ?? [];
    const other = before.find((known) => contradicts(known, vote) !== undefined);
    assert(other === undefined, `${from.name} ${slot}: ${other && contradicts(other, vote)}`);
    if (!before.some((known) => equal(known.signature, vote.signature))) before.push(vote);
    signed.set(slot, before);
  };
  /** CON-1: no key ever signs two things for one height, round and kind, or breaks a lock. */
  const watchVotes = (from: Peer, bytes: Uint8Array): string => {
    const message = parseMessage(bytes);
    assert(!isRejected(message), `${from.name} sends what is no message`);
    if (message.kind === "votes") for (const vote of message.votes) watchVote(from, vote);
    if (message.kind === "proposal" || message.kind === "compact") {
      const said = message.kind === "proposal" ? message.proposal : message.compact;
      const { height, round, polRound } = said;
      const { header } = blockCodec.decode("block" in said ? said.block : said.head);
      const id = blockId(genesis.networkId, header);
      const slot = `${height}/${round}`;
      const says = `${keyOf(id)}/${polRound}`;
      assert((proposed.get(slot) ?? says) === says, `${from.name} ${slot}: two proposals`);
      proposed.set(slot, says);
    }
    return message.kind;
  };
  const perform = (peer: Peer, effects: readonly node.Effect[]): void => {
    for (const effect of effects) {
      const fate = effect.kind === "journal" ? options.crashAt?.(peer) : undefined;
      if (fate === "before" || (faulty() && random.chance(options.crash ?? 0))) {
        crash(peer);
        return;
      }
      switch (effect.kind) {
        case "send": {
          const { bytes } = effect;
          const kind = watchVotes(peer, bytes);
          caught.push(bytes);
          for (const to of peers) {
            if (to === peer || (effect.to !== undefined && effect.to !== to.name)) continue;
            if (effect.to === undefined && kind === options.mutedKind) continue;
            sent.push({ from: peer.name, to: to.name, kind, at: now });
            if (kind === options.lostKind) continue;
            post(peer, to, (at) => ({ kind: "message", at, from: peer.name, bytes }));
          }
          break;
        }
        case "gossip":
          for (const to of peers)
            if (to !== peer && options.mutedKind !== "gossip")
              post(peer, to, (at) => ({
                kind: "gossip",
                at,
                from: peer.name,
                topic: effect.topic,
                bytes: effect.bytes,
              }));
          break;
        case "journal":
          if (effect.fresh) peer.disk.journal.length = 0;
          peer.disk.journal.push(effect.record);
          if (fate !== "after") break;
          crash(peer);
          return;
        case "persist": {
          const { height } = effect;
          const id = toHex(effect.id);
          assert((history.get(height) ?? id) === id, `two blocks at ${height}`);
          history.set(height, id);
          assert((peer.disk.tip?.header.height ?? 0) === height - 1, `gap below ${height}`);
          peer.disk.store.write(effect.puts);
          const { block, certificate } = effect;
          peer.disk.blocks.set(height, { block, certificate });
          peer.disk.tip = {
            header: blockCodec.decode(block).header,
            certificate: certificateCodec.decode(certificate),
          };
          peer.disk.root = effect.root;
          break;
        }
        case "wake": {
          peer.wakeAt = effect.at;
          const at = effect.at;
          queue.add(at, () => {
            if (peer.wakeAt === at) deliver(peer, { kind: "woke", at: now });
          });
          break;
        }
        case "reply":
          replies.push({ ticket: effect.ticket, result: effect.result });
          break;
        case "ban":
          bans.push({ by: peer.name, peer: effect.peer, reason: effect.reason });
          break;
        case "halt":
          assert(options.mayHalt === true, `${peer.name} halts: ${effect.reason.message}`);
      }
    }
  };
  for (let seat = 0; seat < (options.keys ?? seats); seat++)
    if (seat !== options.silent) boot(addPeer(`v${seat}`, seat));
  for (let i = 0; i < (options.followers ?? 0); i++) boot(addPeer(`f${i}`));
  const run = (until: number): void => {
    for (let at = queue.nextMs(); at !== undefined; at = queue.nextMs()) {
      if (at > start + until) break;
      now = Math.max(now, at);
      must(queue.take(), "happening")();
    }
    now = Math.max(now, start + until);
  };
  const height = (peer: Peer): number => peer.disk.tip?.header.height ?? 0;
  let serial = 0;
  const submit = (peer: Peer, transaction?: Uint8Array): Uint8Array => {
    const spends = sha256(bigEndian(serial, 8));
    const bytes = transaction ?? testTransaction({ spends, expires: now + 600_000 });
    deliver(peer, { kind: "submit", at: now, ticket: serial++, topic: "transactions", bytes });
    return bytes;
  };
  const included = (peer: Peer): number =>
    [...peer.disk.blocks.values()].reduce(
      (sum, { block }) => sum + blockCodec.decode(block).transactions.length,
      0,
    );
  return {
    peers,
    run,
    height,
    submit,
    included,
    bls,
    boot,
    crash,
    deliver,
    addPeer,
    replies,
    bans,
    sent,
    caught,
    random,
    now: () => now,
    peer: (name: string) =>
      must(
        peers.find((peer) => peer.name === name),
        name,
      ),
  };
}
