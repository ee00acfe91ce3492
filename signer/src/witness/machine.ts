// States, with the committee, what happened on foreign chains (WIT-1 to 3): lists of events that each signer has
// seen on its own nodes. Any list that is wholly true is signed, any number a block; no policy is applied here.
//
//   hint (own relay) --own nodes: true--> in turn: proposed, signed --quorum--> attest action
//                    \--own nodes: no --> logged; proposed unsigned: others judge what our nodes do not show
//   proposal (peer)  --wholly true--> endorsed;  --an event refused--> refused;  --not yet--> kept 10 min
//
// A refusal concerns one list: the next one is judged by itself.
import type { Facts, ForeignEvent } from "@causeway/chain-core/interchain";
import { eventIdOf, hintCodec, judgeEvent } from "@causeway/chain-core/interchain";
import type { Step } from "@causeway/primitives";
import { equal, isRejected, toHex, unreachable } from "@causeway/primitives";
import { isStated } from "../outbox/done.ts";
import type { Turn } from "../turn.ts";
import type { Item, Verdict } from "./item.ts";
import { isDue, itemKey, keepMs, newItem, refreshed, undecided, woken } from "./item.ts";
import * as lists from "./list.ts";
import type { Context, Effect, Event, Ledger, List, State } from "./state.ts";
import { memberSeat, withItem } from "./state.ts";

export type { Context, Effect, Event, Ledger, State } from "./state.ts";
export { initial } from "./state.ts";

/** Items kept at a time: what every peer's lists and own hints may need. */
const itemsMax = 4096;
/** WIT-1: the member of rank i proposes after i seconds. */
const rankDelayMs = 1_000;
/** Hints that come together are stated together. */
const gatherMs = 20;

export function step(
  context: Context,
  state: State,
  event: Event,
  turn: Turn,
): Step<State, Effect> {
  const [handled, effects] = handle(context, state, event, turn);
  const [settled, more] = settle(context, handled, turn);
  return [settled, [...effects, ...more]];
}

function handle(context: Context, state: State, event: Event, turn: Turn): Step<State, Effect> {
  switch (event.kind) {
    case "hint":
      return hinted(context, state, event.bytes, turn);
    case "message":
      return lists.heard(context, state, event.from, event.envelope, turn);
    case "facts":
      return judged(context, state, event.key, event.facts, turn);
    case "failed": {
      const item = state.items.get(event.key);
      if (item === undefined) return [state, []];
      const verdict: Verdict = { kind: "unread" };
      return [withItem(state, undecided(item, verdict, turn.nowMs)), []];
    }
    case "foreign-block": {
      const items = [...state.items].map(([key, item]): [string, Item] => {
        return [key, equal(item.chain, event.chain) ? woken(item, turn.nowMs) : item];
      });
      return [{ ...state, items: new Map(items) }, []];
    }
    case "viewed":
      return [viewed(context, state, event.ledger, turn), []];
    case "woke":
      return [state, []];
    default:
      return unreachable(event);
  }
}

/** Keys of the records that tell whether what is under way here is on the ledger. */
export function inFlight(state: State): readonly { chain: Uint8Array; event: ForeignEvent }[] {
  return [...state.items.values()];
}

function hinted(
  context: Context,
  state: State,
  bytes: Uint8Array,
  turn: Turn,
): Step<State, Effect> {
  const { genesis, number } = context;
  const refused = (code: string, reason: string): Step<State, Effect> => [
    state,
    [{ kind: "log", level: "warn", message: "hint refused", fields: { code, reason } }],
  ];
  const hint = hintCodec.parse(bytes);
  if (isRejected(hint)) return refused(hint.code, hint.message);
  const { chain, event } = hint;
  const id = eventIdOf(genesis.networkId, chain, event);
  if (isRejected(id)) return refused(id.code, id.message);
  if (state.ledger !== undefined && isStated(genesis.networkId, state.ledger.view, chain, event))
    return [state, []];
  const key = itemKey(id, event);
  const before = state.items.get(key);
  if (before === undefined && state.items.size >= itemsMax)
    return refused("busy", `${state.items.size} events are being looked at`);
  const item = before ?? newItem(id, chain, event, turn.nowMs);
  // Who is no member proposes when none of them has.
  const members = state.ledger?.committee.members.length ?? genesis.validators.length;
  const seat = memberSeat(context, state, number);
  const rank =
    seat === undefined ? members : (((seat - event.height) % members) + members) % members;
  const proposeAtMs = item.proposeAtMs ?? turn.nowMs + gatherMs + rank * rankDelayMs;
  return [withItem(state, { ...refreshed(item, turn.nowMs), proposeAtMs }), []];
}

