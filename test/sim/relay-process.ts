// An operator's relay: the machine and what a process around it does: reads the own ledger at every height, the own
// foreign nodes when they change and every few seconds, and performs the orders.
import { isRejected, toHex } from "@causeway/primitives";
import { depositRequestCodec } from "../../chain-core/src/interchain/statement.ts";
import type * as bitcoinWatch from "../../chain-core/src/interchain/watch/bitcoin.ts";
import type * as ethereumWatch from "../../chain-core/src/interchain/watch/ethereum.ts";
import type { Effect, Event } from "../../gateway/src/relay/machine.ts";
import * as machine from "../../gateway/src/relay/machine.ts";
import type { LedgerView, Questions } from "../../gateway/src/relay/view.ts";
import { readView } from "../../gateway/src/relay/view.ts";
import { note } from "../seeds/trace.ts";
import { threw } from "../seeds/violation.ts";
import { broadcast } from "./bitcoin.ts";
import { logsIn, receiptOf, submit } from "./ethereum.ts";
import { bitcoinTip, blockBytes, finalizedOf, headersFrom } from "./foreign.ts";
import { addressNamed } from "./genesis.ts";
import { readerOf } from "./ledger.ts";
import type { Operator, RelayProcess, World } from "./model.ts";
import { clockOf, heightOf, requestsOf, submitTo } from "./node-process.ts";
import { later, laterAt, survives, unborn } from "./process.ts";
import { callMs, toSigner } from "./signer-process.ts";

const readMinMs = 2;
const readSpanMs = 20;
/** Foreign nodes are asked again so often, changed or not. */
const pollMs = 5_000;

export function createRelay(context: machine.Context): RelayProcess {
  return {
    ...unborn(),
    context,
    state: undefined,
    wakeAt: 0,
    cursor: 0,
    isReading: false,
    seen: undefined,
  };
}

export function startRelay(world: World, operator: Operator): void {
  const { relay, seat } = operator;
  relay.isUp = true;
  relay.boot += 1;
  relay.state = machine.initial(relay.context);
  relay.cursor = 0;
  relay.isReading = false;
  relay.seen = undefined;
  note(world.trace, world.queue.now, `relay ${seat} starts`);
  relayHeight(world, operator);
  relayRequests(world, operator);
  relayDuties(world, operator);
  poll(world, operator);
}

function poll(world: World, operator: Operator): void {
  relayBitcoinTip(world, operator);
  relayFinalized(world, operator);
  later(world, operator.relay, pollMs, `poll ${operator.seat}`, () => poll(world, operator));
}

/** What the own validator owes the beacon. */
export function relayDuties(world: World, operator: Operator): void {
  const { relay, node, seat } = operator;
  if (!relay.isUp || !node.isUp) return;
  later(world, relay, callMs * 2, `duties ${seat}`, () => {
    const duty = node.beacon?.duty;
    toRelay(world, operator, { kind: "duties", duties: duty === undefined ? [] : [duty] });
  });
}

/** The own node has a new height: it is read once, however many came meanwhile. */
export function relayHeight(world: World, operator: Operator): void {
  const { relay, node, seat } = operator;
  if (!relay.isUp || !node.isUp || relay.isReading) return;
  relay.isReading = true;
  later(world, relay, callMs * 2, `view ${seat}`, () => {
    relay.isReading = false;
    const view = viewOf(world, operator);
    if (view !== undefined) toRelay(world, operator, { kind: "view", view });
  });
}

function viewOf(world: World, { relay, node }: Operator): LedgerView | undefined {
  if (!node.isUp || relay.state === undefined) return undefined;
  const reader = readerOf(node.disk);
  const at = { height: heightOf(node), time: node.disk.time };
  const questions = machine.questions(relay.context, relay.state);
  const name = `${node.disk.digest}:${nameOf(questions)}`;
  // An empty block shows the relay nothing but its height and time.
  if (relay.seen?.name === name) return { ...relay.seen.view, ...at };
  const reading = readView(world.genesis, at, questions);
  let step = reading.next();
  while (step.done !== true) step = reading.next(step.value.map((key) => reader.get(key)));
  relay.seen = { name, view: step.value };
  return step.value;
}

function nameOf({ candidates, bitcoinTip, keyIds }: Questions): string {
  const names = candidates.map((one) => toHex(one.id) + toHex(one.event.blockHash));
  return `${names.join()}:${toHex(bitcoinTip)}:${keyIds.join()}`;
}

/** Deposit requests that reached the own node. */
export function relayRequests(world: World, operator: Operator): void {
  const { relay, node, seat } = operator;
  if (!relay.isUp || !node.isUp) return;
  later(world, relay, callMs * 2, `requests ${seat}`, () => {
    const { requests, next } = requestsOf(operator, relay.cursor);
    relay.cursor = next;
    for (const bytes of requests)
      toRelay(world, operator, { kind: "request", request: depositRequestCodec.decode(bytes) });
  });
}

