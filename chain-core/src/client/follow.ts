// Subscriptions over a WebSocket, typed (client/api.ts). A connection that breaks is made again and the caller is
// told from which height it may have missed something.
import { Failure } from "@causeway/primitives";
import type { Note, Topic } from "./topics.ts";
import { noteShape, topicShape } from "./topics.ts";
import { read } from "./wire.ts";

/** What a follower needs of a socket: a WebSocket of the platform, or a test's. */
export type Socket = {
  readonly send: (text: string) => void;
  readonly close: () => void;
};
export type OpenSocket = (events: {
  readonly open: () => void;
  readonly text: (text: string) => void;
  readonly closed: () => void;
}) => Socket;

export type FollowOptions = {
  readonly topics: readonly Topic[];
  readonly onNote: (note: Note) => void;
  /** After every connection, also the first: everything until now may have been missed. */
  readonly onConnected?: () => void;
  /** A topic was refused; nothing will come of it. */
  readonly onRefused?: (topic: Topic, failure: Failure) => void;
  /** Runs `work` after `ms`; the caller's timer. */
  readonly later: (ms: number, work: () => void) => void;
};

const backoffMinMs = 250;
const backoffMaxMs = 10_000;

/** Follows until the function that it gives is called. */
export function follow(open: OpenSocket, options: FollowOptions): () => void {
  let ended = false;
  let backoffMs = backoffMinMs;
  let socket: Socket | undefined;
  const connect = (): void => {
    if (ended) return;
    socket = open({
      open: () => {
        backoffMs = backoffMinMs;
        for (const [id, topic] of options.topics.entries()) {
          const params = { topic: topicShape.write(topic) };
          socket?.send(JSON.stringify({ jsonrpc: "2.0", id, method: "subscribe", params }));
        }
        options.onConnected?.();
      },
      text: (text) => receive(text, options),
      closed: () => {
        if (ended) return;
        options.later(backoffMs, connect);
        backoffMs = Math.min(2 * backoffMs, backoffMaxMs);
      },
    });
  };
  connect();
  return () => {
    ended = true;
    socket?.close();
  };
}

function receive(text: string, { topics, onNote, onRefused }: FollowOptions): void {
  const message = parse(text);
  if (message.method === "subscription") {
    const note = read(noteShape.read, (message.params as { note?: unknown } | undefined)?.note);
    if (!("kind" in note)) onNote(note);
    return;
  }
  const topic = typeof message.id === "number" ? topics[message.id] : undefined;
  const error = message.error as { message?: unknown; data?: { code?: unknown } } | undefined;
  if (topic === undefined || error === undefined) return;
  onRefused?.(topic, new Failure(String(error.data?.code ?? "refused"), String(error.message)));
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
