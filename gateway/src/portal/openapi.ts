// The OpenAPI 3.1 page of the portal, from one table.

type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: "string" };
const whole: Schema = { type: "integer" };
const yes: Schema = { type: "boolean" };
const units: Schema = {
  type: "string",
  pattern: "^\\d{1,39}$",
  description: "Amount in the asset's smallest unit",
};
const object = (properties: Readonly<Record<string, Schema>>, optional: string[] = []): Schema => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});
const list = (items: Schema): Schema => ({ type: "array", items });

const destination = object({
  chain: { ...text, description: "causeway, bitcoin, ethereum, or 32 bytes in hex" },
  address: { ...text, description: "An address of that chain" },
});
const error = object({ error: object({ code: text, message: text }) });

type Operation = {
  readonly method: "get" | "post";
  readonly path: string;
  readonly summary: string;
  readonly body?: Schema;
  readonly reply: Schema;
};

const operations: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/deposits",
    summary: "A Bitcoin address for these terms, watched by every operator from now on",
    body: object(
      {
        chain: { ...text, default: "bitcoin" },
        destination,
        maxFee: { ...units, description: "Most that the transfer may cost, sat" },
        refund: {
          ...text,
          pattern: "^(0x)?[0-9a-fA-F]{64}$",
          description: "x-only key by which the owner can take the coins back (BIP340)",
        },
        keyId: { ...whole, description: "To have an address of an earlier key watched again" },
      },
      ["chain", "keyId"],
    ),
    reply: object({
      address: text,
      keyId: whole,
      version: whole,
      terms: { type: "object" },
      lastDay: text,
      expires: whole,
      lastCredit: { type: ["integer", "null"] },
      reclaimAfterBlocks: whole,
      minimum: units,
      cap: units,
      fee: units,
      creditedAt: object({ confirmations: whole, upTo: units, aboveThat: whole }),
      request: text,
      next: text,
    }),
  },
  {
    method: "post",
    path: "/v1/withdrawals/quote",
    summary: "Whether a withdrawal would be accepted, and what it costs",
    body: object({ asset: text, amount: units, destination, maxFee: units }, ["maxFee"]),
    reply: object(
      {
        accepted: yes,
        code: text,
        reason: text,
        receives: units,
        fee: units,
        min: units,
        max: units,
      },
      ["code", "reason", "receives"],
    ),
  },
  {
    method: "get",
    path: "/v1/transfers/{id}",
    summary:
      "The receipt of a transfer: by event, withdrawal or ledger transaction (64 hex digits), by <bitcoin txid>:<vout>, by 0x<ethereum transaction>:<position of the log in its receipt>",
    reply: object({
      id: text,
      kind: { enum: ["deposit", "withdrawal", "transaction"] },
      status: text,
      reason: text,
      steps: list(object({ state: text, at: { type: ["integer", "null"] }, detail: text })),
      next: text,
    }),
  },
  {
    method: "get",
    path: "/v1/reserves",
    summary: "The accounts of every asset, and the coins behind them (ACC-1)",
    reply: object({ height: whole, time: whole, assets: list({ type: "object" }) }),
  },
  {
    method: "get",
    path: "/v1/keys",
    summary: "The ring's keys and open key generations",
    reply: object({
      height: whole,
      time: whole,
      network: text,
      keys: list({ type: "object" }),
      ceremonies: list({ type: "object" }),
    }),
  },
  {
    method: "get",
    path: "/v1/status",
    summary: "Heights of the ledger and of the watched chains",
    reply: object({
      network: text,
      name: text,
      ledger: { type: "object" },
      bitcoin: { type: "object" },
      evm: list({ type: "object" }),
    }),
  },
  {
    method: "get",
    path: "/v1/health",
    summary: "What of this operator works",
    reply: object({
      ok: yes,
      parts: {
        type: "object",
        additionalProperties: object({ ok: yes, since: whole, message: text }),
      },
    }),
  },
  {
    method: "get",
    path: "/v1/openapi.json",
    summary: "This page",
    reply: { type: "object" },
  },
];

const json = (schema: Schema): Schema => ({ content: { "application/json": { schema } } });

function operationOf({ path, summary, body, reply }: Operation): Schema {
  const failed = { description: "What is wrong", ...json(error) };
  return {
    summary,
    ...(path.includes("{id}") && {
      parameters: [{ name: "id", in: "path", required: true, schema: text }],
    }),
    ...(body && { requestBody: { required: true, ...json(body) } }),
    responses: {
      "200": { description: "Done", ...json(reply) },
      "400": failed,
      "404": failed,
      "503": failed,
    },
  };
}

export const openApi: Schema = {
  openapi: "3.1.0",
  info: {
    title: "Causeway portal",
    version: "1",
    description: "Any portal answers for any transfer: the state is on the ledger.",
  },
  paths: Object.fromEntries(
    operations.map((operation) => [operation.path, { [operation.method]: operationOf(operation) }]),
  ),
};
