// The embedded bus (DESIGN 7): one process of the operator serves it on a Unix socket, with one journal per
// topic. Handlers must be idempotent: a message may come twice after a crash.
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { Failure } from "../failure.ts";
import type { Log } from "../ports.ts";
import type { TopicLog } from "./bus-log.ts";
import { openTopicLog } from "./bus-log.ts";
import type { Frame } from "./bus-wire.ts";
import { busTopics, frameKinds, readFrames, sendFrame } from "./bus-wire.ts";
import { openJournal } from "./journal.ts";

export type BusServerOptions = {
  /** Path of the socket; at most 107 bytes on Linux, only for this user. */
  readonly socket: string;
  /** Folder of the journals; made when missing. */
  readonly folder: string;
  readonly log: Log;
};

export type BusServer = { readonly close: () => Promise<void> };

const socketPathSizeMax = 107;
/** Messages on their way to one subscriber. */
const inFlightMax = 32;
const connectionsMax = 64;
const saveMs = 500;

type Subscription = { readonly socket: Socket; sent: number; acknowledged: number };

/** Throws Failure "bad-path", "in-use" (another process serves the socket), "locked", "journal-broken", "disk". */
export async function startBusServer(options: BusServerOptions): Promise<BusServer> {
  if (Buffer.byteLength(options.socket) > socketPathSizeMax)
    throw new Failure("bad-path", `a socket's path has at most ${socketPathSizeMax} bytes`);
  await removeStale(options.socket);
  const topics = openTopics(options);
  const closeTopics = (): void => {
    for (const { log } of topics) log.close();
  };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", (error) => options.log.debug("bus client failed", { error }));
    socket.on("close", () => {
      sockets.delete(socket);
      for (const topic of topics)
        for (const [name, { socket: of }] of topic.subscriptions)
          if (of === socket) topic.subscriptions.delete(name);
    });
    readFrames(socket, (frame) => {
      try {
        onFrame(topics, socket, frame);
      } catch (error) {
        // The disk failed: the client keeps what it published and tries again.
        options.log.error("the bus cannot write", { error });
        socket.destroy();
      }
    });
  });
  server.maxConnections = connectionsMax;
  try {
    await listen(server, options.socket);
  } catch (cause) {
    closeTopics();
    throw cause;
  }
  const saving = setInterval(() => {
    for (const { log } of topics) log.save();
  }, saveMs).unref();
  return {
    close: async () => {
      clearInterval(saving);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      closeTopics();
    },
  };
}

type Topic = { readonly log: TopicLog; readonly subscriptions: Map<string, Subscription> };

function openTopics({ folder, log }: BusServerOptions): readonly Topic[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const opened: Topic[] = [];
  try {
    for (const topic of busTopics) {
      const journal = openJournal(join(folder, `${topic}.journal`), { create: true });
      opened.push({ log: openTopicLog(journal, topic, log), subscriptions: new Map() });
    }
  } catch (cause) {
    for (const topic of opened) topic.log.close();
    throw cause;
  }
  return opened;
}

/** A socket file that nobody answers at is what a crash left. */
async function removeStale(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const answered = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.on("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.on("error", () => resolve(false));
  });
  if (answered) throw new Failure("in-use", `another process serves the bus at ${path}`);
  rmSync(path, { force: true });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new Failure("disk", `cannot serve the bus at ${path}`, { cause })),
    );
    server.listen(path, () => {
      chmodSync(path, 0o600);
      resolve();
    });
  });
}

function onFrame(topics: readonly Topic[], socket: Socket, frame: Frame): void {
  const topic = topics[frame.topic];
  const name = Buffer.from(frame.name).toString();
  if (topic === undefined) return;
  if (frame.kind === frameKinds.publish) {
    topic.log.publish(frame.message);
    sendFrame(socket, { kind: frameKinds.published, sequence: frame.sequence });
    for (const [subscriber, one] of topic.subscriptions)
      deliver(topic, frame.topic, subscriber, one);
  } else if (frame.kind === frameKinds.subscribe && name !== "") {
    const cursor = topic.log.cursor(name);
    const subscription = { socket, sent: cursor, acknowledged: cursor };
    topic.subscriptions.set(name, subscription);
    deliver(topic, frame.topic, name, subscription);
  } else if (frame.kind === frameKinds.unsubscribe) {
    if (topic.subscriptions.get(name)?.socket === socket) topic.subscriptions.delete(name);
  } else if (frame.kind === frameKinds.acknowledge) {
    const subscription = topic.subscriptions.get(name);
    if (subscription?.socket !== socket || frame.sequence > subscription.sent) return;
    topic.log.acknowledge(name, frame.sequence);
    subscription.acknowledged = Math.max(subscription.acknowledged, frame.sequence);
    deliver(topic, frame.topic, name, subscription);
  } else socket.destroy();
}

function deliver(topic: Topic, number: number, name: string, subscription: Subscription): void {
  while (subscription.sent - subscription.acknowledged < inFlightMax) {
    const next = topic.log.after(subscription.sent);
    if (next === undefined) return;
    // Where the oldest were dropped, the numbers jump.
    if (subscription.sent === subscription.acknowledged)
      subscription.acknowledged = next.sequence - 1;
    subscription.sent = next.sequence;
    sendFrame(subscription.socket, {
      kind: frameKinds.deliver,
      topic: number,
      sequence: next.sequence,
      name: Buffer.from(name),
      message: next.message,
    });
  }
}
