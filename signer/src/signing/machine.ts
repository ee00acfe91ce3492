// Threshold-signs what the final ledger planned (DESIGN 4), what one block planned for a key together (draw-up.ts):
//
//   planned --approved, own share--> commitment to the coordinator of the round --> session opened
//     --approved again, slot free, nonce consumed: journaled--> share --> ... --> signatures --> ledger
//
// Seats take turns as coordinators, 1.5 s each; several at once are harmless: each has nonces of its own. What
// is refused is refused for this plan; "not yet" (stale finality, paused, key missing) is looked at again.
import type { Plan } from "@causeway/chain-core/interchain";
import { listNames, lists, planStatus, plans } from "@causeway/chain-core/interchain";
import type { Bytes32, Rejected, Step } from "@causeway/primitives";
import { bytes32, isRejected, keyOf, toHex, unreachable } from "@causeway/primitives";
import { restore } from "../guard.ts";
import type { Ledger } from "../policy/approve.ts";
import { approve } from "../policy/approve.ts";
import type { Turn } from "../turn.ts";
import { roundMs } from "./bundle.ts";
import { drawUp, endOf, review } from "./draw-up.ts";
import { drain } from "./messages.ts";
import { converse, ownShares, repeatAtMs } from "./participate.ts";
import type { Request } from "./request.ts";
import { messagesOf, ringOf } from "./request.ts";
import { bringLate } from "./signed.ts";
import type { Context, Effect, Event, State, Work } from "./work.ts";
import { isLive, log, put } from "./work.ts";

export type { Context, Effect, Event, State } from "./work.ts";
export { initial } from "./work.ts";

export function step(
  context: Context,
  state: State,
  event: Event,
  turn: Turn,
): Step<State, Effect> {
  const work: Work = { state, context, turn, effects: [], inbox: [] };
  switch (event.kind) {
    case "restored": {
      const guard = restore(state.guard, event.uses);
      work.state = { ...state, boot: event.boot, guard };
      break;
    }
    case "barred":
      work.state = { ...state, guard: restore(state.guard, [event]) };
      break;
    case "viewed":
      viewed(work, event);
      break;
    case "message":
      work.inbox.push(event);
      break;
    case "woke":
      drawUp(work);
      break;
    default:
      return unreachable(event);
  }
  drain(work);
  for (const key of work.state.requests.keys()) bringLate(work, key);
  for (const key of work.state.bundles.keys()) converse(work, key);
  drain(work);
  const atMs = nextWake(work);
  if (atMs !== undefined) work.effects.push({ kind: "wake", atMs });
  return [work.state, work.effects];
}

// ---------------------------------------------------------------- what the ledger says

function viewed(work: Work, event: Event & { kind: "viewed" }): void {
  const { ledger, shares } = event;
  work.state = { ...work.state, ledger, shares };
  const open = new Map<string, { readonly id: Bytes32; readonly plan: Plan }>();
  for (const id of lists.get(ledger.view, listNames.plans)?.ids ?? []) {
    const plan = plans.get(ledger.view, id);
    if (plan === undefined || plan.status !== planStatus.planned) continue;
    open.set(keyOf(id), { id: bytes32(id), plan });
  }
  for (const [key, request] of work.state.requests) if (!open.has(key)) close(work, request);
  const { members } = work.context.roster;
  const unsignable = [...work.state.unsignable].filter((plan) => open.has(plan));
  const early = [...work.state.early].filter(([from]) => members.has(from));
  work.state = { ...work.state, unsignable: new Set(unsignable), early: new Map(early) };
  for (const { id, plan } of open.values()) visit(work, ledger, id, plan);
  review(work);
  drawUp(work);
}

/** The plan is signed, final or gone. */
function close(work: Work, request: Request): void {
  endOf(work, request);
  const requests = new Map(work.state.requests);
  requests.delete(keyOf(request.id));
  work.state = { ...work.state, requests };
}

function visit(work: Work, ledger: Ledger, id: Bytes32, plan: Plan): undefined {
  const { context, turn } = work;
  const found = ringOf(context, ledger.view, plan);
  if (isRejected(found)) return;
  const last = work.state.requests.get(keyOf(id));
  // The key was reshared in the middle: shares of the new epoch sign from the beginning.
  const isOld = last !== undefined && last.ring.attempt !== found.ring.attempt;
  if (isOld) close(work, last);
  const before = isOld ? undefined : last;
  const rebuilt = before ?? messagesOf(context.genesis, plan, found.key);
  if (isRejected(rebuilt)) return unsignable(work, id, rebuilt);
  const verdict = approve(context.genesis, ledger, id, plan, found.key, turn.nowMs);
  const { inputs, slots } = rebuilt;
  const request: Request = {
    id,
    plan,
    ring: found.ring,
    inputs,
    slots,
    verdict,
    wasBundled: before?.wasBundled ?? false,
    signed: before?.signed,
    logged: before?.logged ?? new Set(),
  };
  put(work, request);
  tellVerdict(work, request);
}

/** Rebuilding is deterministic: such a plan is refused at every look, and said once. */
function unsignable(work: Work, id: Bytes32, { code, message: reason }: Rejected): undefined {
  const plan = toHex(id);
  if (work.state.unsignable.has(plan)) return;
  work.state = { ...work.state, unsignable: new Set(work.state.unsignable).add(plan) };
  log(work, "warn", "plan refused", { code, plan, reason });
}

function tellVerdict(work: Work, request: Request): void {
  const { verdict, logged } = request;
  if (verdict.kind === "approved" || logged.has(verdict.code)) return;
  const level = verdict.kind === "rejected" ? "warn" : "info";
  const message = verdict.kind === "rejected" ? "plan refused" : "plan not yet approved";
  const { code, message: reason } = verdict;
  log(work, level, message, { code, plan: toHex(request.id), reason });
  put(work, { ...request, logged: new Set(logged).add(code) });
}

function nextWake(work: Work): number | undefined {
  const { nowMs } = work.turn;
  const times: number[] = [];
  for (const bundle of work.state.bundles.values()) {
    if (!isLive(work, bundle) || ownShares(work, bundle).length === 0) continue;
    const round = Math.floor((nowMs - bundle.sinceMs) / roundMs);
    times.push(bundle.sinceMs + (round + 1) * roundMs);
    for (const conversation of bundle.conversations.values()) times.push(repeatAtMs(conversation));
  }
  const future = times.filter((atMs) => atMs > nowMs);
  return future.length === 0 ? undefined : Math.min(...future);
}
