// Lists that others propose: looked at by the own nodes, then endorsed or refused (WIT-1). Each peer may have a
// bounded part of the memory.
import type { Statement } from "@causeway/chain-core/interchain";
import { eventIdOf, statementCodec, statementDigest } from "@causeway/chain-core/interchain";
import type { Bytes32, Step } from "@causeway/primitives";
import { compare, isRejected, keyOf, must, toHex, utf8 } from "@causeway/primitives";
import type { Turn } from "../turn.ts";
import { endorseCodec, messageKinds, proposeCodec, refuseCodec, seal } from "../wire.ts";
import type { Item } from "./item.ts";
import { freshMs, itemKey, newItem, refreshed } from "./item.ts";
import type { Context, Effect, List, State } from "./state.ts";
import { emptyList, log, withList } from "./state.ts";

/** Lists, and events in them, that one peer may have open here; the oldest give way. */
const listsPerPeerMax = 32;
const eventsPerPeerMax = 1_024;
/** How long a list of another member may take to the ledger before the own turn comes. */
const yieldMs = 3_000;

export function proposed(
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
    const id = must(ids[i], "event id");
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

/** Endorses a list of others that is wholly true, refuses one with a refused event, else waits. */
export function answer(
  context: Context,
  state: State,
  list: List,
  turn: Turn,
  effects: Effect[],
): State {
  const { bls, attestSecret, number } = context;
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
    bytes = seal(messageKinds.refuse, number, body);
    refusedAtMs = turn.nowMs;
    effects.push(log("warn", "list refused", { code, list: toHex(list.digest) }));
  } else {
    if (!verdicts.every((verdict) => verdict?.kind === "true")) return state;
    const signature = bls.sign(attestSecret, list.digest);
    const body = endorseCodec.encode({ digest: list.digest, signature });
    bytes = seal(messageKinds.endorse, number, body);
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
