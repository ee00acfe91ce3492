// The relay as one pure machine (DESIGN 1, 3): it follows Bitcoin, Ethereum and its own ledger, hints to its
// signer, and brings what anyone may bring: headers, settlement proofs, broadcasts, batches.
//
//   view + watchers -> hints (each relay to its own signer)
//                   -> headers, settlements, batches (in turns, rota.ts)
//                   -> broadcasts (every relay, after every Bitcoin block)
//
// Nothing here is trusted by anybody: the ledger checks proofs, signers check events on their own nodes (WIT-3).
// The state is a private resource that a step changes in place; it is deterministic and belongs to one owner.
import type { DepositRequest, Genesis } from "@causeway/chain-core/interchain";
import {
  bitcoinWatch,
  depositScript,
  ethereumWatch,
  hintCodec,
} from "@causeway/chain-core/interchain";
import type { Step } from "@causeway/primitives";
import { bytes32, equal, isRejected, keyOf } from "@causeway/primitives";
import { bringings, candidatesOf } from "./bring.ts";
import type { Effect } from "./outbox.ts";
import { Outbox } from "./outbox.ts";
import type { Turns } from "./rota.ts";
import { takeTurns } from "./rota.ts";
import type { LedgerView } from "./view.ts";

export type Context = {
  readonly genesis: Genesis;
  /** Own index among the genesis' validators. */
  readonly seat: number;
  /** secp256k1 secret of the registered relay key (STK-1), 32 bytes. */
  readonly relaySecret: Uint8Array;
  /** keccak-256 that the gateway's runtime code must have, in the order of genesis.evm (ETH-3). */
  readonly codeHashes: readonly Uint8Array[];
};

export type Event =
  /** The process began; `next` is the sequence of (own validator, relay) (CON-7). */
  | { readonly kind: "sequence"; readonly next: number }
  /** The own ledger at a new height, read by readView with the candidates of {@link candidates}. */
  | { readonly kind: "view"; readonly view: LedgerView }
  /** A deposit request from the portal or from gossip. */
  | { readonly kind: "request"; readonly request: DepositRequest }
  | { readonly kind: "bitcoin"; readonly event: bitcoinWatch.Event }
  /** `chain` is an index in genesis.evm. */
  | { readonly kind: "ethereum"; readonly chain: number; readonly event: ethereumWatch.Event }
  /** The own node refused the transaction of this sequence. */
  | { readonly kind: "refused"; readonly sequence: number; readonly code: string }
  | { readonly kind: "woke" };

export type State = {
  readonly bitcoin: bitcoinWatch.State;
  readonly ethereum: readonly ethereumWatch.State[];
  view: LedgerView | undefined;
  /** Requests whose key is not on the ledger yet, by their script's terms. */
  readonly waiting: Map<string, DepositRequest>;
  readonly outbox: Outbox;
  readonly turns: Turns;
  /** Hints given: event id and block (hex) -> when. */
  readonly hinted: Map<string, number>;
  /** Broadcasts made: plan (hex) -> Bitcoin tip (hex) at that time. */
  readonly broadcast: Map<string, string>;
};

/** A hint that changed nothing on the ledger is given again after this time: the signer may have been away. */
const hintAgainMs = 15_000;
/** Requests kept while their key is unknown; the oldest leave. They can be revealed again at any time. */
const waitingMax = 10_000;

export function initial(context: Context): State {
  const { genesis } = context;
  return {
    bitcoin: bitcoinWatch.initial(genesis),
    ethereum: genesis.evm.map((chain) => ethereumWatch.initial(genesis, chain, 0)),
    view: undefined,
    waiting: new Map(),
    outbox: new Outbox(),
    turns: new Map(),
    hinted: new Map(),
    broadcast: new Map(),
  };
}

/** `nowMs` is the own clock. */
export function step(
  context: Context,
  state: State,
  nowMs: number,
  event: Event,
): Step<State, Effect> {
  const effects: Effect[] = [];
  switch (event.kind) {
    case "sequence":
      state.outbox.restart(event.next);
      break;
    case "view":
      state.view = event.view;
      effects.push(...watchLedger(context, state));
      break;
    case "request":
      if (state.waiting.size >= waitingMax)
        state.waiting.delete([...state.waiting.keys()][0] ?? "");
      state.waiting.set(requestKey(event.request), event.request);
      effects.push(...watchLedger(context, state));
      break;
    case "bitcoin":
      effects.push(...watchBitcoin(state, event.event));
      break;
    case "ethereum": {
      const watcher = state.ethereum[event.chain];
      if (watcher === undefined) break;
      const [, orders] = ethereumWatch.step(watcher, event.event);
      for (const order of orders) effects.push({ kind: "ethereum", chain: event.chain, order });
      break;
    }
    case "refused":
      return [state, [...state.outbox.refused(event.sequence, event.code)]];
    case "woke":
      break;
  }
  effects.push(...act(context, state, nowMs));
  return [state, effects];
}

