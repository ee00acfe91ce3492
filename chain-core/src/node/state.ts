// What a node knows. The state is a resource with one owner: `step` updates it in place and returns it, so
// that an event costs what it changes. Nothing outside of the arguments influences it.
import type { NetworkId, Put } from "@causeway/primitives";
import { keyOf, must } from "@causeway/primitives";
import type { Certificate, Header, Proposal, Vote } from "../codec/block.ts";
import type { CompactProposal } from "../codec/compact.ts";
import type { Guard } from "../consensus/guard.ts";
import type { Entry as JournalEntry } from "../consensus/journal.ts";
import { encodeRecord } from "../consensus/journal.ts";
import type * as round from "../consensus/round.ts";
import type { Evidence } from "../consensus/vote-set.ts";
import type { Voters } from "../consensus/voters.ts";
import type { StateReader } from "../ledger/state.ts";
import type { Tree } from "../ledger/tree.ts";
import type { Pool } from "../mempool/pool.ts";
import type { Charges } from "../mempool/quota.ts";
import type { Requests } from "../mempool/requests.ts";
import type { Standings } from "../peers/standing.ts";
import * as standing from "../peers/standing.ts";
import type { Sync } from "../sync/sync.ts";
import type { Compacts } from "./compact.ts";
import type { Effect, PeerId } from "./event.ts";
import type { Recent } from "./late.ts";
import type { Message } from "./message.ts";
import { encodeMessage } from "./message.ts";
import type { Applied, Context, Frame } from "./port.ts";

/** The newest final block. */
export type Tip = {
  readonly height: number;
  readonly id: Uint8Array;
  /** Ledger time, ms. */
  readonly time: number;
  readonly header: Header;
  /** Absent at height 0. */
  readonly certificate?: Certificate;
};

export type Peer = {
  /** Own clock, ms: repairs and statuses for one peer are spaced. */
  answeredAt: number;
  proposedAt: number;
  /** Requests for blocks that it may make now, and when they were counted (own clock, ms). */
  asks: number;
  asksAt: number;
};

/** A message of the height after the one being decided, kept until that is. */
export type Early = {
  readonly from: PeerId;
  readonly arrivedAt: number;
  readonly what:
    | { readonly kind: "proposal"; readonly proposal: Proposal }
    | { readonly kind: "compact"; readonly compact: CompactProposal }
    | { readonly kind: "vote"; readonly vote: Vote };
};

/** A seat that this node votes for. */
export type Signer = { readonly seat: number; readonly secretKey: Uint8Array };

export type State = {
  readonly context: Context;
  readonly network: NetworkId;
  /** Of the height after `tip`: its rules, who decides it, and the own seat among them (CON-3). */
  frame: Frame;
  voters: Voters;
  signer?: Signer | undefined;
  readonly guard: Guard;
  tip: Tip;
  /** After the newest final block. */
  tree: Tree;
  /** Of the newest final block (CON-1). */
  changed: boolean;
  hurried: boolean;
  /** The machine of the height after `tip`. */
  config: round.Config;
  round: round.State;
  /** Blocks of this height that were applied to look whether they are valid, by hex of their id. */
  applied: Map<string, Applied>;
  /** Puts that this step persists and the store does not show yet, by hex of the key. */
  readonly pending: Map<string, Put>;
  readonly pool: Pool;
  /** CON-7: what refused envelopes cost their senders at this node. */
  readonly charges: Charges;
  readonly requests: Requests;
  readonly sync: Sync;
  readonly peers: Map<PeerId, Peer>;
  readonly standings: Standings;
  early: Early[];
  /** Proposals of this height that came without transactions. */
  compacts: Compacts;
  /** Of the last 2N heights, ascending (CON-4). */
  readonly recent: Map<number, Recent>;
  /** Newest evidence of equivocation, bounded. */
  readonly evidence: Evidence[];
  /** Own transactions to gossip with the next batch. */
  outbox: Uint8Array[];
  flushedAt: number;
  /** Own clock of the next repetition of what may have been lost, ms. */
  tickAt: number;
  ticks: number;
  /** The journal's bytes, and the height of its newest record. */
  journalSize: number;
  journalHeight: number;
  /**
   * What the journal says of heights above the next one: a store that lost its end, or was made anew, comes to them
   * again, bound by its votes and locks there.
   */
  ahead: readonly JournalEntry[];
  /** Of the newest `wake`. */
  wakeAt: number;
  /** Of the newest event. */
  lastAt: number;
};

type Draft = Exclude<Effect, { kind: "journal" }> | { readonly entries: JournalEntry[] };

/** One step in the making. */
export type Turn = {
  readonly state: State;
  /** Own clock, ms. */
  readonly at: number;
  readonly out: Draft[];
};

export function turn(state: State, at: number): Turn {
  return { state, at, out: [] };
}

export function order(turn: Turn, effect: Exclude<Effect, { kind: "journal" }>): void {
  turn.out.push(effect);
}

export function send(turn: Turn, message: Message, to?: PeerId): void {
  order(turn, { kind: "send", bytes: encodeMessage(message), ...(to !== undefined && { to }) });
}

/**
 * One record holds all entries of a step between two `persist`: it stands where the first entry stands, so
 * that everything signed is durable before it leaves (CON-1) and a step costs one synced write.
 */
export function journal(turn: Turn, entry: JournalEntry): void {
  const { out } = turn;
  for (let i = out.length - 1; i >= 0; i--) {
    const draft = out[i];
    if (draft === undefined || ("kind" in draft && draft.kind === "persist")) break;
    if ("entries" in draft) {
      draft.entries.push(entry);
      return;
    }
  }
  out.push({ entries: [entry] });
}

/** Above this size the journal begins anew with the next height. */
const journalSizeMax = 4 * 1024 * 1024;

/** The effects of a finished turn. */
export function effectsOf({ state, out }: Turn): Effect[] {
  return out.map((draft): Effect => {
    if (!("entries" in draft)) return draft;
    const record = encodeRecord(draft.entries);
    const height = Math.max(...draft.entries.map(heightOf));
    // What the journal holds is of final heights by now; the new record keeps the guard's newest step.
    const fresh = height > state.journalHeight && state.journalSize > journalSizeMax;
    state.journalSize = (fresh ? 0 : state.journalSize) + record.length;
    state.journalHeight = Math.max(state.journalHeight, height);
    return { kind: "journal", record, fresh };
  });
}

export function heightOf(entry: JournalEntry): number {
  switch (entry.kind) {
    case "vote":
      return entry.vote.height;
    case "proposal":
      return entry.proposal.height;
    case "polka":
      return entry.polka.height;
  }
}

/** The state after the newest final block, whether its `persist` was performed already or is under way. */
export function readerOf(state: State): StateReader {
  const { pending, context } = state;
  return {
    get: (key) => {
      if (pending.size > 0) {
        const put = pending.get(keyOf(key));
        if (put !== undefined) return put.value;
      }
      return context.store.get(key);
    },
  };
}

// ---------------------------------------------------------------- peers

export { scoreMax } from "../peers/standing.ts";

/** For what a connected peer did; at {@link scoreMax} points it is banned. */
export function blame(turn: Turn, peer: PeerId, points: number, reason: string): void {
  const { state, at } = turn;
  if (!state.peers.has(peer) || !standing.blame(state.standings, peer, points, at)) return;
  const until = must(standing.bannedUntil(state.standings, peer, at), "end of a ban");
  order(turn, { kind: "ban", peer, until, reason });
}
