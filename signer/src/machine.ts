// The signer as one pure machine (DESIGN 4): what it proves of the ledger (follow) drives the ceremonies and the
// signing; hints and proposals drive the witness; what they bring to the ledger leaves through the outbox.
//
//   height, proved --> follow --view--> ceremony, signing, witness, outbox
//   hint, facts, foreign-block --> witness     message --> witness or signing     sequence, submitted --> outbox
//
// Orders that expect an answer carry a number; `pending` says whose each is.
import type { Action } from "@causeway/chain-core/interchain";
import type { Rejected, Step } from "@causeway/primitives";
import { isRejected, keyOf, must, unreachable } from "@causeway/primitives";
import { spend } from "./budget.ts";
import * as ceremony from "./ceremony/machine.ts";
import * as fence from "./fence.ts";
import * as follow from "./follow/machine.ts";
import { ringsOf } from "./follow/rings.ts";
import { learn, peersOf } from "./follow/roster.ts";
import type { JournalRecord } from "./journal.ts";
import { decodeRecord, encodeRecord, nextBoot, usesOf } from "./journal.ts";
import * as outbox from "./outbox/machine.ts";
import { beatDue, hostsOver, interestOf, selfOf } from "./self.ts";
import * as signing from "./signing/machine.ts";
import type { Owner, State } from "./state.ts";
import { countRefusals } from "./summary.ts";
import type { Turn } from "./turn.ts";
import { turnOf } from "./turn.ts";
import { messageKinds, open } from "./wire.ts";
import * as witness from "./witness/machine.ts";
import type { Context, Effect, Event, Input } from "./world.ts";

export type { State } from "./state.ts";
export { initial } from "./state.ts";
export type { Summary } from "./summary.ts";
export { summaryOf } from "./summary.ts";
export type { Context, Effect, Event, Input, ProvedRecord, StoredShare } from "./world.ts";
export { hostKeysOf } from "./world.ts";

/** A step in the making. */
type Work = {
  state: State;
  readonly context: Context;
  readonly turn: Turn;
  readonly effects: Effect[];
};

export function step(context: Context, state: State, input: Input): Step<State, Effect> {
  const { nowMs, entropy, event } = input;
  const turn = turnOf(context.genesis.networkId, nowMs, entropy);
  const work: Work = { state, context, turn, effects: [] };
  const isOver = state.fence.phase === "ended" || state.stopped !== undefined;
  const runs = state.started ? !isOver : event.kind === "started";
  if (runs) handle(work, event);
  const refused = countRefusals(work.state.refused, work.effects);
  return [{ ...work.state, refused }, work.effects];
}

function handle(work: Work, event: Event): void {
  switch (event.kind) {
    case "started":
      start(work, event);
      break;
    case "height":
      toFollow(work, event);
      break;
    case "proved":
    case "sequence":
    case "submitted":
    case "rejected":
    case "facts":
    case "failed":
      answered(work, event);
      break;
    case "foreign-block":
    case "hint":
      if (isKnown(work)) toWitness(work, event);
      break;
    case "message":
      heard(work, event.from, event.bytes);
      break;
    case "woke":
      toFollow(work, event);
      if (!isKnown(work)) break;
      toWitness(work, event);
      toSigning(work, event);
      toOutbox(work, event);
      break;
    default:
      unreachable(event);
  }
}

/** Before its validator is registered a signer follows the ledger, and does nothing else. */
function isKnown({ state }: Work): boolean {
  return state.roster.own !== undefined && state.stopped === undefined;
}

/** Takes up what the journal says: the guard first, then a new boot number, durable before anything is sent. */
function start(work: Work, event: Event & { kind: "started" }): void {
  if (work.state.started) return;
  const records = event.journal.map(decodeRecord);
  const pick = <K extends JournalRecord["kind"]>(kind: K): (JournalRecord & { kind: K })[] =>
    records.filter((record): record is JournalRecord & { kind: K } => record.kind === kind);
  const boot = nextBoot(records, work.turn.nowMs);
  work.state = { ...work.state, started: true, fence: fence.started(records, work.turn.nowMs) };
  work.effects.push({ kind: "journal", record: encodeRecord({ kind: "boot", number: boot }) });
  const uses = usesOf(records);
  toSigning(work, { kind: "restored", boot, uses });
  const deals = pick("deal").map(({ deal }) => deal);
  toCeremony(work, { kind: "restored", deals, shares: event.shares });
  const trust = pick("trust").at(-1)?.trust;
  if (trust !== undefined) {
    const restored = follow.restored(work.context, work.state.follow, trust);
    work.state = { ...work.state, follow: restored };
  }
  const fields = { boot, slots: uses.length, shares: event.shares.length };
  work.effects.push({ kind: "log", level: "info", message: "signer started", fields });
  tellPeers(work);
}

