// JSON-RPC as Bitcoin Core speaks it: both versions, batches, parameters by position and by name, and
// the HTTP status that goes with each error. No I/O: a body in, a status and a body out.
import { chainMethods } from "./chain-methods.ts";
import type { Method } from "./method.ts";
import { RpcError, typeName } from "./method.ts";
import type { Node } from "./node.ts";
import { txMethods } from "./tx-methods.ts";

export type HttpReply = { readonly status: number; readonly body: string };

type Reply = Readonly<Record<string, unknown>>;
type Table = (name: string) => Method | undefined;
type Answer = { readonly reply: Reply | undefined; readonly status: number };

const methods: ReadonlyMap<string, Method> = new Map(
  Object.entries({ ...chainMethods, ...txMethods }),
);
const parseError = -32700;
const invalidRequest = -32600;
const methodNotFound = -32601;

/** Methods by name. */
export type Methods = Readonly<Record<string, Method>>;

/** Answers one HTTP body; `more` are methods that only the caller can serve. */
export function handleBody(node: Node, text: string, more: Methods = {}): HttpReply {
  const table = (name: string): Method | undefined =>
    Object.hasOwn(more, name) ? more[name] : methods.get(name);
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    return send(legacy(null, new RpcError(parseError, "Parse error")), 500);
  }
  if (Array.isArray(request)) {
    if (request.length === 0) return send([], 200);
    const replies = request.flatMap((item) => answer(node, item, table).reply ?? []);
    return replies.length === 0 ? { status: 204, body: "" } : send(replies, 200);
  }
  if (!isObject(request))
    return send(legacy(null, new RpcError(parseError, "Top-level object parse error")), 500);
  const { reply, status } = answer(node, request, table);
  return reply === undefined ? { status, body: "" } : send(reply, status);
}

function send(value: unknown, status: number): HttpReply {
  return { status, body: `${JSON.stringify(value)}\n` };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function legacy(id: unknown, error: RpcError): Reply {
  return { result: null, error: { code: error.code, message: error.message }, id };
}

function answer(node: Node, item: unknown, table: Table): Answer {
  if (!isObject(item)) {
    const error = new RpcError(invalidRequest, "Invalid Request object");
    return { reply: legacy(null, error), status: 400 };
  }
  const { id = null, jsonrpc, method, params = [] } = item;
  const modern = jsonrpc === "2.0";
  const notification = modern && !("id" in item);
  const fail = (error: RpcError, status: number): Answer => {
    if (notification) return { reply: undefined, status: 204 };
    const { code, message } = error;
    const reply = modern ? { jsonrpc, error: { code, message }, id } : legacy(id, error);
    return { reply, status };
  };
  const invalid = (message: string): Answer => fail(new RpcError(invalidRequest, message), 400);
  if (jsonrpc !== undefined && typeof jsonrpc !== "string")
    return invalid("jsonrpc field must be a string");
  if (!["1.0", "2.0", undefined].includes(jsonrpc))
    return invalid("JSON-RPC version not supported");
  if (method === undefined || method === null) return invalid("Missing method");
  if (typeof method !== "string") return invalid("Method must be a string");
  if (typeof params !== "object") return invalid("Params must be an array or object");
  try {
    const result = call(node, method, params ?? [], table) ?? null;
    if (notification) return { reply: undefined, status: 204 };
    const reply = modern ? { jsonrpc, result, id } : { result, error: null, id };
    return { reply, status: 200 };
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return fail(error, modern ? 200 : error.code === methodNotFound ? 404 : 500);
  }
}

function call(node: Node, name: string, params: object, table: Table): unknown {
  const method = table(name);
  if (method === undefined) throw new RpcError(methodNotFound, "Method not found");
  const given = Array.isArray(params) ? params : byName(method, params);
  const required = method.params.filter((param) => !param.optional).length;
  const missing = method.params
    .slice(0, required)
    .some((_, index) => given[index] === undefined || index >= given.length);
  if (missing || given.length > method.params.length) throw new RpcError(-1, help(name, method));
  checkTypes(method, given);
  return method.run(
    node,
    method.params.map((_, index) => given[index] ?? undefined),
  );
}

function byName(method: Method, params: object): unknown[] {
  const given: unknown[] = [];
  for (const [key, value] of Object.entries(params)) {
    const at = method.params.findIndex((param) => param.name.split("|").includes(key));
    if (at < 0) throw new RpcError(-8, `Unknown named parameter ${key}`);
    if (at in given)
      throw new RpcError(
        -8,
        `Parameter ${key} specified twice both as positional and named argument`,
      );
    given[at] = value;
  }
  return given;
}

function help(name: string, method: Method): string {
  const words = method.params.map((param) => {
    const [word = ""] = param.name.split("|");
    const text = param.type === "string" ? `"${word}"` : word;
    return param.optional ? `( ${text} )` : text;
  });
  return `${[name, ...words].join(" ")}\n\n${method.about}\n`;
}

function checkTypes(method: Method, given: readonly unknown[]): void {
  const wrong: string[] = [];
  for (const [index, param] of method.params.entries()) {
    const value = given[index] ?? null;
    if (value === null && param.optional) continue;
    const actual = typeName(value);
    if (param.type === "any" || param.type === actual) continue;
    if (param.type === "amount" && (actual === "number" || actual === "string")) continue;
    const place = `"Position ${index + 1} (${param.name.split("|")[0]})"`;
    const type = param.type === "amount" ? "number" : param.type;
    wrong.push(`    ${place}: "JSON value of type ${actual} is not of expected type ${type}"`);
  }
  if (wrong.length > 0) throw new RpcError(-3, `Wrong type passed:\n{\n${wrong.join(",\n")}\n}`);
}
