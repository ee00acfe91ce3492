// The relay's machine in the world: one event at a time, its orders performed by adapters, whose answers are
// events again. Nothing here gives up: what is away is asked again, and health says so.
import type {
  BitcoinNode,
  EthereumNode,
  FollowContext,
  HealthState,
} from "@causeway/chain-core/foreign";
import {
  answerBitcoin,
  answerEthereum,
  broadcastBitcoin,
  followBitcoin,
  followEthereum,
} from "@causeway/chain-core/foreign";
import type { Bus, Clock, Log, Transport } from "@causeway/primitives";
import { Failure, isRejected, reversed, unreachable } from "@causeway/primitives";
import { sleep } from "@causeway/primitives/adapters/clock";
import type { Ledger } from "../ports.ts";
import type { Context, Effect, Event, State } from "../relay/machine.ts";
import { initial, questions, step } from "../relay/machine.ts";
import { readView } from "../relay/view.ts";
import type { EvmSender } from "./evm-sender.ts";
import type { RequestStore } from "./request-store.ts";

export type RelayOptions = {
  readonly context: Context;
  readonly ledger: Ledger;
  readonly bitcoin: { readonly node: BitcoinNode; readonly call: Transport };
  /** Of genesis.evm[0]; absent where the genesis names no EVM chain. */
  readonly ethereum: { readonly node: EthereumNode; readonly sender: EvmSender } | undefined;
  readonly bus: Bus;
  readonly requests: RequestStore;
  readonly health: Readonly<Record<"node" | "bitcoin" | "ethereum", HealthState>>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Called with what nobody expected. */
  readonly onDeath: (error: unknown) => void;
};

export type Relay = {
  /** To be read, not changed. */
  readonly state: State;
  /** Watches the address of a request (depositRequestCodec bytes). */
  readonly request: (bytes: Uint8Array) => void;
  /** Follows everything until the signal aborts. */
  readonly run: () => Promise<void>;
  readonly stop: () => void;
};

/** Core has no notice of blocks over RPC; a credit waits for half of this. */
const bitcoinEveryMs = 250;
const ethereumEveryMs = 500;
const waitMs = 20_000;
const outageMsMin = 200;
const outageMsMax = 3_000;
const requestsEveryMs = 1_000;
/** The node's cursor starts again when it does: from time to time everything is read. */
const requestsAllEveryMs = 60_000;
const tendEveryMs = 5_000;
/** A segment of the beacon waits for half of this. */
const validatorEveryMs = 500;

export function relayRuntime(options: RelayOptions): Relay {
  const { context, clock, onDeath, signal } = options;
  const state = initial(context);
  const wake = wakeUp(clock, () => emit({ kind: "woke" }));
  const emit = (event: Event): void => {
    if (signal.aborted) return;
    try {
      const [, effects] = step(context, state, clock.nowMs(), event);
      for (const effect of effects)
        if (effect.kind === "wake") wake.at(effect.atMs);
        else perform(options, emit, effect).catch(onDeath);
    } catch (error) {
      onDeath(error);
    }
  };
  const request = (bytes: Uint8Array): void => {
    const fresh = options.requests.add(bytes);
    if (fresh !== undefined) emit({ kind: "request", request: fresh });
  };
  return {
    state,
    request,
    run: async () => {
      for (const known of options.requests.all()) emit({ kind: "request", request: known });
      await Promise.all([
        followLedger(options, state, emit),
        followRequests(options, request),
        followValidator(options, emit),
        ...followChains(options, emit),
      ]);
    },
    stop: wake.stop,
  };
}

async function perform(
  options: RelayOptions,
  emit: (event: Event) => void,
  effect: Exclude<Effect, { kind: "wake" }>,
): Promise<void> {
  const { bitcoin, ethereum, bus, log, context } = options;
  switch (effect.kind) {
    case "bitcoin":
      emit({ kind: "bitcoin", event: await answerBitcoin(bitcoin.node, effect.order) });
      return;
    case "ethereum": {
      const gateway = context.genesis.evm[effect.chain]?.gateway;
      if (ethereum === undefined || gateway === undefined || effect.chain !== 0) return;
      const event = await answerEthereum(ethereum.node, gateway, effect.order);
      emit({ kind: "ethereum", chain: effect.chain, event });
      return;
    }
    case "hint":
      // A hint that is lost is given again.
      await quietly(log, "hint not published", () => bus.publish("hints", effect.bytes));
      return;
    case "submit":
      await submit(options, emit, effect);
      return;
    case "broadcast":
      await broadcast(options, emit, effect);
      return;
    case "execute":
      if (effect.chain === 0) await ethereum?.sender.execute(effect.nonce, effect.data);
      return;
    default:
      unreachable(effect);
  }
}

async function quietly(log: Log, what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.warn(what, { error });
  }
}

