// JSON-RPC client for Bitcoin Core, Ethereum nodes and our own: deadlines, a bounded reply, and Core's ways
// (building-blocks 7): errors are in the body whatever the HTTP status, the cookie changes at its restart.
import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { Failure, RpcError } from "../failure.ts";
import type { Transport } from "../ports.ts";

export type RpcAuth =
  | { readonly user: string; readonly password: string }
  | { readonly cookieFile: string };

export type RpcClientOptions = {
  /** http or https; credentials in it serve as `auth`. */
  readonly url: string;
  readonly auth?: RpcAuth;
  /** Deadline of one call, ms. */
  readonly timeoutMs?: number;
  /** Largest reply, bytes. */
  readonly sizeMax?: number;
};

export type RpcClient = Transport & { readonly close: () => void };

/** The only error of Core that says "wait" instead of "no". */
const warmingUp = -28;
const repliesMax: number = 16 * 1024 * 1024;

type Reply = { readonly status: number; readonly body: string };
type Limits = { readonly timeoutMs: number; readonly sizeMax: number };

/** Keeps up to 16 connections alive. Throws Failure "bad-url" at once; everything else when called. */
export function rpcClient(options: RpcClientOptions): RpcClient {
  const target = parseUrl(options.url);
  const agent =
    target.url.protocol === "https:"
      ? new https.Agent({ keepAlive: true, maxSockets: 16 })
      : new http.Agent({ keepAlive: true, maxSockets: 16 });
  const auth = options.auth ?? target.auth;
  let authorization: string | undefined;
  let calls = 0;
  const call: Transport = async (method, params, more) => {
    calls += 1;
    const id = calls;
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    const limits = {
      timeoutMs: more?.timeoutMs ?? options.timeoutMs ?? 10_000,
      sizeMax: more?.sizeMax ?? options.sizeMax ?? repliesMax,
    };
    const knewAuthorization = authorization !== undefined;
    authorization ??= authorizationOf(auth);
    let reply = await post(target.url, agent, authorization, body, limits);
    if (reply.status === 401 && auth !== undefined && "cookieFile" in auth && knewAuthorization) {
      authorization = authorizationOf(auth);
      reply = await post(target.url, agent, authorization, body, limits);
    }
    if (reply.status === 401 || reply.status === 403) {
      authorization = undefined;
      throw new Failure("unauthorized", `${target.name} refuses our credentials`);
    }
    return resultOf(target.name, method, reply, id);
  };
  return Object.assign(call, { close: () => agent.destroy() });
}

type Target = { readonly url: URL; readonly name: string; readonly auth?: RpcAuth };

/** `name` is the address without credentials, for messages. */
function parseUrl(text: string): Target {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Failure("bad-url", "the RPC address is no URL");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new Failure("bad-url", `the RPC address must be http or https, got ${url.protocol}`);
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  url.username = "";
  url.password = "";
  // Providers put their key into the path: only the origin is ever shown.
  const name = url.origin;
  return user === "" ? { url, name } : { url, name, auth: { user, password } };
}

/** Undefined while the cookie is not there yet: the call then gets its 401. */
function authorizationOf(auth: RpcAuth | undefined): string | undefined {
  if (auth === undefined) return undefined;
  let text: string;
  if ("user" in auth) text = `${auth.user}:${auth.password}`;
  else
    try {
      text = readFileSync(auth.cookieFile, "utf8").trim();
    } catch {
      return undefined;
    }
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

/** A kept connection may have been closed by the server just now: then the request goes out once more. */
async function post(
  url: URL,
  agent: http.Agent,
  authorization: string | undefined,
  body: string,
  limits: Limits,
): Promise<Reply> {
  const headers = {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    ...(authorization === undefined ? {} : { authorization }),
  };
  const deadlineAt = performance.now() + limits.timeoutMs;
  for (;;)
    try {
      const timeoutMs = Math.max(1, deadlineAt - performance.now());
      return await once(url, agent, headers, body, { ...limits, timeoutMs });
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
    }
}

class StaleConnection extends Error {
  override readonly name = "StaleConnection";
}

function once(
  url: URL,
  agent: http.Agent,
  headers: http.OutgoingHttpHeaders,
  body: string,
  limits: Limits,
): Promise<Reply> {
  const module = url.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    const request = module.request(url, { method: "POST", agent, headers });
    const fail = (failure: Error): void => {
      clearTimeout(timer);
      reject(failure);
      request.destroy();
    };
    const timer = setTimeout(
      () => fail(new Failure("timeout", `${url.origin} did not answer in time`)),
      limits.timeoutMs,
    );
    request.on("error", (cause: NodeJS.ErrnoException) => {
      const stale = request.reusedSocket && (cause.code === "ECONNRESET" || cause.code === "EPIPE");
      const message = `${url.origin} is unreachable: ${cause.code ?? cause.message}`;
      fail(stale ? new StaleConnection() : new Failure("unreachable", message, { cause }));
    });
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > limits.sizeMax)
          fail(new Failure("too-large", `${url.origin} answered over ${limits.sizeMax} bytes`));
        else chunks.push(chunk);
      });
      response.on("error", (cause) =>
        fail(new Failure("unreachable", `${url.origin} broke off its answer`, { cause })),
      );
      response.on("end", () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
      });
    });
    request.end(body);
  });
}

function resultOf(name: string, method: string, reply: Reply, id: number): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(reply.body);
  } catch (cause) {
    // Core answers 503 "Work queue depth exceeded" as text.
    const what = `${name} answered ${method} with HTTP ${reply.status} and no JSON`;
    throw new Failure(reply.status === 503 ? "busy" : "bad-response", what, { cause });
  }
  const { result, error, id: answered } = (answer ?? {}) as Record<string, unknown>;
  if (error !== undefined && error !== null) throw rpcError(error);
  if (result === undefined || answered !== id)
    throw new Failure("bad-response", `${name} answered ${method} without a result for it`);
  return result;
}

function rpcError(error: unknown): RpcError {
  const { code, message, data } = error as Record<string, unknown>;
  const number = typeof code === "number" ? code : 0;
  const text = typeof message === "string" ? message.slice(0, 500) : "no message";
  return new RpcError(number === warmingUp ? "warming-up" : "rpc-error", number, text, data);
}
