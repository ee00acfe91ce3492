// The round machine inside of the node: messages in, effects out, and from a decision to the next height.
import type { Proposal, Vote } from "../codec/block.ts";
import { blockSizeMax } from "../codec/block.ts";
import type { CompactProposal } from "../codec/compact.ts";
import * as round from "../consensus/round.ts";
import * as sync from "../sync/sync.ts";
import type { Complete } from "./compact.ts";
import { openCompact, sendProposal } from "./compact.ts";
import type { PeerId } from "./event.ts";
import { finalise } from "./height.ts";
import { receiveLate } from "./late.ts";
import type { State, Turn } from "./state.ts";
import { blame, journal, scoreMax, send } from "./state.ts";

/** Messages of the next height that one peer may have waiting here. */
const earlyMax = 32;
const earlyProposalsMax = 2;
/** Bytes of proposals of all peers that wait, whose signatures nobody looked at; the largest give way. */
export const earlySizeMax: number = 32 * blockSizeMax;

export function receiveProposal(
  turn: Turn,
  from: PeerId,
  proposal: Proposal,
  arrivedAt: number,
): void {
  const { state, at } = turn;
  const distance = proposal.height - state.round.height;
  if (distance < 0) return;
  if (distance > 0) {
    sync.claim(state.sync, from, proposal.height - 1);
    if (distance === 1) keepEarly(state, from, arrivedAt, { kind: "proposal", proposal });
    return;
  }
  drive(turn, { kind: "proposal", at, arrivedAt, proposal }, from);
}

export function receiveCompact(
  turn: Turn,
  from: PeerId,
  compact: CompactProposal,
  arrivedAt: number,
): void {
  const { state } = turn;
  const distance = compact.height - state.round.height;
  if (distance > 0) {
    sync.claim(state.sync, from, compact.height - 1);
    if (distance === 1) keepEarly(state, from, arrivedAt, { kind: "compact", compact });
    return;
  }
  if (distance === 0) driveComplete(turn, from, openCompact(turn, from, compact, arrivedAt));
}

export function driveComplete(turn: Turn, from: PeerId, complete: Complete | undefined): void {
  if (complete !== undefined) drive(turn, { kind: "proposal", at: turn.at, ...complete }, from);
}

export function receiveVote(turn: Turn, from: PeerId, vote: Vote, arrivedAt: number): void {
  const { state, at } = turn;
  const distance = vote.height - state.round.height;
  if (distance < 0) {
    receiveLate(turn, from, vote);
    return;
  }
  if (distance > 0) {
    sync.claim(state.sync, from, vote.height - 1);
    if (distance === 1) keepEarly(state, from, arrivedAt, { kind: "vote", vote });
    return;
  }
  drive(turn, { kind: "vote", at, vote, from }, from);
}

function keepEarly(
  state: State,
  from: PeerId,
  arrivedAt: number,
  what: State["early"][number]["what"],
): void {
  const same = state.early.filter((early) => early.from === from);
  if (same.length >= earlyMax) return;
  if (what.kind !== "vote") {
    const proposals = same.filter((early) => early.what.kind !== "vote");
    if (proposals.length >= earlyProposalsMax) return;
  }
  state.early.push({ from, arrivedAt, what });
  if (what.kind !== "vote") boundEarly(state);
}

function boundEarly(state: State): void {
  const sizes = new Map(state.early.map((early) => [early, sizeOf(early)]));
  let size = 0;
  for (const one of sizes.values()) size += one;
  if (size <= earlySizeMax) return;
  const largest = [...sizes].sort(([, a], [, b]) => b - a);
  for (const [early, one] of largest) {
    if (size <= earlySizeMax) return;
    state.early = state.early.filter((kept) => kept !== early);
    size -= one;
  }
}

function sizeOf({ what }: State["early"][number]): number {
  switch (what.kind) {
    case "proposal":
      return what.proposal.block.length;
    case "compact": {
      const { head, hashes, fresh } = what.compact;
      return fresh.reduce((sum, bytes) => sum + bytes.length, head.length + hashes.length);
    }
    case "vote":
      return 0;
  }
}

function heightOf({ what }: State["early"][number]): number {
  switch (what.kind) {
    case "proposal":
      return what.proposal.height;
    case "compact":
      return what.compact.height;
    case "vote":
      return what.vote.height;
  }
}

/** What came before its height; called when the height has changed. */
export function replayEarly(turn: Turn): void {
  const { state } = turn;
  const { early } = state;
  const [first] = early;
  // All of them are of one height.
  if (first === undefined || heightOf(first) > state.round.height) return;
  state.early = [];
  for (const { from, arrivedAt, what } of early)
    if (what.kind === "proposal") receiveProposal(turn, from, what.proposal, arrivedAt);
    else if (what.kind === "compact") receiveCompact(turn, from, what.compact, arrivedAt);
    else receiveVote(turn, from, what.vote, arrivedAt);
}

/** One event of the round machine; `from` brought it. */
export function drive(turn: Turn, event: round.Event, from?: PeerId): void {
  const { state } = turn;
  // Of a version that this code does not have: it must not vote (GOV-1).
  if (state.frame.stop !== undefined) return;
  const [, effects] = round.step(state.config, state.round, event);
  for (const effect of effects)
    switch (effect.kind) {
      case "journal":
        journal(turn, effect.entry);
        break;
      case "propose":
        sendProposal(turn, effect.proposal);
        break;
      case "vote":
        send(turn, { kind: "votes", votes: [effect.vote] });
        break;
      case "blame": {
        const liar = effect.from ?? from;
        if (liar !== undefined) blame(turn, liar, scoreMax, effect.reason.message);
        break;
      }
      case "decided":
        finalise(turn, effect.candidate, effect.certificate);
        break;
    }
}
