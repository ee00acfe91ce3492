// A small HTTP server for JSON: bounded bodies, deadlines, a bounded number of connections. The node's RPC
// and the portal stand on it.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { Failure } from "../failure.ts";
import type { Log } from "../ports.ts";

export type HttpRequest = {
  readonly method: string;
  /** Path without query, not decoded. */
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
  /** Address of the other side. */
  readonly remote: string;
  /** Aborted when the other side went away. */
  readonly signal: AbortSignal;
};

export type HttpResponse = {
  readonly status: number;
  /** Sent as JSON, or as it is when a string with its content type in `headers`. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export type HttpServerOptions = {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Largest body, bytes. */
  readonly bodySizeMax: number;
  readonly connectionsMax?: number;
  /** The answer to what never reaches `handle`: 413, 400. SEAMS says its shape. */
  readonly refuse: (status: number, code: string, message: string) => unknown;
  readonly handle: (request: HttpRequest) => Promise<HttpResponse>;
  /** Takes over a connection that asks for another protocol; without it such a request is refused. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly log: Log;
};

export type HttpServer = { readonly port: number; readonly close: () => Promise<void> };

/** Bytes beyond the largest body that are still read, and kept nowhere. */
const discardMax: number = 32 * 1024 * 1024;

/** Throws Failure "port-in-use" or "bad-address". */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer(
    {
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 30_000,
      maxHeaderSize: 16_384,
    },
    (request, response) => {
      serve(request, response, options).catch((error: unknown) => {
        options.log.error("request failed", { path: request.url?.slice(0, 200), error });
        const body = options.refuse(
          500,
          "internal",
          "the request failed; the operator's log says why",
        );
        reply(response, { status: 500, body });
      });
    },
  );
  server.maxConnections = options.connectionsMax ?? 1_024;
  if (options.upgrade !== undefined) server.on("upgrade", options.upgrade);
  server.on("clientError", (_, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const at = `port ${options.port} on ${options.host}`;
      reject(
        cause.code === "EADDRINUSE"
          ? new Failure("port-in-use", `${at} is in use`, { cause })
          : new Failure("bad-address", `cannot listen on ${at}: ${cause.code}`, { cause }),
      );
    });
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 500).unref();
      }),
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpServerOptions,
): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const body = await readBody(request, options.bodySizeMax);
  if (body === undefined) {
    const message = `a body has at most ${options.bodySizeMax} bytes`;
    return reply(response, {
      status: 413,
      body: options.refuse(413, "too-large", message),
      headers: { connection: "close" },
    });
  }
  const url = URL.parse(request.url ?? "/", "http://localhost");
  if (url === null)
    return reply(response, { status: 400, body: options.refuse(400, "bad-request", "bad path") });
  const answer = await options.handle({
    method: request.method ?? "GET",
    path: url.pathname,
    query: new Map(url.searchParams),
    headers: request.headers,
    body,
    remote: request.socket.remoteAddress ?? "",
    signal: gone.signal,
  });
  reply(response, answer);
}

/**
 * Undefined when it is longer than `sizeMax`. The rest is read and forgotten, up to a bound: a client that still
 * writes when the connection closes loses the answer that says why.
 */
function readBody(request: IncomingMessage, sizeMax: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= sizeMax) return chunks.push(chunk);
      chunks.length = 0;
      return size > sizeMax + discardMax ? resolve(undefined) : undefined;
    });
    request.on("end", () => resolve(size > sizeMax ? undefined : Buffer.concat(chunks)));
    request.on("error", reject);
  });
}

function reply(response: ServerResponse, { status, body, headers }: HttpResponse): void {
  if (response.headersSent || response.destroyed) return;
  const isText = typeof body === "string";
  const text = isText ? body : JSON.stringify(body);
  response.writeHead(status, {
    "content-type": isText ? "text/plain; charset=utf-8" : "application/json",
    "content-length": Buffer.byteLength(text),
    "x-content-type-options": "nosniff",
    ...headers,
  });
  response.end(text);
}
