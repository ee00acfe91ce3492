// The relay as one pure machine (DESIGN 1, 3): it follows Bitcoin, Ethereum and its own ledger, hints to its
// signer, and brings what anyone may bring: headers, settlement proofs, broadcasts, batches, evidence; and what its own
// validator owes the beacon.
//
//   view + watchers -> hints (each relay to its own signer)
//                   -> headers, settlements, batches, evidence (in turns, rota.ts), duties (at once)
//                   -> broadcasts (every relay, after every Bitcoin block)
//
// Whoever runs it: at each new height of the own ledger, drive `readView(genesis, at, questions(context, state))`
// over the state and give the result as `view`; give Bitcoin's tip and Ethereum's finalized block as events of
// their watchers when they change and every few seconds; perform the effects in order.
//
// Nothing here is trusted by anybody: the ledger checks proofs, signers check events on their own nodes (WIT-3).
import type { DepositRequest } from "@causeway/chain-core/interchain";
import { bitcoinWatch, depositScript, ethereumWatch } from "@causeway/chain-core/interchain";
import type { Step } from "@causeway/primitives";
import { equal, isRejected, keyOf } from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { bring } from "./bring.ts";
import { broadcasts, unsent } from "./broadcast.ts";
import { candidateName } from "./candidate.ts";
import { candidatesOf, hints, unsettled } from "./hint.ts";
import { tryAgain } from "./rota.ts";
import type { Context, Effect, Event, State } from "./state.ts";
import { earliest } from "./state.ts";
import type { LedgerView, Questions } from "./view.ts";
import { candidatesMax } from "./view.ts";

export type { Context, Effect, Event, State } from "./state.ts";
export { initial } from "./state.ts";

/** Requests kept while their key is unknown; the oldest leave. They can be revealed again at any time. */
const waitingMax = 10_000;
const keyIdsMax = 64;

/** What {@link readView} should ask the ledger. */
export function questions(context: Context, state: State): Questions {
  const held = state.ethereum.flatMap(({ keySet }) => keySet?.keyId ?? []);
  const keyIds = new Set([...held, ...[...state.waiting.values()].map(({ keyId }) => keyId)]);
  return {
    relayKey: publicPoint(context.relaySecret),
    epoch: state.rota.epoch,
    candidates: unsettled(context, state).slice(0, candidatesMax),
    bitcoinTip: bitcoinWatch.tipOf(state.bitcoin).hash,
    keyIds: [...keyIds].slice(0, keyIdsMax),
  };
}

/** `nowMs` is the own clock. */
export function step(
  context: Context,
  state: State,
  nowMs: number,
  event: Event,
): Step<State, Effect> {
  const effects = [...react(context, state, nowMs, event)];
  const { view } = state;
  if (view === undefined) return [state, effects];
  const parts = [
    hints(context, state, nowMs),
    broadcasts(state, view, nowMs),
    bring(context, state, view, nowMs),
  ];
  for (const part of parts) effects.push(...part.effects);
  const atMs = earliest(...parts.map(({ nextAt }) => nextAt));
  if (atMs !== undefined) effects.push({ kind: "wake", atMs });
  return [state, effects];
}

function react(context: Context, state: State, nowMs: number, event: Event): Effect[] {
  switch (event.kind) {
    case "view":
      return takeView(context, state, event.view);
    case "request":
      keepRequest(state, event.request);
      return watchRequests(context, state);
    case "evidence":
      state.evidence = event.evidence;
      return [];
    case "duties":
      state.duties = event.duties;
      return [];
    case "bitcoin":
      return watchBitcoin(state, event.event);
    case "ethereum": {
      const watcher = state.ethereum[event.chain];
      if (watcher === undefined) return [];
      const [, orders] = ethereumWatch.step(watcher, event.event);
      return orders.map((order) => ({ kind: "ethereum", chain: event.chain, order }));
    }
    case "refused":
      // Numbers too far ahead: many envelopes were lost, and theirs can be used after all.
      if (event.code === "sequence-too-high") state.sequence = 0;
      tryAgain(state.turns, event.what, nowMs);
      return [];
    case "unsent":
      unsent(state, event.plan, nowMs);
      return [];
    case "woke":
      return [];
  }
}

function watchBitcoin(state: State, event: bitcoinWatch.Event): Effect[] {
  const [, orders] = bitcoinWatch.step(state.bitcoin, event);
  return orders.map((order) => ({ kind: "bitcoin", order }));
}

function takeView(context: Context, state: State, view: LedgerView): Effect[] {
  state.view = view;
  state.owner = view.owner ?? state.owner;
  state.rota = view.rota ?? state.rota;
  for (const [name, answer] of view.answers) state.answers.set(name, answer);
  const effects = forgetDone(context, state);
  for (const [name, request] of state.waiting)
    if (request.expires <= view.time) state.waiting.delete(name);
  effects.push(...watchRequests(context, state));
  effects.push(...watchBitcoin(state, { kind: "watch-outpoints", outpoints: view.coins }));
  return effects;
}

/** What the ledger settled for good is not watched any more. */
function forgetDone(context: Context, state: State): Effect[] {
  const done = candidatesOf(context, state).filter(
    (one) => state.answers.get(candidateName(one)) === "done",
  );
  if (done.length === 0) return [];
  const idsOf = (chain: Uint8Array): Uint8Array[] =>
    done.filter((one) => equal(one.chain, chain)).map(({ id }) => id);
  for (const watcher of state.ethereum)
    ethereumWatch.step(watcher, { kind: "forget", ids: idsOf(watcher.chain.chain) });
  return watchBitcoin(state, { kind: "forget", ids: idsOf(context.genesis.bitcoin.chain) });
}

function keepRequest(state: State, request: DepositRequest): void {
  const { keyId, destination, maxFee, refund } = request;
  const place = `${keyOf(destination.chain)}:${keyOf(destination.payload)}`;
  const name = `${keyId}:${place}:${maxFee}:${keyOf(refund)}`;
  const [oldest] = state.waiting.size >= waitingMax ? state.waiting.keys() : [];
  if (oldest !== undefined) state.waiting.delete(oldest);
  state.waiting.set(name, request);
}

/** Watches the addresses of requests whose key is known. */
function watchRequests({ genesis }: Context, state: State): Effect[] {
  const effects: Effect[] = [];
  for (const [name, request] of state.waiting) {
    const key = state.view?.keys.get(request.keyId);
    if (key === undefined) continue;
    state.waiting.delete(name);
    if (!equal(key.chain, genesis.bitcoin.chain)) continue;
    const script = depositScript(genesis, { ...request, keyPoint: key.groupPoint });
    if (isRejected(script)) continue;
    effects.push(...watchBitcoin(state, { kind: "watch-script", script: script.script, request }));
  }
  return effects;
}