function judged(
  context: Context,
  state: State,
  key: string,
  facts: Facts,
  turn: Turn,
): Step<State, Effect> {
  const item = state.items.get(key);
  if (item === undefined) return [state, []];
  const { nowMs } = turn;
  if (state.ledger === undefined)
    return [withItem(state, undecided(item, { kind: "unread" }, nowMs)), []];
  const verdict = judgeEvent(context.genesis, state.ledger.view, facts, item.event);
  if (verdict === "not-yet")
    return [withItem(state, undecided(item, { kind: "not-yet", atMs: nowMs }, nowMs)), []];
  if (verdict === "true") {
    const decided: Verdict = { kind: "true", atMs: nowMs };
    return [withItem(state, { ...item, reading: false, attempts: 0, verdict: decided }), []];
  }
  const { code, message: reason } = verdict;
  const refusal: Verdict = { kind: "refused", atMs: nowMs, code, message: reason };
  const fields = { code, reason, event: toHex(item.id), block: toHex(item.event.blockHash) };
  return [
    withItem(state, { ...item, reading: false, attempts: 0, verdict: refusal }),
    [{ kind: "log", level: "warn", message: "event refused", fields }],
  ];
}

/** Forgets what the ledger has; what a committee did not finish in its epoch is proposed to the next one. */
function viewed(context: Context, state: State, ledger: Ledger, turn: Turn): State {
  const { networkId } = context.genesis;
  const stated = (chain: Uint8Array, event: ForeignEvent): boolean =>
    isStated(networkId, ledger.view, chain, event);
  const items = new Map([...state.items].filter(([, item]) => !stated(item.chain, item.event)));
  const open = [...state.lists].filter(
    ([, { statement }]) => !statement.events.every((event) => stated(statement.chain, event)),
  );
  const { epoch } = ledger.committee;
  const isCurrent = ([, { statement, done }]: [string, List]): boolean =>
    done || statement.epoch === epoch;
  for (const [, list] of open.filter((one) => !isCurrent(one) && one[1].mine))
    for (const key of list.items) {
      const item = items.get(key);
      if (item !== undefined) items.set(key, { ...item, proposeAtMs: turn.nowMs });
    }
  return { ledger, items, lists: new Map(open.filter(isCurrent)) };
}

/** What follows from the state by itself: reads, proposals, answers, expiry, the next wake. */
function settle(context: Context, state: State, turn: Turn): Step<State, Effect> {
  const { nowMs } = turn;
  const effects: Effect[] = [];
  const items = new Map<string, Item>();
  for (const [key, item] of state.items) {
    if (nowMs - item.seenAtMs >= keepMs) continue;
    if (!isDue(item, nowMs)) {
      items.set(key, item);
      continue;
    }
    items.set(key, { ...item, reading: true });
    effects.push({ kind: "read", key, chain: item.chain, event: item.event });
  }
  const [settled, orders] = lists.settle(context, { ...state, items }, turn);
  effects.push(...orders);
  const wakeAtMs = nextWake(settled, nowMs);
  if (wakeAtMs !== undefined) effects.push({ kind: "wake", atMs: wakeAtMs });
  return [settled, effects];
}

function nextWake(state: State, nowMs: number): number | undefined {
  const times = [...state.items.values()].flatMap((item) => [
    ...(item.reading || item.verdict.kind === "true" || item.verdict.kind === "refused"
      ? []
      : [item.nextReadMs]),
    ...(item.proposeAtMs === undefined ? [] : [item.proposeAtMs]),
  ]);
  for (const list of state.lists.values()) times.push(lists.nextSendMs(list));
  const future = times.filter((atMs) => atMs > nowMs);
  return future.length === 0 ? undefined : Math.min(...future);
}
