// The Bus port over the operator's Unix socket: it reconnects for ever, sends again what was not yet
// acknowledged, and hands each subscriber one message at a time until its handler succeeds.
import type { Socket } from "node:net";
import { connect } from "node:net";
import { Failure } from "../failure.ts";
import type { Bus, BusTopic, Log } from "../ports.ts";
import { messageSizeMax, nameSizeMax } from "./bus-log.ts";
import type { Frame } from "./bus-wire.ts";
import { busTopics, frameKinds, readFrames, sendFrame } from "./bus-wire.ts";
import { sleep } from "./clock.ts";

export type BusOptions = { readonly socket: string; readonly log: Log };

const reconnectMsMin = 50;
const reconnectMsMax = 2_000;
const retryMsMin = 100;
const retryMsMax = 5_000;
/** Publications that wait for the bus. */
const waitingMax = 4_096;
const waitingSizeMax: number = 32 * 1024 * 1024;

type Publication = {
  readonly topic: number;
  readonly message: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (failure: Failure) => void;
};

type Subscription = {
  readonly topic: number;
  readonly name: string;
  readonly handle: (message: Uint8Array) => Promise<void>;
  /** Delivered and not handled yet, of the current connection. */
  queue: { sequence: number; message: Uint8Array }[];
  running: boolean;
  readonly stopping: AbortController;
};

type State = {
  socket: Socket | undefined;
  closed: boolean;
  nextId: number;
  waitingSize: number;
  readonly waiting: Map<number, Publication>;
  readonly subscriptions: Map<string, Subscription>;
};

/**
 * Returns at once and connects in the background. `publish` rejects with Failure "bus-full" when too much
 * waits for an absent bus, "too-large", or "closed".
 */
export function openBus(options: BusOptions): Bus & { readonly isConnected: () => boolean } {
  const closing = new AbortController();
  const state: State = {
    socket: undefined,
    closed: false,
    nextId: 1,
    waitingSize: 0,
    waiting: new Map(),
    subscriptions: new Map(),
  };
  stayConnected(state, options, closing.signal).catch((error: unknown) =>
    options.log.error("bus client failed", { error }),
  );
  return {
    isConnected: () => state.socket !== undefined,
    publish: (topic, message) => publish(state, busTopics.indexOf(topic), message),
    subscribe: (topic, name, handle) => subscribe(state, topic, name, handle, options.log),
    close: async () => {
      state.closed = true;
      closing.abort();
      for (const { stopping } of state.subscriptions.values()) stopping.abort();
      for (const { reject } of state.waiting.values())
        reject(new Failure("closed", "the bus is closed"));
      state.waiting.clear();
      state.socket?.destroy();
    },
  };
}

async function stayConnected(
  state: State,
  { socket: path, log }: BusOptions,
  stop: AbortSignal,
): Promise<void> {
  let delayMs = reconnectMsMin;
  while (!stop.aborted) {
    const socket = connect(path);
    const ended = new Promise<unknown>((resolve) => {
      socket.on("error", resolve);
      socket.on("close", resolve);
    });
    socket.on("connect", () => {
      delayMs = reconnectMsMin;
      log.debug("bus connected");
      readFrames(socket, (frame) => onFrame(state, frame, log));
      state.socket = socket;
      for (const subscription of state.subscriptions.values()) announce(socket, subscription);
      for (const [id, { topic, message }] of state.waiting)
        sendFrame(socket, { kind: frameKinds.publish, topic, sequence: id, message });
    });
    const reason = await ended;
    socket.destroy();
    if (state.socket !== undefined) log.info("bus connection lost", { error: reason });
    state.socket = undefined;
    await sleep(delayMs * (0.5 + Math.random()), stop);
    delayMs = Math.min(2 * delayMs, reconnectMsMax);
  }
}

