// Statements under way, and own proposals among them, which collect endorsements up to the quorum (WIT-1, WIT-2).
import type { Statement } from "@causeway/chain-core/interchain";
import {
  attestCodec,
  bitmapOf,
  eventsMax,
  kinds,
  quorum,
  statementCodec,
  statementDigest,
} from "@causeway/chain-core/interchain";
import type { Step } from "@causeway/primitives";
import { compare, isRejected, keyOf, must, toHex } from "@causeway/primitives";
import type { Turn } from "../turn.ts";
import type { Envelope } from "../wire.ts";
import { endorseCodec, messageKinds, proposeCodec, refuseCodec, seal } from "../wire.ts";
import { answer, proposed } from "./answer.ts";
import type { Item } from "./item.ts";
import { keepMs } from "./item.ts";
import type { Context, Effect, List, State } from "./state.ts";
import { emptyList, log, memberSeat, withList } from "./state.ts";

const resendMs = { first: 1_000, most: 30_000 } as const;

/** When an own proposal is sent again to those who have not answered. */
export function nextSendMs(list: List): number {
  if (!list.mine || list.done) return 0;
  const delayMs = Math.min(resendMs.most, resendMs.first * 2 ** Math.min(list.sends - 1, 10));
  return list.sentAtMs + delayMs;
}

export function heard(
  context: Context,
  state: State,
  from: number,
  envelope: Envelope,
  turn: Turn,
): Step<State, Effect> {
  if (envelope.kind === messageKinds.propose)
    return proposed(context, state, from, envelope.body, turn);
  if (envelope.kind === messageKinds.endorse) return endorsed(context, state, from, envelope.body);
  return refusedBy(state, from, envelope.body, turn);
}

function endorsed(
  context: Context,
  state: State,
  from: number,
  body: Uint8Array,
): Step<State, Effect> {
  const endorse = endorseCodec.parse(body);
  if (isRejected(endorse))
    return [state, [log("warn", "answer refused", { code: endorse.code, from })]];
  const list = state.lists.get(keyOf(endorse.digest));
  const member = state.ledger?.committee.members[memberSeat(context, state, from) ?? -1];
  if (list === undefined || !list.mine || list.done || member === undefined) return [state, []];
  if (list.signatures.has(from)) return [state, []];
  if (!context.bls.verify(member.attestKey, list.digest, endorse.signature))
    return [state, [log("warn", "answer refused", { code: "bad-signature", from })]];
  const signatures = new Map(list.signatures).set(from, endorse.signature);
  return finish(context, state, { ...list, signatures });
}

/** At the quorum: one aggregate, one bitmap, onto the ledger (WIT-2). */
function finish(context: Context, state: State, list: List): Step<State, Effect> {
  const members = state.ledger?.committee.members ?? [];
  const total = members.reduce((sum, { power }) => sum + power, 0n);
  const bySeat = new Map<number, Uint8Array>();
  for (const [peer, signature] of list.signatures) {
    const seat = memberSeat(context, state, peer);
    if (seat !== undefined) bySeat.set(seat, signature);
  }
  const seats = [...bySeat.keys()].sort((a, b) => a - b);
  const power = seats.reduce((sum, seat) => sum + (members[seat]?.power ?? 0n), 0n);
  if (total === 0n || power < quorum(total)) return [withList(state, list), []];
  const ordered = seats.map((seat) => must(bySeat.get(seat), "signature"));
  const body = attestCodec.encode({
    statement: list.statement,
    bitmap: bitmapOf(seats, members.length),
    signature: context.bls.aggregate(ordered),
  });
  const digest = toHex(list.digest);
  return [
    withList(state, { ...list, done: true }),
    [
      { kind: "act", key: `attest/${digest}`, action: { kind: kinds.attest, body } },
      log("info", "statement complete", { list: digest, events: list.items.length }),
    ],
  ];
}

function refusedBy(state: State, from: number, body: Uint8Array, turn: Turn): Step<State, Effect> {
  const refuse = refuseCodec.parse(body);
  if (isRejected(refuse))
    return [state, [log("warn", "answer refused", { code: refuse.code, from })]];
  const list = state.lists.get(keyOf(refuse.digest));
  if (list === undefined || !list.mine || list.done || list.refusers.has(from)) return [state, []];
  const code = new TextDecoder().decode(refuse.code).replace(/[^a-z0-9-]/g, "?");
  const told = log("warn", "a signer refused our list", { code, from, list: toHex(list.digest) });
  const next = withList(state, { ...list, refusers: new Set(list.refusers).add(from) });
  if (list.items.length === 1) return [next, [told]];
  // One event must not hold up the others: from now on each is proposed by itself.
  const lists = new Map(next.lists);
  lists.delete(keyOf(list.digest));
  let items = next.items;
  for (const key of list.items) {
    const item = items.get(key);
    if (item === undefined) continue;
    items = new Map(items).set(key, { ...item, proposeAtMs: turn.nowMs, alone: true });
  }
  return [{ ...next, lists, items }, [told]];
}

// ---------------------------------------------------------------- what follows by itself