/** Events that a hint could be about: what readView should ask the ledger for. */
export const candidates: typeof candidatesOf = candidatesOf;

function watchBitcoin(state: State, event: bitcoinWatch.Event): Effect[] {
  const [, orders] = bitcoinWatch.step(state.bitcoin, event);
  return orders.map((order) => ({ kind: "bitcoin" as const, order }));
}

function requestKey({ keyId, destination, maxFee, refund }: DepositRequest): string {
  const { chain, payload } = destination;
  return `${keyId}:${keyOf(chain)}:${keyOf(payload)}:${maxFee}:${keyOf(refund)}`;
}

/** Watches the addresses of requests whose key is known, and the coins of the ring. */
function watchLedger({ genesis }: Context, state: State): Effect[] {
  const { view } = state;
  if (view === undefined) return [];
  const effects: Effect[] = [];
  for (const [name, request] of state.waiting) {
    const key = view.keys.get(request.keyId);
    if (key === undefined) continue;
    state.waiting.delete(name);
    const script = depositScript(genesis, { ...request, keyPoint: key.groupPoint });
    if (isRejected(script)) continue;
    effects.push(...watchBitcoin(state, { kind: "watch-script", script: script.script, request }));
  }
  for (const outpoint of view.coins)
    effects.push(...watchBitcoin(state, { kind: "watch-outpoint", outpoint }));
  return effects;
}

function act(context: Context, state: State, nowMs: number): Effect[] {
  const { view } = state;
  if (view === undefined) return [];
  const effects = [...hints(context, state, nowMs), ...broadcasts(state, view)];
  if (!state.outbox.isReady()) return effects;
  const things = bringings(context, state, view);
  const due = new Map(things.map(({ name, base }) => [name, base]));
  const who = { seat: context.seat, count: context.genesis.validators.length };
  const { names, nextAt } = takeTurns(state.turns, due, who, nowMs);
  const mine = new Set(names);
  for (const thing of things) {
    if (!mine.has(thing.name)) continue;
    if (thing.kind === "execute") effects.push(thing.effect);
    else effects.push(state.outbox.envelope(context, view, thing.action, thing.name));
  }
  if (nextAt !== undefined) effects.push({ kind: "wake", atMs: nextAt });
  return effects;
}

function hints(context: Context, state: State, nowMs: number): Effect[] {
  const effects: Effect[] = [];
  const present = new Set<string>();
  for (const { id, chain, event } of candidatesOf(context, state)) {
    if (state.view?.known.has(keyOf(id)) === true) continue;
    const name = `${keyOf(id)}${keyOf(event.blockHash)}`;
    present.add(name);
    const before = state.hinted.get(name);
    if (before !== undefined && nowMs < before + hintAgainMs) continue;
    state.hinted.set(name, nowMs);
    const isFinal = !equal(chain, context.genesis.bitcoin.chain);
    effects.push({ kind: "hint", bytes: hintCodec.encode({ chain, event, final: isFinal }) });
  }
  for (const name of state.hinted.keys()) if (!present.has(name)) state.hinted.delete(name);
  return effects;
}

/** Every signed Bitcoin transaction of ours, again after every block (BTC-3). */
function broadcasts(state: State, view: LedgerView): Effect[] {
  const tip = keyOf(bytes32(bitcoinWatch.tipOf(state.bitcoin).hash));
  const effects: Effect[] = [];
  const present = new Set<string>();
  for (const { id, plan, signed } of view.signedTransactions) {
    const name = keyOf(id);
    present.add(name);
    if (state.broadcast.get(name) === tip) continue;
    state.broadcast.set(name, tip);
    effects.push({ kind: "broadcast", plan: id, txid: plan.txid, transaction: signed });
  }
  for (const name of state.broadcast.keys()) if (!present.has(name)) state.broadcast.delete(name);
  return effects;
}
