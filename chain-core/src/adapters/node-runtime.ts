// Drives the node's machine (node/machine.ts): one loop, one event at a time, every effect of a step performed in
// order before the next event (CON-1). Whatever is wrong with us ends the loop; the caller ends the process.
import type { Clock, Journal, Log, Rejected } from "@causeway/primitives";
import { rejected } from "@causeway/primitives";
import type { Verdict } from "@causeway/primitives/adapters/p2p";
import type { Movement } from "../client/types.ts";
import type { Effect, Event, State, Topic } from "../node/machine.ts";
import { step } from "../node/machine.ts";
import { isBulk, messageSizeMax } from "../node/message.ts";
import type { Sender } from "./fair-queue.ts";
import { fairQueue } from "./fair-queue.ts";
import type { NodeStore, Persist } from "./node-store.ts";
import type { Order } from "./orders.ts";
import { ordersOf } from "./orders.ts";

/** What the runtime orders of the network. */
export type Network = {
  readonly send: (peer: string, message: Uint8Array) => void;
  readonly broadcast: (message: Uint8Array) => void;
  readonly publish: (topic: Topic, message: Uint8Array) => void;
  readonly ban: (peer: string, ms: number) => void;
};

export type RuntimeOptions = {
  readonly store: NodeStore;
  readonly journal: Journal;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after every persisted block; `movements` only where the store keeps an index. */
  readonly onBlock: (block: Persist, movements: readonly Movement[]) => void;
};

export type Runtime = {
  readonly message: (from: string, bytes: Uint8Array) => void;
  /** Resolves when the machine has seen it: forward it or not. */
  readonly gossip: (
    from: string,
    topic: Topic,
    bytes: Uint8Array,
    judge: (state: State) => Verdict,
  ) => Promise<Verdict>;
  readonly connected: (peer: string) => void;
  readonly disconnected: (peer: string) => void;
  readonly submit: (
    topic: Topic,
    bytes: Uint8Array,
  ) => Promise<{ readonly id: Uint8Array } | Rejected>;
  /** Runs `work` between two events, so that store and state agree. */
  readonly read: <T>(work: (state: State) => T) => Promise<T>;
  /** Rejects with what broke; resolves after `stop`, or with why the machine halted. */
  readonly ended: Promise<Rejected | undefined>;
  /** Finishes the event under way. */
  readonly stop: () => Promise<void>;
};

/**
 * What waits while a block is written; messages of peers beyond it are dropped, they come again. One lane takes the
 * largest message several times.
 */
const queueBounds = {
  laneCountMax: 4_096,
  laneSizeMax: 4 * messageSizeMax,
  sizeMax: 256 * 1024 * 1024,
};
/** The node itself, as a sender. */
const self = "";
/** The loop yields to the network after so long, ms. */
const burstMs = 20;

type Job = {
  readonly event: Event;
  readonly done?: (state: State) => void;
  /** Instead of `done`: it gave way to others. */
  readonly dropped?: () => void;
};

/** `first`: the state and effects that `initial` gave. */
export function startRuntime(
  first: readonly [state: State, effects: readonly Effect[]],
  options: RuntimeOptions,
): Runtime {
  const { clock } = options;
  const replies = new Map<number, (result: { id: Uint8Array } | Rejected) => void>();
  let timer: NodeJS.Timeout | undefined;
  let ticket = 0;
  const wake = (at: number): void => {
    clearTimeout(timer);
    const delay = Math.max(0, Math.min(at - clock.nowMs(), 0x7fffffff));
    timer = setTimeout(() => loop.pushFirst({ event: { kind: "woke", at: clock.nowMs() } }), delay);
  };
  const reply = (of: number, result: { id: Uint8Array } | Rejected): void => {
    replies.get(of)?.(result);
    replies.delete(of);
  };
  const loop = eventLoop(first, performer(options, wake, reply), options);
  const tell = (kind: "connected" | "disconnected", peer: string): void => {
    if (kind === "disconnected") loop.forget(peer);
    loop.pushFirst({ event: { kind, at: clock.nowMs(), peer } });
  };
  return {
    message: (from, bytes) => {
      const event = { kind: "message", at: clock.nowMs(), from, bytes } as const;
      const urgency = isBulk(bytes) ? "bulk" : "urgent";
      loop.push({ from, urgency }, bytes.length, { event });
    },
    gossip: (from, topic, bytes, judge) =>
      new Promise((resolve) => {
        const event = { kind: "gossip", at: clock.nowMs(), from, topic, bytes } as const;
        const done = (state: State): void => resolve(judge(state));
        const dropped = (): void => resolve("ignore");
        const job = { event, done, dropped };
        if (!loop.push({ from, urgency: "bulk" }, bytes.length, job)) dropped();
      }),
    connected: (peer) => tell("connected", peer),
    disconnected: (peer) => tell("disconnected", peer),
    submit: (topic, bytes) =>
      new Promise((resolve) => {
        ticket += 1;
        const event = { kind: "submit", at: clock.nowMs(), ticket, topic, bytes } as const;
        // Before the event goes in: an idle loop runs at once.
        replies.set(ticket, resolve);
        const busy = rejected("busy", "the node is busy, try again later");
        const dropped = (): void => reply(event.ticket, busy);
        if (!loop.push({ from: self, urgency: "bulk" }, bytes.length, { event, dropped }))
          dropped();
      }),
    read: loop.read,
    ended: loop.ended,
    stop: async () => {
      clearTimeout(timer);
      await loop.stop();
      for (const resolve of replies.values()) resolve(rejected("busy", "the node stops"));
    },
  };
}