function publish(state: State, topic: number, message: Uint8Array): Promise<void> {
  if (state.closed) return Promise.reject(new Failure("closed", "the bus is closed"));
  if (message.length > messageSizeMax)
    return Promise.reject(
      new Failure("too-large", `a message has at most ${messageSizeMax} bytes`),
    );
  if (state.waiting.size >= waitingMax || state.waitingSize + message.length > waitingSizeMax)
    return Promise.reject(new Failure("bus-full", "the bus is away and too much waits for it"));
  const id = state.nextId++;
  state.waitingSize += message.length;
  return new Promise((resolve, reject) => {
    state.waiting.set(id, { topic, message: Uint8Array.from(message), resolve, reject });
    if (state.socket !== undefined)
      sendFrame(state.socket, { kind: frameKinds.publish, topic, sequence: id, message });
  });
}

function subscribe(
  state: State,
  topic: BusTopic,
  name: string,
  handle: Subscription["handle"],
  log: Log,
): () => void {
  if (name === "" || Buffer.byteLength(name) > nameSizeMax)
    throw new RangeError(`a subscriber's name has 1 to ${nameSizeMax} bytes`);
  const key = `${busTopics.indexOf(topic)} ${name}`;
  if (state.subscriptions.has(key)) throw new RangeError(`${name} has subscribed to ${topic}`);
  const subscription: Subscription = {
    topic: busTopics.indexOf(topic),
    name,
    handle,
    queue: [],
    running: false,
    stopping: new AbortController(),
  };
  state.subscriptions.set(key, subscription);
  if (state.socket !== undefined) announce(state.socket, subscription);
  return () => {
    if (subscription.stopping.signal.aborted) return;
    subscription.stopping.abort();
    state.subscriptions.delete(key);
    log.debug("bus subscription ended", { topic, subscriber: name });
    if (state.socket !== undefined)
      sendFrame(state.socket, {
        kind: frameKinds.unsubscribe,
        topic: subscription.topic,
        name: Buffer.from(name),
      });
  };
}

/** Everything after the last acknowledged message comes again on a new connection. */
function announce(socket: Socket, subscription: Subscription): void {
  subscription.queue = [];
  const { topic, name } = subscription;
  sendFrame(socket, { kind: frameKinds.subscribe, topic, name: Buffer.from(name) });
}

function onFrame(state: State, frame: Frame, log: Log): void {
  if (frame.kind === frameKinds.published) {
    const publication = state.waiting.get(frame.sequence);
    if (publication === undefined) return;
    state.waiting.delete(frame.sequence);
    state.waitingSize -= publication.message.length;
    publication.resolve();
  } else if (frame.kind === frameKinds.deliver) {
    const name = Buffer.from(frame.name).toString();
    const subscription = state.subscriptions.get(`${frame.topic} ${name}`);
    if (subscription === undefined) return;
    subscription.queue.push({ sequence: frame.sequence, message: frame.message });
    if (subscription.running) return;
    subscription.running = true;
    handleAll(state, subscription, log)
      .catch((error: unknown) => log.error("bus subscription failed", { error }))
      .finally(() => {
        subscription.running = false;
      });
  }
}

async function handleAll(state: State, subscription: Subscription, log: Log): Promise<void> {
  const { stopping, topic, name } = subscription;
  let delayMs = retryMsMin;
  while (!stopping.signal.aborted) {
    const first = subscription.queue[0];
    if (first === undefined) return;
    try {
      await subscription.handle(first.message);
    } catch (error) {
      log.warn("bus message will be tried again", {
        topic: busTopics[topic],
        subscriber: name,
        error,
      });
      await sleep(delayMs, stopping.signal);
      delayMs = Math.min(2 * delayMs, retryMsMax);
      continue;
    }
    delayMs = retryMsMin;
    // A reconnection meanwhile has emptied the queue; the number still acknowledges the message.
    if (subscription.queue[0] === first) subscription.queue.shift();
    if (state.socket === undefined) continue;
    sendFrame(state.socket, {
      kind: frameKinds.acknowledge,
      topic,
      sequence: first.sequence,
      name: Buffer.from(name),
    });
  }
}
