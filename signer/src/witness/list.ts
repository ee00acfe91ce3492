// Statements under way: own proposals that collect endorsements, and those of others that wait for an answer.
import type { Statement } from "@causeway/chain-core/interchain";
import {
  attestCodec,
  bitmapOf,
  eventIdOf,
  eventsMax,
  kinds,
  quorum,
  statementCodec,
  statementDigest,
} from "@causeway/chain-core/interchain";
import type { Bytes32, Step } from "@causeway/primitives";
import { bytes32, compare, isRejected, keyOf, toHex, utf8 } from "@causeway/primitives";
import type { Turn } from "../turn.ts";
import type { Envelope } from "../wire.ts";
import { endorseCodec, messageKinds, proposeCodec, refuseCodec, seal } from "../wire.ts";
import type { Item } from "./item.ts";
import { freshMs, itemKey, keepMs, newItem, refreshed } from "./item.ts";
import type { Context, Effect, List, State } from "./state.ts";

/** Lists, and events in them, that one peer may have open here; the oldest give way. */
const listsPerPeerMax = 32;
const eventsPerPeerMax = 1_024;
/** How long a list of another member may take to the ledger before the own turn comes. */
const yieldMs = 3_000;
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

function withList(state: State, list: List): State {
  return { ...state, lists: new Map(state.lists).set(keyOf(list.digest), list) };
}

function log(
  level: "info" | "warn",
  message: string,
  fields: Readonly<Record<string, string | number>>,
): Effect {
  return { kind: "log", level, message, fields };
}

// ---------------------------------------------------------------- lists of others

function proposed(
  context: Context,
  state: State,
  from: number,
  body: Uint8Array,
  turn: Turn,
): Step<State, Effect> {
  const refuse = (code: string, reason: string): Step<State, Effect> => [
    state,
    [log("warn", "list refused", { code, reason, from })],
  ];
  const propose = proposeCodec.parse(body);
  if (isRejected(propose)) return refuse(propose.code, propose.message);
  const statement = statementCodec.parse(propose.statement);
  if (isRejected(statement)) return refuse(statement.code, statement.message);
  if (state.ledger === undefined) return [state, []];
  const { epoch } = state.ledger.committee;
  if (statement.epoch !== epoch)
    return refuse("wrong-epoch", `epoch ${statement.epoch}, now ${epoch}`);
  const ids = idsOf(context, statement);
  if (ids === undefined) return refuse("bad-list", "not sorted by event id, or not events");
  const digest = statementDigest(context.genesis.networkId, statement);
  const key = keyOf(digest);
  const before = state.lists.get(key);
  if (before !== undefined) return askedAgain(state, before, from, turn);
  const roomy = makeRoom(state, from, statement.events.length);
  const items = new Map(roomy.items);
  const keys: string[] = [];
  for (const [i, event] of statement.events.entries()) {
    const id = ids[i] as Bytes32;
    const itemName = itemKey(id, event);
    const item = items.get(itemName) ?? newItem(id, statement.chain, event, turn.nowMs);
    items.set(itemName, refreshed(item, turn.nowMs));
    keys.push(itemName);
  }
  const list: List = { ...emptyList(digest, statement, keys, turn.nowMs), askers: new Set([from]) };
  return [withList({ ...roomy, items }, list), []];
}

/** The same answer again; a refusal is thought over when it is old: the own nodes may have been behind. */
function askedAgain(state: State, list: List, from: number, turn: Turn): Step<State, Effect> {
  const askers = new Set(list.askers).add(from);
  const { answer: said, ...open } = list;
  if (said === undefined) return [withList(state, { ...list, askers }), []];
  const { bytes, refusedAtMs } = said;
  if (refusedAtMs === undefined || turn.nowMs - refusedAtMs < freshMs)
    return [withList(state, { ...list, askers }), [{ kind: "send", to: from, bytes }]];
  const items = new Map(state.items);
  for (const key of list.items) {
    const item = items.get(key);
    if (item !== undefined) items.set(key, refreshed(item, turn.nowMs));
  }
  return [withList({ ...state, items }, { ...open, askers }), []];
}

/** The ids in order, when they rise strictly: sorted, without duplicates (WIT-1). */
function idsOf(context: Context, statement: Statement): Bytes32[] | undefined {
  const ids: Bytes32[] = [];
  for (const event of statement.events) {
    const id = eventIdOf(context.genesis.networkId, statement.chain, event);
    if (isRejected(id)) return undefined;
    const last = ids.at(-1);
    if (last !== undefined && compare(last, id) >= 0) return undefined;
    ids.push(id);
  }
  return ids.length === 0 ? undefined : ids;
}

function emptyList(
  digest: Bytes32,
  statement: Statement,
  items: readonly string[],
  nowMs: number,
): List {
  return {
    digest,
    statement,
    items,
    mine: false,
    askers: new Set(),
    signatures: new Map(),
    refusers: new Set(),
    done: false,
    openedAtMs: nowMs,
    sentAtMs: nowMs,
    sends: 0,
  };
}

