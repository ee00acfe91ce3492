// The HTTP door of the RPC: Basic authentication, bounded bodies, Core's status codes.
import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { Failure, sha256, utf8 } from "@causeway/primitives";

/** Core's limit of a request's body: 32 MiB. */
export const bodySizeMax: number = 32 * 1024 * 1024;
/** A wrong password costs its sender this long, as in Core. */
const refusalDelayMs = 250;
const keepAliveMs = 30_000;

export type ServerOptions = {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Accepted "user:password" pairs. */
  readonly credentials: readonly string[];
  readonly handle: (body: string) => { readonly status: number; readonly body: string };
};

/** Listens; throws Failure "port-in-use" or "listen" when it cannot. */
export async function listen(options: ServerOptions): Promise<Server> {
  const server = createServer((request, response) => {
    serve(options, request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = keepAliveMs;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(options.port, options.host, resolve);
  try {
    await promise;
  } catch (error) {
    const place = `${options.host}:${options.port}`;
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE")
      throw new Failure("port-in-use", `${place} is taken by another process`, { cause: error });
    throw new Failure("listen", `cannot listen on ${place}`, { cause: error });
  }
  return server;
}

async function serve(
  options: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url?.split("?")[0] ?? "/";
  if (path !== "/" && !path.startsWith("/wallet/")) return reply(response, 404, "");
  if (request.method !== "POST")
    return reply(response, 405, "JSONRPC server handles only POST requests", { allow: "POST" });
  if (!authorised(options.credentials, request.headers.authorization)) {
    await new Promise((resolve) => setTimeout(resolve, refusalDelayMs));
    return reply(response, 401, "", { "www-authenticate": 'Basic realm="jsonrpc"' });
  }
  const body = await readBody(request);
  if (body === undefined) return reply(response, 413, "", { connection: "close" });
  let answer: { readonly status: number; readonly body: string };
  try {
    answer = options.handle(body);
  } catch (error) {
    console.error(error);
    const message = error instanceof Error ? error.message : "internal error";
    answer = {
      status: 500,
      body: JSON.stringify({ result: null, error: { code: -1, message }, id: null }),
    };
  }
  reply(response, answer.status, answer.body, { "content-type": "application/json" });
}

function reply(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, headers);
  response.end(status === 204 ? undefined : body);
}

/** Compares hashes, so that the time taken says nothing about the password. */
function authorised(credentials: readonly string[], header: string | undefined): boolean {
  if (header === undefined || !header.startsWith("Basic ")) return false;
  const given = sha256(Buffer.from(header.slice(6).trim(), "base64"));
  return credentials.some((pair) => timingSafeEqual(sha256(utf8(pair)), given));
}

/** The body as text, or undefined when it is longer than {@link bodySizeMax}. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > bodySizeMax) return undefined;
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > bodySizeMax) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