type Answer = Event & {
  kind: "proved" | "sequence" | "submitted" | "rejected" | "facts" | "failed";
};

/** An answer to an order goes to whom the order was of; one to no order is dropped. */
function answered(work: Work, event: Answer): void {
  const owner = work.state.pending.get(event.id);
  if (owner === undefined) return;
  const pending = new Map(work.state.pending);
  pending.delete(event.id);
  work.state = { ...work.state, pending };
  if (owner.kind === "follow") {
    if (event.kind === "proved" || event.kind === "failed") toFollow(work, event);
  } else if (owner.kind === "witness") {
    const { key } = owner;
    if (event.kind === "facts") toWitness(work, { kind: "facts", key, facts: event.facts });
    else if (event.kind === "failed") toWitness(work, { kind: "failed", key, code: event.code });
  } else if (event.kind !== "proved" && event.kind !== "facts") toOutbox(work, event);
}

function heard(work: Work, from: number, bytes: Uint8Array): void {
  const { state, turn } = work;
  // Sent before the last `peers` was performed.
  const sender = state.roster.members.get(from);
  if (!isKnown(work) || sender === undefined) return;
  const budget = spend(state.budgets.get(from), bytes.length, sender.seats, turn.nowMs);
  if (budget === undefined) return;
  work.state = { ...state, budgets: new Map(state.budgets).set(from, budget) };
  const envelope = open(from, bytes);
  if (isRejected(envelope)) {
    const fields = { code: envelope.code, from };
    work.effects.push({ kind: "log", level: "warn", message: "message refused", fields });
    return;
  }
  const isWitness = envelope.kind <= messageKinds.refuse;
  if (isWitness) toWitness(work, { kind: "message", from, envelope });
  else toSigning(work, { kind: "message", from, envelope });
}

/** Numbers an order and remembers whose answer it gets. */
function order(work: Work, owner: Owner): number {
  const id = work.state.nextId;
  const pending = new Map(work.state.pending).set(id, owner);
  work.state = { ...work.state, nextId: id + 1, pending };
  return id;
}

/** Answers to earlier orders of this owner come too late to be wanted. */
function forgetOrders(work: Work, kind: Owner["kind"]): void {
  const pending = [...work.state.pending].filter(([, owner]) => owner.kind !== kind);
  work.state = { ...work.state, pending: new Map(pending) };
}

function journal(work: Work, record: JournalRecord): void {
  work.effects.push({ kind: "journal", record: encodeRecord(record) });
}

// ---------------------------------------------------------------- the parts

function toFollow(work: Work, event: follow.Event): void {
  const { context, state, turn } = work;
  const [next, effects] = follow.step(
    context,
    state.follow,
    event,
    interestOf(work.context, work.state),
    turn,
  );
  work.state = { ...work.state, follow: next };
  for (const effect of effects) {
    if (effect.kind === "prove") {
      forgetOrders(work, "follow");
      const id = order(work, { kind: "follow" });
      work.effects.push({ ...effect, id });
    } else if (effect.kind === "trust") journal(work, { kind: "trust", trust: effect.trust });
    else if (effect.kind === "viewed") viewed(work, effect.viewed);
    else if (effect.kind === "stopped") stop(work, effect.reason);
    else work.effects.push(effect);
  }
}

/** For good: what this program does not understand it does not sign (GOV-1). */
function stop(work: Work, reason: Rejected): void {
  const { code, message } = reason;
  work.state = { ...work.state, stopped: reason };
  const fields = { code, reason: message };
  work.effects.push({ kind: "log", level: "error", message: "the signer stopped", fields });
}

/** Who matters by this view, and whether this signer is registered. */
function meet(work: Work, ledger: follow.Viewed): void {
  const { context, state } = work;
  const { roster: before } = state;
  const roster = learn(before, context.peerKey, ledger, ringsOf(context.genesis, ledger.view));
  work.state = { ...state, roster };
  tellPeers(work);
  if (roster.own === undefined || before.own !== undefined) return;
  const fields = { validator: roster.own.number };
  work.effects.push({ kind: "log", level: "info", message: "the validator is registered", fields });
}

function tellPeers(work: Work): void {
  const { state } = work;
  const peers = peersOf(state.roster);
  const name = peers.map(({ number, peerKey }) => `${number}:${keyOf(peerKey)}`).join();
  if (name === state.peers) return;
  const budgets = [...state.budgets].filter(([number]) => state.roster.members.has(number));
  work.state = { ...state, peers: name, budgets: new Map(budgets) };
  work.effects.push({ kind: "peers", peers });
}