/** Drops the oldest lists that this peer asks for, until one of `events` more fits into its part. */
function makeRoom(state: State, from: number, events: number): State {
  const own = [...state.lists].filter(([, { mine, askers }]) => !mine && askers.has(from));
  own.sort(([, a], [, b]) => a.openedAtMs - b.openedAtMs);
  let count = own.reduce((sum, [, { items }]) => sum + items.length, events);
  let current = state;
  for (const [i, [key, list]] of own.entries()) {
    if (own.length - i < listsPerPeerMax && count <= eventsPerPeerMax) break;
    const lists = new Map(current.lists);
    lists.delete(key);
    current = { ...current, lists, items: itemsWithout(current, lists, list) };
    count -= list.items.length;
  }
  return current;
}

/** The items but those that only `gone` needed. */
function itemsWithout(
  state: State,
  lists: ReadonlyMap<string, List>,
  gone: List,
): ReadonlyMap<string, Item> {
  const needed = new Set([...lists.values()].flatMap((list) => list.items));
  const items = new Map(state.items);
  for (const key of gone.items)
    if (!needed.has(key) && items.get(key)?.proposeAtMs === undefined) items.delete(key);
  return items;
}

// ---------------------------------------------------------------- answers to own lists

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
  const member = state.ledger?.committee.members[from];
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
  const seats = [...list.signatures.keys()].sort((a, b) => a - b);
  const power = seats.reduce((sum, seat) => sum + (members[seat]?.power ?? 0n), 0n);
  if (total === 0n || power < quorum(total)) return [withList(state, list), []];
  const ordered = seats.map((seat) => list.signatures.get(seat) as Uint8Array);
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
  const { genesis, bls, attestSecret, seat } = context;
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
  if (isTrue) signatures.set(seat, bls.sign(attestSecret, digest));
  const list: List = { ...base, mine: true, signatures, sentAtMs: turn.nowMs, sends: 1 };
  const [finished, orders] = finish(context, next, list);
  return [finished, [...sendTo(context, list, true), ...orders]];
}

function resend(context: Context, state: State, list: List, turn: Turn, effects: Effect[]): State {
  if (list.done || nextSendMs(list) > turn.nowMs) return state;
  // After a while those who refused are asked again: their nodes may have been behind.
  const again = list.sends % 5 === 0 ? { ...list, refusers: new Set<number>() } : list;
  effects.push(...sendTo(context, again, false));
  return withList(state, { ...again, sentAtMs: turn.nowMs, sends: list.sends + 1 });
}

/** The proposal to every seat of the committee that has not answered it. */
function sendTo(context: Context, list: List, everyone: boolean): Effect[] {
  const { genesis, seat } = context;
  const own = list.signatures.get(seat);
  const body = proposeCodec.encode({
    statement: statementCodec.encode(list.statement),
    signature: own === undefined ? [] : [own],
  });
  const bytes = seal(messageKinds.propose, seat, body);
  const waiting = genesis.validators.flatMap((_, to) => {
    const silent = !list.signatures.has(to) && !list.refusers.has(to);
    return to !== seat && (everyone || silent) ? [to] : [];
  });
  return waiting.map((to) => ({ kind: "send", to, bytes }));
}

/** Endorses a list of others that is wholly true, refuses one with a refused event, else waits. */
function answer(context: Context, state: State, list: List, turn: Turn, effects: Effect[]): State {
  const { bls, attestSecret, seat } = context;
  const verdicts = list.items.map((key) => state.items.get(key)?.verdict);
  const refused = verdicts.findIndex((verdict) => verdict?.kind === "refused");
  let bytes: Uint8Array;
  let refusedAtMs: number | undefined;
  if (refused >= 0) {
    const verdict = verdicts[refused];
    const code = verdict?.kind === "refused" ? verdict.code : "refused";
    const body = refuseCodec.encode({
      digest: list.digest,
      event: refused,
      code: utf8(code).slice(0, 64),
    });
    bytes = seal(messageKinds.refuse, seat, body);
    refusedAtMs = turn.nowMs;
    effects.push(log("warn", "list refused", { code, list: toHex(list.digest) }));
  } else {
    if (!verdicts.every((verdict) => verdict?.kind === "true")) return state;
    const signature = bls.sign(attestSecret, bytes32(list.digest));
    const body = endorseCodec.encode({ digest: list.digest, signature });
    bytes = seal(messageKinds.endorse, seat, body);
  }
  for (const to of list.askers) effects.push({ kind: "send", to, bytes });
  return withList(yieldTurn(state, list, turn.nowMs), { ...list, answer: { bytes, refusedAtMs } });
}

/** Somebody else states these events now: the own turn comes only if that leads to nothing. */
function yieldTurn(state: State, list: List, nowMs: number): State {
  const items = new Map(state.items);
  for (const key of list.items) {
    const item = items.get(key);
    if (item?.proposeAtMs === undefined) continue;
    items.set(key, { ...item, proposeAtMs: Math.max(item.proposeAtMs, nowMs + yieldMs) });
  }
  return { ...state, items };
}
