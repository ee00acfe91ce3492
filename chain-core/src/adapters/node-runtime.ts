// Drives the node's machine (node/machine.ts): one loop, one event at a time, every effect of a step performed in
// order before the next event (CON-1). Whatever is wrong with us ends the loop; the caller ends the process.
import type { Clock, Journal, Log, Rejected } from "@causeway/primitives";
import { rejected } from "@causeway/primitives";
import type { Verdict } from "@causeway/primitives/adapters/p2p";
import type { Movement } from "../client/types.ts";
import type { Effect, Event, State, Topic } from "../node/machine.ts";
import { step } from "../node/machine.ts";
import type { NodeStore, Persist } from "./node-store.ts";

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

/** Events that wait while a block is written. Above it, messages of peers are dropped: they come again. */
const queueMax = 20_000;
const queueSizeMax: number = 256 * 1024 * 1024;
/** The loop yields to the network after so long, ms. */
const burstMs = 20;

type Job = {
  readonly event: Event;
  readonly size: number;
  readonly done?: (state: State) => void;
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
    timer = setTimeout(
      () => loop.push({ event: { kind: "woke", at: clock.nowMs() }, size: 0 }),
      delay,
    );
  };
  const reply = (of: number, result: { id: Uint8Array } | Rejected): void => {
    replies.get(of)?.(result);
    replies.delete(of);
  };
  const loop = eventLoop(first, performer(options, wake, reply), options.log);
  const tell = (kind: "connected" | "disconnected", peer: string): void => {
    loop.push({ event: { kind, at: clock.nowMs(), peer }, size: 0 });
  };
  return {
    message: (from, bytes) => {
      const event = { kind: "message", at: clock.nowMs(), from, bytes } as const;
      if (!loop.isFull()) loop.push({ event, size: bytes.length });
    },
    gossip: (from, topic, bytes, judge) =>
      new Promise((resolve) => {
        const event = { kind: "gossip", at: clock.nowMs(), from, topic, bytes } as const;
        const done = (state: State): void => resolve(judge(state));
        if (loop.isFull() || !loop.push({ event, size: bytes.length, done })) resolve("ignore");
      }),
    connected: (peer) => tell("connected", peer),
    disconnected: (peer) => tell("disconnected", peer),
    submit: (topic, bytes) =>
      new Promise((resolve) => {
        ticket += 1;
        const event = { kind: "submit", at: clock.nowMs(), ticket, topic, bytes } as const;
        // Before the event goes in: an idle loop runs at once.
        replies.set(ticket, resolve);
        if (loop.isFull() || !loop.push({ event, size: bytes.length }))
          reply(ticket, rejected("busy", "the node is busy, try again later"));
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
  /** False once it stops. */
  readonly push: (job: Job) => boolean;
  readonly isFull: () => boolean;
} & Pick<Runtime, "read" | "ended" | "stop">;

type Perform = (effect: Effect) => Promise<void> | undefined;

function eventLoop(
  [state, effects]: readonly [state: State, effects: readonly Effect[]],
  perform: Perform,
  log: Log,
): EventLoop {
  const queue: Job[] = [];
  const reads: (() => void)[] = [];
  let queueSize = 0;
  let stopping = false;
  let running: Promise<void> | undefined;
  const end = Promise.withResolvers<Rejected | undefined>();

  const readAll = (): void => {
    for (const work of reads.splice(0)) work();
  };
  async function performAll(orders: readonly Effect[]): Promise<void> {
    for (const effect of orders) {
      const writing = perform(effect);
      if (writing !== undefined) await writing;
      if (effect.kind === "halt") {
        stopping = true;
        log.warn("the node halts", { reason: effect.reason.message });
        end.resolve(effect.reason);
      }
    }
    readAll();
  }
  async function run(): Promise<void> {
    let burstAt = performance.now();
    for (let job = queue.shift(); job !== undefined && !stopping; job = queue.shift()) {
      queueSize -= job.size;
      await performAll(step(state, job.event)[1]);
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
        if (queue.length > 0 && !stopping) start(run);
      });
  }
  start(() => performAll(effects).then(run));
  return {
    push: (job) => {
      if (stopping) return false;
      queue.push(job);
      queueSize += job.size;
      start(run);
      return true;
    },
    isFull: () => queue.length >= queueMax || queueSize >= queueSizeMax,
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
): (effect: Effect) => Promise<void> | undefined {
  return (effect) => {
    switch (effect.kind) {
      case "send":
        if (effect.to === undefined) network.broadcast(effect.bytes);
        else network.send(effect.to, effect.bytes);
        return undefined;
      case "gossip":
        network.publish(effect.topic, effect.bytes);
        return undefined;
      case "journal":
        if (effect.fresh) journal.rewrite([effect.record]);
        else journal.append(effect.record);
        return undefined;
      case "persist":
        return store.persist(effect).then((movements) => {
          const { height, time, receipts } = effect;
          log.debug("block is final", { height, transactions: receipts.length, time });
          onBlock(effect, movements);
        });
      case "wake":
        wake(effect.at);
        return undefined;
      case "reply":
        reply(effect.ticket, effect.result);
        return undefined;
      case "ban":
        log.warn("peer banned", { peer: effect.peer, reason: effect.reason });
        network.ban(effect.peer, effect.until - clock.nowMs());
        return undefined;
      case "halt":
        // The loop's own.
        return undefined;
    }
  };
}
