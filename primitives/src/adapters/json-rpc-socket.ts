// JSON-RPC over WebSockets: the methods of the HTTP server and notifications. A client that does not read is
// dropped, so that none of them costs memory.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { WebSocketServer } from "ws";
import type { Rejected } from "../failure.ts";
import { isRejected, rejected } from "../failure.ts";
import type { Log } from "../ports.ts";

/**
 * A method answers with its result or a Rejected. The codes "bad-params" and "bad-hex" are -32602,
 * "not-found" -32001, "busy" -32002, "pruned" -32003, every other one -32000. `params` is whatever the caller sent.
 */
export type RpcMethod = (params: unknown, signal: AbortSignal) => unknown;

/**
 * Begins to tell `notify` what `params` ask for, until the function that it gives is called; Rejected with
 * "bad-params" or a code of its own.
 */
export type Subscriptions = (
  params: unknown,
  notify: (note: unknown) => void,
) => Rejected | (() => void);

export type SocketServerOptions = {
  readonly subscriptions: Subscriptions;
  readonly bodySizeMax: number;
  readonly log: Log;
  /** The answer to the text of a request; `more` are methods of this connection alone. */
  readonly answer: (
    text: Uint8Array,
    more: ReadonlyMap<string, RpcMethod>,
    signal: AbortSignal,
  ) => Promise<unknown>;
};

export type SocketServer = {
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly close: () => void;
};

const socketsMax = 256;
const subscriptionsMax = 64;
/** Requests of one connection that are worked on at once; more get "busy". */
const requestsMax = 64;
/** Bytes that may wait for a client; with more it is dropped. */
const backlogMax: number = 8 * 1024 * 1024;
const pingMs = 30_000;

export function socketServer(options: SocketServerOptions): SocketServer {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: options.bodySizeMax,
    perMessageDeflate: false,
  });
  const alive = new WeakSet<WebSocket>();
  const pings = setInterval(() => {
    for (const socket of server.clients) {
      if (!alive.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }, pingMs);
  pings.unref();
  server.on("connection", (socket: WebSocket) => {
    alive.add(socket);
    socket.on("pong", () => alive.add(socket));
    serve(socket, options);
  });
  return {
    upgrade: (request, socket, head) => {
      if (server.clients.size >= socketsMax) {
        socket.end("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n");
        return;
      }
      server.handleUpgrade(request, socket, head, (client) => server.emit("connection", client));
    },
    close: () => {
      clearInterval(pings);
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  };
}

function serve(socket: WebSocket, { subscriptions, answer, log }: SocketServerOptions): void {
  const gone = new AbortController();
  const running = new Map<number, () => void>();
  let newest = 0;
  let working = 0;
  const send = (value: unknown): void => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > backlogMax) {
      log.warn("a subscriber does not read, dropped", { waiting: socket.bufferedAmount });
      socket.terminate();
      return;
    }
    socket.send(JSON.stringify(value));
  };
  const subscribe: RpcMethod = (params) => {
    if (running.size >= subscriptionsMax)
      return rejected("busy", `a connection has at most ${subscriptionsMax} subscriptions`);
    newest += 1;
    const subscription = newest;
    const end = subscriptions(params, (note) =>
      send({ jsonrpc: "2.0", method: "subscription", params: { subscription, note } }),
    );
    if (isRejected(end)) return end;
    running.set(subscription, end);
    return { subscription };
  };
  const unsubscribe: RpcMethod = (params) => {
    const of = (params as { subscription?: unknown } | null)?.subscription;
    const end = typeof of === "number" ? running.get(of) : undefined;
    if (end === undefined) return rejected("not-found", "no such subscription");
    running.delete(of as number);
    end();
    return {};
  };
  const more = new Map([
    ["subscribe", subscribe],
    ["unsubscribe", unsubscribe],
  ]);
  socket.on("message", (data: Buffer) => {
    if (working >= requestsMax) return socket.close(1013, "too many requests at once");
    working += 1;
    answer(Uint8Array.from(data), more, gone.signal)
      .then((value) => value !== undefined && send(value))
      .catch((error: unknown) => log.error("request failed", { error }))
      .finally(() => {
        working -= 1;
      });
    return undefined;
  });
  socket.on("error", (error) => log.debug("socket failed", { error }));
  socket.on("close", () => {
    gone.abort();
    for (const end of running.values()) end();
    running.clear();
  });
}