/** Proposes what is due, answers what is decided, sends again, forgets what is old. */
export function settle(context: Context, state: State, turn: Turn): Step<State, Effect> {
  const effects: Effect[] = [];
  let current = proposeDue(context, state, turn, effects);
  for (const [key, list] of current.lists) {
    if (turn.nowMs - list.openedAtMs >= keepMs) {
      const lists = new Map(current.lists);
      lists.delete(key);
      current = { ...current, lists };
    } else if (list.mine) current = resend(context, current, list, turn, effects);
    const now = current.lists.get(key);
    if (now !== undefined && now.askers.size > 0 && now.answer === undefined)
      current = answer(context, current, now, turn, effects);
  }
  return [current, effects];
}

function proposeDue(context: Context, state: State, turn: Turn, effects: Effect[]): State {
  if (state.ledger === undefined) return state;
  const due = [...state.items.values()].filter(
    ({ proposeAtMs, verdict }) =>
      proposeAtMs !== undefined &&
      proposeAtMs <= turn.nowMs &&
      (verdict.kind === "true" || verdict.kind === "refused"),
  );
  let current = state;
  for (const group of groups(due)) {
    const isTrue = group.every(({ verdict }) => verdict.kind === "true");
    const proposal = propose(context, current, group, isTrue, turn);
    current = proposal[0];
    effects.push(...proposal[1]);
  }
  return current;
}

/** True events of one chain together, as many as fit; each refused, or once separated, by itself. */
function groups(due: readonly Item[]): Item[][] {
  const out: Item[][] = [];
  const open = new Map<string, { items: Item[]; ids: Set<string>; size: number }>();
  for (const item of due) {
    if (item.verdict.kind === "refused" || item.alone === true) {
      out.push([item]);
      continue;
    }
    const chain = keyOf(item.chain);
    const id = keyOf(item.id);
    const size = item.event.body.length + 128;
    let group = open.get(chain);
    const full =
      group === undefined ||
      group.ids.has(id) ||
      group.items.length >= eventsMax ||
      group.size + size > 200 * 1024;
    if (group === undefined || full) {
      group = { items: [], ids: new Set(), size: 0 };
      open.set(chain, group);
      out.push(group.items);
    }
    group.items.push(item);
    group.ids.add(id);
    group.size += size;
  }
  return out;
}

function propose(
  context: Context,
  state: State,
  group: readonly Item[],
  isTrue: boolean,
  turn: Turn,
): Step<State, Effect> {
  const { genesis, bls, attestSecret, number } = context;
  const sorted = [...group].sort((a, b) => compare(a.id, b.id));
  const first = sorted[0];
  if (first === undefined || state.ledger === undefined) return [state, []];
  const { epoch } = state.ledger.committee;
  const statement: Statement = {
    epoch,
    chain: first.chain,
    events: sorted.map(({ event }) => event),
  };
  const digest = statementDigest(genesis.networkId, statement);
  const items = new Map(state.items);
  for (const item of sorted) {
    const { proposeAtMs: _, ...rest } = item;
    items.set(item.key, rest);
  }
  const next = { ...state, items };
  const before = next.lists.get(keyOf(digest));
  if (before?.mine === true) return [next, []];
  const base =
    before ??
    emptyList(
      digest,
      statement,
      sorted.map(({ key }) => key),
      turn.nowMs,
    );
  const signatures = new Map(base.signatures);
  if (isTrue && memberSeat(context, state, number) !== undefined)
    signatures.set(number, bls.sign(attestSecret, digest));
  const list: List = { ...base, mine: true, signatures, sentAtMs: turn.nowMs, sends: 1 };
  const [finished, orders] = finish(context, next, list);
  return [finished, [...sendTo(context, state, list, true), ...orders]];
}

function resend(context: Context, state: State, list: List, turn: Turn, effects: Effect[]): State {
  if (list.done || nextSendMs(list) > turn.nowMs) return state;
  // After a while those who refused are asked again: their nodes may have been behind.
  const again = list.sends % 5 === 0 ? { ...list, refusers: new Set<number>() } : list;
  effects.push(...sendTo(context, state, again, false));
  return withList(state, { ...again, sentAtMs: turn.nowMs, sends: list.sends + 1 });
}

/** The proposal to every seat of the committee that has not answered it. */
function sendTo(context: Context, state: State, list: List, everyone: boolean): Effect[] {
  const { roster, number } = context;
  const own = list.signatures.get(number);
  const body = proposeCodec.encode({
    statement: statementCodec.encode(list.statement),
    signature: own === undefined ? [] : [own],
  });
  const bytes = seal(messageKinds.propose, number, body);
  const members = state.ledger?.committee.members ?? [];
  const waiting = members.flatMap(({ validator }) => {
    const to = roster.numbers.get(keyOf(validator));
    if (to === undefined || to === number) return [];
    const silent = !list.signatures.has(to) && !list.refusers.has(to);
    return everyone || silent ? [to] : [];
  });
  return waiting.map((to) => ({ kind: "send", to, bytes }));
}
