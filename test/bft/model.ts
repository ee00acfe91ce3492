// The world of one seed.
import type { Bls, Random } from "@causeway/primitives";
import type { Proposal, Vote } from "../../chain-core/src/codec/block.ts";
import type { MemoryState } from "../../chain-core/src/ledger/memory-state.ts";
import type * as machine from "../../chain-core/src/node/machine.ts";
import type { Queue } from "../seeds/queue.ts";
import type { Trace } from "../seeds/trace.ts";
import type { Chain } from "./ledger.ts";
import type { Plan } from "./plan.ts";
import type { Counts, SeatStrategy } from "./strategies.ts";

/** What the Byzantine seats of a seed share. */
export type Coalition = {
  /** By "height/round" of a proposal that one of them doubled: the hex of the first block's id, and the other one. */
  readonly twins: Map<
    string,
    { readonly first: string; readonly twin: Proposal; readonly id: Uint8Array }
  >;
  /** By "height/round": which peers are shown the other block. */
  readonly sides: Map<string, readonly boolean[]>;
  /** Ids of blocks proposed, by height. */
  readonly blocks: Map<number, Uint8Array[]>;
  /** Messages of all kinds, to be repeated later; the newest ones. */
  readonly heard: Uint8Array[];
};

/** A seat that need not follow the protocol. */
export type Adversary = {
  readonly index: number;
  readonly strategies: readonly SeatStrategy[];
  readonly secret: Uint8Array;
  readonly random: Random;
  readonly coalition: Coalition;
  readonly world: World;
  /** Sends to a peer after a delay of its own, under a name. */
  readonly wire: (to: Peer, bytes: Uint8Array, heldMs: number, as?: string) => void;
  /** What it said itself, by "height/round/kind". */
  readonly said: Set<string>;
};

/** What survives a crash. */
export type Disk = {
  store: MemoryState;
  readonly blocks: machine.FinalBlock[];
  journal: Uint8Array[];
  tip?: NonNullable<machine.Stored["tip"]>;
  root?: Uint8Array;
};

export type Peer = {
  readonly index: number;
  readonly name: string;
  readonly secret: Uint8Array;
  readonly disk: Disk;
  /** Undefined while it is down. */
  state: machine.State | undefined;
  /** Orders of a past life are void. */
  boot: number;
  wakes: number;
  skewMs: number;
  /** Absent in honest ones. */
  readonly adversary: Adversary | undefined;
  /** Signatures in the journal. */
  readonly journaled: Set<string>;
  /** Own votes by height, as signed. */
  readonly votes: Map<number, Vote[]>;
  /** Own proposals by "height/round". */
  readonly proposals: Map<string, string>;
};

export type World = {
  readonly plan: Plan;
  readonly chain: Chain;
  readonly bls: Bls;
  readonly queue: Queue;
  readonly startMs: number;
  readonly trace: Trace;
  readonly counts: Counts;
  readonly peers: Peer[];
  readonly random: { readonly network: Random; readonly crash: Random; readonly users: Random };
  /** By height: the one final block and the state after it, by hex. */
  readonly history: Map<
    number,
    { readonly id: string; readonly root: string; readonly time: number }
  >;
  /** By peer: what it is convicted of. */
  readonly convicted: Map<number, Set<string>>;
  /** Links that are cut because of what happened on them, by peer; until a time, ms. */
  readonly isolated: Map<number, { readonly untilMs: number; readonly both: boolean }>;
  /** Set in a replay: every message. */
  readonly print: ((line: string) => void) | undefined;
  healed: boolean;
};

export function isHonest(peer: Peer): boolean {
  return peer.adversary === undefined;
}

export function heightOf(peer: Peer): number {
  return peer.disk.blocks.length;
}

export function clockOf(world: World, peer: Peer): number {
  return world.queue.now + peer.skewMs;
}
