// The OpenRPC document of the node, made from the method table.
import { api } from "../client/api.ts";
import type { Schema } from "../client/shape.ts";
import { noteShape, topicShape } from "../client/topics.ts";

/** SEAMS' errors; the literal code of a refusal is in data.code. */
const errors = [
  { code: -32602, message: "malformed parameters" },
  { code: -32000, message: "refused by the rules" },
  { code: -32001, message: "not found" },
  { code: -32002, message: "busy, try again later" },
];

/** `subscribe` and `unsubscribe` exist on a WebSocket alone. */
const socketMethods = [
  {
    name: "subscribe",
    summary:
      "Over a WebSocket: follow a topic. Notifications have the method `subscription` and the params {subscription, note}.",
    paramStructure: "by-name",
    params: [{ name: "topic", required: true, schema: topicShape.schema }],
    result: {
      name: "result",
      schema: { type: "object", properties: { subscription: { type: "integer" } } },
    },
    errors,
    "x-notification": noteShape.schema,
  },
  {
    name: "unsubscribe",
    summary: "Over a WebSocket: end a subscription.",
    paramStructure: "by-name",
    params: [{ name: "subscription", required: true, schema: { type: "integer" } }],
    result: { name: "result", schema: { type: "object" } },
    errors,
  },
];

export function openrpc(): Schema {
  const methods = Object.entries(api).map(([name, { summary, params, result }]) => ({
    name,
    summary,
    paramStructure: "by-name",
    params: paramsOf(params.schema),
    result: { name: "result", schema: result.schema },
    errors,
  }));
  return {
    openrpc: "1.3.2",
    info: {
      title: "Causeway node",
      version: "1",
      description:
        "JSON-RPC 2.0 by HTTP POST / or WebSocket. Bytes are hex without 0x, amounts decimal strings in the smallest unit.",
    },
    methods: [...methods, ...socketMethods],
  };
}

function paramsOf(schema: Schema): unknown[] {
  const required = schema.required as readonly string[];
  const properties = schema.properties as Readonly<Record<string, Schema>>;
  return Object.entries(properties).map(([name, of]) => ({
    name,
    required: required.includes(name),
    schema: of,
  }));
}
