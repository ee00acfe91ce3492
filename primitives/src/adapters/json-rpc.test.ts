// Client against servers that misbehave as Bitcoin Core and dead nodes do; server against random bytes.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { Failure, rejected } from "../failure.ts";
import type { Log } from "../ports.ts";
import { seeded } from "../random.ts";
import type { RpcClientOptions } from "./json-rpc.ts";
import { rpcClient } from "./json-rpc.ts";
import { startRpcServer } from "./json-rpc-server.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
const errors: string[] = [];
const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message) => errors.push(message),
  child: () => log,
};

type Handler = (request: IncomingMessage, body: string, response: ServerResponse) => void;

async function serve(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => handler(request, body, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function client(url: string, more: Partial<RpcClientOptions> = {}): ReturnType<typeof rpcClient> {
  const rpc = rpcClient({ url, timeoutMs: 2_000, ...more });
  closing.push(rpc.close);
  return rpc;
}

const echo: Handler = (_, body, response) => {
  const { id, method, params } = JSON.parse(body);
  response.end(JSON.stringify({ result: { method, params }, error: null, id }));
};

test("a result comes back, and errors are read from the body whatever the HTTP status", async () => {
  expect(await client(await serve(echo))("getblockhash", [7])).toEqual({
    method: "getblockhash",
    params: [7],
  });
  const bad = await serve((_, body, response) => {
    const { id } = JSON.parse(body);
    response
      .writeHead(500)
      .end(JSON.stringify({ result: null, error: { code: -8, message: "out of range" }, id }));
  });
  await expect(client(bad)("getblockhash", [7])).rejects.toMatchObject({
    code: "rpc-error",
    rpcCode: -8,
    message: "out of range",
  });
  const warming = await serve((_, body, response) => {
    const { id } = JSON.parse(body);
    response.writeHead(500).end(JSON.stringify({ error: { code: -28, message: "Loading" }, id }));
  });
  await expect(client(warming)("x", [])).rejects.toMatchObject({ code: "warming-up" });
});

test("calls at the same time each get their own answer", async () => {
  const rpc = client(await serve(echo));
  const answers = await Promise.all([1, 2, 3, 4, 5].map((i) => rpc("m", [i])));
  expect(answers).toEqual([1, 2, 3, 4, 5].map((i) => ({ method: "m", params: [i] })));
});

test("a cookie is read again after the node restarted with another", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cookie-"));
  closing.push(() => rmSync(folder, { recursive: true }));
  const cookieFile = join(folder, ".cookie");
  let valid = "__cookie__:one";
  const url = await serve((request, body, response) => {
    const given = Buffer.from((request.headers.authorization ?? "").slice(6), "base64").toString();
    if (given !== valid) return response.writeHead(401).end();
    return echo(request, body, response);
  });
  const rpc = client(url, { auth: { cookieFile } });
  await expect(rpc("a", [])).rejects.toMatchObject({ code: "unauthorized" });
  writeFileSync(cookieFile, `${valid}\n`);
  expect(await rpc("a", [])).toEqual({ method: "a", params: [] });
  valid = "__cookie__:two";
  writeFileSync(cookieFile, valid);
  expect(await rpc("b", [])).toEqual({ method: "b", params: [] });
});

test("silence, refusal, junk and floods are failures with their codes", async () => {
  const silent = await serve(() => undefined);
  await expect(client(silent, { timeoutMs: 50 })("x", [])).rejects.toMatchObject({
    code: "timeout",
  });
  await expect(client("http://127.0.0.1:1")("x", [])).rejects.toMatchObject({
    code: "unreachable",
  });
  const junk = await serve((_, __, response) => response.end("<html>"));
  await expect(client(junk)("x", [])).rejects.toMatchObject({ code: "bad-response" });
  const flood = await serve((_, __, response) => response.end("x".repeat(10_000)));
  await expect(client(flood, { sizeMax: 1_000 })("x", [])).rejects.toMatchObject({
    code: "too-large",
  });
  const other = await serve((_, __, response) => response.end('{"result":1,"id":"no"}'));
  await expect(client(other)("x", [])).rejects.toMatchObject({ code: "bad-response" });
  expect(() => client("ftp://x")).toThrow(Failure);
});

test("no message ever names a password or a provider's key", async () => {
  const rpc = client("http://alice:hunter2@127.0.0.1:1/v3/secretkey");
  const error = (await rpc("x", []).catch((cause: unknown) => cause)) as Error;
  expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toMatch(
    /hunter2|secretkey/,
  );
});

async function ownServer(): Promise<string> {
  const server = await startRpcServer({
    host: "127.0.0.1",
    port: 0,
    bodySizeMax: 10_000,
    batchMax: 3,
    log,
    methods: new Map<string, (params: unknown) => unknown>([
      ["echo", (params) => params ?? null],
      ["reject", () => rejected("fee-too-low", "1 is below 2")],
      ["params", () => rejected("bad-params", "height must be a number")],
      ["missing", () => rejected("not-found", "no such block")],
      [
        "broken",
        () => {
          throw new Error("secret detail");
        },
      ],
    ]),
  });
  closing.push(server.close);
  return `http://127.0.0.1:${server.port}`;
}

test("our server answers every kind of wrong call with its number and a code", async () => {
  const rpc = client(await ownServer());
  expect(await rpc("echo", { a: [1] })).toEqual({ a: [1] });
  const codeOf = async (method: string): Promise<unknown> => {
    const error = (await rpc(method, {}).catch((cause: unknown) => cause)) as {
      rpcCode: number;
      data: unknown;
    };
    return [error.rpcCode, error.data];
  };
  expect(await codeOf("reject")).toEqual([-32000, { code: "fee-too-low" }]);
  expect(await codeOf("params")).toEqual([-32602, { code: "bad-params" }]);
  expect(await codeOf("missing")).toEqual([-32001, { code: "not-found" }]);
  expect(await codeOf("nonsense")).toEqual([-32601, { code: "unknown-method" }]);
  expect(await codeOf("broken")).toEqual([-32603, { code: "internal" }]);
  expect(errors).toContain("RPC method failed");
});

async function post(url: string, body: string | Uint8Array): Promise<unknown> {
  const response = await fetch(url, { method: "POST", body: Buffer.from(body) });
  const text = await response.text();
  return text === "" ? response.status : JSON.parse(text);
}

test("batches, notifications, bad JSON and oversized bodies keep to the rules", async () => {
  const url = await ownServer();
  const one = { jsonrpc: "2.0", method: "echo", params: 1 };
  expect(await post(url, JSON.stringify(one))).toBe(204);
  expect(await post(url, JSON.stringify([{ ...one, id: 1 }, one, { ...one, id: 2 }]))).toEqual([
    { jsonrpc: "2.0", id: 1, result: 1 },
    { jsonrpc: "2.0", id: 2, result: 1 },
  ]);
  const code = (answer: unknown): unknown => (answer as { error: { code: number } }).error.code;
  expect(code(await post(url, JSON.stringify([one, one, one, one])))).toBe(-32600);
  expect(code(await post(url, "[]"))).toBe(-32600);
  expect(code(await post(url, "{"))).toBe(-32700);
  expect(code(await post(url, "null"))).toBe(-32600);
  expect(code(await post(url, JSON.stringify({ ...one, id: {} })))).toBe(-32600);
  expect(await post(url, "x".repeat(10_001))).toMatchObject({
    error: { data: { code: "too-large" } },
  });
  expect((await fetch(url)).status).toBe(405);
  expect(await post(url, "x".repeat(3_000_000)).catch(() => "hung up")).toSatisfy(
    (answer: unknown) => answer === "hung up" || code(answer) === -32600,
  );
  expect(await client(url)("echo", 1)).toBe(1);
});

test("random bytes, in a body and on the bare socket, get an error and leave the server up", async () => {
  const url = await ownServer();
  const random = seeded(7);
  for (let i = 0; i < 200; i++) {
    const answer = await post(url, random.bytes(random.below(300)));
    expect(answer).toHaveProperty("error.data.code");
  }
  for (let i = 0; i < 20; i++)
    await new Promise<void>((resolve) => {
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      socket.on("close", () => resolve());
      socket.on("error", () => undefined);
      socket.resume();
      socket.end(random.bytes(500));
    });
  expect(await client(url)("echo", [1])).toEqual([1]);
});

test("a port in use is a clear error", async () => {
  const port = Number(new URL(await ownServer()).port);
  const again = startRpcServer({
    host: "127.0.0.1",
    port,
    bodySizeMax: 1,
    batchMax: 1,
    log,
    methods: new Map(),
  });
  await expect(again).rejects.toMatchObject({
    code: "port-in-use",
    message: `port ${port} on 127.0.0.1 is in use`,
  });
});