export function relayBitcoinTip(world: World, operator: Operator): void {
  if (!operator.bitcoinDown)
    toRelay(world, operator, {
      kind: "bitcoin",
      event: { kind: "tip", tip: bitcoinTip(operator) },
    });
}

export function relayFinalized(world: World, operator: Operator): void {
  if (!operator.ethereumDown)
    toRelay(world, operator, {
      kind: "ethereum",
      chain: 0,
      event: { kind: "finalized", block: finalizedOf(world, operator) },
    });
}

function toRelay(world: World, operator: Operator, event: Event): void {
  const { relay, seat } = operator;
  if (!relay.isUp || relay.state === undefined) return;
  let effects: readonly Effect[];
  try {
    const nowMs = clockOf(world, operator);
    [relay.state, effects] = machine.step(relay.context, relay.state, nowMs, event);
  } catch (error) {
    threw(`relay ${seat} at ${event.kind}`, error);
  }
  for (const [i, effect] of effects.entries()) {
    if (!survives(world, relay, `relay ${seat}`, i)) return;
    performOne(world, operator, effect);
  }
}

function performOne(world: World, operator: Operator, effect: Effect): void {
  const { relay, seat, skewMs } = operator;
  const read = (label: string, run: () => void): void =>
    later(world, relay, readMinMs + world.random.below(readSpanMs), `${label} ${seat}`, run);
  switch (effect.kind) {
    case "bitcoin":
      read("read bitcoin", () => {
        const event = readBitcoin(world, operator, effect.order);
        toRelay(world, operator, { kind: "bitcoin", event });
      });
      return;
    case "ethereum":
      read("read ethereum", () => {
        const event = readEthereum(world, operator, effect.order);
        toRelay(world, operator, { kind: "ethereum", chain: effect.chain, event });
      });
      return;
    case "hint":
      later(world, operator.signer, callMs, `hint ${seat}`, () =>
        toSigner(world, operator, { kind: "hint", bytes: effect.bytes }),
      );
      return;
    case "submit":
      later(world, relay, callMs, `bring ${effect.what}`, () => bring(world, operator, effect));
      return;
    case "broadcast":
      read("broadcast", () => send(world, operator, effect));
      return;
    case "execute":
      read("execute", () => {
        if (operator.ethereumDown) return;
        world.ticket += 1;
        const from = addressNamed(`gas ${seat}`);
        submit(world.ethereum, from, { kind: "execute", data: effect.data }, world.ticket);
      });
      return;
    case "wake":
      relay.wakeAt = effect.atMs;
      laterAt(world, relay, effect.atMs - skewMs, `wake relay ${seat}`, () => {
        if (relay.wakeAt === effect.atMs) toRelay(world, operator, { kind: "woke" });
      });
      return;
  }
}

function bring(world: World, operator: Operator, effect: Effect & { kind: "submit" }): void {
  const { relay, node, seat } = operator;
  const { what, transaction } = effect;
  const refused = (code: string): void =>
    later(world, relay, callMs, `refused ${seat}`, () =>
      toRelay(world, operator, { kind: "refused", what, code }),
    );
  if (!node.isUp) {
    refused("unreachable");
    return;
  }
  let isAnswered = false;
  submitTo(world, operator, "transactions", transaction, (result) => {
    isAnswered = true;
    if (isRejected(result)) refused(result.code);
  });
  if (!isAnswered) refused("unreachable");
}

function send(world: World, operator: Operator, effect: Effect & { kind: "broadcast" }): void {
  if (operator.bitcoinDown) {
    toRelay(world, operator, { kind: "unsent", plan: effect.plan });
    return;
  }
  const reason = broadcast(world.bitcoin, effect.transaction);
  note(world.trace, world.queue.now, `broadcast ${operator.seat} ${reason ?? "accepted"}`);
}

function readBitcoin(
  world: World,
  operator: Operator,
  order: bitcoinWatch.Effect,
): bitcoinWatch.Event {
  if (operator.bitcoinDown) return { kind: "read-failed" };
  if (order.kind === "read-headers") {
    const { from, count } = order;
    return { kind: "headers", from, headers: headersFrom(operator, from, count) };
  }
  const bytes = blockBytes(world, order.hash);
  return { kind: "block", hash: order.hash, ...(bytes && { bytes }) };
}

function readEthereum(
  world: World,
  operator: Operator,
  order: ethereumWatch.Effect,
): ethereumWatch.Event {
  if (operator.ethereumDown) return { kind: "read-failed" };
  if (order.kind === "read-logs") {
    const { from, to } = order;
    return { kind: "logs", to, txids: logsIn(world.ethereum, from, to) };
  }
  const receipt = receiptOf(world.ethereum, order.txid);
  return { kind: "receipt", txid: order.txid, ...(receipt && { receipt }) };
}
