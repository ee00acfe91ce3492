// A small JSON server over HTTP: bodies bounded before they are parsed, errors always {"error":{code,message}}.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { Failure } from "@causeway/primitives";

/** Bytes of a request body; a longer one is refused unread. */
const bodySizeMax: number = 64 * 1024;

export type HttpRequest = {
  readonly method: string;
  readonly path: string;
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown;
};
export type HttpReply = { readonly status: number; readonly json: unknown };

export type HttpServer = { readonly port: number; readonly close: () => Promise<void> };

export function problem(status: number, code: string, message: string): HttpReply {
  return { status, json: { error: { code, message } } };
}

/** Serves until closed; Failure "port-in-use" when the port is taken. */
export function serveJson(
  host: string,
  port: number,
  handle: (request: HttpRequest) => Promise<HttpReply>,
): Promise<HttpServer> {
  const server = createServer((request, response) => {
    void answer(request, response, handle);
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 20_000;
  server.maxConnections = 512;
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === "EADDRINUSE";
      const message = taken ? `port ${port} on ${host} is in use` : cause.message;
      reject(new Failure(taken ? "port-in-use" : "listen-failed", message, { cause }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (request: HttpRequest) => Promise<HttpReply>,
): Promise<void> {
  let reply: HttpReply;
  try {
    const text = await readBody(request);
    if (text === undefined)
      reply = problem(413, "too-large", `a body has at most ${bodySizeMax} bytes`);
    else reply = await parsed(request, text, handle);
  } catch (error) {
    const code = error instanceof Failure ? error.code : "internal";
    const message = error instanceof Failure ? error.message : "the portal failed on this request";
    reply = problem(error instanceof Failure ? 503 : 500, code, message);
  }
  const bytes = Buffer.from(JSON.stringify(reply.json));
  response.writeHead(reply.status, {
    "content-type": "application/json",
    "content-length": bytes.length,
    "access-control-allow-origin": "*",
  });
  response.end(bytes);
}

async function parsed(
  request: IncomingMessage,
  text: string,
  handle: (request: HttpRequest) => Promise<HttpReply>,
): Promise<HttpReply> {
  let body: unknown;
  try {
    body = text === "" ? undefined : JSON.parse(text);
  } catch {
    return problem(400, "bad-json", "the body is not JSON");
  }
  const path = (request.url ?? "/").split("?")[0] as string;
  if (path.length > 300) return problem(414, "too-long", "the path is too long");
  return handle({ method: request.method ?? "GET", path, body });
}

/** The whole body as text, or undefined when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodySizeMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