/** The order matters: a share that the ceremony opens can sign in the same step. */
function viewed(work: Work, ledger: follow.Viewed): void {
  const { view, headerMs } = ledger;
  meet(work, ledger);
  if (!isKnown(work)) return;
  judgeFence(work, ledger);
  const { phase } = work.state.fence;
  if (phase === "ended") return;
  toCeremony(work, { kind: "viewed", view });
  eraseHosts(work, ledger);
  beat(work, ledger);
  if (phase === "open")
    toSigning(work, { kind: "viewed", ledger, shares: work.state.ceremony.shares });
  toWitness(work, { kind: "viewed", ledger });
  toOutbox(work, { kind: "viewed", view, ledgerMs: headerMs });
}

function eraseHosts(work: Work, ledger: follow.Viewed): void {
  const { nowMs } = work.turn;
  for (const { point, secret } of hostsOver(selfOf(work.context, work.state), ledger, nowMs)) {
    secret.fill(0);
    work.state = { ...work.state, erased: new Set(work.state.erased).add(keyOf(point)) };
    work.effects.push({ kind: "erase-host", point });
  }
}

function beat(work: Work, ledger: follow.Viewed): void {
  const due = beatDue(selfOf(work.context, work.state), ledger);
  if (due !== undefined) act(work, due.key, due.action);
}

/** Whether this journal is the seat's newest, and what follows if it is not: durable before anything is signed. */
function judgeFence(work: Work, { view, headerMs }: follow.Viewed): void {
  const { owner } = must(work.state.roster.own, "own validator");
  // The first view may be from before it was known whose envelopes to ask for: absent is not the same as unread.
  if (!work.state.follow.records.has(keyOf(fence.sentKey(owner)))) return;
  const decision = fence.decide(work.state.fence, { view, headerMs, owner });
  work.state = { ...work.state, fence: fence.decided(work.state.fence, decision) };
  if (decision.kind === "end")
    work.effects.push({ kind: "end", code: "second-copy", message: fence.endMessage });
  if (decision.kind !== "bar") return;
  for (const record of fence.recordsOf(decision)) journal(work, record);
  toSigning(work, { kind: "barred", slots: decision.slots });
  const fields = { slots: decision.slots.length };
  work.effects.push({ kind: "log", level: "warn", message: fence.barMessage, fields });
}

function toCeremony(work: Work, event: ceremony.Event): void {
  const { state, turn } = work;
  const [next, effects] = ceremony.step(
    selfOf(work.context, work.state),
    state.ceremony,
    event,
    turn,
  );
  work.state = { ...work.state, ceremony: next };
  for (const effect of effects) {
    if (effect.kind === "act") act(work, effect.key, effect.action);
    else if (effect.kind === "deal-made") journal(work, { kind: "deal", deal: effect.deal });
    else work.effects.push(effect);
  }
}

function toSigning(work: Work, event: signing.Event): void {
  const { state, turn } = work;
  const [next, effects] = signing.step(
    selfOf(work.context, work.state),
    state.signing,
    event,
    turn,
  );
  work.state = { ...work.state, signing: next };
  for (const effect of effects) {
    if (effect.kind === "act") act(work, effect.key, effect.action);
    else if (effect.kind === "release") journal(work, { kind: "release", release: effect.release });
    else work.effects.push(effect);
  }
}

function toWitness(work: Work, event: witness.Event): void {
  const { state, turn } = work;
  const [next, effects] = witness.step(
    selfOf(work.context, work.state),
    state.witness,
    event,
    turn,
  );
  work.state = { ...work.state, witness: next };
  for (const effect of effects) {
    if (effect.kind === "act") act(work, effect.key, effect.action);
    else if (effect.kind === "read") {
      const { key, chain, event: about } = effect;
      const id = order(work, { kind: "witness", key });
      work.effects.push({ kind: "read", id, chain, event: about });
    } else work.effects.push(effect);
  }
}

function act(work: Work, key: string, action: Action): void {
  toOutbox(work, { kind: "queued", key, action });
}

function toOutbox(work: Work, event: outbox.Event): void {
  const { state, turn } = work;
  const held = { ...selfOf(work.context, work.state), isHeld: state.fence.phase !== "open" };
  const [next, effects] = outbox.step(held, state.outbox, event, turn);
  work.state = { ...work.state, outbox: next };
  for (const effect of effects) {
    if (effect.kind === "sequence") {
      const id = order(work, { kind: "outbox" });
      work.effects.push({ kind: "sequence", id, validator: held.owner });
    } else if (effect.kind === "submit") {
      const { sequence, transaction } = effect;
      const [sent, isNew] = fence.sends(work.state.fence, sequence);
      work.state = { ...work.state, fence: sent };
      if (isNew) journal(work, { kind: "sent", sequence });
      const id = order(work, { kind: "outbox" });
      work.effects.push({ kind: "submit", id, transaction });
    } else work.effects.push(effect);
  }
}