async function submit(
  { ledger, log }: RelayOptions,
  emit: (event: Event) => void,
  { what, transaction }: Extract<Effect, { kind: "submit" }>,
): Promise<void> {
  let code = "";
  try {
    const taken = await ledger.submit(transaction);
    if (!isRejected(taken)) return log.debug("submitted", { what, id: taken.id });
    code = taken.code;
    // Another operator's may be in a block already: that is no trouble.
    log.debug("the ledger refuses", { what, code, reason: taken.message });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    code = error.code;
    log.debug("the node is away", { what, error });
  }
  emit({ kind: "refused", what, code });
}

async function broadcast(
  { bitcoin, log }: RelayOptions,
  emit: (event: Event) => void,
  { plan, txid, transaction }: Extract<Effect, { kind: "broadcast" }>,
): Promise<void> {
  const fields = { plan, txid: reversed(txid) };
  try {
    const sent = await broadcastBitcoin(bitcoin.call, transaction);
    // Every relay sends after every block: what is mined already is no news.
    if (!isRejected(sent))
      log[sent === "accepted" ? "info" : "debug"]("broadcast", { ...fields, answer: sent });
    else if (sent.code === "not-yet") log.info("not yet", { ...fields, reason: sent.message });
    else log.error("Bitcoin cannot read our transaction", { ...fields, reason: sent.message });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.warn("not broadcast", { ...fields, error });
    emit({ kind: "unsent", plan });
  }
}

/** A view of the own ledger at every height, and after every wait that brought none. */
async function followLedger(
  { ledger, context, health, log, signal }: RelayOptions,
  state: State,
  emit: (event: Event) => void,
): Promise<void> {
  let last = -1;
  let outageMs = outageMsMin;
  while (!signal.aborted)
    try {
      await ledger.waitForHeight(last + 1, waitMs);
      const { height, time } = await ledger.status();
      const reading = readView(context.genesis, { height, time }, questions(context, state));
      let next = reading.next();
      while (next.done !== true) next = reading.next(await ledger.records(next.value));
      if (!health.node.get().ok) log.info("the own node is up", { height });
      health.node.up(`height ${height}`);
      outageMs = outageMsMin;
      last = height;
      emit({ kind: "view", view: next.value });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (signal.aborted) return;
      if (health.node.get().ok) log.warn("the own node is down", { error });
      health.node.down(error);
      await sleep(outageMs, signal);
      outageMs = Math.min(2 * outageMs, outageMsMax);
    }
}

async function followRequests(
  { ledger, clock, log, signal }: RelayOptions,
  request: (bytes: Uint8Array) => void,
): Promise<void> {
  let cursor = 0;
  let startAt = 0;
  while (!signal.aborted) {
    if (clock.nowMs() >= startAt) {
      cursor = 0;
      startAt = clock.nowMs() + requestsAllEveryMs;
    }
    try {
      const { requests, next } = await ledger.requests(cursor);
      cursor = next;
      for (const bytes of requests) request(bytes);
      if (requests.length > 0) continue;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      log.debug("no requests from the own node", { error });
      startAt = 0;
    }
    await sleep(requestsEveryMs, signal);
  }
}

/** What the own node can prove against validators, hardly ever anything, and what its validator owes the beacon. */
async function followValidator(
  { ledger, log, signal }: RelayOptions,
  emit: (event: Event) => void,
): Promise<void> {
  const before = { evidence: 0, duties: 0 };
  while (!signal.aborted) {
    try {
      const [evidence, duties] = await Promise.all([ledger.evidence(), ledger.duties()]);
      if (evidence.length + before.evidence > 0) emit({ kind: "evidence", evidence });
      if (duties.length + before.duties > 0) emit({ kind: "duties", duties });
      Object.assign(before, { evidence: evidence.length, duties: duties.length });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      log.debug("the own node says nothing of its validator", { error });
    }
    await sleep(validatorEveryMs, signal);
  }
}

function followChains(options: RelayOptions, emit: (event: Event) => void): Promise<void>[] {
  const { bitcoin, ethereum, health, log, signal } = options;
  const at = (of: HealthState): FollowContext => ({ sleep, signal, health: of, log });
  const loops = [
    followBitcoin(bitcoin.node, bitcoinEveryMs, at(health.bitcoin), (tip) =>
      emit({ kind: "bitcoin", event: { kind: "tip", tip } }),
    ),
  ];
  if (ethereum === undefined) {
    health.ethereum.up("no EVM chain in the genesis");
    return loops;
  }
  const onFinalized = followEthereum(ethereum.node, ethereumEveryMs, at(health.ethereum), (block) =>
    emit({ kind: "ethereum", chain: 0, event: { kind: "finalized", block } }),
  );
  return [...loops, onFinalized, tendSender(ethereum.sender, signal)];
}

async function tendSender(sender: EvmSender, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(tendEveryMs, signal);
    await sender.tend();
  }
}

/** A later order replaces an earlier one. */
function wakeUp(
  clock: Clock,
  onWake: () => void,
): { readonly at: (atMs: number) => void; readonly stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  return {
    at: (atMs) => {
      clearTimeout(timer);
      timer = setTimeout(onWake, Math.min(Math.max(0, atMs - clock.nowMs()), 2 ** 30));
    },
    stop: () => clearTimeout(timer),
  };
}
