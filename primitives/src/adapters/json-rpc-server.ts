// JSON-RPC 2.0 over HTTP POST /, with SEAMS' numbers: -32700 parse, -32600 request, -32601 method, -32602
// params, -32000 rejected, -32001 not found, -32002 busy. Every error has data.code. Batches are bounded.
import { Failure, isRejected } from "../failure.ts";
import type { Log } from "../ports.ts";
import type { HttpRequest, HttpResponse, HttpServer } from "./http-server.ts";
import { startHttpServer } from "./http-server.ts";
import type { RpcMethod, Subscriptions } from "./json-rpc-socket.ts";
import { socketServer } from "./json-rpc-socket.ts";

export type RpcServerOptions = {
  readonly host: string;
  readonly port: number;
  readonly bodySizeMax: number;
  readonly batchMax: number;
  readonly methods: ReadonlyMap<string, RpcMethod>;
  /** With it the same methods are served over WebSockets too, with `subscribe` and `unsubscribe`. */
  readonly subscriptions?: Subscriptions;
  readonly log: Log;
};

type ErrorAnswer = { code: number; message: string; data: { code: string } };

/** Of the envelope, which no method gives. */
const frameCodes: Readonly<Record<string, number>> = {
  "parse-error": -32700,
  "bad-request": -32600,
  "too-large": -32600,
  "unknown-method": -32601,
  internal: -32603,
};
/** Of a method's Rejected; all others are -32000, whatever their name. */
const methodCodes: Readonly<Record<string, number>> = {
  "bad-params": -32602,
  "bad-hex": -32602,
  "not-found": -32001,
  busy: -32002,
  pruned: -32003,
};

/** Throws as startHttpServer. */
export async function startRpcServer(options: RpcServerOptions): Promise<HttpServer> {
  const { host, port, bodySizeMax, log, subscriptions } = options;
  const sockets =
    subscriptions &&
    socketServer({
      subscriptions,
      bodySizeMax,
      log,
      answer: (text, more, signal) => answerText(text, signal, withMethods(options, more)),
    });
  const server = await startHttpServer({
    ...(sockets && { upgrade: sockets.upgrade }),
    host,
    port,
    bodySizeMax,
    log,
    refuse: (_, code, message) => answer(null, { error: errorOf(code, message) }),
    handle: (request) => handle(request, options),
  });
  return {
    port: server.port,
    close: () => {
      sockets?.close();
      return server.close();
    },
  };
}

function withMethods(
  options: RpcServerOptions,
  more: ReadonlyMap<string, RpcMethod>,
): RpcServerOptions {
  return { ...options, methods: new Map([...options.methods, ...more]) };
}

async function handle(request: HttpRequest, options: RpcServerOptions): Promise<HttpResponse> {
  const refused = (status: number, code: string, message: string): HttpResponse => ({
    status,
    body: answer(null, { error: errorOf(code, message) }),
  });
  if (request.method !== "POST" || request.path !== "/")
    return refused(request.method === "POST" ? 404 : 405, "bad-request", "POST to / only");
  const body = await answerText(request.body, request.signal, options);
  return body === undefined ? { status: 204, body: "" } : { status: 200, body };
}

/** The answer to one request or to a batch; undefined when nothing in it asks for one. */
async function answerText(
  bytes: Uint8Array,
  signal: AbortSignal,
  options: RpcServerOptions,
): Promise<unknown> {
  const refused = (code: string, message: string): unknown =>
    answer(null, { error: errorOf(code, message) });
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return refused("parse-error", "the body is no JSON");
  }
  if (!Array.isArray(body)) return call(body, signal, options);
  if (body.length === 0 || body.length > options.batchMax)
    return refused("bad-request", `a batch has 1 to ${options.batchMax} requests`);
  const answers: unknown[] = [];
  for (const item of body) {
    const one = await call(item, signal, options);
    if (one !== undefined) answers.push(one);
  }
  return answers;
}

/** Undefined for a notification. */
async function call(
  request: unknown,
  signal: AbortSignal,
  options: RpcServerOptions,
): Promise<unknown> {
  const { jsonrpc, method, params, id } = (request ?? {}) as Record<string, unknown>;
  const idIsFine =
    id === null || typeof id === "number" || (typeof id === "string" && id.length <= 64);
  if (jsonrpc !== "2.0" || typeof method !== "string" || !(idIsFine || id === undefined))
    return answer(null, { error: errorOf("bad-request", "not a JSON-RPC 2.0 request") });
  const outcome = await run(method, params, signal, options);
  return id === undefined ? undefined : answer(id, outcome);
}

async function run(
  name: string,
  params: unknown,
  signal: AbortSignal,
  { methods, log }: RpcServerOptions,
): Promise<{ result: unknown } | { error: ErrorAnswer }> {
  const method = methods.get(name);
  if (method === undefined)
    return { error: errorOf("unknown-method", `no method ${JSON.stringify(name.slice(0, 50))}`) };
  try {
    const result = await method(params, signal);
    return isRejected(result) ? { error: refusalOf(result) } : { result };
  } catch (error) {
    if (error instanceof Failure && error.code === "busy")
      return { error: refusalOf({ code: "busy", message: error.message }) };
    log.error("RPC method failed", { method: name, error });
    return { error: errorOf("internal", "the method failed; the operator's log says why") };
  }
}

function errorOf(code: string, message: string): ErrorAnswer {
  return { code: frameCodes[code] ?? -32603, message, data: { code } };
}

function refusalOf({ code, message }: { code: string; message: string }): ErrorAnswer {
  return { code: methodCodes[code] ?? -32000, message, data: { code } };
}

function answer(id: unknown, outcome: { result: unknown } | { error: ErrorAnswer }): unknown {
  return { jsonrpc: "2.0", id, ...outcome };
}