type EventLoop = {
  /** False once it stops, and where the sender's part of the queue is full. */
  readonly push: (sender: Sender, size: number, job: Job) => boolean;
  readonly pushFirst: (job: Job) => void;
  readonly forget: (peer: string) => void;
} & Pick<Runtime, "read" | "ended" | "stop">;

type Perform = (order: Order) => Promise<void> | undefined;

function eventLoop(
  [state, effects]: readonly [state: State, effects: readonly Effect[]],
  perform: Perform,
  { log, clock }: Pick<RuntimeOptions, "log" | "clock">,
): EventLoop {
  const queue = fairQueue<Job>(queueBounds, (job) => job.dropped?.());
  const reads: (() => void)[] = [];
  let lastAt = 0;
  let stopping = false;
  let running: Promise<void> | undefined;
  const end = Promise.withResolvers<Rejected | undefined>();

  const readAll = (): void => {
    for (const work of reads.splice(0)) work();
  };
  async function performAll(effects: readonly Effect[]): Promise<void> {
    for (const order of ordersOf(effects)) {
      const writing = perform(order);
      if (writing !== undefined) await writing;
      if (order.kind === "halt") {
        stopping = true;
        log.warn("the node halts", { reason: order.reason.message });
        end.resolve(order.reason);
      }
    }
    readAll();
  }
  /** Events overtake each other; only a clock that goes back makes the machine's time go back. */
  function inOrder(event: Event): Event {
    const at = Math.min(clock.nowMs(), Math.max(event.at, lastAt));
    lastAt = at;
    return at === event.at ? event : { ...event, at };
  }
  async function run(): Promise<void> {
    let burstAt = performance.now();
    for (let job = queue.shift(); job !== undefined && !stopping; job = queue.shift()) {
      await performAll(step(state, inOrder(job.event))[1]);
      job.done?.(state);
      if (performance.now() - burstAt < burstMs) continue;
      await new Promise((resolve) => setImmediate(resolve));
      burstAt = performance.now();
    }
  }
  function start(work: () => Promise<void>): void {
    running ??= work()
      .catch((error: unknown) => {
        stopping = true;
        log.error("the node stops", { error });
        end.reject(error);
      })
      .finally(() => {
        running = undefined;
        readAll();
        if (queue.count() > 0 && !stopping) start(run);
      });
  }
  start(() => performAll(effects).then(run));
  return {
    push: (sender, size, job) => {
      if (stopping || !queue.push(sender, size, job)) return false;
      start(run);
      return true;
    },
    pushFirst: (job) => {
      if (stopping) return;
      queue.pushFirst(job);
      start(run);
    },
    forget: (peer) => {
      for (const job of queue.forget(peer)) job.dropped?.();
    },
    read: (work) =>
      new Promise((resolve, reject) => {
        const now = (): void => {
          try {
            resolve(work(state));
          } catch (error) {
            reject(error);
          }
        };
        if (running === undefined) now();
        else reads.push(now);
      }),
    ended: end.promise,
    stop: async () => {
      stopping = true;
      await running;
      end.resolve(undefined);
    },
  };
}

/** Performs one effect; a promise only where the next one has to wait for the disk. */
function performer(
  { store, journal, network, clock, log, onBlock }: RuntimeOptions,
  wake: (at: number) => void,
  reply: (ticket: number, result: { id: Uint8Array } | Rejected) => void,
): Perform {
  return (order) => {
    switch (order.kind) {
      case "send":
        if (order.to === undefined) network.broadcast(order.bytes);
        else network.send(order.to, order.bytes);
        return undefined;
      case "gossip":
        network.publish(order.topic, order.bytes);
        return undefined;
      case "journal":
        if (order.fresh) journal.rewrite([order.record]);
        else journal.append(order.record);
        return undefined;
      case "persistAll":
        return store.persist(...order.blocks).then((movements) => {
          for (const [i, block] of order.blocks.entries()) {
            const { height, time, receipts } = block;
            log.debug("block is final", { height, transactions: receipts.length, time });
            onBlock(block, movements[i] ?? []);
          }
        });
      case "wake":
        wake(order.at);
        return undefined;
      case "reply":
        reply(order.ticket, order.result);
        return undefined;
      case "ban":
        log.warn("peer banned", { peer: order.peer, reason: order.reason });
        network.ban(order.peer, order.until - clock.nowMs());
        return undefined;
      case "halt":
        // The loop's own.
        return undefined;
    }
  };
}
